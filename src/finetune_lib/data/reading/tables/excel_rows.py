"""Rows of a workbook: which sheet, which cells, and what Excel shows otherwise than it stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.data.reading.bytes.blob import Blob
from finetune_lib.data.reading.meaning import Meaning
from finetune_lib.data.reading.options import Options, Reading, unreadable
from finetune_lib.data.reading.tables.cells import (
    A_DATE,
    LOST,
    NO_MARKS,
    Mark,
    Row,
    letters,
    mark_of,
    place_of,
    text_of,
)
from finetune_lib.data.reading.tables.examples import read_table
from finetune_lib.data.reading.tables.layout import HEAD, find_layout
from finetune_lib.data.reading.tables.merges import Merges
from finetune_lib.data.reading.tables.shown import text_look
from finetune_lib.data.reading.tables.workbooks import opened_workbook
from finetune_lib.data.reading.tables.workbooks.book import Values, Workbook
from finetune_lib.data.reading.tables.workbooks.oddities import Oddities
from finetune_lib.records import Example, Origin

LISTED = 5


def read_excel(blob: Blob, options: Options, *, source: str, meaning: Meaning | None = None) -> Reading:
    """Read one sheet of a workbook; where several may be meant, it asks for `sheet=`.

    Args:
        blob: The file's bytes.
        options: The sheet, and names of columns.
        source: The file's name.
        meaning: What is made of the rows.
    """
    book = _Book(source, opened_workbook(blob))
    name, notes = book.chosen(options)
    rows, odd = book.rows(name), book.workbook.oddities(name)
    hidden = _hidden_rows(source, name, rows, odd.hidden)
    unread = (diagnose("T282", _first_cell(source, name)),) if odd.unknown and book.has_numbers(name) else ()
    reading = read_table(source, rows, options, merges=book.merges(name), meaning=meaning)
    columns = _hidden_columns(source, name, reading.examples, odd.hidden_columns)
    return Reading(reading.examples, (*notes, *hidden, *columns, *unread, *reading.problems))


@dataclass(slots=True)
class _Book:
    """A workbook and what its sheets hold."""

    source: str
    workbook: Workbook
    _rows: dict[str, _Rows] = field(default_factory=dict[str, "_Rows"])

    def chosen(self, options: Options) -> tuple[str, Sequence[Diagnostic]]:
        """The sheet to read: the one asked for, the only one with data, or the only one with a known header."""
        names = self.workbook.names
        if options.sheet is not None:
            if options.sheet not in names:
                raise unreadable("T276", sheet=options.sheet, sheets=", ".join(names))
            return options.sheet, ()
        hidden = self.workbook.hidden
        filled = [name for name in names if any(row.filled for row in self.rows(name))]
        seen = [name for name in filled if name not in hidden] or filled
        unseen = [name for name in filled if name in hidden]
        if not seen:
            raise unreadable("E101")
        known = seen if len(seen) == 1 else [name for name in seen if self._has_header(name, options.columns)]
        if len(known) != 1:
            raise unreadable("T257", **_sheets(known or seen, read="none"))
        return known[0], tuple(self._choice_notes(known[0], seen, unseen))

    def _choice_notes(self, name: str, seen: Sequence[str], unseen: Sequence[str]) -> Iterator[Diagnostic]:
        if len(seen) > 1:
            other = next(other for other in seen if other != name)
            given: dict[str, Any] = {**_sheets(seen, read=name), "first": other}
            yield diagnose("T257", _first_cell(self.source, name), severity="info", **given)
        for other in unseen:
            treated = "read" if other == name else "not read"
            yield diagnose("T263", _first_cell(self.source, other), names=other, treated=treated)

    def _has_header(self, name: str, columns: Mapping[str, str] | None) -> bool:
        merges = self.merges(name)
        filled = [merges.named(row) for row in self.rows(name)[: 5 * HEAD] if row.filled]
        return find_layout(filled[:HEAD], columns) is not None

    def merges(self, name: str) -> Merges:
        """The merged ranges of a sheet, with their values."""
        rows = self.rows(name)
        return Merges.of(self.workbook.merges(name), rows)

    def rows(self, name: str) -> _Rows:
        """The rows of a sheet; none where all are blank."""
        if name not in self._rows:
            self._rows[name] = _Rows(name, self.workbook.values(name), self.workbook.oddities(name))
        return self._rows[name]

    def has_numbers(self, name: str) -> bool:
        """Whether a cell of a sheet is a number or a date."""
        return any(not isinstance(value, str | bool) for cells in self.rows(name).values for value in cells)


class _Rows(Sequence[Row]):
    """The rows of a sheet, made of its values as they are asked for."""

    def __init__(self, sheet: str, values: Values, odd: Oddities) -> None:
        self.values = values
        self._sheet = sheet
        self._odd = odd

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        return _row(self._sheet, index, self.values[index], self._odd)


def _row(sheet: str, number: int, values: Sequence[object], odd: Oddities) -> Row:
    """A row with its cells as people see them, and a mark at each that is not what it seems."""
    cells = [value if isinstance(value, str) else text_of(value) for value in values]
    cells = [cell.replace("\r\n", "\n") if "\r" in cell else cell for cell in cells]
    marks: dict[int, Mark] = {column: mark for column, value in enumerate(values) if (mark := mark_of(value))}
    for column in range(len(cells)) if odd else ():
        place = number, column
        look = text_look(cells[column], odd.texts[place]) if place in odd.texts and cells[column] else None
        shown = look.text if look else odd.shown.get(place)
        mark = look.mark if look and look.mark else odd.marks.get(place)
        cells[column] = cells[column] if shown is None else shown
        if mark and (mark in LOST or marks.get(column, A_DATE) == A_DATE):
            marks[column] = mark
        elif shown is not None and marks.get(column) == A_DATE:
            del marks[column]
    return Row(cells, sheet=sheet, number=number + 1, marks=marks or NO_MARKS)


def _sheets(names: Sequence[str], *, read: str) -> Mapping[str, Any]:
    return {"sheets": ", ".join(names), "read": read, "first": names[0]}


def _first_cell(source: str, sheet: str) -> Origin:
    return Origin(source, cells={"": f"{sheet}!A1"})


def _hidden_rows(source: str, sheet: str, rows: Sequence[Row], hidden: Sequence[int]) -> Sequence[Diagnostic]:
    """One note about all rows that Excel hides and that hold something."""
    filled = [number for number in hidden if number < len(rows) and rows[number].filled]
    if not filled:
        return ()
    origin = Origin(source, cells={"": f"{sheet}!A{filled[0] + 1}"})
    names = ", ".join(f"{sheet}!{number + 1}:{number + 1}" for number in filled[:LISTED])
    more = "…" if len(filled) > LISTED else ""
    return (diagnose("T263", origin, names=names + more, treated="read"),)


def _hidden_columns(
    source: str, sheet: str, examples: Sequence[Example], hidden: Sequence[int]
) -> Sequence[Diagnostic]:
    """One note about the hidden columns that the examples are made of."""
    cells = dict(examples[0].origin.cells) if examples and hidden else {}
    used = {place_of(cell.rpartition("!")[2])[1] for path, cell in cells.items() if path}
    found = [letters(column) for column in hidden if column in used]
    if not found:
        return ()
    origin = Origin(source, cells={"": f"{sheet}!{found[0]}1"})
    return (diagnose("T263", origin, names=", ".join(f"{sheet}!{name}:{name}" for name in found), treated="read"),)
