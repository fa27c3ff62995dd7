"""Files for tests from text: a workbook is written as `[sheet]` lines and cells parted by tabs."""

from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Font

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"  # data of others, beside the project; what needs it is skipped where it is missing
WORKBOOKS = (".xlsx",)


def written(folder: Path, name: str, text: str, *, encoding: str = "utf-8", raw: str = "") -> Path:
    """A file of that name with this content; `raw` is its bytes in hexadecimal."""
    path = folder / name
    if raw:
        path.write_bytes(bytes.fromhex(raw))
    elif path.suffix in WORKBOOKS:
        workbook(text).save(path)
    else:
        path.write_bytes(text.encode(encoding, "surrogatepass") if encoding == "utf-8" else text.encode(encoding))
    return path


def workbook(text: str) -> Workbook:
    """A workbook from text.

    `[name]` starts a sheet and `[name:hidden]` a hidden one; `!merge A1:C1` merges cells, `!hide 3` hides a row,
    `!format B2 0.0%` gives a cell a number format, `!strike B2` strikes its text through;
    any other line is a row of cells parted by tabs. `=…` is a formula, digits alone are a number.
    """
    book = Workbook()
    book.remove(book.active)
    sheet = None
    for line in text.strip("\n").split("\n"):
        if line.startswith("[") and line.endswith("]"):
            title, _, state = line[1:-1].partition(":")
            sheet = book.create_sheet(title)
            sheet.sheet_state = state or "visible"
        elif line.startswith("!merge "):
            sheet.merge_cells(line.removeprefix("!merge "))
        elif line.startswith("!hide "):
            sheet.row_dimensions[int(line.removeprefix("!hide "))].hidden = True
        elif line.startswith("!format "):
            cell, code = line.removeprefix("!format ").split(" ", 1)
            sheet[cell].number_format = code
        elif line.startswith("!strike "):
            sheet[line.removeprefix("!strike ")].font = Font(strike=True)
        else:
            sheet.append([_value(cell) for cell in line.split("\t")])
    return book


def _value(cell: str) -> int | str | None:
    return int(cell) if cell.isdecimal() and cell.isascii() else cell or None
