"""What of an item is compared, and what else makes two items neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Generic, TypeVar

from finetune_lib.texts import fold, shingles

T = TypeVar("T")
Accept = Callable[[int, int], bool]

SHORT = 5
SIDE = "\x00"  # marks the pieces of a second text, so that they are never taken for those of the first


def nothing(_item: object) -> str:
    """The same for all items."""
    return ""


def anything(_one: int, _other: int) -> bool:
    """Accept all near items."""
    return True


@dataclass(frozen=True, slots=True)
class View(Generic[T]):
    """How items are compared. Functions of a module travel to other processes; others do not.

    Attributes:
        sides: The folded texts of an item: one, or several that are compared each with its like; none leaves it out.
        key: What makes items with the same texts count as one or not: only the first of those is looked at.
        common: Pieces by which no two items are near, as those of an instruction that stands in every row.
    """

    sides: Callable[[T], Sequence[str]]
    key: Callable[[T], str] = nothing
    common: frozenset[str] = frozenset()

    def look(self, item: T) -> tuple[bytes, set[str]]:
        """What items that count as one have in common, empty for one to leave out; and the item's pieces."""
        sides = self.sides(item)
        if not sides:
            return b"", set()
        key = blake2b(digest_size=16)
        for part in (self.key(item), *sides):
            key.update(part.encode("utf-8", "surrogatepass") + b"\xff")
        return key.digest(), pieces(sides) - self.common


def pieces(sides: Sequence[str]) -> set[str]:
    """The pieces of all sides; none of texts so short that they are near only to their equals."""
    if sum(map(len, sides)) <= SHORT:
        return set()
    first, *others = sides
    found = shingles(first)
    for number, side in enumerate(others, start=1):
        found.update(SIDE * number + piece for piece in shingles(side))
    return found


def whole_text(text: str) -> tuple[str]:
    """A text as its only side."""
    return (fold(text),)
