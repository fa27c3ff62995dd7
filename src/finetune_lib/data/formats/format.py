"""What a format is: the shapes its rows come in, each with its signs and how it is read, and how rows are written.

A format stands in a file of its own; `known` lists them all, and recognising, translating and exporting follow it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import KW_ONLY, dataclass
from typing import Any, TypeAlias

from finetune_lib.data.formats.rows import Translated
from finetune_lib.records import Kind
from finetune_lib.rows.messages import NOTHING, fields_of, items_of

Row: TypeAlias = Mapping[str, Any]
LABELS = ("label", "kto_tag")


@dataclass(frozen=True, slots=True)
class Sign:
    """How a shape is known: by any of these fields (by none: any row may have it), and by a look at what they hold."""

    fields: tuple[str, ...]
    holds: Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape that rows come in.

    Attributes:
        name: The dialect's name.
        read: The row in OpenAI's shape, None where it is not sound; no function where OpenAI's formats cannot say it.
        alone: Its sign in a row without `messages`.
        beside: Its sign in fields beside `messages`.
        within: Its sign in the messages themselves, looked for where one of them is unusual or a field is there.
        judged: Whether a verdict beside it makes it an unpaired preference (KTO).
    """

    name: str
    _: KW_ONLY
    read: Callable[[Row], Translated | None] | None
    alone: Sign | None = None
    beside: Sign | None = None
    within: Sign | None = None
    judged: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """A format of another project or service.

    Attributes:
        name: Its name.
        shapes: The shapes its rows come in; none where it is only written.
        write: A sound row of OpenAI's, and its kind, in this format; None where it is only read.
        kinds: The kinds of rows that it has a place for.
        carries: What it has a place for beyond texts by role; None where that is all.
    """

    name: str
    _: KW_ONLY
    shapes: tuple[Shape, ...] = ()
    write: Callable[[Row, Kind], dict[str, Any]] | None = None
    kinds: frozenset[Kind] = frozenset({"chat", "preference", "completion"})
    carries: Set[str] | None = None


def is_talk(value: object) -> bool:
    """Whether a value is a list of turns with roles."""
    turns = items_of(value)
    return bool(turns) and all(isinstance(turn, dict) and ("role" in turn or "from" in turn) for turn in turns)


def has_sides(data: Row) -> bool:
    """Whether a row has both sides of a preference by their usual names."""
    return "chosen" in data and "rejected" in data


def is_judged(data: Row) -> bool:
    """Whether an answer has a verdict, as unpaired preferences (KTO) have."""
    asks = "prompt" in data and "completion" not in data  # a grader's field, not a verdict on an answer
    return not asks and any(isinstance(data.get(label), bool) for label in LABELS)


def is_answered(data: Row) -> bool:
    """Whether the messages of a row end with the assistant's turn."""
    last = fields_of(data["messages"][-1]) if data["messages"] else NOTHING
    return last.get("role", last.get("from")) in ("assistant", "gpt")


def parts_of(data: Row) -> list[Any]:
    """The content parts of all messages of a row."""
    return [part for message in data["messages"] for part in items_of(fields_of(message).get("content"))]
