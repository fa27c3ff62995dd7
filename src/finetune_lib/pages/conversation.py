"""The turns of any row, sound or not, each with its JSON path: what a reader of conversations is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from finetune_lib.pages.pieces import Piece, content_pieces, fields_of, pieces_of
from finetune_lib.pages.pretty import pretty

SIDES = ("preferred_output", "non_preferred_output")


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn.

    Attributes:
        path: Its JSON pointer.
        role: The role as it is written, or the key of a row without roles.
        pieces: What it says.
        notes: Fields beside it, as `name: Ann`.
        learned: False where its weight is 0.
    """

    path: str
    role: str
    pieces: tuple[Piece, ...]
    notes: tuple[str, ...] = ()
    learned: bool = True

    @property
    def text(self) -> str:
        """All that it says."""
        return "\n".join(f"{piece.label} {piece.text}".strip() for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A row in parts to be read.

    Attributes:
        turns: The conversation.
        sides: Of a preference row the preferred and the other output.
        tools: The tools that are declared.
        others: The other fields of the row.
    """

    turns: tuple[Turn, ...]
    sides: tuple[tuple[Turn, ...], tuple[Turn, ...]] | None = None
    tools: tuple[Turn, ...] = ()
    others: tuple[Turn, ...] = ()

    @property
    def all_turns(self) -> tuple[Turn, ...]:
        """The conversation with both sides."""
        return (*self.turns, *(turn for side in self.sides or () for turn in side))

    @property
    def length(self) -> int:
        """Characters of what is said."""
        return sum(len(piece.text) for turn in self.all_turns for piece in turn.pieces)


def conversation_of(data: Mapping[str, Any]) -> Conversation:
    """The parts of a row."""
    if isinstance(data.get("messages"), list):
        return _rest(data, Conversation(_spoken(data["messages"], "/messages")), {"messages"})
    if not set(SIDES).isdisjoint(data):
        return _preference(data)
    plain = {"prompt", "completion"}
    if plain.isdisjoint(data):
        return Conversation(tuple(_field(key, value, "") for key, value in data.items()))
    given = (_field(key, data[key], "") for key in ("prompt", "completion") if key in data)
    return _rest(data, Conversation(tuple(given)), plain)


def _preference(data: Mapping[str, Any]) -> Conversation:
    given = data.get("input")
    fields = fields_of(given) or {"input": given}
    messages = fields.get("messages")
    turns = _spoken(messages, "/input/messages") if isinstance(messages, list) else ()
    sides = _spoken(data.get(SIDES[0]), f"/{SIDES[0]}"), _spoken(data.get(SIDES[1]), f"/{SIDES[1]}")
    inner = _rest(fields, Conversation(turns, sides), {"messages"}, "/input")
    outer = _rest(data, inner, {"input", *SIDES})
    return Conversation(turns, sides, (*inner.tools, *outer.tools), (*inner.others, *outer.others))


def _rest(data: Mapping[str, Any], found: Conversation, known: set[str], path: str = "") -> Conversation:
    """With the tools and whatever else stands in the row."""
    declared = data.get("tools")
    tools = _tools(cast("list[Any]", declared), f"{path}/tools") if isinstance(declared, list) else ()
    left = known | ({"tools"} if tools else set[str]())
    others = tuple(_field(key, value, path) for key, value in data.items() if key not in left)
    return Conversation(found.turns, found.sides, tools, others)


def _field(key: object, value: Any, path: str) -> Turn:
    name = str(key)
    pointer = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"
    return Turn(pointer, name, (Piece("text", value) if isinstance(value, str) else Piece("json", pretty(value)),))


def _tools(tools: list[Any], path: str) -> tuple[Turn, ...]:
    return tuple(_tool(tool, f"{path}/{place}") for place, tool in enumerate(tools))


def _tool(tool: Any, path: str) -> Turn:
    """A declared tool: its name, what it is for, and its parameters."""
    fields = fields_of(fields_of(tool).get("function", tool))
    if not fields:
        return Turn(path, "?", (Piece("json", pretty(tool)),))
    told = fields.get("description")
    says = (Piece("text", told),) if isinstance(told, str) else ()
    rest = {key: value for key, value in fields.items() if key not in {"name", "description"}}
    return Turn(path, str(fields.get("name", "?")), (*says, Piece("json", pretty(rest.get("parameters", rest)))))


def _spoken(messages: Any, path: str) -> tuple[Turn, ...]:
    if not isinstance(messages, list):
        return (Turn(path, "?", tuple(content_pieces(messages))),)
    return tuple(_turn(message, f"{path}/{place}") for place, message in enumerate(cast("list[Any]", messages)))


def _turn(message: Any, path: str) -> Turn:
    if not isinstance(message, Mapping):
        return Turn(path, "?", (Piece("json", pretty(message)),))
    fields = fields_of(message)
    notes = tuple(f"{key}: {fields[key]}" for key in ("name", "tool_call_id") if fields.get(key) is not None)
    weight: Any = fields.get("weight")
    return Turn(path, str(fields.get("role", "?")), pieces_of(fields), notes, learned=weight is False or weight != 0)
