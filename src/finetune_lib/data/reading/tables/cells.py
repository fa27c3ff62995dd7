"""Rows of cells as text, whatever file they come from, and the names of cells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple

Kind = Literal[
    "an error of Excel",
    "a formula without a saved result",
    "a date",
    "an amount of money",
    "a number whose shown form cannot be told",
    "a number in thousands without a unit",
    "a value that is not shown",
    "a number with more digits than Excel keeps",
    "shown by its format",
    "a date in the viewer's own form",
    "struck through",
]


class Mark(NamedTuple):
    """What is odd about a cell.

    Attributes:
        kind: What it is.
        stored: What is stored there, where something else is shown and was read.
    """

    kind: Kind
    stored: str = ""


LOST: frozenset[Mark] = frozenset({Mark("an error of Excel"), Mark("a formula without a saved result")})
A_DATE = Mark("a date")
NO_MARKS: Mapping[int, Mark] = {}
EXACT_DIGITS = 10**15
CELL = re.compile(r"([A-Z]+)(\d+)")


class Row(NamedTuple):
    """One row of a table.

    Attributes:
        cells: Its cells; text, and values of other kinds where the file has such (Parquet, frames).
        line: The physical line it begins on, in a text file.
        sheet: The sheet it stands in, in a workbook.
        number: Its number in the sheet, from 1.
        marks: What is odd about a cell, by its column.
    """

    cells: list[Any]
    line: int | None = None
    sheet: str | None = None
    number: int = 0
    marks: Mapping[int, Mark] = NO_MARKS

    @property
    def place(self) -> int:
        """Its line, or its number in the sheet; 0 in a frame."""
        return self.line or (self.number if self.sheet is not None else 0)

    @property
    def filled(self) -> int:
        """How many cells hold something."""
        return sum(not is_blank(cell) for cell in self.cells)

    @property
    def blank(self) -> bool:
        """Whether no cell holds anything."""
        return all(map(is_blank, self.cells))

    def address(self, column: int) -> str:
        """The cell's name in a workbook, as `問答!B7`; empty in other tables."""
        return f"{self.sheet}!{letters(column)}{self.number}" if self.sheet is not None else ""


class Addresses(Mapping[str, str]):
    """From a JSON path to the cell that it was read from; spelled out only when asked."""

    __slots__ = ("_columns", "_number", "_sheet")

    def __init__(self, sheet: str, number: int, columns: Mapping[str, str]) -> None:
        self._sheet, self._number, self._columns = sheet, number, columns

    def __getitem__(self, path: str) -> str:
        return f"{self._sheet}!{self._columns[path]}{self._number}"

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def is_blank(cell: Any) -> bool:
    """Whether a cell holds nothing that can be seen."""
    return cell is None or (isinstance(cell, str) and (not cell or cell.isspace()))


def letters(column: int) -> str:
    """Excel's name of a column counted from 0: A … Z, AA …."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def place_of(cell: str) -> tuple[int, int]:
    """The row and the column, counted from 0, of a cell by its name: `B7` is (6, 1)."""
    match = CELL.fullmatch(cell)
    if match is None:
        raise ValueError(f"{cell!r} names no cell")
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(match[2]) - 1, column - 1


def text_of(value: Any) -> str:
    """A value as people see it in a spreadsheet: 1 is stored as 1.0, TRUE as a truth value."""
    match value:
        case str():
            return value
        case bool():
            return str(value).upper()
        case float():
            return _number(value)
        case datetime():
            return value.isoformat(sep=" ") if value.time() != time() else value.date().isoformat()
        case timedelta():
            minutes, seconds = divmod(int(value.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
        case None:
            return ""
        case _:
            return str(value)


def _number(value: float) -> str:
    """A number as Excel shows it: whole ones without `.0`, others with at most 15 digits, none with an exponent."""
    if value.is_integer():
        return f"{Decimal(repr(value)):f}".removesuffix(".0")
    shown = format(value, ".15g")
    return f"{Decimal(shown):f}" if "e" in shown else shown


def mark_of(value: Any) -> Mark | None:
    """What is odd about a value: Excel shows it otherwise than it is stored, or has damaged it."""
    if isinstance(value, float):
        return Mark("a number with more digits than Excel keeps") if abs(value) >= EXACT_DIGITS else None
    return A_DATE if isinstance(value, date | time | timedelta) else None
