"""What a column seems to hold, told by its first cells; pure."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from finetune_lib.data.reading.tables.cells import Row, is_blank
from finetune_lib.data.reading.tables.headers import plain
from finetune_lib.data.reading.tables.scripts import speakers_in
from finetune_lib.data.reading.tables.words import asks, is_named, is_speaker

SHOWN = 24
Holding = Literal[
    "nothing", "dates", "numbers", "a scale", "ids", "links or contacts", "JSON", "speakers", "whole conversations",
    "a few values", "names", "short words", "texts",
]  # fmt: skip
DATE = re.compile(
    r"\d{2,4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?(?:[ T].*)?|\d{1,2}/\d{1,2}/\d{2,4}.*"
    r"|\d{1,2}:\d{2}(?::\d{2})?(?: ?[AaPp][Mm])?"
)
NUMBER = re.compile(r"[\s$¥€£NT]*-?[\d,]+(?:\.\d+)?\s*%?")
CONTACT = re.compile(r"https?://\S+|\S+@\S+\.\w+|\+?[\d\-() ]{7,}")
ID = re.compile(r"(?=.*\d)[A-Za-z0-9_\-#/.]{2,40}")
NAME = re.compile(r"[\u4e00-\u9fff]{2,4}|[A-Z][a-z]+ [A-Z][a-z]+")
PROSE = re.compile(r"[\s？?。，,!！]")


@dataclass(frozen=True, slots=True)
class Column:
    """A column and what its cells show.

    Attributes:
        name: As it stands in the header.
        place: Counted from 0.
        holds: What its cells seem to be.
        values: Those that are filled, as text.
        filled: Their share.
        distinct: The share of different ones among them.
        width: How long they are on average, a Han character counted as two.
        asking: The share that reads as a question.
    """

    name: str
    place: int
    holds: Holding
    values: Sequence[str]
    filled: float
    distinct: float
    width: float
    asking: float

    def is_named(self, kind: str) -> bool:
        """Whether a word of this list stands in its name."""
        return is_named(self.name, kind)

    @property
    def told(self) -> tuple[str, str, str]:
        """Its name, what it holds, and its first value, for people."""
        first = " ".join(next(iter(self.values), "").split())
        return self.name, self.holds, first if len(first) <= SHOWN else first[: SHOWN - 1] + "…"


def columns_of(names: Sequence[str], rows: Sequence[Row], *, roles: Mapping[str, str] | None = None) -> list[Column]:
    """The columns of a table by its names and first rows.

    Args:
        names: The header.
        rows: The rows below it.
        roles: Speakers that the user names.
    """
    return [_column(plain(name), place, rows, roles) for place, name in enumerate(names)]


def _column(name: str, place: int, rows: Sequence[Row], roles: Mapping[str, str] | None) -> Column:
    cells = [row.cells[place] if place < len(row.cells) else "" for row in rows]
    values = [str(cell).strip() for cell in cells if not is_blank(cell)]
    number = max(1, len(values))
    filled, distinct = len(values) / max(1, len(cells)), len(set(values)) / number
    width = sum(map(width_of, values)) / number
    holds = _holding(values, distinct, width, roles) if len(values) >= 0.2 * len(cells) else "nothing"
    return Column(name, place, holds, values, filled, distinct, width, share(values, asks))


def _holding(values: Sequence[str], distinct: float, width: float, roles: Mapping[str, str] | None) -> Holding:
    """The first kind that nearly all values are of."""
    kinds = set(values)
    if share(values, lambda value: json_in(value) is not None) >= 0.8:
        return "JSON"
    if share(values, DATE.fullmatch) >= 0.8:
        return "dates"
    if share(values, NUMBER.fullmatch) >= 0.8:
        return (
            "a scale" if len(kinds) <= 10 and distinct < 0.6 and all(len(value) <= 2 for value in kinds) else "numbers"
        )
    if share(values, CONTACT.fullmatch) >= 0.8:
        return "links or contacts"
    if share(values, ID.fullmatch) >= 0.8 and distinct > 0.2 and share(values, str.isalpha) < 0.5:
        return "ids"
    if share(values, lambda value: is_speaker(value, roles)) >= 0.9 and 1 < len(kinds) <= max(6, len(roles or ())):
        return "speakers"
    if share(values, lambda value: len(speakers_in(value, roles)) >= 2) >= 0.7:
        return "whole conversations"
    few = len(kinds) <= max(3, min(20, len(values) / 4)) and distinct < 1
    if few and width <= 24 and share(values, PROSE.search) < 0.5:
        return "a few values"
    if width <= 16 and share(values, NAME.fullmatch) >= 0.8:
        return "names"
    return "short words" if width < 6 else "texts"


def share(values: Sequence[str], test: Callable[[str], object]) -> float:
    """The share of the values that a test holds for."""
    return sum(bool(test(value)) for value in values) / max(1, len(values))


def width_of(text: str) -> int:
    """How wide a text is in print: a Han character counts as two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def json_in(text: str) -> Any:
    """The list or object that a cell holds as JSON; None where it holds none."""
    if text[:1] not in ("[", "{"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
