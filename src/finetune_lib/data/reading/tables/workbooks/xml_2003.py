"""Workbooks in the XML of Excel 2003 (SpreadsheetML), as reporting systems still write them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from xml.etree import ElementTree as ET

from finetune_lib.data.reading.options import unreadable
from finetune_lib.data.reading.tables.cells import Mark
from finetune_lib.data.reading.tables.merges import Merge
from finetune_lib.data.reading.tables.shown import Form, days, look
from finetune_lib.data.reading.tables.workbooks.book import Grid
from finetune_lib.data.reading.tables.workbooks.oddities import Oddities, Place

SHEETS = "{urn:schemas-microsoft-com:office:spreadsheet}"
EXCEL = "{urn:schemas-microsoft-com:office:excel}"
STRIKE = "{http://www.w3.org/TR/REC-html40}S"
DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
# The names that stand for formats; dates without a form of their own are the viewer's.
NAMED = {
    "general": Form(0), "general number": Form(0), "fixed": Form(2), "standard": Form(4), "percent": Form(10),
    "scientific": Form(11), "short date": Form(14), "general date": Form(22), "long date": Form(14),
    "medium date": Form(15), "medium time": Form(18), "long time": Form(19), "short time": Form(20),
    "currency": Form(8), "euro currency": Form(0, "[$€-2]#,##0.00"), "yes/no": Form(0, '"Yes";"Yes";"No"'),
    "true/false": Form(0, '"True";"True";"False"'), "on/off": Form(0, '"On";"On";"Off"'),
}  # fmt: skip
LARGEST = 2_000_000  # cells; what lies further apart is no table


def xml_spreadsheet(text: str) -> Sequence[Grid]:
    """The sheets of a workbook.

    Raises:
        ReadError: It is not well-formed, or a cell lies too far out.
    """
    try:
        book = ET.fromstring(DECLARATION.sub("", text, count=1))  # noqa: S314 - expat bounds entity expansion
    except ET.ParseError as error:
        raise unreadable("E112", what=str(error), line=error.position[0]) from error
    styles = _Styles(book)
    return [_Sheet(sheet, styles).grid() for sheet in book.iterfind(f"{SHEETS}Worksheet")]


class _Styles:
    """The formats of the styles, and which of them strike texts through."""

    def __init__(self, book: ET.Element) -> None:
        self._styles = {style.get(f"{SHEETS}ID", ""): style for style in book.iter(f"{SHEETS}Style")}
        self._date1904 = book.find(f".//{EXCEL}Date1904") is not None
        self._forms: dict[str, Form] = {}

    def form(self, name: str) -> Form:
        """The number format of a style."""
        if name not in self._forms:
            code = self._said(name, "NumberFormat", "Format")
            form = NAMED.get(code.casefold()) or Form(0, code)
            self._forms[name] = replace(form, date1904=self._date1904)
        return self._forms[name]

    def strikes(self, name: str) -> bool:
        """Whether a style strikes texts through."""
        return self._said(name, "Font", "StrikeThrough") == "1"

    def _said(self, name: str, part: str, attribute: str) -> str:
        """What a style, or the one that it rests on, says."""
        style = self._styles.get(name)
        for _ in self._styles if style is not None else ():
            found = style.find(f"{SHEETS}{part}") if style is not None else None
            if found is not None and (said := found.get(f"{SHEETS}{attribute}")):
                return said
            style = self._styles.get(style.get(f"{SHEETS}Parent", "")) if style is not None else None
        return ""


class _Sheet:
    """One sheet while it is read."""

    def __init__(self, sheet: ET.Element, styles: _Styles) -> None:
        self._name = sheet.get(f"{SHEETS}Name", "")
        self._styles = styles
        self._values: dict[Place, object] = {}
        self._marks: dict[Place, Mark] = {}
        self._shown: dict[Place, str] = {}
        self._texts: dict[Place, Form] = {}
        self._hidden: list[int] = []
        self._merges: list[Merge] = []
        visible = sheet.findtext(f"{EXCEL}WorksheetOptions/{EXCEL}Visible", "")
        self._unseen = visible.startswith(("SheetHidden", "SheetVeryHidden"))
        columns = _numbered(sheet.iterfind(f"{SHEETS}Table/{SHEETS}Column"))
        self._hidden_columns = [column for column, element in columns if element.get(f"{SHEETS}Hidden") == "1"]
        for row, element in _numbered(sheet.iterfind(f"{SHEETS}Table/{SHEETS}Row")):
            if element.get(f"{SHEETS}Hidden") == "1":
                self._hidden.append(row)
            for column, cell in _numbered(element.iterfind(f"{SHEETS}Cell")):
                self._add(row, column, cell, cell.get(f"{SHEETS}StyleID") or element.get(f"{SHEETS}StyleID", ""))

    def grid(self) -> Grid:
        """The sheet as a whole."""
        height, width = (max((place[axis] for place in self._values), default=-1) + 1 for axis in (0, 1))
        if height * width > LARGEST:
            raise unreadable("T277", cell=self._name)
        values = [[self._values.get((row, column), "") for column in range(width)] for row in range(height)]
        odd = Oddities(self._marks, self._shown, self._texts, self._hidden, self._hidden_columns, merges=self._merges)
        return Grid(self._name, values, odd, self._unseen)

    def _add(self, row: int, column: int, cell: ET.Element, style: str) -> None:
        place = row, column
        right, down = (_count(cell, f"Merge{way}", 0) for way in ("Across", "Down"))
        if right or down:
            self._merges.append(Merge(row, column, row + down, column + right))
        data = cell.find(f"{SHEETS}Data")
        if data is not None:
            self._take(place, data, self._styles.form(style))
            if self._styles.strikes(style) or data.find(f".//{STRIKE}") is not None:
                self._marks[place] = Mark("struck through")
        elif formula := cell.get(f"{SHEETS}Formula"):
            self._values[place] = formula
            self._marks[place] = Mark("a formula without a saved result")

    def _take(self, place: Place, data: ET.Element, form: Form) -> None:
        """Keep a value, and what people see of it."""
        kind, text = data.get(f"{SHEETS}Type"), "".join(data.itertext())
        number = _number(kind, text, form)
        self._values[place] = text if number is None else number
        if kind == "Error":
            self._marks[place] = Mark("an error of Excel")
        elif kind == "Boolean":
            self._values[place] = text.strip() == "1"
        elif number is None and form.adds_to_texts:
            self._texts[place] = form
        elif number is not None:
            found = look(number, form)
            self._shown[place] = text if found.text is None else found.text
            if found.mark:
                self._marks[place] = found.mark


def _number(kind: str | None, text: str, form: Form) -> float | None:
    try:
        if kind == "DateTime":
            return days(datetime.fromisoformat(text), date1904=form.date1904)
        return float(text) if kind == "Number" else None
    except ValueError:
        return None


def _numbered(elements: Iterator[ET.Element]) -> Iterator[tuple[int, ET.Element]]:
    """Rows or cells with their numbers, counted from 0: some say theirs, the others follow."""
    number = 0
    for element in elements:
        number = max(1, _count(element, "Index", number + 1)) - 1
        yield number, element
        number += 1 + _count(element, "MergeAcross" if element.tag == f"{SHEETS}Cell" else "Span", 0)


def _count(element: ET.Element, name: str, usual: int) -> int:
    """A number that an element gives; the usual one where it gives none, or nonsense."""
    written = element.get(f"{SHEETS}{name}", "")
    return int(written) if written.isascii() and written.isdecimal() else usual
