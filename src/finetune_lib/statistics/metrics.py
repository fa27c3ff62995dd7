"""Metrics of a whole set, as macro F1 or corpus BLEU, of two candidates on the same items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from finetune_lib.statistics.estimates import SEED, Estimate, library, listed

Record = TypeVar("Record")
RESAMPLES = 1_000


def paired_metric(
    metric: Callable[[Sequence[Record]], float],
    a: Iterable[Record],
    b: Iterable[Record],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Estimate:
    """The difference of a metric of two sets of records of the same items.

    p swaps the records of the two sides item by item at random and asks how often the metric then differs as much;
    the interval is the percentile bootstrap over items. For a mean over items, `paired_difference` is better: it
    stays honest with few items that differ.

    Args:
        metric: What makes one number of the records of a set; called about 4 * `resamples` times.
        a: Records of one candidate, an item each, as (expected, answer).
        b: Records of the other one on the same items.
        resamples: Random swaps, and bootstrap samples.
        seed: Seed of both.

    Raises:
        ValueError: The lengths differ, or there is no item.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Source: Riezler and Maxwell, "On some pitfalls in automatic evaluation and significance testing for MT", 2005.

    Example:
        >>> def accuracy(records): return sum(want == got for want, got in records) / len(records)
        >>> found = paired_metric(accuracy, [("x", "x")] * 30, [("x", "x")] * 15 + [("x", "y")] * 15)
        >>> found.value, found.p < 0.01
        (0.5, True)
    """
    a, b = listed(a, "a"), listed(b, "b")
    if len(a) != len(b) or not a:
        raise ValueError(f"paired records come in equal numbers, at least one each: got {len(a)} and {len(b)}")
    numpy, value = library("numpy"), metric(a) - metric(b)
    draw = numpy.random.default_rng(seed)
    swapped = (_swapped(metric, a, b, row) for row in draw.integers(0, 2, (resamples, len(a))))
    extreme = sum(abs(apart) >= abs(value) * (1 - 1e-9) for apart in swapped)
    drawn: list[float] = [_drawn(metric, a, b, row) for row in draw.integers(0, len(a), (resamples, len(a)))]
    low, high = numpy.nanquantile(drawn, [0.025, 0.975])
    method = "percentile bootstrap interval over items, permutation test by swapping sides"
    return Estimate(value, float(low), float(high), (extreme + 1) / (resamples + 1), len(a), method)


def _swapped(metric: Callable[[Sequence[Record]], float], a: Sequence[Record], b: Sequence[Record], row: Any) -> float:
    swaps: list[int] = row.tolist()
    one = [y if swap else x for x, y, swap in zip(a, b, swaps, strict=True)]
    return metric(one) - metric([x if swap else y for x, y, swap in zip(a, b, swaps, strict=True)])


def _drawn(metric: Callable[[Sequence[Record]], float], a: Sequence[Record], b: Sequence[Record], row: Any) -> float:
    places: list[int] = row.tolist()
    return metric([a[place] for place in places]) - metric([b[place] for place in places])
