"""Data whose answers are labels: one that drowns the others, rare ones, and two spellings of one."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.records import Example, Origin
from finetune_lib.rows.facts import Facts
from finetune_lib.rows.turns import turns

LONGEST = 40
DISTINCT = 400
FEWEST = 30
PER_LABEL = 4  # examples that a label has on average at least, where answers are labels
SHARE = 0.9
RATIO = 10
FEW_LABELS = 10
RARE = 5
NAMED = 10


@dataclass(slots=True)
class Label:
    """How often an answer stands in the data, and where first."""

    count: int
    first: int


@dataclass(slots=True)
class LabelSurvey:
    """Counts short answers until one is too long to be a label: from then on the data is no classification."""

    seen: dict[str, Label] = field(default_factory=dict[str, Label])
    total: int = 0
    others: int = 0

    def look(self, facts: Facts, place: int) -> None:
        """Take up the answer of one example."""
        texts = () if self.others else facts.answers
        if not texts:
            return
        self.total += 1
        if len(texts) > 1 or len(texts[0]) > LONGEST or "\n" in texts[0].strip():
            self.others += 1
        else:
            self._count(texts[0], Label(1, place))

    def merge(self, later: Self, offset: int) -> None:
        """Take up what was counted in the part behind this one."""
        self.total += later.total
        self.others += later.others
        for text, label in later.seen.items():
            self._count(text, Label(label.count, label.first + offset))

    def findings(self, examples: Sequence[Example], rules: Rules) -> Iterator[Diagnostic]:  # noqa: ARG002
        """What is wrong with the labels, where the answers are labels."""
        if self.others or self.total < FEWEST or PER_LABEL * len(self.seen) > self.total:
            return
        groups = self._groups()
        for group in groups:
            yield from self._spellings(group, examples)
        totals = {group[0]: sum(self.seen[text].count for text in group) for group in groups}
        yield from self._imbalance(totals, examples)
        rare = [text for text, count in totals.items() if count < RARE] if len(totals) > 1 else []
        for text in rare[:NAMED]:
            yield diagnose("Q912", *self._place(text, examples), label=text, count=totals[text], fewest=RARE)

    def _groups(self) -> list[list[str]]:
        """Labels that differ in spelling alone, the commonest spelling first."""
        groups: defaultdict[str, list[str]] = defaultdict(list)
        for text in sorted(self.seen, key=lambda text: (-self.seen[text].count, self.seen[text].first)):
            groups[folded(text)].append(text)
        return list(groups.values())

    def _spellings(self, group: Sequence[str], examples: Sequence[Example]) -> Iterator[Diagnostic]:
        usual, most = group[0], self.seen[group[0]]
        for text in group[1:]:
            given: dict[str, Any] = {"label": text, "count": self.seen[text].count, "usual": usual, "most": most.count}
            yield diagnose("Q911", *self._place(text, examples), related=(examples[most.first].origin,), **given)

    def _imbalance(self, totals: dict[str, int], examples: Sequence[Example]) -> Iterator[Diagnostic]:
        if len(totals) < 2:
            return
        most, least = max(totals, key=lambda text: totals[text]), min(totals, key=lambda text: totals[text])
        uneven = len(totals) <= FEW_LABELS and totals[most] > RATIO * totals[least]
        if uneven or totals[most] > SHARE * self.total:
            few: dict[str, Any] = {"rarest": least, "few": totals[least], "total": self.total}
            yield diagnose("Q905", *self._place(most, examples), label=most, count=totals[most], **few)

    def _place(self, text: str, examples: Sequence[Example]) -> tuple[Origin, str]:
        example = examples[self.seen[text].first]
        return example.origin, next(turn.pointer for turn in turns(example.data) if turn.learned)

    def _count(self, text: str, new: Label) -> None:
        if known := self.seen.get(text):
            known.count += new.count
        elif len(self.seen) < DISTINCT:
            self.seen[text] = new
        else:
            self.others += new.count


def folded(label: str) -> str:
    """A label without capitals, width, spaces around it and a closing mark."""
    return unicodedata.normalize("NFKC", label).strip().strip("。.!！\"'“”").strip().casefold() or label
