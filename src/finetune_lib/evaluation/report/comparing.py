"""Comparison: one candidate against a baseline by one measure, and the verdict in words, by a rule fixed beforehand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypedDict

from finetune_lib import statistics
from finetune_lib.evaluation.report.design import NO_DESIGN, Design
from finetune_lib.evaluation.report.differences import Differences
from finetune_lib.shown import Shown
from finetune_lib.statistics import Estimate

Outcome = Literal["better", "worse", "equivalent", "not shown"]
Reason = Literal["unseen", "missing", "spread"]
Kind = Literal["score", "preference"]
Doubt = Literal["judge_disagrees", "judge_inconsistent", "cut"]
DOUBTS: Mapping[Doubt, str] = {
    "judge_disagrees": "the judge does not agree with the experts well enough to rest a verdict on it",
    "judge_inconsistent": "the judge's verdicts follow the order of the answers more than the answers",
    "cut": "without the answers that max_tokens cut off the outcome is another: raise the limit, then run again",
}
SIGNIFICANT = 0.05
FEW_DISCORDANT = 10
# Of an interval so narrow, two decimals say too little.
NARROW = 0.1
# Nobody labels so many times more cases to show a difference so small.
OUT_OF_REACH = 50


@dataclass(frozen=True, slots=True)
class Comparison(Shown):
    """One candidate against a baseline on the same cases.

    Attributes:
        candidate: Its name.
        baseline: The other one's name.
        scorer: The measure: a scorer, `judge` or `experts`.
        estimate: The mean of the paired differences, each group of cases counted once, with its interval and p-value.
        wins: Cases where the candidate is better.
        losses: Cases where the baseline is.
        ties: Cases where neither is.
        missing: Cases that lack a score of a side, or a judgment of the pair, wholly or in part.
        contaminated: Cases left out because the training data holds their like.
        kind: `score` where each candidate has a score of its own, `preference` where the pair has one
            from -1 to 1.
        adjusted_p: The p-value after Holm's correction for `family` comparisons with the baseline.
        family: How many candidates are compared with the baseline.
        filled: The estimate if all that is missing spoke against the candidate, and if all spoke for it; None where
            nothing is missing.
        margin: A difference too small to matter, where one was given.
        margin_p: The p-value of the claim that the difference lies within it, after Holm's correction.
        doubt: Why no verdict may rest on it: the judge is not to be trusted, or the outcome is another one without the
            answers that were cut off.
        cut: Cases in which the limit of tokens cut off an answer, of the candidate and of the baseline.
        design: What was decided before the run.
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
    filled: tuple[Estimate, Estimate] | None = None
    margin: float | None = None
    margin_p: float | None = None
    doubt: Doubt | None = None
    cut: tuple[int, int] = (0, 0)
    design: Design = NO_DESIGN

    @property
    def p(self) -> float:
        """The p-value that decides: the adjusted one where several candidates are compared."""
        found = self.adjusted_p if self.adjusted_p is not None else self.estimate.p
        return 1.0 if found is None else found

    @property
    def outcome(self) -> Outcome:
        """`better` or `worse` where the whole interval lies on that side of 0 and p is below 0.05.

        `equivalent` where a margin was given and the 90 % interval lies within it (two one-sided tests). All of it
        has to hold whatever the missing cases would have said. Anything less is `not shown`, for a `reason`; so is
        everything where a judge is not to be trusted.
        """
        if self.doubt:
            return "not shown"
        if self.margin_p is not None and self.margin_p < SIGNIFICANT:
            return "equivalent"
        sides: set[Outcome] = {side(e) for e in self._estimates}
        return sides.pop() if self.p < SIGNIFICANT and len(sides) == 1 else "not shown"

    @property
    def reason(self) -> Reason | None:
        """Why nothing is shown: None where something is, or where a judge is in doubt.

        `missing` where the cases that are there would show it, but those that are missing could undo it; `unseen`
        where all that was seen speaks for one side, but too few cases were seen to rule out rare large differences on
        the other; `spread` where the cases differ too much among themselves.
        """
        if self.outcome != "not shown" or self.doubt:
            return None
        if self.p < SIGNIFICANT and side(self.estimate) != "not shown":
            return "missing"
        low, high = self.estimate.seen or (-1.0, 1.0)
        return "unseen" if side(self.estimate) == "not shown" and (low > 0 or high < 0) else "spread"

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The difference if all missing cases spoke against the candidate, and if all spoke for it."""
        return (self.filled[0].value, self.filled[1].value) if self.filled else None

    @property
    def _estimates(self) -> tuple[Estimate, ...]:
        """What a verdict has to hold for."""
        return (self.estimate, *(self.filled or ()))

    def p_above(self, bound: float) -> float:
        """The one-sided p-value of the claim that the difference lies above the bound, whatever is missing."""
        return self._over_looks(e.t.p_above(bound) if e.t else 1.0 for e in self._estimates)

    def p_within(self, margin: float) -> float:
        """The p-value of the claim that the difference lies within the margin, whatever is missing."""
        found = (max(e.t.p_above(-margin), 1 - e.t.p_above(margin)) if e.t else 1.0 for e in self._estimates)
        return self._over_looks(found)

    def _over_looks(self, ps: Iterable[float]) -> float:
        return min(1.0, max(ps) * self.design.planned_looks)

    @property
    def win_rate(self) -> tuple[float, float, float] | None:
        """The share of cases that speak for the candidate, ties half, with its interval; of preferences only."""
        if self.kind == "score":
            return None
        e = self.estimate
        value, low, high = ((x + 1) / 2 for x in (e.value, e.low, e.high))
        return value, low, high

    @property
    def units(self) -> int:
        """Cases that are independent of each other: groups, where some belong together."""
        return self.estimate.clusters or self.estimate.n

    @property
    def items_needed(self) -> int | None:
        """Further cases, or groups of cases, that would probably show the difference; None where out of reach.

        It rests on the difference and the spread of this very set, so it is a rough number. Where what was not seen
        decides, it is the number that rules out a rare large loss (rule of three).
        """
        e = self.estimate
        if self.reason == "unseen":
            return self._reachable(math.ceil(3 * (e.t.scale if e.t else 1.0) / abs(e.value)))
        if self.outcome in {"better", "worse"} or not e.value or not e.standard_error:
            return None
        spread = e.standard_error * math.sqrt(self.units)
        return self._reachable(statistics.items_needed_graded(abs(e.value), spread))

    def _reachable(self, needed: int) -> int | None:
        more = needed - self.units
        return more if 0 < more <= OUT_OF_REACH * self.units else None

    @property
    def could_go_unseen(self) -> float:
        """The share of cases that may fail without one of them being in the set, in at most 5 of 100 sets."""
        return 1 - 0.05 ** (1 / self.units)

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
        cut = zip((self.candidate, self.baseline), self.cut, strict=True)
        gone += "".join(f", {number} of {name} cut off by max_tokens" for name, number in cut if number)
        gone += f", in {e.clusters} groups" if e.clusters else ""
        digits = 2 if e.high - e.low >= NARROW else 3
        value, low, high = (f"{x:+.{digits}f}" for x in (e.value, e.low, e.high))
        return f"{self.scorer} {value}, {self.design.level} interval {low} to {high}, {p} ({counts}{gone})"

    @property
    def advice(self) -> str:
        """Why nothing is shown and what to do; empty otherwise."""
        if self.doubt:
            return DOUBTS[self.doubt]
        what = "groups" if self.estimate.clusters else "cases"
        more = f"about {self.items_needed} more {what}" if self.items_needed else f"many more {what}"
        if self.reason == "missing":
            said = (
                f"shown on the {self.estimate.n} cases with a result, but {self.missing} are missing and could undo it"
            )
            return f"{said}: run again, and only these are asked"
        if self.reason == "unseen":
            other = "loses" if self.estimate.value > 0 else "wins"
            unseen = f"up to {100 * self.could_go_unseen:.0f} in 100 could go unseen"
            said = f"{self.units} {what} cannot rule out that it {other} much now and then ({unseen})"
            return f"{said}; {more} without such a case would show it"
        if self.reason == "spread" and self.items_needed:
            within = "more cases in these groups would not help; " if self.estimate.clusters else ""
            return f"{within}to show a difference of this size, label {more}"
        return ""

    def __str__(self) -> str:
        told = filter(None, (self.advice, self.design.look_again))
        return "\n  ".join([f"{self.sentence}: {self.numbers}", *told])


def side(e: Estimate) -> Outcome:
    """On which side of 0 the whole interval lies."""
    return "better" if e.low > 0 else "worse" if e.high < 0 else "not shown"


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
class Claim(Shown):
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


class Compared(TypedDict):
    """What `compare` finds, as a Comparison takes it."""

    estimate: Estimate
    filled: tuple[Estimate, Estimate] | None
    wins: int
    losses: int
    ties: int
    missing: int


def compare(
    differences: Differences,
    clusters: Sequence[str | None] | None,
    *,
    scale: tuple[tuple[float, float], bool] = ((0.0, 1.0), True),
    design: Design = NO_DESIGN,
) -> Compared:
    """The estimate of paired differences, what the missing ones could make of it, and the counts of outcomes.

    Args:
        differences: One a case.
        clusters: What cases depend on each other; None where they do not.
        scale: The least and the greatest score of one side, and whether that is known and not only as seen.
        design: What was decided before the run.
    """
    ends, declared = scale

    def estimate(values: Sequence[float | None]) -> Estimate:
        there = [(d, place) for place, d in enumerate(values) if d is not None]
        groups = None if clusters is None else [clusters[place] or f"case {place}" for _, place in there]
        known = [d for d, _ in there]
        found = statistics.paired_difference(known, [0.0] * len(known), groups, scale=ends, **design.told)
        return found if declared else replace(found, method=f"{found.method}; scale {ends[0]:g} to {ends[1]:g} as seen")

    missing = differences.missing
    values = [d for d in differences.known if d is not None]
    wins, losses = sum(d > 0 for d in values), sum(d < 0 for d in values)
    return {
        "estimate": estimate(differences.known),
        "filled": (estimate(differences.against), estimate(differences.favour)) if missing else None,
        "wins": wins,
        "losses": losses,
        "ties": len(values) - wins - losses,
        "missing": missing,
    }


def in_family(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The same comparisons with Holm's correction for all of them together."""
    if len(comparisons) < 2:
        return tuple(comparisons)
    adjusted = statistics.holm([c.estimate.p if c.estimate.p is not None else 1.0 for c in comparisons])
    pairs = zip(comparisons, adjusted, strict=True)
    return tuple(replace(c, adjusted_p=p, family=len(comparisons)) for c, p in pairs)


def with_margin(comparisons: Sequence[Comparison], margin: float) -> tuple[Comparison, ...]:
    """The same comparisons, tested for a difference within the margin, with Holm's correction of their own."""
    adjusted = statistics.holm([c.p_within(margin) for c in comparisons])
    return tuple(replace(c, margin=margin, margin_p=p) for c, p in zip(comparisons, adjusted, strict=True))


def shown_above(comparisons: Sequence[Comparison], bound: float) -> dict[str, bool]:
    """Of which candidates it is shown that they lie above the bound: one-sided at 0.025, Holm over the candidates.

    Tested before "better" and without a correction for both: what is better is not worse either (Marcus, Peritz and
    Gabriel, "On closed testing procedures", 1976).
    """
    adjusted = statistics.holm([c.p_above(bound) for c in comparisons])
    pairs = zip(comparisons, adjusted, strict=True)
    return {c.candidate: not c.doubt and p is not None and p < SIGNIFICANT / 2 for c, p in pairs}


def explored(found: Mapping[str, Comparison]) -> tuple[CategoryComparison, ...]:
    """Comparisons by category with Benjamini and Hochberg's correction."""
    ps = [c.estimate.p if c.estimate.p is not None else 1.0 for c in found.values()]
    adjusted = statistics.benjamini_hochberg(ps) if ps else []
    pairs = zip(found.items(), adjusted, strict=True)
    return tuple(CategoryComparison(name, replace(c, adjusted_p=p)) for (name, c), p in pairs)
