"""Tables of any columns: the readers of training data find and judge the rows, and each column is read by them.

They know encodings, titles above the header, quotes, merged cells and what Excel shows otherwise than it stores; but
they keep no column besides those of an example. So a column that no example has is read as its category.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from finetune_lib.data.diagnostics import Diagnostic
from finetune_lib.data.reading import ReadError
from finetune_lib.data.reading.bytes.opening import Opened
from finetune_lib.data.reading.options import Options, Reading, unreadable
from finetune_lib.data.reading.tables import first_rows, read_csv, read_excel
from finetune_lib.data.reading.tables.cells import is_blank
from finetune_lib.data.reading.tables.headers import folded
from finetune_lib.data.reading.tables.workbooks import opened_workbook
from finetune_lib.evaluation.golden.fields import Among
from finetune_lib.records import Example

HEAD = 20
UNUSED = frozenset({"T251", "T261"})  # what they say of columns is said of examples


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a table.

    Attributes:
        rows: Each with all its columns by their names, in `data`.
        fields: From a field of a case to its column.
        problems: What the readers say of the rows.
        names: Its columns, from left to right.
    """

    rows: Sequence[Example]
    fields: Mapping[str, str]
    problems: tuple[Diagnostic, ...]
    names: tuple[str, ...]


def read_table(source: str, opened: Opened, options: Options, among: Among) -> Table:
    """Read a text table or a workbook.

    Args:
        source: The file's name.
        opened: Its content.
        options: How to read it; `columns` is what `fields.told` gives.
        among: What finds the fields among the names of columns.

    Raises:
        ReadError: The columns that are needed are not known, or the file as a whole cannot be read.
    """
    names = _header(source, opened, options, among)
    fields = among(names, options.columns)
    base = _base(fields)
    first = _read(source, opened, options, base)
    named = tuple(name for name in dict.fromkeys(names) if not is_blank(name))
    rest = [name for name in named if name not in base.values()]
    columns: dict[str, Mapping[int | None, str]] = {}
    for name in rest:
        reading = _read(source, opened, options, {**base, "category": name})
        columns[name] = {example.origin.row: example.category or "" for example in reading.examples}
    rows = [_whole(example, base, columns) for example in first.examples]
    problems = tuple(problem for problem in first.problems if problem.code not in UNUSED)
    return Table(rows, fields, (*opened.problems, *problems), named)


def _base(fields: Mapping[str, str]) -> dict[str, str]:
    """The columns by which a row is judged; one without answers is read as its own answer."""
    chat = next((field for field in ("messages", "conversations") if field in fields), None)
    if chat:
        return {field: fields[field] for field in (chat, "tools") if field in fields}
    asked = fields.get("input") or fields["expected"]
    return {"prompt": asked, "completion": fields.get("expected", asked)}


def _read(source: str, opened: Opened, options: Options, columns: Mapping[str, str]) -> Reading:
    reader = read_csv if opened.kind == "text" else read_excel
    return reader(opened.blob, replace(options, columns=columns), source=source)


def _whole(example: Example, base: Mapping[str, str], columns: Mapping[str, Mapping[int | None, str]]) -> Example:
    """The row with its columns under their own names."""
    data: dict[str, Any] = {name: example.data[field] for field, name in base.items() if field in example.data}
    data |= {name: cells.get(example.origin.row, "") for name, cells in columns.items()}
    return replace(example, data={name: cell for name, cell in data.items() if not is_blank(cell)}, category=None)


def _header(source: str, opened: Opened, options: Options, among: Among) -> Sequence[str]:
    """The row of names: the one with most known fields among the first filled ones."""
    rows = [cells for head in _heads(source, opened, options) for cells in head]
    if not rows:
        raise unreadable("E101")
    best = max(rows, key=lambda cells: len(among(cells, options.columns)))
    found, wished = among(best, options.columns), options.columns or {}
    if found and all(folded(found.get(field, "")) == folded(name) for field, name in wished.items()):
        return best
    fullest = max(rows, key=lambda cells: sum(map(bool, cells)))
    raise ReadError(_unknown(best if found else fullest, options.columns or {}))


def _unknown(names: Sequence[str], columns: Mapping[str, str]) -> str:
    listed = ", ".join(name for name in names if name) or "-"
    absent = ", ".join(f"{name!r} ({field})" for field, name in columns.items() if name not in names)
    what = f"no column is named {absent}" if absent else "by the names, no column is the question, or several are"
    ways = 'say which is which: columns={"input": …, "expected": …, "category": …}'
    return f"{what}; the table has the columns {listed}. Give it a row of names, or {ways}"


def _heads(source: str, opened: Opened, options: Options) -> Iterator[list[Sequence[str]]]:
    """The first filled rows of the text table, or of each sheet that may be meant."""
    if opened.kind == "text":
        yield _filled(first_rows(opened.blob, source=source))
        return
    book = opened_workbook(opened.blob)
    if options.sheet not in (None, *book.names):
        raise unreadable("T276", sheet=options.sheet, sheets=", ".join(book.names))
    for sheet in book.names:
        if options.sheet in (None, sheet):
            yield _filled(book.values(sheet)[: 5 * HEAD])


def _filled(rows: Any) -> list[Sequence[str]]:
    texts = ([str(cell).strip() for cell in row] for row in rows)
    return list(islice((cells for cells in texts if any(cells)), HEAD))
