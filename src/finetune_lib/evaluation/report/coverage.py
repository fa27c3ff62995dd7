"""How much a candidate answers itself, and how much of that is wrong: of candidates that may decline or pass on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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
    """

    asked: int
    answered: int
    wrong: int
    declined: int
    passed_on: int

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
    own = [one for one in there if not (one.answer.declined or one.answer.passed_on)]
    wrong = sum((score := one.scores.get(scorer)) is None or score.value < right for one in own)
    declined = sum(one.answer.declined for one in there)
    return Coverage(len(there), len(own), wrong, declined, len(there) - len(own) - declined)
