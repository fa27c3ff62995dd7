"""What every function here gives back, and what every one asks of the scores that it is given."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, TypeVar

from finetune_lib.extras import require
from finetune_lib.shown import Shown

SEED = 2026
# Beyond these, 0.3 - 0.2 and 0.9 - 0.8 differ by nothing but the arithmetic of floats.
DIGITS = 12
MOST_NAMED = 5
NO_ROWS = (str, bytes, Mapping, Set)

Clusters = Iterable[Hashable | None]
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class StudentT(Shown):
    """What an interval and a p-value are read off: a mean, its standard error, and the degrees of freedom.

    Attributes:
        centre: The mean, with what the rule adds to the items.
        error: Its standard error.
        freedom: Degrees of freedom.
        scale: The most that the mean can be, on either side of 0.

    Example:
        >>> from finetune_lib.statistics import paired_difference
        >>> t = paired_difference([1, 1, 1, 0] * 10, [1, 0, 0, 0] * 10).t
        >>> "{:.3f} to {:.3f}".format(*t.interval(0.9)), t.p_above(0.2) < 0.05
        ('0.333 to 0.619', True)
    """

    centre: float
    error: float
    freedom: int
    scale: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The interval of that level, cut at the ends of the scale."""
        reach = float(library("scipy.special").stdtrit(self.freedom, 0.5 + level / 2)) * self.error
        return max(-self.scale, self.centre - reach), min(self.scale, self.centre + reach)

    def p_above(self, bound: float) -> float:
        """The one-sided p-value of the claim that the mean lies above the bound."""
        return float(library("scipy.special").stdtr(self.freedom, (bound - self.centre) / self.error))

    @property
    def p(self) -> float:
        """The two-sided p-value against a mean of 0."""
        return min(1.0, 2 * float(library("scipy.special").stdtr(self.freedom, -abs(self.centre) / self.error)))


@dataclass(frozen=True, slots=True)
class Estimate(Shown):
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
        clusters: Clusters that count once each; None where items stand alone.
        t: What interval and p-value were read off, for other levels and margins; None where they are of another kind.
        seen: The interval without what may be unseen, where the rule asks for both.

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
    clusters: int | None = field(default=None, kw_only=True)
    t: StudentT | None = field(default=None, kw_only=True, repr=False)
    seen: tuple[float, float] | None = field(default=None, kw_only=True, repr=False)

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
    library("scipy.special")


def library(module: str) -> Any:
    """A module of the `eval` extra, imported when first needed."""
    return require(module, extra="eval", feature="Comparing candidates")


def listed(values: Iterable[Thing], name: str) -> list[Thing]:
    """The values of a list, tuple, generator, numpy array or pandas Series, read once.

    Raises:
        TypeError: They have no order, as those of a dict or set, or are one text, one number or a table.
    """
    kind = type(values).__name__
    if isinstance(values, NO_ROWS) or not hasattr(values, "__iter__") or getattr(values, "ndim", 1) != 1:
        raise TypeError(f"{name} must be a list or another row of values, one an item: got {kind}")
    return list(values)


def is_missing(value: object) -> bool:
    """Whether it is None, or not equal to itself as nan is."""
    try:
        return value is None or bool(value != value)
    except TypeError:  # pandas.NA refuses to be true or false
        return True


def whole(count: float, name: str) -> int:
    """The count as an int; 3.0 is 3.

    Raises:
        ValueError: It is no whole number.
    """
    if not _is_finite(count) or count != int(count):
        raise ValueError(f"{name} is a count, a whole number as 3: got {count!r}")
    return int(count)


def ends(scale: Iterable[float]) -> tuple[float, float]:
    """The lower and the upper end of a scale.

    Raises:
        ValueError: They are not two numbers, the second above the first.
    """
    found = listed(scale, "scale")
    if len(found) != 2 or not all(map(_is_finite, found)) or not found[0] < found[1]:
        raise ValueError(f"a scale is two numbers, the lower end and a higher one, as (0, 1): got {tuple(found)!r}")
    return found[0], found[1]


def numbers(scores: Iterable[float | None], name: str) -> Any:
    """The scores as an array of floats.

    Raises:
        TypeError: They are no row of values.
        ValueError: There is none, or some are missing, not numbers, or not finite; the places are named.
    """
    given = listed(scores, name)
    if not given:
        raise ValueError(f"{name} is empty: at least one item is needed")
    bad = [(place, score) for place, score in enumerate(given) if not _is_finite(score)]
    if bad:
        named = ", ".join(f"{name}[{place}] = {score!r}" for place, score in bad[:MOST_NAMED])
        more = f" and {len(bad) - MOST_NAMED} more" if len(bad) > MOST_NAMED else ""
        raise ValueError(
            f"scores must be finite numbers: {named}{more}. Leave items without a score out on both sides and count "
            "them; worst_case() tells what they could change"
        )
    return library("numpy").asarray(given, dtype=float)


def _is_finite(score: object) -> bool:
    try:
        return math.isfinite(score)  # type: ignore[arg-type]
    except TypeError:
        return False


def paired(
    a: Iterable[float | None], b: Iterable[float | None], names: tuple[str, str] = ("a", "b")
) -> tuple[Any, Any]:
    """Both as arrays.

    Raises:
        TypeError: One is no row of values.
        ValueError: They differ in length, are empty, or hold something that is no finite number.
    """
    one, other = listed(a, names[0]), listed(b, names[1])
    if len(one) != len(other) or not one:
        raise ValueError(f"paired scores come in equal numbers, at least one each: got {len(one)} and {len(other)}")
    return numbers(one, names[0]), numbers(other, names[1])


def groups(clusters: Clusters | None, n: int) -> Any:
    """The number of its cluster for each item; None where every item is a cluster of its own, as those without id.

    Raises:
        ValueError: Not one id per item.
    """
    if clusters is None:
        return None
    given = listed(clusters, "clusters")
    if len(given) != n:
        raise ValueError(f"clusters need one id per item: got {len(given)} ids for {n} items")
    ids = [("item", place) if is_missing(cluster) else ("cluster", cluster) for place, cluster in enumerate(given)]
    places = {cluster: number for number, cluster in enumerate(dict.fromkeys(ids))}
    return None if len(places) == n else library("numpy").array([places[cluster] for cluster in ids])
