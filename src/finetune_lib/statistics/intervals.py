"""One interval rule for every mean of paired differences: the wider of two t intervals.

The first stands over what was *seen*: the differences, with one more gain and one more loss as large as the largest
of them. Plain t, percentile and BCa intervals collapse where few items differ: with 20 items and one win in twenty,
a third of all sets show no difference at all, and their interval has no width.

The second stands over what may be *unseen*: as many differences as there are, all equal to their mean, with one
gain and one loss as large as the scale allows. Thirty small gains cannot rule out that one item in ten is lost whole.

A cluster counts once, as the mean of its items: copies of an item tell what the item tells.

Source: Bonett and Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on
paired data", 2012, here with Student's t and for graded scores too; Hanley and Lippman-Hand, "If nothing goes wrong,
is everything all right?", 1983; Hayes and Moulton, "Cluster Randomised Trials", 2017, for cluster summaries.
`benchmarks/coverage.py` measures how often it holds the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from finetune_lib.statistics.estimates import DIGITS, Clusters, StudentT, ends, groups, library, whole

LEVEL = 0.95
Scale = Sequence[float]
Assumption = Literal["cases not seen are like those seen"]
ASSUMED: Assumption = "cases not seen are like those seen"


@dataclass(frozen=True)
class Differences:
    """Differences of paired scores, and the scale they come from.

    Attributes:
        values: One an item.
        groups: The number of its cluster for each item; None where items stand alone.
        scale: The most by which two scores can differ.
        as_seen: The ends of the scale, where nobody declared them and they are those of the scores.
    """

    values: Any
    groups: Any
    scale: float
    as_seen: str = ""

    @property
    def n(self) -> int:
        """Items."""
        return len(self.values)

    @cached_property
    def units(self) -> Any:
        """One difference for each cluster, the mean of its items; the differences themselves where there is none."""
        if self.groups is None:
            return self.values
        numpy = library("numpy")
        return (numpy.bincount(self.groups, weights=self.values) / numpy.bincount(self.groups)).round(DIGITS)

    @property
    def mean(self) -> float:
        """Their mean, each cluster once."""
        return float(self.units.mean())

    @property
    def two_valued(self) -> bool:
        """Whether an item is won whole, lost whole or tied, and no more."""
        return self.groups is None and bool(library("numpy").isin(abs(self.values), (0.0, self.scale)).all())

    @property
    def clusters(self) -> int | None:
        """How many there are; None where items stand alone."""
        return None if self.groups is None else len(self.units)

    @property
    def largest(self) -> float:
        """The largest difference that the set lets expect: that of few is smaller than that of many."""
        m = int((self.units != 0).sum())
        return min(self.scale, float(abs(self.units).max()) * (1 + 2 / m)) if m else self.scale


def differences_of(a: Any, b: Any, clusters: Clusters | None, scale: Scale | None = None) -> Differences:
    """The differences of two arrays, on the scale that was declared, else on 0 to 1, else on that of the scores.

    Raises:
        ValueError: Two scores differ by more than the declared scale allows.
    """
    values, together = (a - b).round(DIGITS), groups(clusters, len(a))
    if scale is not None:
        return Differences(values, together, _within(values, scale))
    low, high = float(min(a.min(), b.min())), float(max(a.max(), b.max()))
    if low >= 0 and high <= 1:
        return Differences(values, together, 1.0)
    return Differences(values, together, high - low or max(1.0, abs(high)), f"{low:g} to {high:g}")


def _within(values: Any, scale: Scale) -> float:
    low, high = ends(scale)
    place = int(abs(values).argmax())
    if abs(values[place]) > high - low + 1e-9:
        raise ValueError(
            f"the scores of item {place} differ by {abs(values[place]):g}, more than the declared scale from {low:g} "
            f"to {high:g} allows: declare the ends that a score can really reach"
        )
    return high - low


def seen(d: Differences) -> StudentT:
    """What the differences alone tell, with one more gain and one more loss of the largest size."""
    return _with_pair(d.units, d.largest, d.scale)


def decided(d: Differences, assume: Assumption | None = None) -> StudentT:
    """The wider of what was seen and what may be unseen; the first alone where the unseen was assumed away."""
    told = seen(d)
    unseen = _with_pair(library("numpy").full(len(d.units), d.mean), d.scale, d.scale)
    return told if assume or told.error >= unseen.error else unseen


def _with_pair(units: Any, size: float, scale: float) -> StudentT:
    more = library("numpy").append(units, [size, -size])
    return StudentT(float(more.mean()), float(more.std(ddof=1)) / len(more) ** 0.5, len(more) - 1, scale)


def widened(t: StudentT, folds: int | None) -> StudentT:
    """The same for items that were judged in folds by models that share examples: wider by √(folds / (folds - 1)).

    Raises:
        ValueError: There are fewer than two folds.
    """
    if folds is None:
        return t
    if whole(folds, "folds") < 2:
        raise ValueError(f"folds is at least 2, not {folds}: each is judged by a model trained on the others")
    return replace(t, error=t.error * (folds / (folds - 1)) ** 0.5)


def standard_error(d: Differences, *, ddof: int = 1) -> float | None:
    """The plain standard error of the mean, without what is added."""
    n = len(d.units)
    return None if n < 2 else float(d.units.std(ddof=ddof)) / n**0.5


def method_of(
    d: Differences,
    *,
    test: str = "",
    assume: Assumption | None = None,
    looks: int = 1,
    folds: int | None = None,
) -> str:
    """How interval and test were made, in words."""
    rule = "wider of two t intervals, over what was seen and what may be unseen"
    if d.two_valued or assume:
        rule = "t interval with one more win and one more loss"
    parts = [
        rule + (test and f", {test}"),
        f"each of {d.clusters} clusters counted once" if d.clusters else "",
        f"scale {d.as_seen} as seen" if d.as_seen else "",
        f"supposing that {assume}" if assume else "",
        f"one of {looks} planned looks" if looks > 1 else "",
        f"cross-fitted in {folds} folds, so wider by √({folds}/{folds - 1})" if folds else "",
    ]
    return "; ".join(filter(None, parts))
