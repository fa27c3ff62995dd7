"""The turns of any row, sound or not, each with its JSON path: what a reader of conversations is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from finetune_lib.rendering.pretty import pretty, pretty_text

Show = Literal["text", "json", "image", "audio", "file", "call", "refusal", "nothing"]
SIDES = ("preferred_output", "non_preferred_output")
BUILT_IN = {"role", "content", "name", "tool_call_id", "weight", "tool_calls", "function_call", "refusal"}
URL_SHOWN = 300


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
    if not set(SIDES).isdisjoint(data):
        return _preference(data)
    plain = {"prompt", "completion"}
    if plain.isdisjoint(data):
        return Conversation(tuple(_field(key, value, "") for key, value in data.items()))
    given = (_field(key, data[key], "") for key in ("prompt", "completion") if key in data)
    return _rest(data, Conversation(tuple(given)), plain)


def _preference(data: Mapping[str, Any]) -> Conversation:
    given = data.get("input")
    fields = cast("Mapping[str, Any]", given) if isinstance(given, Mapping) else {"input": given}
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
    function: Any = tool.get("function", tool) if isinstance(tool, Mapping) else tool
    if not isinstance(function, Mapping):
        return Turn(path, "?", (Piece("json", pretty(tool)),))
    fields = cast("Mapping[str, Any]", function)
    told = fields.get("description")
    says = (Piece("text", told),) if isinstance(told, str) else ()
    rest = {key: value for key, value in fields.items() if key not in {"name", "description"}}
    return Turn(path, str(fields.get("name", "?")), (*says, Piece("json", pretty(rest.get("parameters", rest)))))


def _spoken(messages: Any, path: str) -> tuple[Turn, ...]:
    if not isinstance(messages, list):
        return (Turn(path, "?", tuple(_content(messages))),)
    return tuple(_turn(message, f"{path}/{place}") for place, message in enumerate(cast("list[Any]", messages)))


def _turn(message: Any, path: str) -> Turn:
    if not isinstance(message, Mapping):
        return Turn(path, "?", (Piece("json", pretty(message)),))
    fields = cast("Mapping[str, Any]", message)
    role = fields.get("role", "?")
    read = role in ("tool", "function")
    pieces = (*_content(fields.get("content"), read=read), *_calls(fields), *_unusual(fields))
    notes = tuple(f"{key}: {fields[key]}" for key in ("name", "tool_call_id") if fields.get(key) is not None)
    weight = fields.get("weight")
    shown = pieces or (Piece("nothing", ""),)
    return Turn(path, str(role), shown, notes, learned=weight != 0 or isinstance(weight, bool))


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
    fields = cast("Mapping[str, Any]", part) if isinstance(part, Mapping) else {}
    match fields.get("type"):
        case "text" if isinstance(fields.get("text"), str):
            return Piece("text", fields["text"])
        case "refusal" if isinstance(fields.get("refusal"), str):
            return Piece("refusal", fields["refusal"])
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
    fields = cast("Mapping[str, Any]", given) if isinstance(given, Mapping) else {"url": given}
    shown = (f"{key}: {_short(value)}" if key != "url" else _short(value) for key, value in fields.items())
    return ", ".join(shown)


def _short(value: Any) -> str:
    text = str(value)
    head, comma, data = text.partition(",")
    if comma and head.startswith("data:"):
        return f"{head} ({len(data) * 3 // 4:,} B)"
    return text if len(text) <= URL_SHOWN else f"{text[:URL_SHOWN]}… ({len(text):,})"


def _calls(fields: Mapping[str, Any]) -> Iterator[Piece]:
    calls = fields.get("tool_calls")
    if isinstance(calls, list):
        yield from map(_call, cast("list[Any]", calls))
    elif calls is not None:
        yield Piece("json", pretty(calls), "tool_calls")
    if fields.get("function_call") is not None:
        yield _call({"function": fields["function_call"]})


def _call(call: Any) -> Piece:
    """A call by its name, with its arguments set out; what is no JSON stands as it is."""
    function: Any = cast("Mapping[str, Any]", call).get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping):
        return Piece("json", pretty(call))
    fields = cast("Mapping[str, Any]", function)
    given: Any = fields.get("arguments")
    text = (pretty_text(given) or given) if isinstance(given, str) else pretty(given)
    label = " ".join(str(part) for part in (fields.get("name", "?"), call.get("id")) if part is not None)
    return Piece("call", text, label)


def _unusual(fields: Mapping[str, Any]) -> Iterable[Piece]:
    """A refusal, and fields that no message has."""
    if isinstance(fields.get("refusal"), str):
        yield Piece("refusal", fields["refusal"])
    left = (key for key in fields if key not in BUILT_IN)
    yield from (Piece("json", pretty(fields[key]), str(key)) for key in left)
