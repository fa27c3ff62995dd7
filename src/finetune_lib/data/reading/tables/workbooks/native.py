"""The workbooks of Excel and of OpenDocument: calamine reads their values, the file's own parts tell the rest."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from finetune_lib.data.reading.bytes.blob import Blob
from finetune_lib.data.reading.bytes.kinds import ZIP
from finetune_lib.data.reading.bytes.spooling import stream
from finetune_lib.data.reading.options import unreadable
from finetune_lib.data.reading.tables.merges import Merge
from finetune_lib.data.reading.tables.workbooks.book import Values
from finetune_lib.data.reading.tables.workbooks.oddities import Oddities
from finetune_lib.data.reading.tables.workbooks.ods import OpenDocument
from finetune_lib.data.reading.tables.workbooks.xls import OldWorkbook
from finetune_lib.data.reading.tables.workbooks.xlsx import WorkbookXml
from finetune_lib.extras import require

OPEN_DOCUMENT = b"opendocument.spreadsheet"  # its kind stands unpacked at the start of the file


class NativeWorkbook:
    """A workbook as its program saved it."""

    def __init__(self, blob: Blob) -> None:
        self._calamine = require("python_calamine", extra="excel", feature="Reading Excel files")
        with self._telling_damage():
            self._book = self._calamine.load_workbook(stream(blob))
        self._formats = _formats(blob)
        self._odd: dict[str, Oddities] = {}
        self._merges: dict[str, Sequence[Merge]] = {}

    @property
    def names(self) -> Sequence[str]:
        """Its sheets, in order."""
        return self._book.sheet_names

    @property
    def hidden(self) -> Sequence[str]:
        """Those that people do not see."""
        return [str(sheet.name) for sheet in self._book.sheets_metadata if "Hidden" in str(sheet.visible)]

    def values(self, sheet: str) -> Values:
        """The values of a sheet from A1 on, so that addresses are Excel's own; none of a chart or a macro."""
        if far := self.oddities(sheet).far:
            raise unreadable("T277", cell=f"{sheet}!{far}")
        with self._telling_damage(sheet):
            try:
                found = self._book.get_sheet_by_name(sheet)
            except ValueError:
                return ()
            ranges = found.merged_cell_ranges or ()
            self._merges[sheet] = [Merge(top, left, bottom, right) for (top, left), (bottom, right) in ranges]
            return found.to_python(skip_empty_area=False)

    def merges(self, sheet: str) -> Sequence[Merge]:
        """The merged ranges of a sheet whose values were read."""
        return self._merges.get(sheet) or self.oddities(sheet).merges

    def oddities(self, sheet: str) -> Oddities:
        """What is odd in a sheet."""
        if sheet not in self._odd:
            self._odd[sheet] = self._formats.oddities(sheet)
        return self._odd[sheet]

    @contextmanager
    def _telling_damage(self, sheet: str = "") -> Generator[None]:
        """What the reader stumbles over is damage of the file, or a date that no calendar has."""
        try:
            yield
        except BaseException as error:
            known = (self._calamine.CalamineError, self._calamine.XmlError, self._calamine.ZipError)
            panic = type(error).__name__ == "PanicException"  # of its Rust code, and no Exception in Python
            if not isinstance(error, known) and not panic:
                raise
            formats = self._formats if panic and sheet else None
            if isinstance(formats, WorkbookXml) and (cell := formats.endless_date(sheet)):
                raise unreadable("T287", cell=f"{sheet}!{cell}") from error
            raise unreadable("E112", what=str(error)) from error


def _formats(blob: Blob) -> WorkbookXml | OldWorkbook | OpenDocument:
    """What tells the formats of a workbook's cells."""
    if blob.read(0, len(ZIP)) != ZIP:
        return OldWorkbook(blob)
    return OpenDocument(blob) if OPEN_DOCUMENT in blob.read(0, 200) else WorkbookXml(blob)
