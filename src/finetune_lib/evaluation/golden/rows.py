"""From a file of any kind to rows with all their fields: what a golden set and recorded answers are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from finetune_lib.data.diagnostics import Diagnostic
from finetune_lib.data.reading import ReadError
from finetune_lib.data.reading.bytes.opening import Opened, looks_like_json, open_data
from finetune_lib.data.reading.bytes.spooling import stream
from finetune_lib.data.reading.json.document import read_document, shape_of
from finetune_lib.data.reading.json.line_store import LineStore
from finetune_lib.data.reading.json.strict import parse_line
from finetune_lib.data.reading.options import Options, about
from finetune_lib.data.reading.tables import rows_of
from finetune_lib.data.reading.tables.headers import folded
from finetune_lib.evaluation.golden.fields import Among, fields_among, told
from finetune_lib.evaluation.golden.tables import read_table
from finetune_lib.extras import require
from finetune_lib.records import Example, Origin
from finetune_lib.rows.messages import fields_of, is_object, items_of

HEAD = 1 << 16
OF_PROMPTFOO = frozenset({"gradingResult", "promptIdx", "testIdx", "testCase"})
JSON_ENDINGS = frozenset({".jsonl", ".ndjson", ".json"})


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a file, and what was found about it.

    Attributes:
        rows: Each with all its fields by their own names, in `data`.
        told: What the user says of the fields' names.
        problems: What the reader found: rows that cannot be read, and notes.
        table: From a field to its column, of a table.
        among: What finds the fields among the names of a row.
        names: The columns of a table, from left to right.
    """

    rows: Sequence[Example]
    told: Mapping[str, str]
    problems: tuple[Diagnostic, ...] = ()
    table: Mapping[str, str] | None = None
    among: Among = fields_among
    names: tuple[str, ...] = ()

    def fields(self, row: Example) -> Mapping[str, str]:
        """From a field to its name in this row."""
        return self.table or self.among(tuple(row.data), self.told)


def read_rows(path: Path, options: Options, *, among: Among = fields_among) -> Rows:
    """Read a file in the format that its content shows.

    Args:
        path: The file.
        options: Encoding, sheet, and from a field to its column or key where the names do not tell.
        among: What finds the fields among the names of columns or keys.

    Raises:
        ReadError: It is missing, or cannot be read as a whole.
        ValueError: `columns` names an unknown field.
        MissingExtraError: It needs a package that is not installed.
    """
    columns = told(options.columns)
    with about(path):
        if path.suffix.lower() in (".yaml", ".yml"):
            raise ReadError("YAML is a configuration, no table of cases: save the cases as JSONL, CSV or Excel")
        found = _read(path, options, columns, among)
        _refuse_results(found)
        return found


def _read(path: Path, options: Options, columns: Mapping[str, str], among: Among) -> Rows:
    opened = open_data(path, encoding=options.encoding)
    if opened.kind == "parquet":
        return _known(replace(_parquet(path, opened, columns), among=among))
    head = opened.blob.read(0, HEAD)
    if opened.kind == "text" and (looks_like_json(head) or JSON_ENDINGS & {*map(str.lower, path.suffixes)}):
        return _known(replace(_json(path, opened, head, columns), among=among))
    table = read_table(path.name, opened, replace(options, columns=columns), among)
    return Rows(table.rows, columns, table.problems, table.fields, names=table.names)


def _refuse_results(found: Rows) -> None:
    """Results and assertions of promptfoo have rows that look like cases, and are none."""
    names = {*found.names, *(found.rows[0].data if found.rows else ())}
    if len(OF_PROMPTFOO & names) > 1:
        raise ReadError("these are results of promptfoo, no cases: save questions and right answers as rows")
    if asserting := sorted(name for name in names if name.startswith("__expected")):
        raise ReadError(
            f"{', '.join(asserting)}: assertions of promptfoo, no right answers: name the column `expected` and keep "
            "plain answers in it"
        )


def rows_in_memory(rows: Any, *, name: str, columns: Mapping[str, str] | None, among: Among = fields_among) -> Rows:
    """Rows that are mappings, or a frame of pandas, polars or Arrow."""
    numbered = enumerate(rows_of(rows), start=1)
    examples = [Example(row, Origin(name, row=number)) for number, row in numbered]
    return _known(Rows(examples, told(columns), among=among))


def _known(rows: Rows) -> Rows:
    """The rows, of which some have each of the fields that the user names.

    Raises:
        ReadError: None has.
    """
    names = {folded(name): name for row in rows.rows for name in row.data}
    if names and (absent := [f"{name!r} ({field})" for field, name in rows.told.items() if folded(name) not in names]):
        raise ReadError(f"no field is named {', '.join(absent)}; the rows have {', '.join(names.values())}")
    return rows


def _parquet(path: Path, opened: Opened, columns: Mapping[str, str]) -> Rows:
    arrow = require("pyarrow", extra="parquet", feature="Reading Parquet files")
    parquet = require("pyarrow.parquet", extra="parquet", feature="Reading Parquet files")
    try:
        with stream(opened.blob) as file:
            found = rows_in_memory(parquet.read_table(file), name=path.name, columns=columns)
    except (arrow.ArrowException, OSError) as error:
        raise ReadError(f"the Parquet file is damaged: {error}") from error
    return replace(found, problems=opened.problems)


def _json(path: Path, opened: Opened, head: bytes, columns: Mapping[str, str]) -> Rows:
    blob = opened.blob
    if shape_of(head.decode("utf-8", "ignore"), whole=blob.size <= HEAD) == "lines" or _is_saved(head):
        store = LineStore(blob, source=path.name)
        return Rows(list(store), columns, (*opened.problems, *store.findings))
    text = blob.read(0, blob.size).decode("utf-8", "replace")
    found = list(read_document(text, source=path.name))
    problems = tuple(item for item in found if isinstance(item, Diagnostic))
    return Rows([item for item in found if isinstance(item, Example)], columns, (*opened.problems, *problems))


def _is_saved(head: bytes) -> bool:
    """Whether the first line is a saved case: a file of one alone may look like something around other rows."""
    try:
        first = fields_of(parse_line(head.partition(b"\n")[0]))
    except ValueError:
        return False
    asked = first.get("input")
    return "id" in first and (isinstance(asked, str) or any(map(is_object, items_of(asked))))
