"""What of an item is compared, and what else makes two items neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Generic, TypeVar

from finetune_lib.texts import fold, shingles

T = TypeVar("T")
Accept = Callable[[set[str], set[str]], bool]

SHORT = 5
SIDE = "\x00"  # marks the pieces of a second text, so that they are never taken for those of the first


def anything(_one: set[str], _other: set[str]) -> bool:
    """Accept all near sets."""
    return True


def as_it_is(text: str) -> str:
    """The text itself."""
    return text


@dataclass(frozen=True, slots=True)
class View(Generic[T]):
    """How items are compared. Functions of a module travel to other processes; others do not.

    Attributes:
        sides: The folded texts of an item: one, or several that are compared each with its like; none leaves it out.
        form: What of a folded text makes items count as one: only the first of them is looked at.
        accept: What else must hold of the pieces of two near items.
    """

    sides: Callable[[T], Sequence[str]]
    form: Callable[[str], str] = as_it_is
    accept: Accept = anything

    def look(self, item: T) -> tuple[bytes, set[str]]:
        """What items that count as one have in common, empty for one to leave out; and the item's pieces."""
        sides = self.sides(item)
        if not sides:
            return b"", set()
        key = blake2b(digest_size=16)
        for side in sides:
            key.update(self.form(side).encode("utf-8", "surrogatepass") + b"\xff")
        return key.digest(), pieces(sides)


def pieces(sides: Sequence[str]) -> set[str]:
    """The pieces of all sides; none of texts so short that they are near only to their equals."""
    if sum(map(len, sides)) <= SHORT:
        return set()
    first, *others = sides
    found = shingles(first)
    for number, side in enumerate(others, start=1):
        found.update(SIDE * number + piece for piece in shingles(side))
    return found


def of_side(found: set[str], number: int) -> set[str]:
    """The pieces of one side."""
    mark = SIDE * number
    return {piece for piece in found if piece.startswith(mark) and not piece.startswith(mark + SIDE)}


def whole_text(text: str) -> tuple[str]:
    """A text as its only side."""
    return (fold(text),)
