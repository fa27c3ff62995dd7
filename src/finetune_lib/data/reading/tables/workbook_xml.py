"""What a workbook's own XML tells that its values do not: errors, formulas without a result, formats, hidden rows.

Only .xlsx and .xlsm (ECMA-376, part 1, section 18.3) are looked into, one part at a time and up to a size; of other
workbooks the values alone are known.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from posixpath import join, normpath
from xml.etree import ElementTree as ET
from xml.sax.saxutils import unescape

from finetune_lib.data.reading.bytes.blob import Blob
from finetune_lib.data.reading.bytes.spooling import stream
from finetune_lib.data.reading.tables.cells import Mark, place_of

LONGEST_PART = 1 << 29
MOST_CELLS = 40_000_000  # a sheet of values is held as a full rectangle
MAIN = "{*}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
STRICT_RELATION = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
ERROR = re.compile(rb'<(?:\w+:)?c\s([^>]*\bt="e"[^>]*)>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]*)<', re.DOTALL)
FORMULA = re.compile(
    rb"<(?:\w+:)?c\s([^>]*)><(?:\w+:)?f\b(?:[^>]*/>|[^>]*[^>/]>([^<]*)</(?:\w+:)?f>|>([^<]*)</(?:\w+:)?f>)"
    rb"(?!\s*<(?:\w+:)?v>[^<])"
)
HIDDEN = re.compile(rb'<(?:\w+:)?row\s([^>]*\bhidden="(?:1|true)"[^>]*)>')
FILLED = re.compile(rb'<(?:\w+:)?c\s(?:[^>]*\s)?r="([A-Z]+)(\d+)"[^>]*[^/]>')
CELL = re.compile(rb'\br="([A-Z]+\d+)"')
ROW = re.compile(rb'\br="(\d+)"')
ATTRIBUTE = re.compile(rb'\bt="str"')
LITERAL = re.compile(r'"[^"]*"|\\.|\[(?!\$)[^\]]*\]|_.|\*.')
MONEY = re.compile(r"[$€£¥￥₩元]|\[\$[^\]-]|NT|HK|RMB|USD|TWD|CNY")
PERCENT_FORMATS, MONEY_FORMATS = frozenset({9, 10}), frozenset({5, 6, 7, 8, 37, 38, 39, 40, 41, 42, 43, 44})
ACCOUNTING = frozenset({37, 38, 39, 40, 41, 43})  # without a currency's sign


@dataclass(frozen=True, slots=True)
class Oddities:
    """What is odd in one sheet; rows and columns are counted from 0.

    Attributes:
        marks: What is odd about a cell.
        shown: The text that Excel shows for it, where that is not its value.
        hidden: The hidden rows.
        far: The cell that stretches the sheet beyond what fits in memory, if one does.
    """

    marks: Mapping[tuple[int, int], Mark] = field(default_factory=dict[tuple[int, int], Mark])
    shown: Mapping[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])
    hidden: Sequence[int] = ()
    far: str | None = None


class WorkbookXml:
    """The parts of one workbook; empty where it is none of XML."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._parts: Mapping[str, str] = self._targets() if blob.read(0, 2) == b"PK" else {}
        self._formats: Mapping[int, int | None] = self._styles() if self._parts else {}

    def oddities(self, sheet: str) -> Oddities:
        """What is odd in a sheet, by its name."""
        xml = self._read(self._parts.get(sheet, ""))
        if not xml:
            return Oddities()
        if far := _far_cell(xml):
            return Oddities(far=far)
        errors = {place: text for attributes, text in ERROR.findall(xml) if (place := _place(attributes))}
        marks: dict[tuple[int, int], Mark] = dict.fromkeys(errors, "an error of Excel")
        unsaved = dict(_unsaved(xml))
        marks.update(dict.fromkeys(unsaved, "a formula without a saved result"))
        percents, money = self._shown_otherwise(xml)
        marks.update(dict.fromkeys(percents, "a percentage"))
        marks.update(dict.fromkeys(money, "an amount of money"))
        shown = {place: text.decode("utf-8", "replace") for place, text in errors.items()}
        hidden = [int(match[1]) - 1 for row in HIDDEN.findall(xml) if (match := ROW.search(row))]
        return Oddities(marks, {**shown, **unsaved, **percents}, hidden)

    def _shown_otherwise(self, xml: bytes) -> tuple[Mapping[tuple[int, int], str], Mapping[tuple[int, int], str]]:
        """The percentages, as they are shown, and the amounts of money."""
        if not self._formats:
            return {}, {}
        styles = b"|".join(b"%d" % number for number in self._formats)
        cell = re.compile(rb'<(?:\w+:)?c\s([^>]*\bs="(' + styles + rb')"[^>]*)><(?:\w+:)?v>([^<]*)<')
        percents: dict[tuple[int, int], str] = {}
        money: dict[tuple[int, int], str] = {}
        for attributes, style, value in cell.findall(xml):
            place, decimals = _place(attributes), self._formats[int(style)]
            if place and b't="s"' not in attributes and b't="str"' not in attributes:
                (money if decimals is None else percents)[place] = _percent(value, decimals)
        return percents, money

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

    def _styles(self) -> Mapping[int, int | None]:
        """The styles that show a number as a percentage, with their decimals, or as money, with None."""
        tree = self._tree("xl/styles.xml")
        codes = {f.get("numFmtId"): f.get("formatCode", "") for f in tree.iterfind(f"{MAIN}numFmts/{MAIN}numFmt")}
        styles = [style.get("numFmtId", "0") for style in tree.iterfind(f"{MAIN}cellXfs/{MAIN}xf")]
        kinds = {number: _kind(identity, codes.get(identity, "")) for number, identity in enumerate(styles)}
        return {number: decimals for number, (kind, decimals) in kinds.items() if kind}


def _kind(identity: str, code: str) -> tuple[str, int | None]:
    """Whether a number format shows a percentage or money."""
    number = int(identity) if identity.isdecimal() else 0
    if number in PERCENT_FORMATS:
        return "percent", 2 if number == 10 else 0
    first = code.split(";")[0]
    bare = LITERAL.sub("", first)
    if "%" in bare:
        decimals = re.search(r"\.(0+)", bare)
        return "percent", len(decimals[1]) if decimals else 0
    money = (number in MONEY_FORMATS - ACCOUNTING and not code) or bool(MONEY.search(first))
    return ("money" if money else ""), None


def _percent(value: bytes, decimals: int | None) -> str:
    try:
        return f"{float(value) * 100:.{decimals or 0}f}%"
    except ValueError:
        return value.decode("utf-8", "replace")


def _place(attributes: bytes) -> tuple[int, int] | None:
    match = CELL.search(attributes)
    return place_of(match[1].decode()) if match else None


def _unsaved(xml: bytes) -> Iterator[tuple[tuple[int, int], str]]:
    """Cells with a formula whose result was not saved, and the formula; an empty text is a result."""
    for match in FORMULA.finditer(xml):
        if not ATTRIBUTE.search(match[1]) and (place := _place(match[1])):
            yield place, "=" + unescape((match[2] or match[3] or b"").decode("utf-8", "replace"))


def _far_cell(xml: bytes) -> str | None:
    """The last filled cell, where the rectangle up to it would not fit in memory."""
    cells = {(column, len(row)): row for column, row in FILLED.findall(xml)}
    places = {place_of(f"{column.decode()}{row.decode()}") for (column, _), row in cells.items()}
    height, width = (max((place[axis] for place in places), default=0) + 1 for axis in (0, 1))
    if height * width <= MOST_CELLS:
        return None
    return max((f"{column.decode()}{row.decode()}" for (column, _), row in cells.items()), key=place_of)
