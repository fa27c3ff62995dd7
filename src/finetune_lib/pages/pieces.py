"""What a message says, piece by piece: texts, calls with their arguments, and labels for what is no text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from finetune_lib.pages.pretty import pretty, pretty_text

Show = Literal["text", "json", "image", "audio", "file", "call", "refusal", "nothing"]
USUAL = {"role", "content", "name", "tool_call_id", "weight", "tool_calls", "function_call", "refusal"}
URL_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a turn: a text, JSON, a call with its arguments, or the label of what is no text."""

    kind: Show
    text: str
    label: str = ""


def fields_of(value: Any) -> Mapping[str, Any]:
    """An object's fields; none where the value is no object."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def pieces_of(message: Mapping[str, Any]) -> tuple[Piece, ...]:
    """All that a message says; one piece that says so where it is nothing."""
    read = message.get("role") in ("tool", "function")
    pieces = (*content_pieces(message.get("content"), read=read), *_calls(message), *_unusual(message))
    return pieces or (Piece("nothing", ""),)


def content_pieces(content: Any, *, read: bool = False) -> Iterator[Piece]:
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
