"""What a workbook's own XML tells that its values do not: errors, formulas without a result, formats, hidden rows.

That of .xlsx and .xlsm (ECMA-376, part 1, section 18.3), one part at a time and up to a size; .xlsb has none to read.
"""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from posixpath import join, normpath
from xml.etree import ElementTree as ET

from finetune_lib.data.reading.bytes.blob import Blob
from finetune_lib.data.reading.bytes.spooling import stream
from finetune_lib.data.reading.tables.cells import Mark, letters, place_of
from finetune_lib.data.reading.tables.shown import Form, Look, days, look
from finetune_lib.data.reading.tables.workbooks.oddities import Oddities, Place

LONGEST_PART = 1 << 29
MOST_CELLS = 40_000_000  # a sheet of values is held as a full rectangle
MOST_DAYS = 1e11  # milliseconds of more days before 1900 pass what 64 bits hold, and the reader of values breaks
MAIN = "{*}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
STRICT_RELATION = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
ERROR = re.compile(rb'<(?:\w+:)?c\s([^>]*\bt="e"[^>]*)>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]*)<', re.DOTALL)
FORMULA = re.compile(
    rb"<(?:\w+:)?c\s([^>]*)><(?:\w+:)?f\b(?:[^>]*/>|[^>]*[^>/]>([^<]*)</(?:\w+:)?f>|>([^<]*)</(?:\w+:)?f>)"
    rb"(?!\s*<(?:\w+:)?v>[^<])"
)
NUMBER = (
    rb"\s*(?:<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*)?<(?:\w+:)?v[^>]*>([^<]*)<"  # a formula may precede
)
NO_NUMBER = re.compile(rb'\bt="(?:s|str|b|e|inlineStr)"')
TEXT = re.compile(rb'\bt="(?:s|str|inlineStr)"')
DATE = b't="d"'
SHARED = re.compile(rb'<(?:\w+:)?c\s([^>]*\bt="s"[^>]*)>\s*<(?:\w+:)?v>(\d+)<')
INLINE = re.compile(rb'<(?:\w+:)?c\s([^>]*\bt="inlineStr"[^>]*)>(.*?)</(?:\w+:)?c>', re.DOTALL)
ITEM = re.compile(rb"<(?:\w+:)?si\b(?:[^>]*/>|[^>]*>(.*?)</(?:\w+:)?si>)", re.DOTALL)
STRUCK = re.compile(rb'<(?:\w+:)?strike(?:\s*/|\s+val="(?:1|true)"\s*/)?>')
TRUE = ("1", "true")
HIDDEN = re.compile(rb'<(?:\w+:)?row\s([^>]*\bhidden="(?:1|true)"[^>]*)>')
HIDDEN_COLUMN = re.compile(rb'<(?:\w+:)?col\s([^>]*\bhidden="(?:1|true)"[^>]*)>')
MOST_COLUMNS = 16_384
FILLED = re.compile(rb'<(?:\w+:)?c\s(?:[^>]*\s)?r="([A-Z]+)(\d+)"[^>]*[^/]>')
SINGLE = re.compile(rb"<(?:\w+:)?(?:c|row)\s[^>\"]*'[^>\"]*>")
UNPLACED = re.compile(rb'<(?:\w+:)?c(?=[\s>/])(?![^>]*\br=")')
ROW_OR_CELL = re.compile(rb"(?P<row><(?:\w+:)?row(?=[\s>/])[^>]*>)|(?P<cell><(?:\w+:)?c)(?=[\s>/])[^>]*>")
CELL = re.compile(rb'\br="([A-Z]+\d+)"')
ROW = re.compile(rb'\br="(\d+)"')
ATTRIBUTE = re.compile(rb'\bt="str"')


@dataclass(frozen=True, slots=True)
class _Style:
    """How the cells of a style are shown."""

    form: Form
    struck: bool


class WorkbookXml:
    """The parts of one workbook; empty where it is none of XML."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._parts = self._targets()
        self._styles = self._read_styles()
        self._struck = self._struck_texts()

    def oddities(self, sheet: str) -> Oddities:
        """What is odd in a sheet, by its name."""
        xml = _usual(self._read(self._parts.get(sheet, "")))
        if not xml:
            return Oddities(unknown=True)
        if far := _far_cell(xml):
            return Oddities(far=far)
        looks = dict(self._looks(xml))
        errors = {place: text.decode("utf-8", "replace") for text, place in _errors(xml)}
        unsaved = dict(_unsaved(xml))
        marks = {
            **{place: look.mark for place, look in looks.items() if look.mark},
            **dict.fromkeys(self._struck_places(xml), Mark("struck through")),
            **dict.fromkeys(errors, Mark("an error of Excel")),
            **dict.fromkeys(unsaved, Mark("a formula without a saved result")),
        }
        shown = {place: look.text for place, look in looks.items() if look.text is not None}
        hidden = [int(match[1]) - 1 for row in HIDDEN.findall(xml) if (match := ROW.search(row))]
        shown = {**shown, **errors, **unsaved}
        return Oddities(marks, shown, dict(self._texts(xml)), hidden, sorted(_hidden_columns(xml)))

    def endless_date(self, sheet: str) -> str | None:
        """The first cell whose date is so far away that readers of workbooks stop at it."""
        xml = _usual(self._read(self._parts.get(sheet, "")))
        forms = {number: style.form for number, style in self._styles.items() if style.form.dated}
        for attributes, style, value in _cells(xml, forms, NUMBER):
            found = _number(value, attributes, forms[int(style)])
            if found is not None and found < -MOST_DAYS and (place := CELL.search(attributes)):
                return place[1].decode()
        return None

    def _looks(self, xml: bytes) -> Iterator[tuple[Place, Look]]:
        """The numbers that have a format, and what becomes of them."""
        forms = {number: style.form for number, style in self._styles.items() if not style.form.plain}
        for attributes, style, value in _cells(xml, forms, NUMBER):
            if (place := _place(attributes)) and (found := _number(value, attributes, forms[int(style)])) is not None:
                yield place, look(found, forms[int(style)])

    def _texts(self, xml: bytes) -> Iterator[tuple[Place, Form]]:
        forms = {number: style.form for number, style in self._styles.items() if style.form.adds_to_texts}
        for attributes, style, _ in _cells(xml, forms, b"()"):
            if (place := _place(attributes)) and TEXT.search(attributes):
                yield place, forms[int(style)]

    def _struck_places(self, xml: bytes) -> Iterator[Place]:
        """Filled cells whose text is struck through, all of it or a part."""
        struck = {number for number, style in self._styles.items() if style.struck}
        for attributes, *_ in _cells(xml, struck, rb"(?<!/>)()"):
            if place := _place(attributes):
                yield place
        for attributes, index in SHARED.findall(xml) if self._struck else ():
            if int(index) in self._struck and (place := _place(attributes)):
                yield place
        for attributes, inside in INLINE.findall(xml) if b"strike" in xml else ():
            if STRUCK.search(inside) and (place := _place(attributes)):
                yield place

    def _read(self, part: str) -> bytes:
        """A part's bytes; none where it is missing, broken or too big to look into."""
        try:
            with stream(self._blob) as file, zipfile.ZipFile(file) as archive:
                return archive.read(part) if archive.getinfo(part).file_size <= LONGEST_PART else b""
        except (KeyError, OSError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError):
            return b""

    def _tree(self, part: str) -> ET.Element:
        try:
            return ET.fromstring(self._read(part) or b"<none/>")  # noqa: S314 - expat bounds entity expansion
        except ET.ParseError:
            return ET.Element("none")

    def _targets(self) -> Mapping[str, str]:
        """The part of each sheet by the sheet's name."""
        links = self._tree("xl/_rels/workbook.xml.rels").iterfind(f"{MAIN}Relationship")
        targets = {link.get("Id"): normpath(join("/xl", link.get("Target", ""))).lstrip("/") for link in links}
        sheets = self._tree("xl/workbook.xml").iterfind(f"{MAIN}sheets/{MAIN}sheet")
        return {
            sheet.get("name", ""): targets.get(sheet.get(RELATION) or sheet.get(STRICT_RELATION), "")
            for sheet in sheets
        }

    def _read_styles(self) -> Mapping[int, _Style]:
        """The styles of cells that are not plain."""
        book = self._tree("xl/workbook.xml").find(f"{MAIN}workbookPr")
        date1904 = book is not None and book.get("date1904") in TRUE
        tree = self._tree("xl/styles.xml")
        codes = {f.get("numFmtId"): f.get("formatCode", "") for f in tree.iterfind(f"{MAIN}numFmts/{MAIN}numFmt")}
        fonts = [font.find(f"{MAIN}strike") for font in tree.iterfind(f"{MAIN}fonts/{MAIN}font")]
        struck = {str(number) for number, font in enumerate(fonts) if font is not None and font.get("val", "1") in TRUE}
        styles: dict[int, _Style] = {}
        for number, style in enumerate(tree.iterfind(f"{MAIN}cellXfs/{MAIN}xf")):
            identity = style.get("numFmtId", "0")
            form = Form(int(identity) if identity.isdecimal() else 0, codes.get(identity, ""), date1904)
            if not form.plain or style.get("fontId") in struck:
                styles[number] = _Style(form, style.get("fontId") in struck)
        return styles

    def _struck_texts(self) -> frozenset[int]:
        """The shared texts of which a part is struck through."""
        part = self._read("xl/sharedStrings.xml")
        if b"strike" not in part:
            return frozenset()
        return frozenset(number for number, item in enumerate(ITEM.findall(part)) if STRUCK.search(item))


def _usual(xml: bytes) -> bytes:
    """A sheet as most programs write it: attributes in double quotes, and each cell with its place."""
    if SINGLE.search(xml):
        xml = SINGLE.sub(lambda tag: tag[0].replace(b"'", b'"'), xml)
    return b"".join(_placed(xml)) if UNPLACED.search(xml) else xml


def _placed(xml: bytes) -> Iterator[bytes]:
    """The same with a place for each cell: where none is written, it stands behind the one before."""
    row, column, end = 0, 0, 0
    for tag in ROW_OR_CELL.finditer(xml):
        yield xml[end : tag.start()]
        end = tag.end()
        if tag["row"]:
            row, column = int(found[1]) if (found := ROW.search(tag[0])) else row + 1, 0
        elif found := CELL.search(tag[0]):
            column = place_of(found[1].decode())[1] + 1
        else:
            column += 1
            yield b'%s r="%s%d"' % (tag["cell"], letters(column - 1).encode(), row) + tag[0][len(tag["cell"]) :]
            continue
        yield tag[0]
    yield xml[end:]


def _hidden_columns(xml: bytes) -> Iterator[int]:
    for attributes in HIDDEN_COLUMN.findall(xml):
        first, last = (re.search(rb'\b%s="(\d+)"' % name, attributes) for name in (b"min", b"max"))
        if first and last:
            yield from range(int(first[1]) - 1, min(int(last[1]), MOST_COLUMNS))


def _cells(xml: bytes, styles: Iterable[int], behind: bytes) -> Sequence[tuple[bytes, ...]]:
    """The cells of some styles: their attributes, the style's number, and what stands behind them."""
    numbers = b"|".join(b"%d" % number for number in styles)
    if not numbers:
        return ()
    return re.findall(rb'<(?:\w+:)?c\s([^>]*\bs="(' + numbers + rb')"[^>]*)>' + behind, xml)


def _number(value: bytes, attributes: bytes, form: Form) -> float | None:
    """The number of a cell; a date that is written as such is one, too."""
    if NO_NUMBER.search(attributes):
        return None
    try:
        return (
            days(datetime.fromisoformat(value.decode()), date1904=form.date1904) if DATE in attributes else float(value)
        )
    except ValueError:
        return None


def _errors(xml: bytes) -> Iterator[tuple[bytes, Place]]:
    return ((text, place) for attributes, text in ERROR.findall(xml) if (place := _place(attributes)))


def _place(attributes: bytes) -> Place | None:
    match = CELL.search(attributes)
    return place_of(match[1].decode()) if match else None


def _unsaved(xml: bytes) -> Iterator[tuple[Place, str]]:
    """Cells with a formula whose result was not saved, and the formula; an empty text is a result."""
    for match in FORMULA.finditer(xml):
        if not ATTRIBUTE.search(match[1]) and (place := _place(match[1])):
            yield place, "=" + html.unescape((match[2] or match[3] or b"").decode("utf-8", "replace"))


def _far_cell(xml: bytes) -> str | None:
    """The last filled cell, where the rectangle up to it would not fit in memory."""
    cells = {(column, len(row)): row for column, row in FILLED.findall(xml)}
    places = {place_of(f"{column.decode()}{row.decode()}") for (column, _), row in cells.items()}
    height, width = (max((place[axis] for place in places), default=0) + 1 for axis in (0, 1))
    if height * width <= MOST_CELLS:
        return None
    return max((f"{column.decode()}{row.decode()}" for (column, _), row in cells.items()), key=place_of)
