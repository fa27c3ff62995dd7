"""Which places hang together: groups from pairs, by union and find."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Pair(NamedTuple):
    """Two near-equal texts.

    Attributes:
        a: The place of the first.
        b: The place of the later one.
        similarity: The share of common pieces among the pieces of both, up to 1.0.
    """

    a: int
    b: int
    similarity: float


class Forest:
    """Disjoint groups of the places 0 … n-1; the root of a group is its first place."""

    def __init__(self, n: int) -> None:
        self._parents = list(range(n))

    def root(self, place: int) -> int:
        """The first place of a place's group."""
        parents = self._parents
        while (parent := parents[place]) != place:
            parents[place] = place = parents[parent]
        return place

    def unite(self, one: int, other: int) -> None:
        """Make one group of the groups of both places."""
        first, later = sorted((self.root(one), self.root(other)))
        self._parents[later] = first


def clusters(pairs: Iterable[Pair], n: int) -> list[list[int]]:
    """The groups that pairs join, each sorted, in the order of their first places; single places are left out.

    Args:
        pairs: As `near_pairs` gives them.
        n: How many texts there are.
    """
    forest = Forest(n)
    for pair in pairs:
        forest.unite(pair.a, pair.b)
    groups: dict[int, list[int]] = {}
    for place in range(n):
        groups.setdefault(forest.root(place), []).append(place)
    return [group for group in groups.values() if len(group) > 1]
