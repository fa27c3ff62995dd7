"""Several comparisons at once: p-values adjusted for their number."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any

from finetune_lib.statistics.estimates import library, listed


def holm(ps: Iterable[float | None]) -> list[float | None]:
    """Adjust p-values so that all claims below 0.05 are right together, 95 times in 100 (Holm).

    For the comparisons that decide: several candidates against one baseline.

    Args:
        ps: One p-value a comparison; None where there was no test, which stays None and counts for nothing.

    Returns:
        The adjusted p-values in the order given.

    Raises:
        TypeError: They are no row of values, as those of a dict.
        ValueError: A p-value is not between 0 and 1; its place is named.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.

    Example:
        >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]
    """
    return _adjusted(ps, _holm)


def benjamini_hochberg(ps: Iterable[float | None]) -> list[float | None]:
    """Adjust p-values so that of all claims below 0.05 about 5 % are wrong (false discovery rate).

    For screening many categories, where a false alarm costs a second look only.

    Args:
        ps: One p-value a category; None where there was no test, which stays None and counts for nothing.

    Returns:
        The adjusted p-values in the order given.

    Raises:
        TypeError: They are no row of values, as those of a dict.
        ValueError: A p-value is not between 0 and 1; its place is named.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Source: Benjamini and Hochberg, "Controlling the false discovery rate", 1995.

    Example:
        >>> [round(p, 3) for p in benjamini_hochberg([0.01, 0.04, 0.03])]
        [0.03, 0.04, 0.04]
    """
    return _adjusted(ps, _benjamini_hochberg)


def _holm(ordered: Any) -> Any:
    numpy, m = library("numpy"), len(ordered)
    return numpy.maximum.accumulate(ordered * numpy.arange(m, 0, -1))


def _benjamini_hochberg(ordered: Any) -> Any:
    numpy, m = library("numpy"), len(ordered)
    return numpy.minimum.accumulate((ordered * m / numpy.arange(1, m + 1))[::-1])[::-1]


def _adjusted(ps: Iterable[float | None], of_ordered: Callable[[Any], Any]) -> list[float | None]:
    given = listed(ps, "ps")
    bad = [f"ps[{place}] = {p!r}" for place, p in enumerate(given) if p is not None and not _is_p(p)]
    if bad:
        raise ValueError(f"p-values lie between 0 and 1: {', '.join(bad)}")
    places = sorted((place for place, p in enumerate(given) if p is not None), key=lambda place: given[place] or 0.0)
    if not places:
        return given
    adjusted = of_ordered(library("numpy").array([given[place] for place in places], dtype=float)).clip(max=1.0)
    found = dict(zip(places, adjusted.tolist(), strict=True))
    return [found.get(place) for place in range(len(given))]


def _is_p(value: object) -> bool:
    return isinstance(value, Real) and 0 <= float(value) <= 1
