"""Honest statistics for paired comparisons of 20 to 2,000 items; thin over numpy and scipy, and pure.

The item is the unit: what belongs to one item is averaged before it comes here. The rule for which interval
and which test is used depends on the kind of scores and their number only, never on the result, and its name
is part of every `Estimate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from finetune_lib.extras import require

SMALL_SET, FEW_DISCORDANT, SMALL_GRADED = 100, 20, 30
# Beyond these, 0.3 - 0.2 and 0.9 - 0.8 differ by nothing but the arithmetic of floats.
DIGITS = 12
# Resamples held in memory at once.
BATCH = 200
DRAWS, SEED = 20_000, 2026
TERNARY = frozenset({-1.0, 0.0, 1.0})


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its uncertainty.

    Attributes:
        value: The estimate.
        low: Lower end of the 95 % interval.
        high: Upper end of the 95 % interval.
        p: Two-sided p-value against no difference.
        n: Items it rests on.
        method: How interval and p-value were made.
    """

    value: float
    low: float
    high: float
    p: float
    n: int
    method: str


def require_statistics() -> None:
    """Fail early where the `eval` extra is missing: before anything is paid for.

    Raises:
        MissingExtraError: numpy or scipy is not installed.
    """
    _scipy_stats()


def paired_difference(a: Sequence[float], b: Sequence[float]) -> Estimate:
    """The mean of `a` - `b` over the same items, with a 95 % interval and a p-value.

    Scores of 0 and 1: mid-p sign (McNemar) test; the interval is the posterior of the difference under a
    Dirichlet(1/2) prior on losses, ties and wins for fewer than 100 items or 20 discordant ones, where
    bootstrap intervals collapse (widened to hold the estimate, where all items agree), and a BCa bootstrap
    over items otherwise. Graded scores: sign-flip
    permutation test, t interval below 30 items, else BCa.

    Args:
        a: Scores of one candidate, an item each.
        b: Scores of the other one on the same items.

    Raises:
        ValueError: The lengths differ, or there is no item.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.
    """
    if len(a) != len(b) or not a:
        raise ValueError(f"paired scores come in equal numbers, at least one each: got {len(a)} and {len(b)}")
    differences = [round(float(x) - float(y), DIGITS) for x, y in zip(a, b, strict=True)]
    return _ternary(differences) if TERNARY.issuperset(differences) else _graded(differences)


def sign_test(wins: int, losses: int) -> float:
    """Two-sided mid-p of the sign test; ties are left out. McNemar's mid-p where scores are 0 and 1.

    Source: Fagerland, Lydersen and Laake, "The McNemar test for binary matched-pairs data", 2013.
    """
    if wins + losses == 0:
        return 1.0
    binomial = _scipy_stats().binom(wins + losses, 0.5)
    worse = min(wins, losses)
    return min(1.0, float(2 * binomial.cdf(worse) - binomial.pmf(worse)))


def _ternary(differences: Sequence[float]) -> Estimate:
    wins = sum(d > 0 for d in differences)
    losses = sum(d < 0 for d in differences)
    n, p = len(differences), sign_test(wins, losses)
    if n < SMALL_SET or wins + losses < FEW_DISCORDANT or n in (wins, losses):  # a bootstrap needs some spread
        low, high = _dirichlet_interval(wins, n - wins - losses, losses)
        method = "Dirichlet(1/2) interval, mid-p sign test"
    else:
        low, high = _bca_interval(differences)
        method = "BCa bootstrap interval, mid-p sign test"
    value = (wins - losses) / n
    return Estimate(value, min(low, value), max(high, value), p, n, method)


def _graded(differences: Sequence[float]) -> Estimate:
    n = len(differences)
    value = sum(differences) / n
    if len(set(differences)) == 1:  # no spread to estimate from: judge the sign, in this size
        sign = _ternary([value / abs(value)] * n)
        return Estimate(value, abs(value) * sign.low, abs(value) * sign.high, sign.p, n, sign.method)
    interval, name = (_t_interval, "t") if n < SMALL_GRADED else (_bca_interval, "BCa bootstrap")
    low, high = interval(differences)
    return Estimate(value, low, high, _flip_test(differences), n, f"{name} interval, sign-flip permutation test")


def _dirichlet_interval(wins: int, ties: int, losses: int) -> tuple[float, float]:
    numpy = _numpy()
    shares = numpy.random.default_rng(SEED).dirichlet([wins + 0.5, ties + 0.5, losses + 0.5], DRAWS)
    low, high = numpy.quantile(shares[:, 0] - shares[:, 2], [0.025, 0.975])
    return float(low), float(high)


def _bca_interval(differences: Sequence[float]) -> tuple[float, float]:
    numpy, stats = _numpy(), _scipy_stats()
    found = stats.bootstrap((differences,), numpy.mean, method="BCa", batch=BATCH, rng=numpy.random.default_rng(SEED))
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def _t_interval(differences: Sequence[float]) -> tuple[float, float]:
    found = _scipy_stats().ttest_1samp(differences, 0.0).confidence_interval(0.95)
    return float(found.low), float(found.high)


def _flip_test(differences: Sequence[float]) -> float:
    numpy, stats = _numpy(), _scipy_stats()
    found = stats.permutation_test(
        (differences,),
        numpy.mean,
        permutation_type="samples",
        n_resamples=9999,
        vectorized=True,
        batch=BATCH,
        rng=numpy.random.default_rng(SEED),
    )
    return float(found.pvalue)


def _numpy() -> Any:
    return require("numpy", extra="eval", feature="Comparing candidates")


def _scipy_stats() -> Any:
    return require("scipy.stats", extra="eval", feature="Comparing candidates")
