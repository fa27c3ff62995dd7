"""What was recorded, and the folder that holds it.

recording.json   model, settings, margin and day: written before the first answer, and never changed
questions.jsonl  the questions, as a golden set
recorded.jsonl   the first answers, one a line with the whole question: `ft.Recorded` reads it, too
again.jsonl      the second answers
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from finetune_lib.errors import DataError
from finetune_lib.evaluation.candidates import Recorded
from finetune_lib.evaluation.golden import GoldenSet
from finetune_lib.files import json_line, write_atomically
from finetune_lib.migration.recording.plan import usage_of
from finetune_lib.platforms.asking import Spent
from finetune_lib.records import Answer, Case, ToolCall
from finetune_lib.shown import Shown
from finetune_lib.statistics import wilson
from finetune_lib.statistics.estimates import Estimate
from finetune_lib.texts import fold

MANIFEST, QUESTIONS, ANSWERS, AGAIN = "recording.json", "questions.jsonl", "recorded.jsonl", "again.jsonl"
FORM = 1
Line = Mapping[str, Any]
Same = Callable[[str, str], float]


def same_words(one: str, other: str) -> float:
    """Whether two answers are the same, but for case, width and space."""
    return float(fold(one) == fold(other))


@dataclass(frozen=True)
class Recording(Shown):
    """What a model answered while it did; `print` it.

    Attributes:
        folder: Where it lies.
        model: Which.
        margin: How much worse a replacement may be: fixed before the first answer.
        day: When the first answer was asked.
        questions: What was to be asked.
        answers: The first answers, by the id of the question.
        again: The second answers.
        missing: Why there is no answer to a question, by its id.
        spent: What the last run paid; nothing where it was loaded.
    """

    folder: Path
    _: KW_ONLY
    model: str
    margin: float
    day: str
    questions: GoldenSet
    answers: Mapping[str, Line] = field(default_factory=dict[str, Line])
    again: Mapping[str, Line] = field(default_factory=dict[str, Line])
    missing: Mapping[str, str] = field(default_factory=dict[str, str])
    spent: Spent = field(default_factory=Spent)

    @property
    def golden(self) -> GoldenSet:
        """The questions that have an answer: on them a replacement is held against the old model."""
        return self.questions.filter(lambda case: case.id in self.answers)

    def candidate(self, *, name: str = "old") -> Recorded:
        """The old model as a candidate that needs nobody: its first answers."""
        return Recorded({id: _answer(line) for id, line in self.answers.items()}, name=name)

    def self_agreement(self, *, same: Same | None = None) -> Estimate | None:
        """How often the model answers a question as before, with its 95 % interval: no replacement has to do better.

        Args:
            same: 1 where two answers say the same, else 0; by default where the words are the same.

        Returns:
            The share; None where nothing was asked twice.
        """
        pairs = [(self.answers[id], line) for id, line in self.again.items() if id in self.answers]
        if not pairs:
            return None
        told = same or same_words
        return wilson(sum(told(_said(one), _said(other)) >= 0.5 for one, other in pairs), len(pairs))

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Recording:
        """Take a recording up from its folder, with or without the platform.

        Raises:
            DataError: There is none, or a line of it is damaged; it is named.
        """
        path = Path(folder)
        told = manifest_in(path)
        if told is None:
            raise DataError(f"{path} holds no recording: {MANIFEST} is not there")
        questions = GoldenSet.load(path / QUESTIONS)
        answers, again = lines_in(path / ANSWERS), lines_in(path / AGAIN)
        missing = {case.id: "it was not asked" for case in questions if case.id not in answers}
        kept = {name: told[name] for name in ("model", "margin", "day")}
        return cls(path, questions=questions, answers=answers, again=again, missing=missing, **kept)

    def __str__(self) -> str:
        lines = [f"{len(self.answers)} of {len(self.questions)} answers of {self.model} in {self.folder}"]
        if agreed := self.self_agreement():
            lines.append(
                f"it answers a question a second time in the same words in {agreed.value:.0%} of {len(self.again)}"
            )
        lines += [f"not recorded: {count}, {reason}" for reason, count in Counter(self.missing.values()).most_common()]
        lines.append(f"a replacement may be worse by {100 * self.margin:g} points: fixed on {self.day}")
        return "\n".join([*lines, str(self.spent)] if self.spent.calls or self.spent.reused else lines)


def _said(line: Line) -> str:
    return json.dumps([line["answer"], line.get("tool_calls") or []], ensure_ascii=False)


def _answer(line: Line) -> Answer:
    calls = tuple(ToolCall(name, arguments) for name, arguments in line.get("tool_calls") or ())
    return Answer(
        line["answer"],
        usage=usage_of(line["usage"]),
        seconds=line["seconds"],
        tool_calls=calls,
        finish_reason=line.get("finish_reason"),
        cost=line.get("cost"),
        reasoning=line.get("reasoning") or "",
    )


def manifest_in(folder: Path) -> Mapping[str, Any] | None:
    """What was fixed before the first answer; None where nothing was recorded there.

    Raises:
        DataError: It is damaged, or of a later version; or the folder holds something else.
    """
    path = folder / MANIFEST
    if not path.exists():
        if folder.exists() and any(folder.iterdir()):
            raise DataError(f"{folder} holds something else: name an empty or a new folder")
        return None
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["recording"] == FORM and isinstance(told["margin"], float) and told["model"] and told["day"]:
            return told
    except (ValueError, KeyError, TypeError):
        pass
    raise DataError(f"{path} is no manifest of a recording, or of a later version")


def write_manifest(folder: Path, told: Mapping[str, Any]) -> None:
    """Fix model, settings and margin, before anything is asked."""
    text = json.dumps({"recording": FORM, **told}, ensure_ascii=False, indent=1)
    write_atomically(folder / MANIFEST, [text.encode(), b"\n"], overwrite=False)


def lines_in(path: Path) -> dict[str, Line]:
    """The answers of a file, by the id of the question.

    Raises:
        DataError: A line is damaged; it is named.
    """
    if not path.exists():
        return {}
    found: dict[str, Line] = {}
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            line = json.loads(text)
            found[line["id"]] = line
            _answer(line)
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}, line {number}: no recorded answer ({error!r})") from error
    return found


def write_lines(path: Path, lines: Iterable[Line]) -> None:
    """Write answers, whole or not at all."""
    write_atomically(path, (json_line(line, number) for number, line in enumerate(lines, start=1)))


def asks_the_same(one: Case, other: Case) -> bool:
    """Whether two questions of one id are one."""
    return one.messages == other.messages and one.tools == other.tools
