"""Word: paragraphs and tables in their order, sections at headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from finetune_lib.data.documents.section import Place, Section
from finetune_lib.extras import require

HEADING = re.compile(r"(?:heading|title|標題|标题)\b.*", re.IGNORECASE)


def word_sections(path: Path) -> Iterator[Section]:
    """The sections of a document of Word; it has no pages until it is printed.

    Raises:
        MissingExtraError: Without `pip install "finetune_lib[documents]"`.
    """
    docx: Any = require("docx", extra="documents", feature="Reading Word documents")
    place, parts = Place(path), list[str]()
    for block in docx.Document(str(path)).iter_inner_content():
        if hasattr(block, "rows"):
            parts.append("\n".join(_rows(block)))
        elif HEADING.match((block.style.name or "") if block.style is not None else "") and block.text.strip():
            yield from _section(place, parts)
            place, parts = Place(path, heading=" ".join(block.text.split())), []
        else:
            parts.append(block.text.strip())
    yield from _section(place, parts)


def _rows(table: Any) -> Iterator[str]:
    """The rows of a table; a cell that spans several columns is told once."""
    for row in table.rows:
        cells = {id(cell._tc): " ".join(cell.text.split()) for cell in row.cells}
        yield " | ".join(cells.values()).strip(" |")


def _section(place: Place, parts: list[str]) -> Iterator[Section]:
    if text := "\n\n".join(filter(None, parts)).strip():
        yield Section(place, text)
