"""LLaMA-Factory v1: content in typed blocks (`text`, `reasoning`, `tool_call`), with a loss weight a message.

Its results follow their calls without an id. As a message there may answer one call or several, no id is made
up for it here: the checks name the message, and `with_call_ids` pairs by order where that is wanted. Reasoning
goes to `reasoning_content`, the name that chat templates give it; OpenAI has no place for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from finetune_lib.data.formats.images import image_part, text_part
from finetune_lib.data.formats.messages import role_field, weighted
from finetune_lib.data.formats.rows import Message, Translated, chat, preference, split_prompt, without
from finetune_lib.data.formats.tools import calls_in
from finetune_lib.rows.messages import fields_of, items_of

SIDES: Final = ("chosen_messages", "rejected_messages")
CALLS: Final = ("tool_call", "tool_calls")


def is_block(part: object) -> bool:
    """Whether a content part is one of LLaMA-Factory's."""
    fields = fields_of(part)
    return "type" in fields and "value" in fields


def is_preference(data: Mapping[str, Any]) -> bool:
    """Whether a row has both conversations of a preference."""
    return all(isinstance(data.get(side), list) for side in SIDES)


def translate(data: Mapping[str, Any]) -> Translated | None:
    """A row of such messages as a chat."""
    messages = _messages(data["messages"])
    return Translated(chat(messages, without(data, ["messages"]), results=False)) if messages else None


def translate_preference(data: Mapping[str, Any]) -> Translated | None:
    """Two conversations that part at the end as a preference."""
    chosen, rejected = (_messages(data[side]) for side in SIDES)
    if not chosen or not rejected:
        return None
    shared = split_prompt(chosen, rejected)
    sides: tuple[list[Any], list[Any]] = chosen[shared:], rejected[shared:]
    return Translated(preference(chosen[:shared], sides, without(data, SIDES), results=False))


def _messages(value: object) -> list[Message]:
    return [_message(cast("dict[str, Any]", message)) for message in items_of(value) if isinstance(message, dict)]


def _message(message: Mapping[str, Any]) -> Message:
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
