"""What one JSON object that fills a file holds: a row, a list of rows under some name, a table turned sideways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard, cast

Json = dict[str, Any]

WRAPPERS = (
    "train", "training", "data", "rows", "examples", "records", "items", "samples", "dataset", "instances", "entries",
    "results", "list", "validation", "valid", "dev", "eval", "test", "golden",
)  # fmt: skip
LISTS_IN_ROWS = (
    "messages", "conversations", "conversation", "chosen", "rejected", "preferred_output", "non_preferred_output",
    "chosen_messages", "rejected_messages", "dialog", "dialogue",
)  # fmt: skip
TEXTS_IN_ROWS = (
    "prompt", "completion", "instruction", "question", "answer", "query", "response", "text", "ideal",
    "問題", "问题", "回答", "答案", "提問", "提问", "指令",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wrapped:
    """The rows stand in a list under `key`; `others` are more such lists."""

    key: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sideways:
    """The rows are there, but by column or by key."""

    rows: Sequence[Json]


def holding(value: Json) -> Wrapped | Sideways | Literal["row", "nothing", "unknown"]:
    """What one object holds: rows, or it is a `row` itself, there is `nothing` in it, or it is no data set."""
    if value and all(key in WRAPPERS and items == [] for key, items in value.items()):
        return "nothing"
    if (rows := _by_column(value)) is not None:
        return Sideways(rows)
    if is_row(value):
        return "row"
    if lists := _lists_of_objects(value):
        return Wrapped(lists[0], tuple(lists[1:]))
    if (rows := _by_key(value) or _split(value)) is not None:
        return Sideways(rows)
    return "unknown"


def is_row(value: Mapping[str, Any]) -> bool:
    """Whether an object looks like a training row of any dialect."""
    if any(isinstance(value.get(key), list) for key in LISTS_IN_ROWS):
        return True
    if any(isinstance(value.get(key), str) for key in TEXTS_IN_ROWS):
        return True
    given = value.get("input")
    if isinstance(given, dict):
        return "messages" in given
    return isinstance(given, str) and "output" in value


def unwrapped_row(row: Json) -> Json:
    """The row itself where the datasets server of Hugging Face put its number beside it."""
    inner = row.get("row")
    return cast("Json", inner) if "row_idx" in row and isinstance(inner, dict) else row


def _lists_of_objects(value: Json) -> list[str]:
    """The keys of lists that hold objects: the known names first; where there is none, the one list of rows."""
    known = [key for key in WRAPPERS if _is_list_of_objects(value.get(key))]
    if known:
        return known
    lists = {key: items for key, items in value.items() if _is_list_of_objects(items)}
    rows = {key: [cast("Json", item) for item in items if isinstance(item, dict)] for key, items in lists.items()}
    keys = [key for key, items in rows.items() if any(map(is_row, items))]
    return keys if len(keys) == 1 else []


def _is_list_of_objects(items: Any) -> TypeGuard[list[Any]]:
    listed = cast("list[Any]", items) if isinstance(items, list) else []
    return sum(isinstance(item, dict) for item in listed) * 2 > len(listed)


def _by_column(value: Json) -> list[Json] | None:
    """A table by column, as pandas' `to_json` writes it: lists of one length, or objects with the same keys."""
    if not any(key in value for key in (*TEXTS_IN_ROWS, *LISTS_IN_ROWS, "input")):
        return None
    columns = list(value.values())
    if all(isinstance(column, dict) for column in columns):
        columns = [list(column.values()) for column in columns if list(column) == list(columns[0])]
    first = columns[0] if len(columns) == len(value) else None
    if not isinstance(first, list) or not all(_is_column(column, len(first)) for column in columns):
        return None
    return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]


def _is_column(column: Any, length: int) -> bool:
    listed = cast("list[Any]", column) if isinstance(column, list) else []
    return len(listed) == length > 0 and not any(isinstance(item, dict) for item in listed)


def _by_key(value: Json) -> list[Json] | None:
    rows = [cast("Json", row) for row in value.values() if isinstance(row, dict)]
    return rows if len(rows) == len(value) and all(is_row(row) for row in rows) else None


def _split(value: Json) -> list[Json] | None:
    """Names in `columns` and lists of cells in `data`."""
    names, rows = value.get("columns"), value.get("data")
    if not isinstance(names, list) or not isinstance(rows, list):
        return None
    cells = [cast("list[Any]", row) for row in cast("list[Any]", rows) if isinstance(row, list)]
    named = [
        dict(zip(cast("list[str]", names), row, strict=True))
        for row in cells
        if len(row) == len(cast("list[Any]", names))
    ]
    return named if named and len(named) == len(cast("list[Any]", rows)) else None
