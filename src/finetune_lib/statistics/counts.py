"""Counts: a share with its interval, and the tests of wins against losses."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import Any, Literal

from finetune_lib.statistics.estimates import Estimate, library, whole

Method = Literal["mid-p", "exact", "chi2", "chi2-corrected"]


def wilson(successes: float, n: float, *, confidence: float = 0.95) -> Estimate:
    """A share, as an accuracy or a pass rate, with Wilson's score interval.

    Args:
        successes: Items that passed.
        n: All items.
        confidence: Confidence of the interval.

    Raises:
        ValueError: No item, more successes than items, no whole numbers, or a confidence outside 0 to 1.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927; without
    continuity correction.

    Example:
        >>> share = wilson(45, 50)
        >>> f"{share.value:.2f}, {share.low:.3f} to {share.high:.3f}"
        '0.90, 0.786 to 0.957'
    """
    successes, n = whole(successes, "successes"), whole(n, "n")
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, as 0.95: got {confidence}")
    if not 0 <= successes <= n or n < 1:
        raise ValueError(f"a share needs at least one item and successes between 0 and n: got {successes} of {n}")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)  # four lines, since importing scipy.stats takes longer than a report
    middle, share = (successes + z**2 / 2) / (n + z**2), successes / n
    reach = z / (n + z**2) * sqrt(successes * (n - successes) / n + z**2 / 4)
    low, high = max(0.0, middle - reach) if successes else 0.0, min(1.0, middle + reach) if successes < n else 1.0
    return Estimate(share, low, high, None, n, f"{confidence:.0%} Wilson interval")


def mcnemar(b: float, c: float, *, method: Method = "mid-p") -> Estimate:
    """McNemar's test of two candidates on the same items, scored 0 or 1.

    `value` is the share b / (b + c) of the items that only the first candidate got right among those that just one
    got right (0.5 where there is none), with Wilson's interval; `n` is b + c. `statistic` is chi-squared for the
    chi-squared methods.

    Args:
        b: Items that only the first candidate got right.
        c: Items that only the second one got right.
        method: `mid-p`; `exact`, the binomial test, which is conservative; `chi2`; `chi2-corrected`, with
            continuity correction.

    Raises:
        ValueError: A count is negative or no whole number, or the method is unknown.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Source: McNemar 1947; Fagerland, Lydersen and Laake, "The McNemar test for binary matched-pairs data", 2013.

    Example:
        >>> f"{mcnemar(150, 86).p:.2e}"
        '2.89e-05'
        >>> f"{mcnemar(150, 86, method='chi2').statistic:.4f}"
        '17.3559'
    """
    b, c = _counts(b, c)
    n = b + c
    share = wilson(b, n) if n else Estimate(0.5, 0.0, 1.0, None, 0, "")
    p, statistic = _test(b, c, method)
    name = {"mid-p": "mid-p", "exact": "exact binomial", "chi2": "chi-squared"}.get(method, "corrected chi-squared")
    text = f"McNemar's test ({name}), Wilson interval"
    return Estimate(share.value, share.low, share.high, p, n, text, statistic=statistic)


def sign_test(wins: float, losses: float, *, method: Method = "mid-p") -> Estimate:
    """The sign test of wins against losses; ties are left out.

    `value` is the share of the wins among both (0.5 where there is none), with Wilson's interval. The
    test is McNemar's under another name; `exact` is the binomial test that textbooks print.

    Args:
        wins: Items that the candidate won.
        losses: Items that it lost.
        method: As for `mcnemar`.

    Raises:
        ValueError: A count is negative or no whole number, or the method is unknown.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Example:
        >>> f"{sign_test(13, 2, method='exact').p:.6f}"
        '0.007385'
    """
    found = mcnemar(wins, losses, method=method)
    text = found.method.replace("McNemar's test", "sign test")
    return Estimate(found.value, found.low, found.high, found.p, found.n, text, statistic=found.statistic)


def mid_p(wins: int, losses: int) -> float:
    """Two-sided mid-p of the sign test."""
    if wins + losses == 0:
        return 1.0
    below, n, worse = library("scipy.special").bdtr, wins + losses, min(wins, losses)
    return min(1.0, float(below(worse, n, 0.5)) + (float(below(worse - 1, n, 0.5)) if worse else 0.0))


def _counts(b: float, c: float) -> tuple[int, int]:
    if b < 0 or c < 0:
        raise ValueError(f"counts cannot be negative: got {b} and {c}")
    return whole(b, "the first"), whole(c, "the second")


def _test(b: int, c: int, method: str) -> tuple[float, float | None]:
    """p-value and statistic."""
    if method == "mid-p":
        return mid_p(b, c), None
    stats: Any = library("scipy.stats")
    if method == "exact":
        return (float(stats.binomtest(b, b + c).pvalue) if b + c else 1.0), None
    if method not in ("chi2", "chi2-corrected"):
        raise ValueError(f"no method is named {method!r}; there are mid-p, exact, chi2 and chi2-corrected")
    apart = max(abs(b - c) - (method == "chi2-corrected"), 0)
    statistic = apart**2 / (b + c) if b + c else 0.0
    return float(stats.chi2.sf(statistic, 1)), statistic
