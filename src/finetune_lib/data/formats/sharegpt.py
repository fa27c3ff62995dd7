"""Conversations in a list of their own: ShareGPT, LLaMA-Factory's `sharegpt`, LLaVA, ms-swift, XTuner, LMSYS.

The list is `conversations` (or `conversation`, `dialog`, …) with `from`/`value` or `role`/`content`; a call is a
turn `function_call` with JSON text, and the `observation` after it its result. With `chosen` and `rejected` it
is a preference.

It is written as LLaMA-Factory reads it: tools as JSON text, pictures by placeholder, one call a turn, without an id,
whose result is the next turn; it has no weights and no names. Cohere's chats differ in their roles alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from finetune_lib.data.formats.features import joined, pictures, refuse
from finetune_lib.data.formats.format import Format, Shape, Sign, has_sides, is_talk
from finetune_lib.data.formats.json_text import object_of, text_of
from finetune_lib.data.formats.messages import messages_of_turn, outputs_of
from finetune_lib.data.formats.rows import Message, Translated, chat, preference, without
from finetune_lib.data.formats.tools import paired
from finetune_lib.records import Kind, conversation
from finetune_lib.rows.messages import OUTPUTS, fields_of, items_of

KEYS: Final = ("conversations", "conversation", "dialog", "dialogue", "messages", "items")
FROM: Final = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}
COHERE: Final = ("System", "SYSTEM", "User", "USER", "Chatbot", "CHATBOT", "Tool")


def key_of(data: Mapping[str, Any]) -> str | None:
    """The field that holds the conversation, a list of turns."""
    return next((key for key in KEYS if _is_conversation(data.get(key))), None)


def _is_conversation(value: object) -> bool:
    turns = items_of(value)
    return bool(turns) and all(isinstance(turn, dict) for turn in turns)


def read(data: Mapping[str, Any]) -> Translated | None:
    """A ShareGPT row as a chat."""
    key = key_of(data)
    return Translated(chat(_messages(data[key]), without(data, [key]))) if key else None


def read_preference(data: Mapping[str, Any]) -> Translated | None:
    """A ShareGPT row with `chosen` and `rejected` as a preference."""
    key = key_of(data)
    sides = outputs_of(data.get("chosen")), outputs_of(data.get("rejected"))
    if key is None or not all(sides):
        return None
    return Translated(preference(_messages(data[key]), sides, without(data, [key, "chosen", "rejected"])))


def _messages(turns: object) -> list[Message]:
    found = [message for turn in items_of(turns) for message in messages_of_turn(cast("dict[str, Any]", turn))]
    return [message for message in found if message.get("content") != "" or message.get("role") != "system"]


def _is_sharegpt(data: Mapping[str, Any]) -> bool:
    turns = [fields_of(message) for message in data["messages"]]
    return bool(turns) and all("from" in turn and "value" in turn and "role" not in turn for turn in turns)


def _is_cohere(data: Mapping[str, Any]) -> bool:
    said = [fields_of(message).get("role") for message in data["messages"]]
    roles = {role for role in said if isinstance(role, str)}
    return not roles.isdisjoint(("Chatbot", "CHATBOT")) and roles.issubset(COHERE)


def write(data: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """The row in ShareGPT's shape."""
    inner = fields_of(data["input"]) if kind == "preference" else data
    prompt = [dict(message) for message in (conversation(data) if kind == "completion" else inner["messages"])]
    sides = [items_of(data[key]) for key in OUTPUTS] if kind == "preference" else []
    _refuse_unsayable(prompt, sides)
    row: dict[str, Any] = {"conversations": [_turn(message) for message in prompt]}
    row |= {name: _turn(side[0]) for name, side in zip(("chosen", "rejected"), sides, strict=False)}
    row |= {"tools": text_of(inner["tools"])} if inner.get("tools") else {}
    return row | ({"images": found} if (found := pictures(prompt)) else {})


def _refuse_unsayable(prompt: list[Any], sides: list[list[Any]]) -> None:
    lost = ["output of several messages" for side in sides if len(side) != 1]
    lost += ["image in an output" for side in sides if pictures(side)]
    lost += ["empty system message" for m in prompt if m["role"] == "system" and not joined(m.get("content"))]
    said = [*prompt, *(message for side in sides for message in side)]
    lost += ["message without text" for m in said if m.get("content") is None and not m.get("tool_calls")]
    lost += [] if is_in_order(prompt) else ["tool results that do not follow their calls in order"]
    shown = "".join(str(joined(message.get("content"))) for message in prompt).count("<image>")
    lost += ["placeholder in text"] if pictures(prompt) and shown != len(pictures(prompt)) else []
    refuse("sharegpt", lost)


def is_in_order(messages: list[Any]) -> bool:
    """Whether pairing by order finds again which result answers which call."""
    bare = [_without_ids(message) for message in messages]
    return _numbered(messages) == _numbered(paired(bare))


def _without_ids(message: Mapping[str, Any]) -> dict[str, Any]:
    calls = [{**call, "id": ""} for call in items_of(message.get("tool_calls"))]
    kept = {key: value for key, value in message.items() if key not in ("tool_call_id", "tool_calls")}
    return {**kept, **({"tool_calls": calls} if calls else {})}


def _numbered(messages: list[Any]) -> list[Any]:
    """Each list of ids with every id as its number of first use."""
    seen: dict[object, int] = {}
    return [[seen.setdefault(id, len(seen)) for id in _ids_of(message)] for message in messages]


def _ids_of(message: Mapping[str, Any]) -> list[object]:
    calls: list[object] = [fields_of(call).get("id") for call in items_of(message.get("tool_calls"))]
    return calls + ([message.get("tool_call_id")] if message["role"] == "tool" else [])


def _turn(message: Mapping[str, Any]) -> dict[str, Any]:
    calls = items_of(message.get("tool_calls"))
    if not calls:
        return {"from": FROM[message["role"]], "value": joined(message.get("content"))}
    function = calls[0]["function"]
    said = {"name": function["name"], "arguments": object_of(function["arguments"])}
    return {"from": "function_call", "value": text_of(said)}


PREFERENCE: Final = Shape(
    "sharegpt-preference",
    read=read_preference,
    alone=Sign(("chosen",), lambda data: has_sides(data) and key_of(data) is not None),
    beside=Sign(
        ("chosen",), lambda data: has_sides(data) and not all(map(is_talk, (data["chosen"], data["rejected"])))
    ),
)
CHAT: Final = Shape(
    "sharegpt",
    read=read,
    alone=Sign(KEYS, lambda data: key_of(data) is not None),
    within=Sign((), _is_sharegpt),
    judged=True,
)
SHAREGPT: Final = Format(
    "sharegpt",
    shapes=(PREFERENCE, CHAT, Shape("cohere", read=read, within=Sign((), _is_cohere))),
    write=write,
    carries={"tools", "tool calls", "image", "placeholder in text"},
)
