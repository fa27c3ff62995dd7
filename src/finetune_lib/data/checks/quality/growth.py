"""What the data lacks for its purpose: wordings, small categories, one length of answer, no answer that passes.

Each is said once of the whole, and only where the data shows its purpose. A set is read as questions to one assistant
where most examples are a single question under one and the same system prompt, and most answers are texts.

Sources of the rules: Ovadia et al., "Fine-Tuning or Retrieval?", 2024 (a fact is learned from several wordings);
Google Cloud, Vertex AI, "Prepare text training data" (at least 10 texts a label, and texts of different lengths);
Zhang et al., "R-Tuning", 2024 (a model says "I don't know" where its training shows it).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import median, quantiles
from typing import Any, Self
from zlib import crc32

from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.records import Example, Origin
from finetune_lib.rows.exchange import Turns
from finetune_lib.rows.facts import Facts

FEWEST = 30  # examples that show a purpose
ENOUGH = 50  # examples among which one that passes is to be expected
DISTINCT = 20_000  # answers told apart; larger data is no list of questions
PROMPTS = 50  # system prompts told apart; more of them are no common one
CATEGORIES = 400
PER_CATEGORY = 10  # Vertex AI
NAMED = 8
REPEATED = 8192  # answers that come again
MOST = 0.8  # of the examples are of one kind
ASKED = 0.6  # of them end as questions do
SINGLE = 0.8  # of the answers have one wording of their question
TEXT = 20  # characters of an answer that is more than a value
SPREAD = 1.25  # from the 5th to the 95th of 100 lengths
_QUESTION = re.compile(r"[?？]\W*\Z|[嗎吗呢]\W*\Z")
_SENTENCE = re.compile(r"[.!?。！？～~]\W*\Z")
_PASSES = re.compile(  # of a text in lower case, which is searched much faster than in any case
    r"don['’]t (?:know|have)|do not (?:know|have)|not (?:sure|certain|able)|no information|cannot|can['’]t|unable"
    r"|sorry|please (?:ask|call|contact)|(?:不|無法|无法)(?:知道|清楚|確定|确定|提供|回答|能)|抱歉|對不起|对不起"
    r"|無法|无法|沒有.{0,6}(?:資料|資訊)|没有.{0,6}(?:资料|信息)"
    r"|[請请](?:洽|撥|拨|聯[絡繫]|联[系络]|咨詢|咨询|詢問|询问)"
)


@dataclass(slots=True)
class GrowthSurvey:
    """Counts what shows the purpose of the data, and what is missing for it."""

    total: int = 0
    single: int = 0
    asked: int = 0
    said: int = 0  # answers that end as sentences do
    shaped: int = 0  # answers that are JSON, markup or calls of tools
    passes: bool = False
    systems: Counter[int] = field(default_factory=Counter[int])
    answers: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])  # rows, and length
    categories: Counter[str] = field(default_factory=Counter[str])

    def look(self, facts: Facts, place: int) -> None:  # noqa: ARG002
        """Take up one example."""
        if facts.category and len(self.categories) <= CATEGORIES:
            self.categories[facts.category] += 1
        turns = facts.turns
        if turns is None or turns.rejected is not None:
            return
        self.total += 1
        self.single += len(turns.prompt) == 1
        self.asked += _QUESTION.search(turns.question[-8:]) is not None
        if len(self.systems) <= PROMPTS:
            self.systems[crc32(turns.system.encode("utf-8", "surrogatepass")) if turns.system else 0] += 1
        self._answer(turns)

    def _answer(self, turns: Turns) -> None:
        text = turns.answer.strip()
        self.shaped += turns.calls or text[:1] in ("{", "[", "<", "`")
        self.said += _SENTENCE.search(text[-4:]) is not None
        self.passes = self.passes or _passes(text)
        if len(self.answers) <= DISTINCT:
            key = crc32(text.encode("utf-8", "surrogatepass"))
            self.answers[key] = (self.answers.get(key, (0, 0))[0] + 1, len(text))

    def merge(self, later: Self, offset: int) -> None:  # noqa: ARG002
        """Take up what was counted in the part behind this one."""
        self.total += later.total
        self.single += later.single
        self.asked += later.asked
        self.said += later.said
        self.shaped += later.shaped
        self.passes = self.passes or later.passes
        self.systems += later.systems
        self.categories += later.categories
        for key, (rows, length) in later.answers.items() if len(self.answers) <= DISTINCT else ():
            self.answers[key] = (self.answers.get(key, (0, 0))[0] + rows, length)

    def findings(self, examples: Sequence[Example], rules: Rules) -> Iterator[Diagnostic]:  # noqa: ARG002
        """What is missing, each once."""
        if len(examples):
            yield from self.lacks(examples[0].origin.source)

    def lacks(self, source: str) -> Iterator[Diagnostic]:
        """What is missing, of data that reports call by this name."""
        yield from self._categories(source)
        known = len(self.answers)
        if self.total < FEWEST or known > DISTINCT or self.shaped > self.total / 10 or self.said < ASKED * self.total:
            return
        lengths = sorted(length for _, length in self.answers.values())
        if median(lengths) < TEXT:
            return
        asks = self._asks_one_assistant
        once = sum(rows == 1 for rows, _ in self.answers.values())
        if asks and once >= SINGLE * known and self.total < 2 * known:
            yield _told("Q930", source, single=once, answers=known)
        cuts = quantiles(lengths, n=20, method="inclusive") if known >= FEWEST else []
        if cuts and 2 * known >= self.total and cuts[-1] <= SPREAD * cuts[0]:
            yield _told("Q932", source, low=round(cuts[0]), high=round(cuts[-1]))
        if asks and self.total >= ENOUGH and not self.passes:
            yield _told("Q933", source, total=self.total)

    @property
    def _asks_one_assistant(self) -> bool:
        ((prompt, most),) = self.systems.most_common(1)
        common = bool(prompt) and len(self.systems) <= PROMPTS and most >= MOST * self.total
        return common and self.single >= MOST * self.total and self.asked >= ASKED * self.total

    def _categories(self, source: str) -> Iterator[Diagnostic]:
        """Categories with few examples, where the column does tell categories: it has ten a piece on average."""
        count, rows = len(self.categories), self.categories.total()
        few = sorted((number, name) for name, number in self.categories.items() if number < PER_CATEGORY)
        if few and 2 <= count <= CATEGORIES and rows >= PER_CATEGORY * count:
            named = ", ".join(f"{name} ({number})" for number, name in few[:NAMED])
            more = ", …" if len(few) > NAMED else ""
            yield _told("Q931", source, count=len(few), fewest=PER_CATEGORY, names=named + more)


@lru_cache(REPEATED)
def _passes(answer: str) -> bool:
    return _PASSES.search(answer.lower()) is not None


def _told(code: str, source: str, **given: Any) -> Diagnostic:
    return diagnose(code, Origin(source), **given)
