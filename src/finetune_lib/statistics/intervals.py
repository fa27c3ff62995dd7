"""One interval rule for every mean of paired differences: Student's t, with one more win and one more loss.

Plain t, percentile and BCa intervals collapse where few items differ: with 20 items and one win in twenty, a third
of all sets show no difference at all, and their interval has no width. One pseudo-item that was won and one that
was lost keep it honest at the price of a little width, which vanishes as the items grow.

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
    def clusters(self) -> int:
        """Units that are independent of one another."""
        return len(self.totals)

    @property
    def pseudo(self) -> float:
        """Size of the win and of the loss that are added.

        Where items are only won, lost or tied: that size. Otherwise the largest difference seen, times
        (m + 2) / m for the m that are not 0, because the largest of few is smaller than the largest of many; at
        most the scale. For clusters the same of their sums, with (m + 4) / m as sums vary more.
        """
        sizes = abs(self.totals[self.totals != 0])
        largest = int(library("numpy").bincount(self.groups).max()) if self.groups is not None else 1
        if not len(sizes) or (self.two_valued and self.groups is None):
            return self.scale * largest
        unseen = 2 if self.groups is None else 4
        return min(self.scale * largest, float(sizes.max()) * (1 + unseen / len(sizes)))


def mean_and_error(d: Differences) -> tuple[float, float, int]:
    """Mean and standard error of the differences with the pseudo-items, and the degrees of freedom."""
    numpy = library("numpy")
    values = numpy.append(d.values, [d.pseudo, -d.pseudo])
    if d.groups is None:
        return float(values.mean()), float(values.std(ddof=1)) / len(values) ** 0.5, len(values) - 1
    together = numpy.append(d.groups, [d.clusters, d.clusters + 1])
    return float(values.mean()), _clustered_error(values, together), d.clusters + 1


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
        return _clustered_error(d.values, d.groups)
    return float(d.values.std(ddof=ddof)) / d.n**0.5


def _clustered_error(values: Any, together: Any) -> float:
    """Standard error of the mean that allows for any correlation inside a cluster (Liang and Zeger 1986)."""
    numpy, models = library("numpy"), library("statsmodels.regression.linear_model")
    fitted = models.OLS(values, numpy.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": together})
    return float(fitted.bse[0])


def method_of(d: Differences, test: str) -> str:
    """The name of interval and test; with few clusters, that they are too few."""
    rule = "t interval with one more win and one more loss"
    if d.groups is None:
        return f"{rule}, {test}"
    text = f"cluster-robust {rule}, {test}, {d.clusters} clusters"
    return f"too few clusters ({d.clusters}) to be sure: {text}" if d.clusters < FEW_CLUSTERS else text
