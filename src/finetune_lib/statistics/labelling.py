"""Which items people should label next, so that few labels tell much, and what the labels say of all items.

Items are drawn with chances that are known, larger where a judge is likely to be wrong; each label then counts by one
over its chance. So the estimate is unbiased whatever the chances are; good ones make it narrow.

Source: Horvitz and Thompson, "A generalization of sampling without replacement from a finite universe", 1952; Neyman,
"On the two different aspects of the representative method", 1934, for chances in proportion to the spread; Madow, "On
the theory of systematic sampling, II", 1949, for the draw; Särndal, Swensson and Wretman, "Model Assisted Survey
Sampling", 1992, for the difference estimator.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from finetune_lib.statistics.estimates import Estimate, library, listed
from finetune_lib.statistics.paired import paired_difference

# Half of every chance is the same for all: however wrong the guess of the spreads, no label counts more than twice.
EVEN = 0.5


def labelling_chances(spreads: Iterable[float], count: int) -> list[float]:
    """For each item the chance to be drawn; together they are `count`.

    Half of the labels are spread evenly, half in proportion to how far the judge may be off; an item that would have
    more than 1 is drawn for sure.

    Args:
        spreads: How far the judge is likely to be off, an item each; at least 0.
        count: How many items are to be labelled.

    Raises:
        ValueError: There is no item, a spread is below 0 or not finite, or the count is not between 1 and the items.

    Example:
        >>> labelling_chances([1, 1, 3, 3], 2)
        [0.375, 0.375, 0.625, 0.625]
    """
    told = listed(spreads, "spreads")
    if not told or not all(math.isfinite(one) and one >= 0 for one in told):
        raise ValueError("give one or more spreads, each a finite number of at least 0")
    if not 1 <= count <= len(told):
        raise ValueError(f"count is between 1 and the {len(told)} items, not {count}")
    total = sum(told)
    shares = [EVEN / len(told) + (1 - EVEN) * (one / total if total else 1 / len(told)) for one in told]
    sure = set[int]()
    while True:
        left, whole = count - len(sure), sum(share for place, share in enumerate(shares) if place not in sure)
        more = {
            place for place, share in enumerate(shares) if place not in sure and left * share >= whole * (1 - 1e-12)
        }
        if not more:
            return [1.0 if place in sure else left * share / whole for place, share in enumerate(shares)]
        sure |= more


def drawn_to_label(chances: Sequence[float], *, start: float) -> list[int]:
    """The places of the drawn items: every item with its chance, and always the same number of them.

    Args:
        chances: As `labelling_chances` gives them, in an order that is random.
        start: Drawn evenly between 0 and 1.

    Example:
        >>> drawn_to_label([0.375, 0.375, 0.625, 0.625], start=0.5)
        [1, 3]
    """
    found: list[int] = []
    reached = 0.0
    for place, chance in enumerate(chances):
        before, reached = reached, reached + chance
        # The ticks are at start, start + 1, …; sums of floats are off by less than this.
        if math.ceil(reached - start - 1e-9) > math.ceil(before - start - 1e-9):
            found.append(place)
    return found


def labelled_mean(
    judged: Sequence[float],
    chances: Sequence[float],
    labels: Mapping[int, float],
    *,
    scale: tuple[float, float] = (-1.0, 1.0),
) -> Estimate:
    """The mean that all items would have if people labelled them all, out of the labels of those that were drawn.

    It is the judge's mean, put right by how far the judge was off on the drawn items, each counted by one over its
    chance: unbiased over the draw, whatever the judge is worth. The interval is the rule of every verdict over these
    corrections; it speaks of these items.

    Args:
        judged: What the judge says, an item each.
        chances: With which each item was drawn.
        labels: By place, what people say of each drawn item; all of them.
        scale: The least and the greatest value.

    Raises:
        ValueError: Lengths differ, no label is there, a labelled item had no chance, the labels are more or fewer than
            were drawn, or a value lies beyond the scale.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Example:
        >>> found = labelled_mean([1, 1, 0, 0], [0.375, 0.375, 0.625, 0.625], {1: 1, 2: -1})
        >>> f"{found.value:.2f}"
        '0.10'
    """
    n, count = len(judged), round(sum(chances))
    if n != len(chances) or not n:
        raise ValueError(f"there are {n} judged items and {len(chances)} chances")
    if len(labels) != count:
        raise ValueError(f"{count} items were drawn and {len(labels)} are labelled: label all that were drawn")
    if any(not chances[place] > 0 for place in labels):
        raise ValueError("an item is labelled that could not have been drawn")
    low, high = scale
    if not all(low <= value <= high for value in (*judged, *labels.values())):
        raise ValueError(f"a value lies beyond the scale from {low:g} to {high:g}")
    doubt = [place for place, chance in enumerate(chances) if chance < 1]
    known = sum(said for place, said in labels.items() if chances[place] >= 1)
    if not doubt:
        return Estimate(known / n, known / n, known / n, n=n, method="all items are labelled", p=None)
    drawn = [place for place in labels if chances[place] < 1]
    weight = len(drawn) / len(doubt)
    corrections = [weight * (labels[place] - judged[place]) / chances[place] for place in drawn]
    reach = weight * (high - low) / min(chances[place] for place in doubt if chances[place] > 0)
    found = paired_difference(corrections, [0.0] * len(drawn), scale=(0.0, reach))
    judge = sum(judged[place] for place in doubt) / len(doubt)
    value, least, most = ((known + len(doubt) * (judge + one)) / n for one in (found.value, found.low, found.high))
    least, most = min(value, max(low, least)), max(value, min(high, most))  # the value stays unbiased beyond the scale
    method = f"judge's mean, corrected by labels of items drawn with known chances; {found.method}"
    return replace(found, value=value, low=least, high=most, p=None, t=None, seen=None, method=method)


def labelling_width(spreads: Sequence[float], count: int, *, reach: float = 2.0) -> float:
    """The half-width of the interval that so many labels would probably bring.

    It rests on the spreads, so it is a rough number; rare large errors that none of the labels meets are allowed for.

    Args:
        spreads: How far the judge is likely to be off, an item each.
        count: How many items are labelled.
        reach: How far the judge can be off at most.

    Raises:
        ValueError: As `labelling_chances`.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Example:
        >>> f"{labelling_width([0.5] * 200, 25):.2f}, {labelling_width([0.5] * 200, 100):.2f}"
        '0.22, 0.10'
    """
    chances = labelling_chances(spreads, count)
    doubt = [(chance, spread) for chance, spread in zip(chances, spreads, strict=True) if chance < 1]
    if not doubt:
        return 0.0
    drawn = round(sum(chance for chance, _ in doubt))
    weight = drawn / len(doubt)
    square = sum(chance * (weight * spread / chance) ** 2 for chance, spread in doubt) / drawn
    largest = (weight * reach / min(chance for chance, _ in doubt)) ** 2
    t = float(library("scipy.special").stdtrit(drawn + 1, 0.975))
    spread = max(drawn * square + 2 * min(largest, 4 * square), 2 * largest)
    return len(doubt) / len(spreads) * t * math.sqrt(spread / ((drawn + 1) * (drawn + 2)))
