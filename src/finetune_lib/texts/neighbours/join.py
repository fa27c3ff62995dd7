"""The exact join: what connects all near-equal sets, in pure Python.

Two sets with a Jaccard similarity of at least t must share one of their rarest members, for the common ones alone do
not suffice (prefix filter: Chaudhuri et al., ICDE 2006; Xiao et al., PPJoin, WWW 2008). Each set is held only against
sets that share such a member, have about its size, and whose bitmaps do not differ in more members than near sets can.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import ceil

from finetune_lib.texts.neighbours.clusters import Forest, Pair
from finetune_lib.texts.neighbours.views import Accept, anything

BITS = 2048
LONG = 64  # members of a posting list that is read in pieces
PATIENCE = 16  # near sets that were not accepted, after which a set is given up
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Sets:
    """Sets of texts as sorted numbers, the rarest first.

    Attributes:
        rows: The sets.
        names: The text of each number.
        singles: Numbers below this one are in one set only.
    """

    rows: Sequence[array[int]]
    names: Sequence[str]
    singles: int

    @staticmethod
    def of(sets: Iterable[Iterable[str]]) -> Sets:
        """Number the members by how many sets they are in."""
        numbers: defaultdict[str, int] = defaultdict(count().__next__)
        rows = [array("I", map(numbers.__getitem__, members)) for members in sets]
        counts: Counter[int] = Counter()
        for row in rows:
            counts.update(row)
        names = list(numbers)
        order = sorted(sorted(range(len(names)), key=names.__getitem__), key=counts.__getitem__)
        ranks = array("I", bytes(4 * len(order)))
        for rank, number in enumerate(order):
            ranks[number] = rank
        ranked = [array("I", sorted(map(ranks.__getitem__, row))) for row in rows]
        return Sets(ranked, [names[number] for number in order], sum(n == 1 for n in counts.values()))

    def named(self, row: Iterable[int]) -> set[str]:
        """A set as texts."""
        return set(map(self.names.__getitem__, row))


def join(sets: Sets, threshold: float, accept: Accept = anything) -> Iterator[Pair]:
    """Pairs that connect every two near sets, if not directly then through others; empty sets are near to none.

    A set is joined once to each group, not to each of its members: a thousand forms of one text give 999 pairs.

    Args:
        sets: The sets.
        threshold: The least Jaccard similarity of near sets, above 0.
        accept: What else must hold of the places of two near sets.
    """
    places = sorted((place for place, row in enumerate(sets.rows) if row), key=lambda place: len(sets.rows[place]))
    index = _Index(sets, [sets.rows[place] for place in places], threshold, lambda a, b: accept(places[a], places[b]))
    for number in range(len(places)):
        for other, similarity in index.neighbours(number):
            one, two = sorted((places[number], places[other]))
            yield Pair(one, two, similarity)
        index.add(number)


@dataclass(slots=True)
class _Index:
    """The sets that were added, by their rare members; they are added from the smallest to the largest.

    Attributes:
        sets: Where the members' names are.
        rows: The sets from the smallest to the largest.
        threshold: The least similarity of near sets.
        accept: What else must hold of the numbers of near sets.
        postings: The sets that a member is among the rarest of, in order.
        uniform: Of long postings whose sets are all of one group, one of them.
        maps: Bitmaps of the sets.
        groups: What hangs together so far.
    """

    sets: Sets
    rows: Sequence[array[int]]
    threshold: float
    accept: Accept
    postings: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    uniform: dict[int, int] = field(default_factory=dict[int, int])
    maps: list[int] = field(init=False)
    sizes: array[int] = field(init=False)
    groups: Forest = field(init=False)

    def __post_init__(self) -> None:
        self.maps = list(map(_bitmap, self.rows))
        self.sizes = array("I", map(len, self.rows))
        self.groups = Forest(len(self.rows))

    def add(self, number: int) -> None:
        """Take up a set under as many of its rarest members as one at least as large must share one of."""
        row, groups = self.rows[number], self.groups
        needed = ceil(2 * self.threshold / (1 + self.threshold) * len(row) - ROUNDING)
        for member in row[bisect_left(row, self.sets.singles) : len(row) - needed + 1]:
            posting = self.postings.setdefault(member, [])
            posting.append(number)
            if len(posting) == LONG and len(set(map(groups.root, posting))) == 1:
                self.uniform[member] = number
            elif member in self.uniform and groups.root(number) != groups.root(self.uniform[member]):
                del self.uniform[member]

    def neighbours(self, number: int) -> Iterator[tuple[int, float]]:
        """One set of each group that a set is near to, with the similarity."""
        patience = PATIENCE
        row, root = self.rows[number], self.groups.root
        members = set(row)
        for other in self._candidates(number):
            if root(number) == root(other):
                continue
            common = len(members.intersection(self.rows[other]))
            similarity = common / (len(row) + self.sizes[other] - common)
            if similarity + ROUNDING < self.threshold:
                continue
            if self.accept(number, other):
                self.groups.unite(number, other)
                yield other, similarity
            elif not (patience := patience - 1):
                return

    def _candidates(self, number: int) -> Iterator[int]:
        """Sets that share a rare member and whose bitmaps differ in few bits, in a fixed order."""
        size, bits, maps, sizes = self.sizes[number], self.maps[number], self.maps, self.sizes
        slack = (1 - self.threshold) / (1 + self.threshold)
        for some in self._batches(number):
            yield from sorted(
                other for other in some if (bits ^ maps[other]).bit_count() <= slack * (size + sizes[other]) + ROUNDING
            )

    def _batches(self, number: int) -> Iterator[set[int]]:
        """The sets that share a rare member: of short postings all at once, of long ones by pieces."""
        short: list[list[int]] = []
        long: list[tuple[int, list[int]]] = []
        for member, posting in self._postings(number):
            if len(posting) < LONG:
                short.append(posting)
            else:
                long.append((member, posting))
        seen = set[int]().union(*short)
        yield seen
        for member, posting in long:
            for start in range(0, len(posting), LONG):
                if self._known(number, member):
                    break
                fresh = set(posting[start : start + LONG]) - seen
                seen |= fresh
                yield fresh

    def _postings(self, number: int) -> Iterator[tuple[int, list[int]]]:
        """The postings of a set's rarest members, cut to the sizes that a near set can have.

        Whoever shares nothing rarer than the member at a position lacks all before it, so it must be the smaller,
        the further back that member stands.
        """
        row, size, sizes = self.rows[number], self.sizes[number], self.sizes
        least = ceil(self.threshold * size - ROUNDING)
        begin = bisect_left(sizes, least, 0, number)
        growth = (1 + self.threshold) / self.threshold
        for position in range(bisect_left(row, self.sets.singles), size - least + 1):
            posting = self.postings.get(row[position])
            if posting and posting[-1] >= begin:
                most = (size - position) * growth - size + ROUNDING
                end = number if most >= size else bisect_right(sizes, most, begin, number)
                yield row[position], posting[bisect_left(posting, begin) : bisect_left(posting, end)]

    def _known(self, number: int, member: int) -> bool:
        """Whether all sets with a frequent member are of this set's own group already."""
        return member in self.uniform and self.groups.root(self.uniform[member]) == self.groups.root(number)


def _bitmap(row: Iterable[int]) -> int:
    """Which remainders occur: sets differ in at least as many members as their bitmaps differ in bits."""
    flags = bytearray(b"0" * BITS)
    for number in row:
        flags[number % BITS] = 49
    return int(flags, 2)
