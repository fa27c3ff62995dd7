"""A copy of the user's own workbook with each finding as a note in its cell, and a sheet that lists them all.

The colleague who keeps the sheet can mend it there: formulas, formats and widths stay, and no cell is changed.
"""

from __future__ import annotations

import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from finetune_lib.data.diagnostics.explaining import advice
from finetune_lib.data.diagnostics.finding import Diagnostic
from finetune_lib.data.diagnostics.result import ValidationResult
from finetune_lib.data.diagnostics.summary import SEVERITIES, summary_of
from finetune_lib.errors import DataError
from finetune_lib.extras import require
from finetune_lib.files import write_atomically
from finetune_lib.pages.terminal import width
from finetune_lib.pages.unseen import visible
from finetune_lib.pages.wording import Words, words
from finetune_lib.texts.languages import Language

KINDS = (".xlsx", ".xlsm")
AUTHOR = "finetune_lib"
LONGEST_NOTE = 4000
NOTE_WIDTH, LINE_HEIGHT, COLUMNS_A_LINE = 420, 18, 52
WIDTHS = {"severity_column": 10, "code_column": 8, "place_column": 18, "message_column": 60, "help_column": 60}
LOSABLE = ("charts", "media", "drawings", "threadedComments", "slicers", "embeddings", "ctrlProps")


def marked(report: ValidationResult, workbook: Path, output: Path, *, overwrite: bool, lang: Language) -> Path:
    """Write the copy.

    Raises:
        ValueError: The report is about another file, or the file is no workbook that can be copied whole.
        DataError: The workbook cannot be opened.
        FileExistsError: The output is there.
    """
    _require_own(report, workbook)
    openpyxl = require("openpyxl", extra="excel", feature="Marking a workbook")
    original = workbook.read_bytes()
    try:
        macros = workbook.suffix.lower() == ".xlsm"
        book = openpyxl.load_workbook(BytesIO(original), rich_text=True, keep_vba=macros)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise DataError(f"{workbook} cannot be copied ({error}). Open it in Excel and save it as .xlsx.") from error
    _note(book, report.diagnostics, lang, openpyxl)
    sheet = _listing(book, report, lang, openpyxl)
    if lost := sorted(_parts(original) - _parts(_saved(book))):
        sheet.append([words(lang)["not_copied"].format(parts=", ".join(lost))])
    return write_atomically(output, [_saved(book)], overwrite=overwrite)


def _require_own(report: ValidationResult, workbook: Path) -> None:
    if workbook.suffix.lower() not in KINDS:
        raise ValueError(
            f"{workbook.name} is no .xlsx: open it in Excel or LibreOffice, save it as .xlsx, and load that"
        )
    if workbook.name not in {report.source, *(finding.origin.source for finding in report.diagnostics)}:
        raise ValueError(f"the report is about {report.source}, not about {workbook.name}")


def _saved(book: Any) -> bytes:
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _parts(content: bytes) -> Counter[str]:
    """How many parts there are of each kind that a copy may lose, as charts."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        folders = (name.split("/")[1] for name in archive.namelist() if name.count("/") > 1 and "vml" not in name)
        return Counter(folder for folder in folders if folder in LOSABLE)


def _note(book: Any, findings: Sequence[Diagnostic], lang: Language, openpyxl: Any) -> None:
    """Each cell's findings as one note in it, behind what stands there already."""
    notes: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for finding in findings:
        if finding.cell:
            sheet, _, address = finding.cell.rpartition("!")
            notes[sheet, address].append(_text(finding, lang))
    for (name, address), texts in notes.items():
        if name in book.sheetnames:
            cell = _anchor(book[name], address, openpyxl)
            before = [cell.comment.text] if cell.comment else []
            cell.comment = _comment("\n\n".join([*before, *dict.fromkeys(texts)]), openpyxl)


def _text(finding: Diagnostic, lang: Language) -> str:
    texts, said = finding.texts(lang), words(lang)
    return "\n".join(map(visible, [f"{said[finding.severity]} {finding.code}: {texts.message}", *advice(texts, said)]))


def _comment(text: str, openpyxl: Any) -> Any:
    cut = text if len(text) <= LONGEST_NOTE else f"{text[:LONGEST_NOTE]}…"
    lines = sum(1 + width(line) // COLUMNS_A_LINE for line in cut.splitlines())
    return openpyxl.comments.Comment(cut, AUTHOR, width=NOTE_WIDTH, height=LINE_HEIGHT * (lines + 1))


def _anchor(sheet: Any, address: str, openpyxl: Any) -> Any:
    """The cell; of merged ones the first, which alone can have a note."""
    cell = sheet[address]
    if not isinstance(cell, openpyxl.cell.cell.MergedCell):
        return cell
    merged = next(area for area in sheet.merged_cells.ranges if address in area)
    return sheet.cell(merged.min_row, merged.min_col)


def _listing(book: Any, report: ValidationResult, lang: Language, openpyxl: Any) -> Any:
    """A last sheet with all findings, errors first, each with a link to its cell."""
    said, names = words(lang), tuple(book.sheetnames)
    sheet = book.create_sheet(_free_name(said["findings"], names))
    sheet.append([visible(summary_of(report, lang))])
    sheet.append([said[name] for name in WIDTHS])
    ordered = sorted(report.diagnostics, key=lambda finding: SEVERITIES.index(finding.severity))
    for number, finding in enumerate(ordered, start=3):
        _row(sheet, number, finding, lang)
        name, _, address = (finding.cell or "").rpartition("!")
        if name in names:
            to = "'{}'!{}".format(name.replace("'", "''"), address)
            link = openpyxl.worksheet.hyperlink.Hyperlink(ref=f"C{number}", location=to)
            sheet.cell(number, 3).hyperlink = link
        for column in range(1, len(WIDTHS) + 1):
            wraps = openpyxl.styles.Alignment(wrap_text=column > 3, vertical="top")
            sheet.cell(number, column).alignment = wraps
    for line in _left_out(report, said):
        sheet.append([line])
    for cell in (*sheet[1], *sheet[2]):
        cell.font = openpyxl.styles.Font(bold=True)
    for letter, columns in zip("ABCDE", WIDTHS.values(), strict=True):
        sheet.column_dimensions[letter].width = columns
    sheet.freeze_panes = "A3"
    return sheet


def _free_name(name: str, taken: Sequence[str]) -> str:
    return next(free for free in (name, *(f"{name} {n}" for n in range(2, len(taken) + 3))) if free not in taken)


def _row(sheet: Any, number: int, finding: Diagnostic, lang: Language) -> None:
    texts, said = finding.texts(lang), words(lang)
    place = finding.cell or str(finding.origin.row or "")
    for column, text in enumerate([said[finding.severity], finding.code, place, texts.message, texts.hint], start=1):
        cell = sheet.cell(number, column, visible(text))
        cell.data_type = "s"  # what begins with = is no formula


def _left_out(report: ValidationResult, said: Words) -> Iterator[str]:
    """Of codes with more findings than a report keeps: how many more."""
    kept = Counter(finding.code for finding in report.diagnostics)
    for code, number in kept.items():
        if more := report.count(code) - number:
            yield f"{code}: {said['not_kept'].format(number=more)}"
