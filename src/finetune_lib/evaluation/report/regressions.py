"""What a candidate can no longer do that the baseline could, area by area, and how much may be lost unseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from finetune_lib.evaluation.report.comparing import Comparison
from finetune_lib.shown import Shown

Change = Literal["worse", "better", "not shown", "cannot tell"]
TOY = "tiny"  # the model that is trained and asked without a download, to try things out
LEAST_TO_LOSE = 10  # right answers of the baseline; of fewer there is hardly anything to lose
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Regression:
    """One area of a regression suite.

    Attributes:
        area: The area.
        comparison: The candidate against the baseline on its cases; p-values are corrected over the areas (Holm).
        before: The share of cases that the baseline answers right.
        after: That of the candidate.
        lost: The cases that the baseline answers right and the candidate does not.
    """

    area: str
    comparison: Comparison
    before: float
    after: float
    lost: tuple[str, ...]

    @property
    def change(self) -> Change:
        """`worse` or `better` where that is shown; `cannot tell` where the baseline has hardly anything to lose."""
        outcome = self.comparison.outcome
        if outcome == "not shown" or outcome == "equivalent":
            return "cannot tell" if self.before * self.comparison.estimate.n < LEAST_TO_LOSE else "not shown"
        return outcome

    @property
    def largest_loss(self) -> float:
        """The largest loss that is still possible, as a share of such questions: the lower end of the interval.

        Whatever missing answers would have been.
        """
        c = self.comparison
        return max(0.0, -min(e.low for e in (c.estimate, *(c.filled or ()))))

    def __str__(self) -> str:
        e = self.comparison.estimate
        told = f"{self.before:.0%} → {self.after:.0%} right, {100 * e.value:+.1f} points"
        return f"{self.change}: {self.area}: {told}, at most {100 * self.largest_loss:.1f} points lost ({e.n} cases)"


@dataclass(frozen=True, slots=True)
class Regressions(Shown):
    """What tuning broke, as far as a regression suite tells; printing it says all of it.

    Attributes:
        candidate: The candidate.
        baseline: What it is compared with.
        suite: The name of the suite.
        areas: One an area, those that got worse first.
        whole: All cases together.
        unanswered: Areas in which no case has answers of both: nobody can tell anything of these.
        toys: Which of both are `tiny`: of such a toy the suite can tell nothing.
        level: The level of the intervals.
    """

    candidate: str
    baseline: str
    suite: str
    areas: tuple[Regression, ...]
    whole: Regression
    unanswered: tuple[str, ...] = ()
    toys: tuple[str, ...] = ()
    level: str = "95 %"

    @property
    def worse(self) -> tuple[str, ...]:
        """The areas in which the candidate is shown to be worse; none where nothing can be told."""
        return () if self.toys else tuple(one.area for one in self.areas if one.change == "worse")

    @property
    def weakest(self) -> Regression:
        """The area in which most may be lost: gains elsewhere make up for nothing there."""
        return max((*self.areas, self.whole), key=lambda one: one.largest_loss)

    @property
    def largest_loss(self) -> float:
        """The largest loss in any area that is still possible, as a share of such questions."""
        return self.weakest.largest_loss

    @property
    def conclusion(self) -> str:
        """What follows, in one sentence."""
        if self.toys:
            return f"cannot tell: {', '.join(self.toys)} is the toy model tiny, which has nothing to lose"
        if self.worse:
            return f"{self.candidate} got worse at {', '.join(self.worse)}"
        if self.whole.change == "worse":
            which = "; in which area is not shown" if self.areas else ""
            return f"{self.candidate} got worse on the whole{which}"
        if self.whole.change == "cannot tell":
            return f"cannot tell: {self.baseline} has hardly a right answer to lose"
        return f"no loss is shown, but up to {100 * self.largest_loss:.1f} points may be lost at {self.weakest.area}"

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        of = f"suite {self.suite}, {self.whole.comparison.estimate.n} cases, {self.level} intervals"
        yield f"{self.candidate} against {self.baseline} ({of}): {self.conclusion}"
        for one in (*self.areas, self.whole) if len(self.areas) != 1 else self.areas:
            yield f"  {one}"
        if self.whole.lost:
            rest = f" … and {len(self.whole.lost) - MOST_NAMED} more" if len(self.whole.lost) > MOST_NAMED else ""
            yield f"  lost cases: {', '.join(self.whole.lost[:MOST_NAMED])}{rest}"
        if self.unanswered:
            yield f"  without a single answer of both: {', '.join(self.unanswered)}"
        if missing := self.whole.comparison.missing:
            yield f"  without an answer of both, counted as lost: {missing}. Run again, and only these are asked"


def toys_among(models: Mapping[str, str], names: Sequence[str]) -> tuple[str, ...]:
    """The candidates whose model is `tiny`, or was trained from it."""
    return tuple(name for name in names if (model := models.get(name, "")) == TOY or model.startswith(f"ft:{TOY}:"))
