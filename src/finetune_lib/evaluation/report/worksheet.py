"""The worksheet of what to collect: an Excel file for the people who write the next training examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetune_lib.extras import require
from finetune_lib.files import write_atomically

if TYPE_CHECKING:
    from finetune_lib.evaluation.report.weaknesses import Weaknesses

# Cells are text whatever they begin with: an answer may look like a formula or an address.
AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
LONGEST_CELL = 32_767  # Excel's own limit
WIDTHS = {"category": 16, "name": 24, "kind": 12, "score": 8, "failing": 8, "cases": 8, "mean": 8, "collect": 8}
USUAL_WIDTH = 48
NOTE = (
    "Write new questions of these kinds with the answers that you want. Do not copy the questions of the golden set: "
    "what is trained on measures nothing any more. Load them with Dataset.load(path, sheet='collect')."
)


def write_worksheet(found: Weaknesses, path: Path, *, overwrite: bool) -> Path:
    """Write the workbook, whole or not at all.

    Raises:
        FileExistsError: The file is there and `overwrite` is False.
        MissingExtraError: Without `pip install "finetune_lib[excel]"`.
    """
    xlsxwriter = require("xlsxwriter", extra="excel", feature="Writing Excel files")
    buffer = BytesIO()
    workbook = xlsxwriter.Workbook(buffer, AS_TEXT)
    for name, header, rows in _sheets(found):
        _fill(workbook, name, header, rows)
    workbook.close()
    return write_atomically(path, [buffer.getvalue()], overwrite=overwrite)


def _sheets(found: Weaknesses) -> Iterator[tuple[str, Sequence[str], list[list[Any]]]]:
    groups = [[g.kind, g.name, len(g.failing), g.cases, g.mean, g.wanted, ", ".join(g.failing)] for g in found]
    yield "weak", ["kind", "name", "failing", "cases", "mean", "collect", "failing cases"], [*groups, [NOTE]]
    yield (
        "failing",
        ["case", "category", "question", "expected", "answer", "score", "reason"],
        [
            [f.case.id, f.case.category or "", f.case.prompt, f.case.expected, f.answer, f.score, f.reason]
            for f in found.failing
        ],
    )
    yield "collect", ["question", "answer", "category"], []


def _fill(workbook: Any, name: str, header: Sequence[str], rows: list[list[Any]]) -> None:
    sheet, bold = workbook.add_worksheet(name), workbook.add_format({"bold": True, "bottom": 1})
    wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
    sheet.freeze_panes(1, 0)
    for column, title in enumerate(header):
        sheet.set_column(column, column, WIDTHS.get(title, USUAL_WIDTH))
        sheet.write_string(0, column, title, bold)
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(number, column, value[:LONGEST_CELL], wrapped)
            else:
                sheet.write_number(number, column, value, wrapped)
