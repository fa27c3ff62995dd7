"""The turns of any row, sound or not, each with its JSON path and its pieces: what a reader is shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from finetune_lib.rows.messages import OUTPUTS, RESULTS, fields_of, is_object, is_silent

Show = Literal["text", "json", "image", "audio", "file", "call", "refusal", "nothing"]
USUAL = {"role", "content", "name", "tool_call_id", "weight", "tool_calls", "function_call", "refusal"}
URL_SHOWN = 300
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_OPEN, _CLOSE = "[{", "]}"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a turn: a text, JSON, a call with its arguments, or the label of what is no text."""

    kind: Show
    text: str
    label: str = ""


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
    if not set(OUTPUTS).isdisjoint(data):
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
    sides = _spoken(data.get(OUTPUTS[0]), f"/{OUTPUTS[0]}"), _spoken(data.get(OUTPUTS[1]), f"/{OUTPUTS[1]}")
    inner = _rest(fields, Conversation(turns, sides), {"messages"}, "/input")
    outer = _rest(data, inner, {"input", *OUTPUTS})
    return Conversation(turns, sides, (*inner.tools, *outer.tools), (*inner.others, *outer.others))


def _rest(data: Mapping[str, Any], found: Conversation, known: set[str], path: str = "") -> Conversation:
    """With the tools and whatever else stands in the row."""
    declared = cast("list[Any]", data["tools"]) if isinstance(data.get("tools"), list) else []
    tools = tuple(_tool(tool, f"{path}/tools/{place}") for place, tool in enumerate(declared))
    left = known | ({"tools"} if tools else set[str]())
    others = tuple(_field(key, value, path) for key, value in data.items() if key not in left)
    return Conversation(found.turns, found.sides, tools, others)


def _field(key: object, value: Any, path: str) -> Turn:
    name = str(key)
    pointer = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"
    return Turn(pointer, name, (Piece("text", value) if isinstance(value, str) else Piece("json", pretty(value)),))


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
        return (Turn(path, "?", tuple(_content(messages))),)
    return tuple(_turn(message, f"{path}/{place}") for place, message in enumerate(cast("list[Any]", messages)))


def _turn(message: Any, path: str) -> Turn:
    if not is_object(message):
        return Turn(path, "?", (Piece("json", pretty(message)),))
    fields = fields_of(message)
    notes = tuple(f"{key}: {fields[key]}" for key in ("name", "tool_call_id") if fields.get(key) is not None)
    return Turn(path, str(fields.get("role", "?")), _pieces(fields), notes, learned=not is_silent(fields))


def _pieces(message: Mapping[str, Any]) -> tuple[Piece, ...]:
    """All that a message says; one piece that says so where it is nothing."""
    read = message.get("role") in RESULTS
    pieces = (*_content(message.get("content"), read=read), *_calls(message), *_unusual(message))
    return pieces or (Piece("nothing", ""),)


def _content(content: Any, *, read: bool = False) -> Iterator[Piece]:
    """What is said; what a tool answered is set out where it is JSON, what is learned stands as it is."""
    if isinstance(content, list):
        yield from map(_part, cast("list[Any]", content))
    elif isinstance(content, str):
        laid_out = pretty_text(content) if read else None
        yield Piece("json", laid_out) if laid_out else Piece("text", content)
    elif content is not None:
        yield Piece("json", pretty(content))


def _part(part: Any) -> Piece:
    fields = fields_of(part)
    match fields.get("type"):
        case "text" | "refusal" as kind if isinstance(fields.get(kind), str):
            return Piece(kind, fields[kind])
        case "image_url":
            return Piece("image", _address(fields.get("image_url")))
        case "input_audio":
            return Piece("audio", _address(fields.get("input_audio")))
        case "file":
            return Piece("file", _address(fields.get("file")))
        case _:
            return Piece("text", part) if isinstance(part, str) else Piece("json", pretty(part))


def _address(given: Any) -> str:
    """What stands for an image or a sound: its address, or the kind and size of what is in the row itself."""
    fields = fields_of(given) or {"url": given}
    return ", ".join(_short(value) if key == "url" else f"{key}: {_short(value)}" for key, value in fields.items())


def _short(value: Any) -> str:
    text = str(value)
    head, comma, data = text.partition(",")
    if comma and head.startswith("data:"):
        return f"{head} ({len(data) * 3 // 4:,} B)"
    return text if len(text) <= URL_SHOWN else f"{text[:URL_SHOWN]}… ({len(text):,})"


def _calls(message: Mapping[str, Any]) -> Iterator[Piece]:
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        yield from map(_call, cast("list[Any]", calls))
    elif calls is not None:
        yield Piece("json", pretty(calls), "tool_calls")
    if message.get("function_call") is not None:
        yield _call({"function": message["function_call"]})


def _call(call: Any) -> Piece:
    """A call by its name, with its arguments set out; what is no JSON stands as it is."""
    function = fields_of(fields_of(call).get("function"))
    if not function:
        return Piece("json", pretty(call))
    given: Any = function.get("arguments")
    text = (pretty_text(given) or given) if isinstance(given, str) else pretty(given)
    names = (function.get("name", "?"), fields_of(call).get("id"))
    return Piece("call", text, " ".join(str(name) for name in names if name is not None))


def _unusual(message: Mapping[str, Any]) -> Iterator[Piece]:
    """A refusal, and fields that no message has."""
    if isinstance(message.get("refusal"), str):
        yield Piece("refusal", message["refusal"])
    left = (key for key in message if key not in USUAL)
    yield from (Piece("json", pretty(message[key]), str(key)) for key in left)


def pretty_text(text: str) -> str | None:
    """An object or list written as JSON, indented; None where the text is something else."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    return "".join(_indented(_TOKEN.findall(text)))


def pretty(value: Any) -> str:
    """Any value as indented JSON, or as Python writes it where JSON has no form for it."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=2, default=str)
    except (ValueError, TypeError, RecursionError):
        return _as_python(value)


def _as_python(value: Any) -> str:
    try:
        return repr(value)
    except RecursionError:
        return f"<{type(value).__name__}>"


def _indented(parts: Iterable[str]) -> Iterator[str]:
    depth, before = 0, ""
    for part in parts:
        depth -= part in _CLOSE
        yield _gap(before, part, depth) + _plain(part)
        depth += part in _OPEN
        before = part


def _gap(before: str, part: str, depth: int) -> str:
    """What stands between two tokens: a new line behind a bracket and a comma, a space behind a colon."""
    if before == ":":
        return " "
    opened, closing = before in _OPEN, part in _CLOSE
    breaks = before == "," or (opened != closing and part not in ",:")
    return "\n" + "  " * depth if before and breaks else ""


def _plain(part: str) -> str:
    r"""A text with its `\u4e2d` written as the character."""
    return json.dumps(json.loads(part), ensure_ascii=False) if "\\u" in part else part
