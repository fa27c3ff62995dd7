"""Rows of data frames, known by what they can do and not by their library: pandas, polars, Arrow and others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from itertools import chain, islice
from typing import Any, cast

from finetune_lib.data.formats import dialect_of
from finetune_lib.data.reading.meaning import Meaning
from finetune_lib.data.reading.options import Options, Reading
from finetune_lib.data.reading.tables.cells import Row, text_of
from finetune_lib.data.reading.tables.examples import read_table, wished_examples
from finetune_lib.data.reading.tables.headers import PAIR, recognise
from finetune_lib.data.reading.tables.layout import check_columns
from finetune_lib.data.reading.tables.places import Places
from finetune_lib.extras import require
from finetune_lib.records import Example, Origin

NOTHING_TOLD = Options()
TRIED = 20
MISSING = frozenset({"NAType", "NaTType"})


def rows_of(frame: object) -> Iterable[Mapping[str, Any]]:
    """The rows of a data frame as objects of plain Python values; what is missing is left out, text stays text.

    A frame is anything with the rows of pandas (`itertuples`), polars (`iter_rows`) or Arrow (`to_pylist`), with
    `to_dicts`, with the Arrow stream interface, with the older `__dataframe__`, or with the features of a Hugging
    Face dataset. An iterable of mappings is given back as it is.

    Raises:
        TypeError: It is none of these.
        MissingExtraError: The frame speaks Arrow's interface alone, and pyarrow is not installed.
    """
    for attribute, reader in READERS.items():
        if hasattr(frame, attribute):
            return map(plain_row, reader(frame))
    if isinstance(frame, Iterable) and not isinstance(frame, (str, bytes, Mapping)):
        return map(_checked, cast("Iterable[object]", frame))
    raise TypeError(
        f"rows come from a data frame or an iterable of mappings, not from {type(cast('object', frame)).__name__}"
    )


def is_frame(data: object) -> bool:
    """Whether an object is a data frame by what it can do."""
    return any(hasattr(data, attribute) for attribute in READERS)


def plain_row(row: Mapping[Any, Any]) -> Mapping[str, Any]:
    """A row with plain values and without missing ones."""
    return {str(name): found for name, value in row.items() if (found := plain(value)) is not None}


def plain(value: Any) -> Any:
    """A value in JSON's kinds; None for what is missing, inside objects too, where Arrow fills fields with null."""
    match value:
        case str() | bool() | int() | None:
            return value
        case float():
            return None if value != value else float(value)
        case Mapping():
            return plain_row(cast("Mapping[Any, Any]", value))
        case list() | tuple():
            return [plain(item) for item in cast("Sequence[Any]", value)]
        case _ if type(value).__name__ in MISSING:
            return None
        case datetime():
            return text_of(value)
        case date() | time() | Decimal():
            return str(value)
        case _:  # one of NumPy's, or what has no plain form and stays
            return plain(value.tolist()) if hasattr(value, "tolist") else value


def _checked(row: object) -> Mapping[str, Any]:
    if not isinstance(row, Mapping):
        raise TypeError(f"a row is a mapping from names to values, not {type(row).__name__}")
    return cast("Mapping[str, Any]", row)


def _pandas(frame: Any) -> Iterator[Mapping[str, Any]]:
    names = list(frame.columns)
    return (dict(zip(names, values, strict=True)) for values in frame.itertuples(index=False, name=None))


def _arrow(frame: Any) -> Iterator[Mapping[str, Any]]:
    arrow = require("pyarrow", extra="parquet", feature="Reading this kind of data frame")
    batches = arrow.RecordBatchReader.from_stream(frame)
    return chain.from_iterable(batch.to_pylist() for batch in batches)


def _interchange(frame: Any) -> Iterator[Mapping[str, Any]]:
    interchange = require("pyarrow.interchange", extra="parquet", feature="Reading this kind of data frame")
    return iter(interchange.from_dataframe(frame).to_pylist())


READERS: Mapping[str, Callable[[Any], Iterable[Mapping[str, Any]]]] = {
    "itertuples": _pandas,
    "to_pylist": lambda frame: frame.to_pylist(),
    "iter_rows": lambda frame: frame.iter_rows(named=True),
    "to_dicts": lambda frame: frame.to_dicts(),
    "__arrow_c_stream__": _arrow,
    "__dataframe__": _interchange,
    "features": iter,  # Hugging Face, where rows of structs have null in the fields that other rows have
}


def read_records(
    rows: Callable[[], Iterable[Mapping[str, Any]]],
    source: str,
    options: Options = NOTHING_TOLD,
    *,
    meaning: Meaning | None = None,
) -> Reading:
    """Examples of rows with named values: tables of texts are read by their header, other rows stay as they are.

    Args:
        rows: What gives them, as `rows_of` does; they are gone through twice.
        source: Where they come from, for the places of findings.
        options: Which column holds which field and who speaks, where the names do not say so.
        meaning: What makes the wished examples.

    Raises:
        ReadError: The columns of plain values are no known format, and do not show a question and its answer.
    """
    check_columns(options.columns)
    nested = _columns(rows())
    names = list(nested)
    if options.tells or _is_table(names, nested) or _is_unknown(list(islice(rows(), TRIED)), nested):
        body = (Row([row.get(name) for name in names], number=number) for number, row in enumerate(rows(), start=1))
        return read_table(source, chain([Row(list(names))], body), options, meaning=meaning)
    examples = (Example(row, Origin(source, row=number)) for number, row in enumerate(rows(), start=1))
    wished, notes = wished_examples(examples, meaning, Places(source))
    return Reading(wished, tuple(notes))


def _columns(rows: Iterable[Mapping[str, Any]]) -> Mapping[str, bool]:
    """The names in the order of their first values, and whether some of these are lists or objects."""
    nested: dict[str, bool] = {}
    for row in rows:
        for name, value in row.items():
            nested[name] = nested.get(name, False) or isinstance(value, list | dict)
    return nested


def _is_unknown(rows: Sequence[Mapping[str, Any]], nested: Mapping[str, bool]) -> bool:
    """Whether rows of plain values have the form of no known format: only as a table can they be understood."""
    known = (Example(row).kind != "unknown" or dialect_of(row) for row in rows)
    return bool(rows) and not any(nested.values()) and not any(known)


def _is_table(names: Sequence[str], nested: Mapping[str, bool]) -> bool:
    """Whether the columns are a question and an answer of plain values; lists and objects are rows of other formats."""
    header = recognise(names)
    found = header.places.keys() | header.rivals.keys()
    if {"messages", "conversations", "chosen"} & found or not found >= PAIR:
        return False
    places = [place for name in PAIR for place in (header.places.get(name), *header.rivals.get(name, ()))]
    return not any(nested[names[place]] for place in places if place is not None)
