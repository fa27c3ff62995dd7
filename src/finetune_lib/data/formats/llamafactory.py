"""LLaMA-Factory v1: content in typed blocks (`text`, `reasoning`, `tool_call`), with a loss weight a message.

Its results follow their calls without an id. As a message there may answer one call or several, no id is made
up for it here: the checks name the message, and `with_call_ids` pairs by order where that is wanted. Reasoning
goes to `reasoning_content`, the name that chat templates give it; OpenAI has no place for it. Written, ids of
calls stay as further fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from finetune_lib.data.formats.features import refuse
from finetune_lib.data.formats.format import Format, Shape, Sign, parts_of
from finetune_lib.data.formats.images import image_part, text_part, url_of
from finetune_lib.data.formats.json_text import object_of, text_of
from finetune_lib.data.formats.messages import role_field, weighted
from finetune_lib.data.formats.rows import Message, Translated, chat, preference, split_prompt, without
from finetune_lib.data.formats.tools import calls_in
from finetune_lib.records import Kind, conversation
from finetune_lib.rows.messages import OUTPUTS, fields_of, items_of, tools_of

SIDES: Final = ("chosen_messages", "rejected_messages")
CALLS: Final = ("tool_call", "tool_calls")


def is_block(part: object) -> bool:
    """Whether a content part is one of LLaMA-Factory's."""
    fields = fields_of(part)
    return "type" in fields and "value" in fields


def is_preference(data: Mapping[str, Any]) -> bool:
    """Whether a row has both conversations of a preference."""
    return all(isinstance(data.get(side), list) for side in SIDES)


def read(data: Mapping[str, Any]) -> Translated | None:
    """A row of such messages as a chat."""
    messages = _turns(data["messages"])
    return Translated(chat(messages, without(data, ["messages"]), results=False)) if messages else None


def read_preference(data: Mapping[str, Any]) -> Translated | None:
    """Two conversations that part at the end as a preference."""
    chosen, rejected = (_turns(data[side]) for side in SIDES)
    if not chosen or not rejected:
        return None
    shared = split_prompt(chosen, rejected)
    sides: tuple[list[Any], list[Any]] = chosen[shared:], rejected[shared:]
    return Translated(preference(chosen[:shared], sides, without(data, SIDES), results=False))


def _turns(value: object) -> list[Message]:
    return [_turn(cast("dict[str, Any]", message)) for message in items_of(value) if isinstance(message, dict)]


def _turn(message: Mapping[str, Any]) -> Message:
    blocks = items_of(message.get("content"))
    base = {**message, **role_field([message["role"]] if "role" in message else [])}
    if not blocks or not all(map(is_block, blocks)):
        return weighted(base)
    reasoning = _texts(blocks, "reasoning")
    calls = [calls_in(block["value"]) for block in blocks if block["type"] in CALLS]
    if any(call is None for call in calls):
        return weighted(base)
    said = {"content": _content([b for b in blocks if b["type"] not in ("reasoning", *CALLS)])}
    thought = {"reasoning_content": "".join(reasoning)} if reasoning else {}
    called = {"tool_calls": [one for call in calls for one in call or ()]} if calls else {}
    return weighted({**base, **said, **thought, **called})


def _content(blocks: list[Any]) -> Any:
    """A text, or parts where there are pictures; None where nothing is said."""
    if all(block["type"] == "text" for block in blocks):
        return "".join(_texts(blocks, "text")) if blocks else None
    return [_part(block) for block in blocks]


def _texts(blocks: list[Any], type: str) -> list[str]:
    return [str(block["value"]) for block in blocks if block["type"] == type]


def _part(block: Mapping[str, Any]) -> Any:
    match block["type"]:
        case "text":
            return text_part(block["value"])
        case "image" | "image_url":
            return image_part(block["value"])
        case _:
            return block


def write(data: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """The row in LLaMA-Factory's shape."""
    tools = {"tools": text_of(found)} if (found := tools_of(data)) else {}
    if kind == "preference":
        inner = fields_of(data["input"])
        outputs = {name: data[key] for name, key in zip(SIDES, OUTPUTS, strict=True)}
        refuse("llamafactory", ["output of several messages" for side in outputs.values() if len(items_of(side)) != 1])
        sides = {key: _messages([*items_of(inner["messages"]), *items_of(side)]) for key, side in outputs.items()}
        return {**sides, **tools}
    return {"messages": _messages([dict(message) for message in conversation(data)]), **tools}


def _messages(messages: list[Any]) -> list[Any]:
    empty = [message for message in messages if not _blocks(message)]
    refuse("llamafactory", ["message without content"] if empty else [])
    odd = [m for m in messages if m.get("weight") is not None and m["role"] != "assistant"]
    refuse("llamafactory", ["weight on a turn that is not the assistant's"] if odd else [])
    return [_message(message) for message in messages]


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    given = 1 if message.get("weight") is None else message["weight"]
    refuse("llamafactory", [] if isinstance(given, (int, float)) else ["weight that is no number"])
    weight = float(given) if message["role"] == "assistant" else 0.0
    answer = {"tool_call_id": message["tool_call_id"]} if "tool_call_id" in message else {}
    return {"role": message["role"], "content": _blocks(message), **answer, "loss_weight": weight}


def _blocks(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    thought, content = message.get("reasoning_content"), message.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else items_of(content)
    said = [
        {"type": "image_url", "value": url} if (url := url_of(part)) else {"type": "text", "value": part["text"]}
        for part in parts
    ]
    calls = [{"type": "tool_call", "value": _call(call)} for call in items_of(message.get("tool_calls"))]
    return [*([{"type": "reasoning", "value": thought}] if thought is not None else []), *said, *calls]


def _call(call: Mapping[str, Any]) -> str:
    function = call["function"]
    said = {"name": function["name"], "arguments": object_of(function["arguments"])}
    return text_of(({"id": call["id"]} if call.get("id") else {}) | said)


LLAMAFACTORY: Final = Format(
    "llamafactory",
    shapes=(
        Shape("llamafactory-preference", read=read_preference, alone=Sign((SIDES[0],), is_preference)),
        Shape("llamafactory-messages", read=read, within=Sign((), lambda data: any(map(is_block, parts_of(data))))),
    ),
    write=write,
    carries={"weight", "reasoning", "tools", "tool calls", "parallel calls", "text beside calls", "image"}
    | {"placeholder in text"},
)
