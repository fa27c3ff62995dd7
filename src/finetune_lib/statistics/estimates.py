"""What every function here gives back, and what every one asks of the scores that it is given."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from finetune_lib.extras import require

SEED = 2026
# Beyond these, 0.3 - 0.2 and 0.9 - 0.8 differ by nothing but the arithmetic of floats.
DIGITS = 12
MOST_NAMED = 5

Clusters = Sequence[Hashable | None]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its uncertainty; `float(estimate)` is the number.

    Attributes:
        value: The estimate.
        low: Lower end of the interval: 95 %, where the method names no other.
        high: Upper end of the interval.
        p: Two-sided p-value against no difference; None where no test belongs to the number.
        n: Items it rests on.
        method: How interval and p-value were made.
        standard_error: The plain standard error, where one belongs to the number.
        statistic: The test statistic, as chi-squared or z, where the test has one.

    Example:
        >>> from finetune_lib.statistics import wilson
        >>> print(wilson(3, 10))
        0.300 (0.108 to 0.603), n = 10
    """

    value: float
    low: float
    high: float
    p: float | None
    n: int
    method: str
    standard_error: float | None = field(default=None, kw_only=True)
    statistic: float | None = field(default=None, kw_only=True)

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        p = "" if self.p is None else ", p < 0.001" if self.p < 0.001 else f", p = {self.p:.3f}"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f}){p}, n = {self.n}"


def require_statistics() -> None:
    """Fail early where the `eval` extra is missing: before anything is paid for.

    Raises:
        MissingExtraError: numpy or scipy is not installed.
    """
    library("scipy.stats")


def library(module: str) -> Any:
    """A module of the `eval` extra, imported when first needed."""
    return require(module, extra="eval", feature="Comparing candidates")


def numbers(scores: Sequence[float | None], name: str) -> Any:
    """The scores as an array of floats.

    Raises:
        ValueError: There is none, or some are missing, not numbers, or not finite; the places are named.
    """
    if not len(scores):
        raise ValueError(f"{name} is empty: at least one item is needed")
    bad = [(place, score) for place, score in enumerate(scores) if not _is_finite(score)]
    if bad:
        named = ", ".join(f"{name}[{place}] = {score!r}" for place, score in bad[:MOST_NAMED])
        more = f" and {len(bad) - MOST_NAMED} more" if len(bad) > MOST_NAMED else ""
        raise ValueError(
            f"scores must be finite numbers: {named}{more}. Leave items without a score out on both sides and count "
            "them; worst_case() tells what they could change"
        )
    return library("numpy").asarray(scores, dtype=float)


def _is_finite(score: object) -> bool:
    try:
        return math.isfinite(score)  # type: ignore[arg-type]
    except TypeError:
        return False


def paired(a: Sequence[float | None], b: Sequence[float | None]) -> tuple[Any, Any]:
    """Both as arrays.

    Raises:
        ValueError: They differ in length, are empty, or hold something that is no finite number.
    """
    if len(a) != len(b) or not len(a):
        raise ValueError(f"paired scores come in equal numbers, at least one each: got {len(a)} and {len(b)}")
    return numbers(a, "a"), numbers(b, "b")


def groups(clusters: Clusters | None, n: int) -> Any:
    """The number of its cluster for each item; None where every item is a cluster of its own.

    Raises:
        ValueError: Not one id per item.
    """
    if clusters is None:
        return None
    if len(clusters) != n:
        raise ValueError(f"clusters need one id per item: got {len(clusters)} ids for {n} items")
    ids = [("item", place) if cluster is None else ("cluster", cluster) for place, cluster in enumerate(clusters)]
    places = {cluster: number for number, cluster in enumerate(dict.fromkeys(ids))}
    return None if len(places) == n else library("numpy").array([places[cluster] for cluster in ids])
