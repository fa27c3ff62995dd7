"""Near pairs between two sets of texts, as training and golden questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from finetune_lib.texts import fold, jaccard, shingles
from finetune_lib.texts.neighbours.clusters import Pair, clusters
from finetune_lib.texts.neighbours.pairs import near_pairs

ROUNDING = 1e-9


def nearest_between(first: Sequence[str], second: Sequence[str], *, threshold: float = 0.7) -> Iterator[Pair]:
    """Of each text of `second` the nearest one of `first`, where it is near enough.

    Args:
        first: Texts; `Pair.a` counts them.
        second: Texts; `Pair.b` counts them.
        threshold: The least similarity, above 0 up to 1.
    """
    texts = [*first, *second]
    border = len(first)
    for group in clusters(near_pairs(texts, threshold=threshold), len(texts)):
        here = [place for place in group if place < border]
        there = [place for place in group if place >= border]
        for place in there if here else ():
            best = max((Pair(one, place - border, _similarity(texts[one], texts[place])) for one in here), key=_rank)
            if best.similarity + ROUNDING >= threshold:
                yield best


def _rank(pair: Pair) -> tuple[float, int]:
    return pair.similarity, -pair.a


def _similarity(one: str, other: str) -> float:
    folded = fold(one), fold(other)
    return 1.0 if folded[0] == folded[1] else jaccard(*map(shingles, folded))
