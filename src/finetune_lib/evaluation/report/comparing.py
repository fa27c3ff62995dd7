"""Comparison: one candidate against a baseline by one measure, and the verdict in words, by a rule fixed beforehand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypedDict

from finetune_lib import statistics
from finetune_lib.statistics import Estimate

Outcome = Literal["better", "worse", "equivalent", "not shown"]
Kind = Literal["score", "preference"]
Doubt = Literal["judge_disagrees", "judge_inconsistent"]
DOUBTS: Mapping[Doubt, str] = {
    "judge_disagrees": "the judge does not agree with the experts well enough to rest a verdict on it",
    "judge_inconsistent": "the judge's verdicts follow the order of the answers more than the answers",
}
SIGNIFICANT = 0.05
MOST_MISSING = 0.05
FEW_DISCORDANT = 10
# Of an interval so narrow, two decimals say too little.
NARROW = 0.1
# Nobody labels so many times more cases to show a difference so small.
OUT_OF_REACH = 50


@dataclass(frozen=True, slots=True)
class Comparison:
    """One candidate against a baseline on the same cases.

    Attributes:
        candidate: Its name.
        baseline: The other one's name.
        scorer: The measure: a scorer, `judge` or `experts`.
        estimate: The mean of the paired differences, with its 95 % interval and p-value.
        wins: Cases where the candidate is better.
        losses: Cases where the baseline is.
        ties: Cases where neither is.
        missing: Cases left out because a side has no score, or the pair no judgment.
        contaminated: Cases left out because the training data holds their like.
        kind: `score` where each candidate has a score of its own, `preference` where the pair has one
            from -1 to 1.
        adjusted_p: The p-value after Holm's correction for `family` comparisons with the baseline.
        family: How many candidates are compared with the baseline.
        bounds: The difference if all missing cases spoke against the candidate, and if all spoke for it.
        margin: A difference too small to matter, where one was given.
        doubt: Why no verdict may rest on the measure, of a judge that is not to be trusted.
    """

    candidate: str
    baseline: str
    scorer: str
    estimate: Estimate
    wins: int
    losses: int
    ties: int
    missing: int
    contaminated: int = 0
    kind: Kind = "score"
    adjusted_p: float | None = None
    family: int = 1
    bounds: tuple[float, float] | None = None
    margin: float | None = None
    doubt: Doubt | None = None

    @property
    def p(self) -> float:
        """The p-value that decides: the adjusted one where several candidates are compared."""
        found = self.adjusted_p if self.adjusted_p is not None else self.estimate.p
        return 1.0 if found is None else found

    @property
    def outcome(self) -> Outcome:
        """`better` or `worse` where the whole interval lies on that side of 0 and p is below 0.05.

        `equivalent` where a margin was given and the whole interval lies within it. Anything less is
        `not shown`; so is everything where more than 5 % of the cases are missing, because they may be missing
        for a reason that has to do with the answers, and where a judge is not to be trusted.
        """
        low, high = self.estimate.low, self.estimate.high
        if self.doubt or self.missing > MOST_MISSING * (self.estimate.n + self.missing):
            return "not shown"
        if self.margin is not None and -self.margin <= low and high <= self.margin:
            return "equivalent"
        if self.p >= SIGNIFICANT:
            return "not shown"
        return "better" if low > 0 else "worse" if high < 0 else "not shown"

    @property
    def win_rate(self) -> tuple[float, float, float] | None:
        """The share of cases that speak for the candidate, ties half, with its interval; of preferences only."""
        if self.kind == "score":
            return None
        e = self.estimate
        value, low, high = ((x + 1) / 2 for x in (e.value, e.low, e.high))
        return value, low, high

    @property
    def items_needed(self) -> int | None:
        """Further cases that would probably show the difference that was seen; None where that is out of reach.

        It rests on the difference and the spread of this very set, so it is a rough number.
        """
        e = self.estimate
        if self.outcome in {"better", "worse"} or not e.value or not e.standard_error:
            return None
        spread = e.standard_error * math.sqrt(e.n)
        more = statistics.items_needed_graded(abs(e.value), spread) - e.n
        return more if 0 < more <= OUT_OF_REACH * e.n else None

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        if self.outcome == "not shown":
            return f"no difference between {self.candidate} and {self.baseline} is shown"
        if self.outcome == "equivalent":
            return f"{self.candidate} and {self.baseline} are equivalent within ±{self.margin:g}"
        return f"{self.candidate} is {self.outcome} than {self.baseline}"

    @property
    def numbers(self) -> str:
        """The difference with its interval and p-value, and the cases behind it."""
        e = self.estimate
        p = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.3f}"
        p += f" (Holm, {self.family} comparisons)" if self.family > 1 else ""
        counts = f"{self.wins} wins, {self.losses} losses, {self.ties} ties"
        gone = f", {self.missing} missing" if self.missing else ""
        gone += f", {self.contaminated} left out as contaminated" if self.contaminated else ""
        digits = 2 if e.high - e.low >= NARROW else 3
        value, low, high = (f"{x:+.{digits}f}" for x in (e.value, e.low, e.high))
        return f"{self.scorer} {value}, 95 % interval {low} to {high}, {p} ({counts}{gone})"

    @property
    def advice(self) -> str:
        """What to do where nothing is shown; empty otherwise."""
        if self.outcome != "not shown":
            return ""
        if self.doubt:
            return DOUBTS[self.doubt]
        if self.missing > MOST_MISSING * (self.estimate.n + self.missing):
            return "too many cases are missing for a verdict: see the failures, then run again"
        return f"to show a difference of this size, label about {self.items_needed} more cases" * bool(
            self.items_needed
        )

    def __str__(self) -> str:
        more = f"\n  {self.advice}" if self.advice else ""
        return f"{self.sentence}: {self.numbers}{more}"


@dataclass(frozen=True, slots=True)
class CategoryComparison:
    """A comparison within one category; exploratory, because there are several of them.

    Attributes:
        category: The category.
        comparison: The comparison on its cases; its `adjusted_p` is Benjamini and Hochberg's over the categories.
    """

    category: str
    comparison: Comparison

    @property
    def too_few(self) -> bool:
        """Whether fewer than 10 cases differ: too few to say anything."""
        return self.comparison.wins + self.comparison.losses < FEW_DISCORDANT


@dataclass(frozen=True, slots=True)
class Claim:
    """What `report.better` says; it is true where the claim is shown.

    Attributes:
        holds: Whether it is shown.
        comparison: The numbers.
        text: What was claimed.
    """

    holds: bool
    comparison: Comparison
    text: str

    def __bool__(self) -> bool:
        return self.holds

    def __repr__(self) -> str:
        return f"<{'shown' if self.holds else 'NOT shown'}: {self.text}; {self.comparison.numbers}>"


class Counts(TypedDict):
    """Cases by what came of them."""

    wins: int
    losses: int
    ties: int
    missing: int


def compare(
    differences: Sequence[float | None], clusters: Sequence[str | None] | None, *, scale: tuple[float, float]
) -> tuple[Estimate, Counts, tuple[float, float] | None]:
    """The estimate of paired differences, the counts of outcomes, and the bounds that missing cases leave.

    Args:
        differences: One a case; None is missing.
        clusters: What cases depend on each other; None where they do not.
        scale: The least and the greatest difference that there can be.
    """
    there = [(place, d) for place, d in enumerate(differences) if d is not None]
    values = [d for _, d in there]
    groups = None if clusters is None else [clusters[place] or f"case {place}" for place, _ in there]
    estimate = statistics.paired_difference(values, [0.0] * len(values), groups, scale=(0, scale[1]))
    wins, losses = sum(d > 0 for d in values), sum(d < 0 for d in values)
    missing = len(differences) - len(values)
    counts: Counts = {"wins": wins, "losses": losses, "ties": len(values) - wins - losses, "missing": missing}
    low, high = ((sum(values) + missing * end) / len(differences) for end in scale)
    return estimate, counts, (low, high) if missing else None


def in_family(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The same comparisons with Holm's correction for all of them together."""
    if len(comparisons) < 2:
        return tuple(comparisons)
    adjusted = statistics.holm([c.estimate.p if c.estimate.p is not None else 1.0 for c in comparisons])
    pairs = zip(comparisons, adjusted, strict=True)
    return tuple(replace(c, adjusted_p=p, family=len(comparisons)) for c, p in pairs)


def explored(found: Mapping[str, Comparison]) -> tuple[CategoryComparison, ...]:
    """Comparisons by category with Benjamini and Hochberg's correction."""
    ps = [c.estimate.p if c.estimate.p is not None else 1.0 for c in found.values()]
    adjusted = statistics.benjamini_hochberg(ps) if ps else []
    pairs = zip(found.items(), adjusted, strict=True)
    return tuple(CategoryComparison(name, replace(c, adjusted_p=p)) for (name, c), p in pairs)
