"""The chance of a yes by several numbers: a logistic regression, held near 0, over standardised columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from finetune_lib.shown import Shown
from finetune_lib.statistics.estimates import library


@dataclass(frozen=True, slots=True)
class Logistic(Shown):
    """What was fitted: the logit of a yes is the offset and the weighted sum of the standardised numbers.

    Attributes:
        means: Of each column.
        spreads: The standard deviation of each column; 1 where it is constant, and so tells nothing.
        weights: Of each standardised column.
        offset: The logit at the means.

    Example:
        >>> from finetune_lib.statistics import Logistic
        >>> f"{Logistic(means=(3.0,), spreads=(2.0,), weights=(1.0,), offset=0.0).chance([5.0]):.3f}"
        '0.731'
    """

    means: tuple[float, ...]
    spreads: tuple[float, ...]
    weights: tuple[float, ...]
    offset: float

    def chance(self, values: Sequence[float]) -> float:
        """The chance of a yes.

        Raises:
            ValueError: There are more or fewer values than columns.
        """
        each = zip(values, self.means, self.spreads, self.weights, strict=True)
        logit = self.offset + sum(weight * (value - mean) / spread for value, mean, spread, weight in each)
        return 1 / (1 + math.exp(-logit)) if logit >= 0 else math.exp(logit) / (1 + math.exp(logit))


def ridge_logistic(rows: Iterable[Sequence[float]], yes: Iterable[bool], *, ridge: float = 1.0) -> Logistic:
    """The logistic regression of a yes on the columns, standardised; half the ridge times the squared weights is added.

    The offset is free, so that the mean of the fitted chances is the share of yes.

    Args:
        rows: Equally many finite numbers a row.
        yes: One a row.
        ridge: How strongly weights are held near 0.

    Raises:
        ValueError: There is no row, rows differ in length, a number is not finite, there are only yes or only no, or
            the ridge is not above 0.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Source: Le Cessie and van Houwelingen, "Ridge estimators in logistic regression", 1992.

    Example:
        >>> from finetune_lib.statistics import ridge_logistic
        >>> fitted = ridge_logistic([[1], [2], [3], [4], [5], [6]], [False, False, True, False, True, True])
        >>> f"{fitted.chance([1]):.2f} to {fitted.chance([6]):.2f}"
        '0.22 to 0.78'
    """
    numpy, optimize = library("numpy"), library("scipy.optimize")
    told, right = [tuple(row) for row in rows], [bool(one) for one in yes]
    if not told or len(told) != len(right) or len({len(row) for row in told}) != 1 or not told[0]:
        raise ValueError("give one or more rows of equally many numbers, and a yes or no for each")
    if len(set(right)) < 2:
        raise ValueError(f"all {len(right)} are {'yes' if right[0] else 'no'}: there is nothing to tell apart")
    if not 0 < ridge < math.inf:
        raise ValueError(f"ridge is above 0, not {ridge}")
    matrix = numpy.array(told, dtype=float)
    if not numpy.isfinite(matrix).all():
        raise ValueError("a number is not finite")
    means, spreads = matrix.mean(axis=0), matrix.std(axis=0)
    spreads[spreads <= 1e-12 * (1 + abs(means))] = 1.0
    z, y = (matrix - means) / spreads, numpy.array(right, dtype=float)

    def loss(weights: object) -> tuple[float, object]:
        w = numpy.asarray(weights)
        logit = z @ w[:-1] + w[-1]
        wrong = 1 / (1 + numpy.exp(-logit)) - y
        cost = numpy.logaddexp(0, logit).sum() - (y * logit).sum() + ridge / 2 * (w[:-1] ** 2).sum()
        return float(cost), numpy.append(z.T @ wrong + ridge * w[:-1], wrong.sum())

    found = optimize.minimize(loss, numpy.zeros(z.shape[1] + 1), jac=True, method="BFGS", options={"gtol": 1e-9}).x
    columns = (tuple(map(float, one)) for one in (means, spreads, found[:-1]))
    return Logistic(*columns, offset=float(found[-1]))
