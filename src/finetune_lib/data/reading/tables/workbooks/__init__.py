"""Workbooks of all kinds, a file for each: their sheets, and what their files tell that the values do not."""

from __future__ import annotations

from finetune_lib.data.reading.bytes.blob import Blob
from finetune_lib.data.reading.bytes.kinds import OLE, XML_SPREADSHEET, ZIP
from finetune_lib.data.reading.tables.workbooks.book import Grids, Workbook
from finetune_lib.data.reading.tables.workbooks.native import NativeWorkbook
from finetune_lib.data.reading.tables.workbooks.web import web_tables
from finetune_lib.data.reading.tables.workbooks.xml_2003 import xml_spreadsheet

BEGINNING = 1 << 16


def opened_workbook(blob: Blob) -> Workbook:
    """The sheets of a workbook, of the tables of a web page, or of a workbook in the XML of Excel 2003.

    Raises:
        ReadError: It is damaged.
        MissingExtraError: It needs the `excel` extra.
    """
    if blob.read(0, 4) in (ZIP, OLE):
        return NativeWorkbook(blob)
    text = blob.read(0, blob.size)
    read = xml_spreadsheet if XML_SPREADSHEET.search(text[:BEGINNING]) else web_tables
    return Grids(read(text.decode("utf-8", "replace")))
