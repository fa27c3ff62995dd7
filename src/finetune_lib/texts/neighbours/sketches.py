"""MinHash sketches: small summaries of many sets, from which the pairs worth a look are found (extra `fast`).

A sketch has one minimum for each of 192 permutations. Sets that agree in all six of one of its 32 bands are looked at
(probability 1 - (1 - s⁶)³² at similarity s: 0.98 at 0.7, 0.998 at 0.75), first by the share of minima that agree, then
by whoever verifies them. See Leskovec et al., Mining of Massive Datasets, chapter 3.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from finetune_lib.extras import require
from finetune_lib.texts.neighbours.clusters import Forest, Pair
from finetune_lib.texts.neighbours.views import View

T = TypeVar("T")

BANDS = 32
WIDTH = 6
PERMUTATIONS = BANDS * WIDTH
SEED = 7
WINDOW = 8  # neighbours by size that are looked at in a band
PATIENCE = 16  # pairs that did not pass, after which a set is given up
MARGIN = 0.15  # four standard deviations of the share of minima that agree


@dataclass(slots=True)
class Sketches:
    """The sketches of some items, in their order.

    Attributes:
        keys: What items that count as one have in common; empty for an item to leave out.
        sizes: How many pieces each has.
        bands: `BANDS` numbers each.
        signs: The last byte of each minimum.
    """

    keys: list[bytes] = field(default_factory=list[bytes])
    sizes: array[int] = field(default_factory=lambda: array("I"))
    bands: array[int] = field(default_factory=lambda: array("q"))
    signs: bytearray = field(default_factory=bytearray)

    def alike(self, one: int, other: int) -> float:
        """The share of minima in which two sets agree."""
        a, b = (
            int.from_bytes(self.signs[place * PERMUTATIONS : (place + 1) * PERMUTATIONS], "little")
            for place in (one, other)
        )
        return (a ^ b).to_bytes(PERMUTATIONS, "little").count(0) / PERMUTATIONS

    def take(self, other: Sketches, place: int) -> None:
        """Take up one sketch of others."""
        self.sizes.append(other.sizes[place])
        self.bands.extend(other.bands[place * BANDS : (place + 1) * BANDS])
        self.signs.extend(other.signs[place * PERMUTATIONS : (place + 1) * PERMUTATIONS])


def sketch(items: Sequence[T], view: View[T]) -> Sketches:
    """The sketches of items."""
    rensa = require("rensa", extra="fast", feature="near duplicates of many texts")
    keys, sets = zip(*map(view.look, items), strict=True)
    matrix = rensa.RMinHash.digest_matrix_from_token_sets(list(map(list, sets)), num_perm=PERMUTATIONS, seed=SEED)
    found = Sketches(list(keys), array("I", map(len, sets)))
    for minima in matrix.to_rows():
        found.bands.extend(hash(tuple(minima[start : start + WIDTH])) for start in range(0, PERMUTATIONS, WIDTH))
        found.signs.extend(array("Q", minima).tobytes()[::8])
    return found


def join_sketches(sketches: Sketches, threshold: float, verify: Callable[[int, int], float | None]) -> Iterator[Pair]:
    """Pairs that connect the sets whose sketches agree and that pass: `verify` tells their similarity or None."""
    groups = Forest(len(sketches.sizes))
    failures = bytearray(len(sketches.sizes))
    seen = set[tuple[int, int]]()
    for one, other in _candidates(sketches):
        if groups.root(one) == groups.root(other) or max(failures[one], failures[other]) >= PATIENCE:
            continue
        if (one, other) in seen or sketches.alike(one, other) < threshold - MARGIN:
            continue
        similarity = verify(one, other)
        if similarity is None:
            seen.add((one, other))
            failures[one] += 1
            failures[other] += 1
        else:
            groups.unite(one, other)
            yield Pair(one, other, similarity)


def _candidates(sketches: Sketches) -> Iterator[tuple[int, int]]:
    """Sets that agree in a band: each with the first there and with those of about its size."""
    sizes = sketches.sizes
    for band in range(BANDS):
        for bucket in _buckets(sketches.bands[band::BANDS], sizes):
            bucket.sort(key=lambda place: (sizes[place], place))
            for position, place in enumerate(bucket):
                for other in {bucket[0], *bucket[max(0, position - WINDOW) : position]} - {place}:
                    yield min(place, other), max(place, other)


def _buckets(values: Iterable[int], sizes: Sequence[int]) -> Iterable[list[int]]:
    """Places that share a value, where there are at least two; those without pieces left out."""
    firsts: dict[int, int] = {}
    buckets: dict[int, list[int]] = {}
    for place, value in enumerate(values):
        first = firsts.setdefault(value, place)
        if first != place and sizes[place]:
            buckets.setdefault(value, [first] if sizes[first] else []).append(place)
    return buckets.values()
