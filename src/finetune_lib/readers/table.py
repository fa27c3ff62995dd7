"""Tables, CSV and Excel: a header and rows of prompt and completion, each cell with its address."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finetune_lib.diagnostics import Diagnostic, diagnose
from finetune_lib.errors import ReadError
from finetune_lib.extras import require
from finetune_lib.readers.reading import Options, Reading, unreadable
from finetune_lib.readers.text import lines, refuse_other_kinds
from finetune_lib.records import Example, Origin

LONGEST_CELL = 2**31 - 1  # what a C long holds everywhere
REQUIRED = ("prompt", "completion")
KNOWN = (*REQUIRED, "system", "category")


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row as text, and where it stands."""

    cells: Sequence[str]
    line: int | None = None
    addresses: Sequence[str] = field(default=())


def read_csv(path: Path, options: Options) -> Reading:
    """Read a comma- or tab-separated table; everything stays text."""
    return _examples(path, _csv_rows(path, options.encoding), options.columns)


def read_excel(path: Path, options: Options) -> Reading:
    """Read one sheet of a workbook; several sheets with data ask for `sheet=`."""
    calamine = require("python_calamine", extra="excel", feature="Reading Excel files")
    refuse_other_kinds(path, "an Excel workbook", workbooks=True)
    try:
        rows = list(_sheet_rows(calamine.load_workbook(path), path, options.sheet))
    except (calamine.CalamineError, calamine.XmlError, calamine.ZipError) as error:
        remedy = "open it in Excel and save it again, or export it as CSV"
        what = f"a file that does not open as a workbook ({error})"
        raise unreadable("E111", path, what=what, wanted="an Excel workbook", remedy=remedy) from error
    return _examples(path, iter(rows), options.columns)


def _csv_rows(path: Path, encoding: str) -> Iterator[Row]:
    text = (line for _, line in lines(path, encoding, wanted="a table"))
    reader = csv.reader(text, delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True)
    csv.field_size_limit(LONGEST_CELL)
    start = 1
    try:
        for cells in reader:
            yield Row(cells, line=start)
            start = reader.line_num + 1
    except csv.Error as error:
        message = f"{path}, line {start}: {error}. Look for a quote that is not closed or not doubled."
        raise ReadError(message, path=path, line=start) from error


def _sheet_rows(workbook: Any, path: Path, wanted: str | None) -> Iterator[Row]:
    """The rows of the chosen sheet from A1 on, so that addresses are Excel's own."""
    filled = {name: rows for name in workbook.sheet_names if (rows := _values(workbook, name))}
    if wanted is None and len(filled) > 1:
        raise unreadable("T257", path, sheets=", ".join(filled), first=next(iter(filled)))
    if wanted is not None and wanted not in workbook.sheet_names:
        names = ", ".join(workbook.sheet_names)
        raise ReadError(f"{path}: no sheet is named {wanted!r}; there are {names}.", path=path)
    sheet = wanted or next(iter(filled), "")
    for number, values in enumerate(filled.get(sheet, ()), start=1):
        addresses = [f"{sheet}!{_letters(column)}{number}" for column in range(len(values))]
        yield Row([_text(value) for value in values], addresses=addresses)


def _values(workbook: Any, name: str) -> list[list[object]]:
    rows: list[list[object]] = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    return rows if any(value != "" for row in rows for value in row) else []


def _text(value: object) -> str:
    """A cell as people see it: 1 is stored as 1.0, TRUE as a truth value."""
    if isinstance(value, bool):
        return str(value).upper()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _letters(column: int) -> str:
    """Excel's name of a column counted from 0: A … Z, AA …."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _examples(path: Path, rows: Iterator[Row], columns: Mapping[str, str] | None) -> Reading:
    header = next((row for row in rows if any(cell.strip() for cell in row.cells)), None)
    if header is None:
        raise unreadable("E101", path)
    names = [cell.strip() for cell in header.cells]
    places = _places(path, header, names, columns)
    problems = list(_unused(path, header, names, places))
    examples: list[Example] = []
    for item in _body(path, rows, names, places):
        (problems if isinstance(item, Diagnostic) else examples).append(item)  # pyright: ignore[reportArgumentType]
    if not examples and not any(problem.severity == "error" for problem in problems):
        raise unreadable("E101", path, line=header.line)
    return Reading(tuple(examples), tuple(problems))


def _body(
    path: Path, rows: Iterable[Row], names: Sequence[str], places: Mapping[str, int]
) -> Iterator[Example | Diagnostic]:
    filled = (row for row in rows if any(cell.strip() for cell in row.cells))
    for number, row in enumerate(filled, start=1):
        origin = Origin(path.name, row=number, line=row.line, cells=_cells(row, places))
        if row.line is not None and len(row.cells) != len(names):
            yield diagnose("T254", origin, found=len(row.cells), expected=len(names))
        else:
            yield _example(row, origin, places)


def _example(row: Row, origin: Origin, places: Mapping[str, int]) -> Example:
    fields: dict[str, Any] = {name: row.cells[place] for name, place in places.items()}
    category = fields.pop("category", None)
    return Example(fields, origin, category or None)


def _cells(row: Row, places: Mapping[str, int]) -> Mapping[str, str]:
    if not row.addresses:
        return {}
    return {"": row.addresses[0], **{f"/{name}": row.addresses[place] for name, place in places.items()}}


def _places(path: Path, header: Row, names: Sequence[str], columns: Mapping[str, str] | None) -> Mapping[str, int]:
    """Which column holds which field: as `columns` says, else by name."""
    if unknown := set(columns or {}) - set(KNOWN):
        raise ValueError(f"columns= maps {', '.join(KNOWN)} to columns of the table, not {', '.join(sorted(unknown))}")
    folded = [name.casefold() for name in names]
    wanted = {name: (columns or {}).get(name, name).strip().casefold() for name in KNOWN}
    for name in wanted.values():
        if folded.count(name) > 1:
            raise unreadable("T262", path, line=header.line, column=name)
    listed = ", ".join(name for name in names if name) or "none with a name"
    for name in columns or {}:
        if wanted[name] not in folded:
            raise unreadable("T265", path, line=header.line, column=(columns or {})[name], field=name, columns=listed)
    places = {name: folded.index(column) for name, column in wanted.items() if column in folded}
    if not set(REQUIRED) <= set(places):
        first, second = (*names, "…", "…")[:2]
        raise unreadable("T253", path, line=header.line or 1, columns=listed, first=first, second=second)
    return places


def _unused(path: Path, header: Row, names: Sequence[str], places: Mapping[str, int]) -> Iterator[Diagnostic]:
    for place, name in enumerate(names):
        if name and place not in places.values():
            cells = {"": header.addresses[place]} if header.addresses else {}
            yield diagnose("T261", Origin(path.name, line=header.line, cells=cells), column=name)
