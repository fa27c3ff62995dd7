"""One interval rule for every mean of paired differences: Student's t, with one more win and one more loss.

Plain t, percentile and BCa intervals collapse where few items differ: with 20 items and one win in twenty, a third
of all sets show no difference at all, and their interval has no width. One pseudo-item that was won and one that
was lost keep it honest at the price of a little width, which vanishes as the items grow. Of clusters, it is one more
that was won and one that was lost, of the size in which an item finds itself on average; the degrees of freedom
count the effective clusters, as many of equal size as would tell as much (Kish, "Survey Sampling", 1965).

Source: Bonett and Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on
paired data", Journal of Educational and Behavioral Statistics 37 (2012), here with Student's t and for graded and
clustered scores too; `benchmarks/coverage.py` measures how often it holds the truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from finetune_lib.statistics.estimates import library

FEW_CLUSTERS = 20
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Differences:
    """Differences of paired scores, and what is known of the scale they come from.

    Attributes:
        values: One an item.
        groups: The number of its cluster for each item; None where items stand alone.
        two_valued: Whether the scores have two values, so that an item is won, lost or tied and no more.
        scale: The most by which two scores can differ, as far as it is known.
    """

    values: Any
    groups: Any
    two_valued: bool
    scale: float

    @property
    def n(self) -> int:
        """Items."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """Their mean."""
        return float(self.values.mean())

    @property
    def totals(self) -> Any:
        """The sum of each cluster, or the differences themselves."""
        return self.values if self.groups is None else library("numpy").bincount(self.groups, weights=self.values)

    @property
    def sizes(self) -> Any:
        """Items of each cluster."""
        numpy = library("numpy")
        return numpy.ones(self.n) if self.groups is None else numpy.bincount(self.groups).astype(float)

    @property
    def clusters(self) -> int:
        """Units that are independent of one another."""
        return self.n if self.groups is None else int(self.groups.max()) + 1

    @property
    def size(self) -> float:
        """Items of the cluster in which an item finds itself, on average."""
        return float((self.sizes**2).sum()) / self.n

    @property
    def effective(self) -> float:
        """As many clusters of equal size would tell as much: all clusters, less where a few hold most items."""
        return self.n / self.size

    @property
    def pseudo(self) -> float:
        """Size of the win and of the loss that are added.

        Where items are only won, lost or tied: that size. Otherwise the largest difference seen, times
        (m + 2) / m for the m clusters that are not 0, because the largest of few is smaller than the largest of
        many; at most the scale.
        """
        m = int((self.totals != 0).sum())
        return self.scale if self.two_valued or not m else min(self.scale, float(abs(self.values).max()) * (1 + 2 / m))


def mean_and_error(d: Differences) -> tuple[float, float, float]:
    """Mean and standard error of the differences with the pseudo-items, and the degrees of freedom."""
    numpy, size = library("numpy"), d.size
    totals = numpy.append(d.totals, [d.pseudo * size, -d.pseudo * size])
    sizes = numpy.append(d.sizes, [size, size])
    return float(totals.sum() / sizes.sum()), _error(totals, sizes), d.effective + 1


def interval(d: Differences, *, level: float = LEVEL) -> tuple[float, float]:
    """The interval of the mean, cut at the ends of the scale."""
    mean, error, freedom = mean_and_error(d)
    reach = float(library("scipy.stats").t.ppf(0.5 + level / 2, freedom)) * error
    end = max(d.scale, abs(d.mean))
    return max(-end, mean - reach), min(end, mean + reach)


def standard_error(d: Differences, *, ddof: int = 1) -> float | None:
    """The plain standard error of the mean, without pseudo-items; cluster-robust where there are clusters."""
    if d.clusters < 2:
        return None
    if d.groups is not None:
        return _error(d.totals, d.sizes)
    return float(d.values.std(ddof=ddof)) / d.n**0.5


def _error(totals: Any, sizes: Any) -> float:
    """Standard error of the mean that allows for any correlation inside a cluster (Liang and Zeger 1986)."""
    n, count = sizes.sum(), len(totals)
    apart = totals - totals.sum() / n * sizes
    return float(((apart**2).sum() * count / (count - 1)) ** 0.5 / n)


def method_of(d: Differences, test: str = "") -> str:
    """The name of interval and test; with few effective clusters, that they are too few."""
    rule = "t interval with one more win and one more loss" + (test and f", {test}")
    if d.groups is None:
        return rule
    effective = f"{d.effective:.3g} effective"
    text = f"cluster-robust {rule}, {d.clusters} clusters ({effective})"
    return f"too few clusters ({effective}) to be sure: {text}" if d.effective < FEW_CLUSTERS else text
