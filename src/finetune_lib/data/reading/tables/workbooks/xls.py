"""What an old workbook (.xls) tells that its values do not: number formats, fonts struck through, hidden rows."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from finetune_lib.data.reading.bytes.blob import Blob
from finetune_lib.data.reading.tables.cells import Mark
from finetune_lib.data.reading.tables.shown import Form, look
from finetune_lib.data.reading.tables.workbooks.oddities import Oddities, Place
from finetune_lib.extras import require

EMPTY, TRUTH, ERROR, BLANK = 0, 4, 5, 6  # as xlrd numbers the kinds of cells


class OldWorkbook:
    """The formats of an old workbook; none where it cannot be told how they are."""

    def __init__(self, blob: Blob) -> None:
        xlrd = require("xlrd", extra="excel", feature="Reading .xls files")
        self._book: Any = None
        self._forms: dict[int, Form] = {}
        try:
            content = blob.read(0, blob.size)
            self._book = xlrd.open_workbook(
                file_contents=content, formatting_info=True, on_demand=True, logfile=io.StringIO()
            )
        except Exception:  # noqa: S110 - whatever it stumbles over, the values are read by another reader
            pass

    def oddities(self, sheet: str) -> Oddities:
        """What is odd in a sheet, by its name."""
        try:
            found = self._book.sheet_by_name(sheet)
            return self._oddities(found)
        except Exception:
            return Oddities(unknown=True)

    def _oddities(self, sheet: Any) -> Oddities:
        marks: dict[Place, Mark] = {}
        shown: dict[Place, str] = {}
        texts: dict[Place, Form] = {}
        for place, form, struck in self._cells(sheet):
            cell = sheet.cell(*place)
            if isinstance(cell.value, float) and not form.plain:
                found = look(cell.value, form)
                marks |= {place: found.mark} if found.mark else {}
                shown |= {place: found.text} if found.text is not None else {}
            elif isinstance(cell.value, str) and form.adds_to_texts:
                texts[place] = form
            if struck:
                marks[place] = Mark("struck through")
        hidden = sorted(row for row, info in sheet.rowinfo_map.items() if info.hidden)
        columns = sorted(column for column, info in sheet.colinfo_map.items() if info.hidden)
        return Oddities(marks, shown, texts, hidden, columns)

    def _cells(self, sheet: Any) -> Iterator[tuple[Place, Form, bool]]:
        """The filled cells with their formats, and whether their text is struck through."""
        fonts, styles = self._book.font_list, self._book.xf_list
        for row in range(sheet.nrows):
            for column, kind in enumerate(sheet.row_types(row)):
                if kind in (EMPTY, BLANK, TRUTH, ERROR):
                    continue
                number = sheet.cell_xf_index(row, column)
                runs = sheet.rich_text_runlist_map.get((row, column), ())
                struck = any(
                    fonts[font].struck_out for font in (styles[number].font_index, *(font for _, font in runs))
                )
                yield (row, column), self._form(number), struck

    def _form(self, style: int) -> Form:
        """The number format of a style."""
        if style not in self._forms:
            number = self._book.xf_list[style].format_key
            known = self._book.format_map.get(number)
            code = "" if known is None or known.format_str == "General" else known.format_str
            self._forms[style] = Form(number, code, bool(self._book.datemode))
        return self._forms[style]
