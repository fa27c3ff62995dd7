"""Files as their endings say: JSON Lines, one JSON array, CSV, Excel, Parquet; what one cannot hold is refused."""

from __future__ import annotations

import csv
import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import BytesIO, StringIO
from itertools import chain
from pathlib import Path
from typing import Any, Final, cast

from finetune_lib.data.reading.meaning import METADATA
from finetune_lib.data.reading.tables import rows_of
from finetune_lib.data.reading.tables.headers import JSON_FIELDS
from finetune_lib.errors import DataError
from finetune_lib.extras import require
from finetune_lib.files import json_line
from finetune_lib.records import kind_of
from finetune_lib.rows.messages import OUTPUTS, fields_of, items_of

WRITABLE: Final = ".jsonl, .json, .csv, .tsv, .xlsx or .parquet"
OTHERS: Final = re.compile(
    r"\.(xls[mb]?|xltx|ods|numbers|gz|zst|zip|bz2|xz|7z|tar|tgz|arrow|feather|avro|orc|h5|hdf5|pkl|pickle|np[yz]|db"
    r"|sqlite3?|ya?ml|toml|xml|html?|docx?|pptx|pdf|rtf)"
)
LONGEST_CELL, MOST_ROWS = 32_767, 1_048_575  # Excel's limits; the first row is the header's
UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]|_x[0-9A-Fa-f]{4}_")  # what XML cannot hold
AS_TEXT = {"strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}

Row = Mapping[str, Any]


def written(path: Path, rows: Iterable[Row], *, bom: bool = False) -> Iterable[bytes]:
    """The content of a file with these rows, in the format that its ending names.

    Args:
        path: The file; an ending that names no format of files is taken for JSON Lines.
        rows: The rows.
        bom: Whether text begins with a byte-order mark; a table of text always does, as Excel needs it.

    Raises:
        ValueError: The ending names a format that is not written.
        DataError: A row has what the format cannot hold; the message names both.
        MissingExtraError: It needs a package that is not installed.
    """
    ending = path.suffix.lower()
    if OTHERS.fullmatch(ending):
        raise ValueError(f"{path.name}: no file of the kind {ending} is written; end its name with {WRITABLE}")
    if write := WRITERS.get(ending):
        return write(rows)
    text = _array(rows) if ending == ".json" else _lines(rows)
    return chain([BOM_UTF8] if bom else [], text)


def _lines(rows: Iterable[Row]) -> Iterator[bytes]:
    return (json_line(row, number) for number, row in enumerate(rows, start=1))


def _array(rows: Iterable[Row]) -> Iterator[bytes]:
    """One array with a row a line."""
    yield b"["
    for number, line in enumerate(_lines(rows)):
        yield (b",\n" if number else b"\n") + line.removesuffix(b"\n")
    yield b"\n]\n"


def _csv(rows: Iterable[Row], *, delimiter: str = ",") -> Iterator[bytes]:
    names, body = _table(rows)
    yield BOM_UTF8
    for number, cells in enumerate(chain([names], body)):
        buffer = StringIO(newline="")
        csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n").writerow(cells)
        try:
            yield buffer.getvalue().encode()
        except UnicodeEncodeError as error:
            raise _unfit(number, "half a character, which no text file can hold") from error


def _excel(rows: Iterable[Row]) -> Iterable[bytes]:
    """Everything as text, so that no cell becomes a formula, a number or a link."""
    xlsxwriter = require("xlsxwriter", extra="excel", feature="Writing Excel files")
    names, body = _table(rows)
    if len(body) > MOST_ROWS:
        raise DataError(
            f"{len(body):,} examples do not fit in a sheet, which has {MOST_ROWS:,} rows. Save as .jsonl or .csv."
        )
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {**AS_TEXT, "in_memory": True}) as book:
        sheet = book.add_worksheet("examples")
        for number, cells in enumerate(chain([names], body)):
            for place, text in enumerate(cells):
                _require_cell(text, number)
                sheet.write_string(number, place, text)
    return [buffer.getvalue()]


def _require_cell(text: str, number: int) -> None:
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 > LONGEST_CELL:
        raise _unfit(number, f"a text of more than {LONGEST_CELL:,} characters, the most that a cell of Excel holds")
    if found := UNWRITABLE.search(text):
        raise _unfit(number, f"{found[0]!r}, which a cell of Excel cannot hold")


def _parquet(rows: Iterable[Row]) -> Iterable[bytes]:
    """Nested columns; written only if all rows come back as they are."""
    arrow = require("pyarrow", extra="parquet", feature="Writing Parquet files")
    parquet = require("pyarrow.parquet", extra="parquet", feature="Writing Parquet files")
    kept = list(rows)
    names = dict.fromkeys(name for row in kept for name in row)
    try:
        table = arrow.Table.from_pylist([{**dict.fromkeys(names), **row} for row in kept])
        buffer = BytesIO()
        parquet.write_table(table, buffer)
    except (arrow.ArrowException, OverflowError, UnicodeEncodeError) as error:
        raise DataError(f"the rows have no common columns for Parquet: {error}. Save as .jsonl or .json.") from error
    for number, (row, back) in enumerate(zip(kept, rows_of(table), strict=True), start=1):
        if row != back:
            raise _unfit(number, "a null or a number that Parquet would give back otherwise")
    return [buffer.getvalue()]


def _table(rows: Iterable[Row]) -> tuple[list[str], list[list[str]]]:
    """The names of the columns and the cells below: texts alone where all rows are such, else JSON in cells."""
    given = [_with_category(row, number) for number, row in enumerate(rows, start=1)]
    flat = [texts for row, _ in given if (texts := _flat(row))]
    alike = len(flat) == len(given) and len({frozenset(texts) - {"system"} for texts in flat}) <= 1
    kept = flat if alike else [row for row, _ in given]
    whole = [{**row, **category} for row, (_, category) in zip(kept, given, strict=True)]
    names = list(dict.fromkeys(name for row in whole for name in row)) or ["prompt", "completion"]
    return names, [[_cell(name, row.get(name), number) for name in names] for number, row in enumerate(whole, start=1)]


def _with_category(row: Row, number: int) -> tuple[Row, Row]:
    """The row, and the column of its category; a table has no place for what else stands beside an example."""
    beside = fields_of(row.get(METADATA))
    if more := beside.keys() - {"category"}:
        raise _unfit(number, f"{', '.join(sorted(more))} beside it, for which a table has no column")
    return {name: value for name, value in row.items() if name != METADATA}, beside


def _cell(name: str, value: Any, number: int) -> str:
    """What stands in one cell."""
    if value is None or isinstance(value, str):
        return value or ""
    if name in JSON_FIELDS:
        return json.dumps(value, ensure_ascii=False)
    raise _unfit(number, f"the field {name!r}, for which a table has no column")


def _unfit(number: int, what: str) -> DataError:
    return DataError(f"example {number} has {what}. Save as .jsonl or .json, which hold everything.")


def _flat(row: Row) -> Row | None:
    """The row as texts alone, where it is an instruction, a question and an answer, or two answers; None otherwise."""
    match kind_of(row):
        case "chat" if set(row) == {"messages"}:
            return _texts(row["messages"], ("prompt", "completion"))
        case "preference" if set(row) == {"input", *OUTPUTS} and set(row["input"]) == {"messages"}:
            sides = [items_of(row[side]) for side in OUTPUTS]
            turns = [*items_of(row["input"]["messages"]), *chain(*sides)]
            return _texts(turns, ("prompt", "chosen", "rejected")) if list(map(len, sides)) == [1, 1] else None
        case "chat" | "preference":
            return None
        case _:
            return row


def _texts(turns: object, names: Sequence[str]) -> Row | None:
    """Turns of text under the names of columns, a system message before them."""
    given = [fields_of(turn) for turn in items_of(turns)]
    fields = ["system", *names] if len(given) > len(names) else list(names)
    roles = [{"system": "system", "prompt": "user"}.get(name, "assistant") for name in fields]
    texts = [turn.get("content") for turn in given]
    plain = [set(turn) == {"role", "content"} for turn in given]
    sound = [isinstance(text, str) and bool(text.strip()) for text in texts]
    if [turn.get("role") for turn in given] != roles or not all(plain + sound):
        return None
    return cast("Row", dict(zip(fields, texts, strict=True)))


WRITERS: Final[Mapping[str, Callable[[Iterable[Row]], Iterable[bytes]]]] = {
    ".csv": _csv,
    ".tsv": lambda rows: _csv(rows, delimiter="\t"),
    ".xlsx": _excel,
    ".parquet": _parquet,
}
