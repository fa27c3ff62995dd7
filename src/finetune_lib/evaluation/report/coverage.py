"""How much a candidate answers itself, and how much of that is wrong: of candidates that may decline or pass on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from finetune_lib.evaluation.report.results import Attempt
from finetune_lib.shown import Shown
from finetune_lib.statistics.certificates import clopper_pearson


@dataclass(frozen=True, slots=True)
class Coverage(Shown):
    """What a candidate answered itself.

    Attributes:
        asked: Answers that were wanted, those that failed left out.
        answered: Those that it gave itself.
        wrong: Those of its own that are less than right, or have no score.
        declined: Those that it did not give, as it was not sure enough.
        passed_on: Those that another candidate gave in its place.
        stages: Of a cascade, what each stage answered and got wrong.
    """

    asked: int
    answered: int
    wrong: int
    declined: int
    passed_on: int
    stages: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    @property
    def share(self) -> float:
        """The share that it answers itself."""
        return self.answered / self.asked if self.asked else 0.0

    @property
    def error(self) -> float:
        """The share of its own answers that is wrong."""
        return self.wrong / self.answered if self.answered else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The exact 95 % interval of the share that it answers (Clopper and Pearson, 1934)."""
        return clopper_pearson(self.answered, self.asked) if self.asked else (0.0, 1.0)


def coverage(attempts: Iterable[Attempt], scorer: str, right: float) -> Coverage:
    """What was answered of these attempts, right from that score on."""
    there = [one for one in attempts if not one.answer.error]
    own = [(one, _wrong(one, scorer, right)) for one in there if not (one.answer.declined or one.answer.passed_on)]
    declined = sum(one.answer.declined for one in there)
    stages: dict[str, tuple[int, int]] = {}
    for one, bad in own:
        if by := one.answer.by:
            answered, errors = stages.get(by, (0, 0))
            stages[by] = answered + 1, errors + bad
    return Coverage(
        len(there), len(own), sum(bad for _, bad in own), declined, len(there) - len(own) - declined, stages
    )


def _wrong(attempt: Attempt, scorer: str, right: float) -> bool:
    score = attempt.scores.get(scorer)
    return score is None or score.value < right
