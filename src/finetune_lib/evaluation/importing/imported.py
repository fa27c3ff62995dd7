"""What was brought from another tool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

from finetune_lib.evaluation.candidates import Recorded
from finetune_lib.evaluation.golden import GoldenSet
from finetune_lib.evaluation.scorers.scorer import Instant, text_of
from finetune_lib.records import Answer, Case, Score
from finetune_lib.shown import Shown


@dataclass(frozen=True)
class RecordedScores(Shown, Instant):
    """Scores that another tool gave, as a scorer: nobody is asked again, and a new answer has none.

    Attributes:
        scores: By the id of the case and the text of the answer.
        name: What reports call it.
        range: The least and the greatest score, where they are not 0 and 1.

    Raises:
        ValueError: When called: this answer was never scored; the report has it as a missing score.
    """

    whole_answer: ClassVar[bool] = True

    scores: Mapping[tuple[str, str], float]
    _: KW_ONLY
    name: str = "recorded"
    range: tuple[float, float] | None = None

    def __call__(self, answer: Answer | str, case: Case, /) -> Score:
        """The score that was given."""
        if (found := self.scores.get((case.id, text_of(answer)))) is None:
            raise ValueError(f"case {case.id}: {self.name} never scored this answer")
        return Score(found)


@dataclass(frozen=True)
class Imported(Shown):
    """An evaluation of another tool; `print` it.

    Attributes:
        golden: The cases.
        scorers: What scores again here, and costs nothing.
        paid: Scorers that ask a model.
        candidates: The answers that were given.
        recorded: The scores that were given.
        notes: What could not be carried over, and what was decided; by name.
    """

    golden: GoldenSet
    _: KW_ONLY
    scorers: tuple[Any, ...] = ()
    paid: tuple[Any, ...] = ()
    candidates: tuple[Recorded, ...] = ()
    recorded: tuple[RecordedScores, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.golden.name}: {len(self.golden)} cases"
        parts = {"scorers": self.scorers, "scorers that ask a model": self.paid, "candidates": self.candidates}
        for what, found in {**parts, "recorded scores": self.recorded}.items():
            if found:
                yield f"  {what}: {', '.join(one.name for one in found)}"
        yield from (f"  note: {note}" for note in self.notes)
