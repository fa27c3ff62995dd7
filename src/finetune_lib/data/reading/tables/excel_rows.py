"""Rows of a workbook: which sheet, which cells, and what Excel shows otherwise than it stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.data.reading.bytes.blob import Blob
from finetune_lib.data.reading.bytes.kinds import ZIP
from finetune_lib.data.reading.bytes.spooling import stream
from finetune_lib.data.reading.options import Options, Reading, unreadable
from finetune_lib.data.reading.tables.cells import A_DATE, LOST, NO_MARKS, Mark, Row, mark_of, text_of
from finetune_lib.data.reading.tables.examples import read_table
from finetune_lib.data.reading.tables.layout import HEAD, find_layout
from finetune_lib.data.reading.tables.merges import Merge, Merges
from finetune_lib.data.reading.tables.shown import text_look
from finetune_lib.data.reading.tables.workbooks.oddities import Oddities
from finetune_lib.data.reading.tables.workbooks.ods import OpenDocument
from finetune_lib.data.reading.tables.workbooks.xls import OldWorkbook
from finetune_lib.data.reading.tables.workbooks.xlsx import WorkbookXml
from finetune_lib.extras import require
from finetune_lib.records import Origin

LISTED = 5
OPEN_DOCUMENT = b"opendocument.spreadsheet"  # its kind stands unpacked at the start of the file


def read_excel(blob: Blob, options: Options, *, source: str) -> Reading:
    """Read one sheet of a workbook; where several may be meant, it asks for `sheet=`.

    Args:
        blob: The file's bytes.
        options: The sheet, and names of columns.
        source: The file's name.
    """
    calamine = require("python_calamine", extra="excel", feature="Reading Excel files")
    try:
        book = _Book(source, calamine.load_workbook(stream(blob)), _formats(blob))
        name, notes = book.chosen(options)
        rows = book.rows(name)
    except BaseException as error:
        known = isinstance(error, calamine.CalamineError | calamine.XmlError | calamine.ZipError)
        if not known and type(error).__name__ != "PanicException":  # of its Rust code, and no Exception in Python
            raise
        raise unreadable("E112", what=str(error)) from error
    merges = Merges.of(book.ranges(name), [row.cells for row in rows])
    hidden = _hidden_rows(source, name, rows, book.oddities(name).hidden)
    reading = read_table(source, rows, options.columns, merges=merges)
    unread = (diagnose("T282", _first_cell(source, name)),) if book.unread(name) else ()
    return Reading(reading.examples, (*notes, *hidden, *unread, *reading.problems))


def _formats(blob: Blob) -> WorkbookXml | OldWorkbook | OpenDocument:
    """What tells the formats of a workbook's cells."""
    if blob.read(0, len(ZIP)) != ZIP:
        return OldWorkbook(blob)
    return OpenDocument(blob) if OPEN_DOCUMENT in blob.read(0, 200) else WorkbookXml(blob)


@dataclass(slots=True)
class _Book:
    """A workbook and what its sheets hold."""

    source: str
    workbook: Any
    formats: WorkbookXml | OldWorkbook | OpenDocument
    _rows: dict[str, list[Row]] = field(default_factory=dict[str, list[Row]])
    _odd: dict[str, Oddities] = field(default_factory=dict[str, Oddities])
    _numbered: set[str] = field(default_factory=set[str])
    _ranges: dict[str, Sequence[Merge]] = field(default_factory=dict[str, Sequence[Merge]])

    def chosen(self, options: Options) -> tuple[str, Sequence[Diagnostic]]:
        """The sheet to read: the one asked for, the only one with data, or the only one with a known header."""
        names: list[str] = self.workbook.sheet_names
        if options.sheet is not None:
            if options.sheet not in names:
                raise unreadable("T276", sheet=options.sheet, sheets=", ".join(names))
            return options.sheet, ()
        hidden = [str(sheet.name) for sheet in self.workbook.sheets_metadata if "Hidden" in str(sheet.visible)]
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
        merges = Merges.of(self.ranges(name), [row.cells for row in self.rows(name)])
        filled = [merges.named(row) for row in self.rows(name)[: 5 * HEAD] if row.filled]
        return find_layout(filled[:HEAD], columns) is not None

    def ranges(self, name: str) -> Sequence[Merge]:
        """The merged ranges of a sheet whose rows were read; none where the kind of workbook does not tell."""
        return self._ranges.get(name, ())

    def rows(self, name: str) -> list[Row]:
        """The rows of a sheet from A1 on, so that addresses are Excel's own; none where all are blank."""
        if name not in self._rows:
            self._rows[name] = list(self._read(name))
        return self._rows[name]

    def oddities(self, name: str) -> Oddities:
        """What its file tells of a sheet."""
        if name not in self._odd:
            self._odd[name] = self.formats.oddities(name)
        return self._odd[name]

    def unread(self, name: str) -> bool:
        """Whether a sheet has numbers whose formats cannot be told."""
        return self.oddities(name).unknown and name in self._numbered

    def _read(self, name: str) -> Iterator[Row]:
        odd = self.oddities(name)
        if odd.far:
            raise unreadable("T277", cell=f"{name}!{odd.far}")
        try:
            sheet = self.workbook.get_sheet_by_name(name)
            values: list[list[object]] = sheet.to_python(skip_empty_area=False)
        except ValueError:  # a chart or a macro is no sheet of cells
            return
        ranges = sheet.merged_cell_ranges or ()
        merges = [Merge(top, left, bottom, right) for (top, left), (bottom, right) in ranges]
        self._ranges[name] = merges or odd.merges
        if odd.unknown and any(isinstance(value, float) for cells in values for value in cells):
            self._numbered.add(name)
        for number, cells in enumerate(values):
            yield _row(name, number, cells, odd)


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
