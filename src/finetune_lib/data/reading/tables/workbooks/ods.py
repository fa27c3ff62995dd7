"""What an OpenDocument sheet (.ods) tells that its values do not: it holds the text that people see in each cell.

The elements are those of OpenDocument 1.3, part 3, chapter 9.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from xml.etree import ElementTree as ET

from finetune_lib.data.reading.bytes.blob import Blob
from finetune_lib.data.reading.bytes.spooling import stream
from finetune_lib.data.reading.tables.cells import Mark, text_of
from finetune_lib.data.reading.tables.merges import Merge
from finetune_lib.data.reading.tables.workbooks.oddities import Oddities, Place

OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
ERROR_TYPE = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}value-type"
NUMBERS = frozenset({"float", "percentage", "currency", "date", "time"})
UNSEEN = frozenset({"collapse", "filter"})
MOST_REPEATED = 1 << 16
GROUPED = re.compile(r"-?[\d,]+(?:\.\d+)?")
THOUSANDS = (1_000, 1_000_000, 1_000_000_000)


class OpenDocument:
    """The sheets of one workbook, read once."""

    def __init__(self, blob: Blob) -> None:
        self._sheets: dict[str, _Sheet] = {}
        try:
            with stream(blob) as file, zipfile.ZipFile(file) as archive, archive.open("content.xml") as content:
                self._sheets.update(_sheets(ET.iterparse(content, ("start", "end"))))  # noqa: S314 - expat bounds it
        except (KeyError, OSError, ValueError, ET.ParseError, zipfile.BadZipFile, zlib.error, RuntimeError, EOFError):
            pass  # what is broken is told by the reader of the values

    def oddities(self, sheet: str) -> Oddities:
        """What is odd in a sheet, by its name."""
        found = self._sheets.get(sheet)
        if found is None:
            return Oddities(unknown=True)
        rows, columns = found.hidden, found.hidden_columns
        return Oddities(found.marks, found.shown, hidden=rows, hidden_columns=columns, merges=found.merges)


@dataclass(slots=True)
class _Sheet:
    """What was found in one sheet so far."""

    struck: frozenset[str]
    rows: int = 0
    columns: int = 0
    marks: dict[Place, Mark] = field(default_factory=dict[Place, Mark])
    shown: dict[Place, str] = field(default_factory=dict[Place, str])
    hidden: list[int] = field(default_factory=list[int])
    hidden_columns: list[int] = field(default_factory=list[int])
    merges: list[Merge] = field(default_factory=list[Merge])

    def add(self, row: ET.Element) -> None:
        """Take a row, which may stand for several."""
        repeated = int(row.get(f"{TABLE}number-rows-repeated", "1"))
        column = 0
        for cell in row:
            if cell.tag in (f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
                count = int(cell.get(f"{TABLE}number-columns-repeated", "1"))
                self._add(cell, range(self.rows, self.rows + repeated), range(column, column + count))
                column += count
        if row.get(f"{TABLE}visibility") in UNSEEN and repeated <= MOST_REPEATED:
            self.hidden.extend(range(self.rows, self.rows + repeated))
        self.rows += repeated

    def add_column(self, column: ET.Element) -> None:
        """Take a column, which may stand for several."""
        repeated = int(column.get(f"{TABLE}number-columns-repeated", "1"))
        if column.get(f"{TABLE}visibility") in UNSEEN and repeated <= MOST_REPEATED:
            self.hidden_columns.extend(range(self.columns, self.columns + repeated))
        self.columns += repeated

    def _add(self, cell: ET.Element, rows: Sequence[int], columns: Sequence[int]) -> None:
        down, right = (int(cell.get(f"{TABLE}number-{name}-spanned", "1")) for name in ("rows", "columns"))
        if down > 1 or right > 1:
            self.merges.append(Merge(rows[0], columns[0], rows[0] + down - 1, columns[0] + right - 1))
        if not len(cell) or len(rows) * len(columns) > MOST_REPEATED:
            return
        shown, mark = _look(cell)
        if _is_struck(cell, self.struck):
            mark = Mark("struck through")
        for place in ((row, column) for row in rows for column in columns):
            if shown is not None:
                self.shown[place] = shown
            if mark:
                self.marks[place] = mark


def _sheets(events: Iterator[tuple[str, ET.Element]]) -> Iterator[tuple[str, _Sheet]]:
    """The sheets by name; each row is let go when it was read."""
    struck: set[str] = set()
    sheet, depth = _Sheet(frozenset()), 0
    for event, element in events:
        if element.tag == f"{TABLE}table":
            depth += 1 if event == "start" else -1
            if event == "start" and depth == 1:
                sheet = _Sheet(frozenset(struck))
                yield element.get(f"{TABLE}name", ""), sheet
        elif event == "end" and element.tag == f"{STYLE}style" and _strikes(element):
            struck.add(element.get(f"{STYLE}name", ""))
        elif event == "end" and element.tag == f"{TABLE}table-column" and depth == 1:
            sheet.add_column(element)
        elif event == "end" and element.tag == f"{TABLE}table-row" and depth == 1:
            sheet.add(element)
            element.clear()


def _strikes(style: ET.Element) -> bool:
    found = style.find(f"{STYLE}text-properties")
    return found is not None and found.get(f"{STYLE}text-line-through-style", "none") != "none"


def _is_struck(cell: ET.Element, struck: frozenset[str]) -> bool:
    names = {cell.get(f"{TABLE}style-name"), *(span.get(f"{TEXT}style-name") for span in cell.iter(f"{TEXT}span"))}
    return not struck.isdisjoint(names)


def _look(cell: ET.Element) -> tuple[str | None, Mark | None]:
    """The text of a cell where it is not its value, and what must be said about it."""
    text = "\n".join(_text(line) for line in cell.iterfind(f"{TEXT}p")).strip()
    if cell.get(ERROR_TYPE) == "error":
        return text, Mark("an error of Excel")
    if cell.get(f"{OFFICE}value-type") not in NUMBERS:
        said = cell.get(f"{OFFICE}string-value", text)  # there where the format shows something beside it
        return (text, Mark("shown by its format", said)) if text and text != said.strip() else (None, None)
    stored = _stored(cell)
    if not text:
        return None, Mark("a value that is not shown")
    if _is_thousandth(text, cell.get(f"{OFFICE}value", "")):
        return text, Mark("a number in thousands without a unit")
    return text, Mark("shown by its format", stored) if text != stored else None


def _stored(cell: ET.Element) -> str:
    """A number or date as it is stored."""
    try:
        if date := cell.get(f"{OFFICE}date-value"):
            return text_of(datetime.fromisoformat(date))
        return cell.get(f"{OFFICE}time-value") or text_of(float(cell.get(f"{OFFICE}value", "")))
    except ValueError:
        return ""


def _is_thousandth(text: str, value: str) -> bool:
    """Whether a bare number is shown in thousands or millions."""
    if not GROUPED.fullmatch(text):
        return False
    number, shown = float(value or 0), float(text.replace(",", "") or 0)
    return bool(shown) and any(abs(number / scale - shown) <= 0.5 for scale in THOUSANDS) and abs(number) >= 1000


def _text(element: ET.Element) -> str:
    """The text of a line, with its spaces, tabs and breaks."""
    parts = [element.text or ""]
    for child in element:
        if child.tag == f"{TEXT}s":
            parts.append(" " * int(child.get(f"{TEXT}c", "1")))
        else:
            parts.append({f"{TEXT}tab": "\t", f"{TEXT}line-break": "\n"}.get(child.tag) or _text(child))
        parts.append(child.tail or "")
    return "".join(parts)
