"""Anthropic's Messages API, also Bedrock's file for Claude: `system` beside the messages, calls in content blocks.

A result there is part of a user turn; in OpenAI's format it is a `tool` message of its own. Thoughts go to
`reasoning_content`, which OpenAI has no place for. A block that is unknown here stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from finetune_lib.data.formats.features import is_plain
from finetune_lib.data.formats.format import Format, Shape, Sign, is_answered, parts_of
from finetune_lib.data.formats.images import image_part, text_part
from finetune_lib.data.formats.json_text import text_of
from finetune_lib.data.formats.rows import SYSTEM_KEYS, Message, Translated, chat, without
from finetune_lib.data.formats.tools import call
from finetune_lib.rows.messages import fields_of, is_list, items_of

BLOCKS: Final = ("tool_use", "tool_result", "thinking", "redacted_thinking")  # a type may be unhashable


def is_block(part: object) -> bool:
    """Whether a content part is one that only Anthropic has."""
    fields = fields_of(part)
    return fields.get("type") in BLOCKS or (fields.get("type") == "image" and isinstance(fields.get("source"), dict))


def read(data: Mapping[str, Any]) -> Translated | None:
    """A row of Anthropic's messages as a chat."""
    turns = items_of(data["messages"])
    if not turns or not all(isinstance(turn, dict) for turn in turns):
        return None
    system = data.get("system")
    told = _text([_part(fields_of(part)) for part in items_of(system)]) if is_list(system) else system
    messages = [message for turn in turns for message in _messages(cast("dict[str, Any]", turn))]
    rest = without(data, ["messages", "system"])
    return Translated(chat(messages, {**rest, **({"system": told} if told else {})}))


def _messages(turn: Mapping[str, Any]) -> list[Message]:
    """A turn's results first, then what else it says."""
    blocks = turn.get("content")
    if not is_list(blocks):
        return [dict(turn)]
    parts = [fields_of(part) for part in blocks]
    results = [_result(part) for part in parts if part.get("type") == "tool_result"]
    calls = [
        {**call(part.get("name"), part.get("input")), "id": part.get("id")}
        for part in parts
        if part.get("type") == "tool_use"
    ]
    thoughts = [str(part.get("thinking", "")) for part in parts if part.get("type") == "thinking"]
    said = [_part(part) for part in parts if part.get("type") not in BLOCKS or part.get("type") == "redacted_thinking"]
    thought = {"reasoning_content": "".join(thoughts)} if thoughts else {}
    message = {**turn, "content": _text(said), **thought, **({"tool_calls": calls} if calls else {})}
    return [*results, *([message] if said or calls or thoughts or not results else [])]


def _result(part: Mapping[str, Any]) -> Message:
    content = part.get("content")
    parts = [_part(fields_of(item)) for item in items_of(content)]
    told = _text(parts) if isinstance(content, list) else content
    return {"role": "tool", "tool_call_id": part.get("tool_use_id"), "content": "" if told is None else told}


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    """A text or picture block as OpenAI's part; marks for caching are no part of the text."""
    source = fields_of(part.get("source"))
    if part.get("type") == "text":
        return text_part(part.get("text"))
    if part.get("type") == "image" and source.get("type") == "base64":
        return image_part(f"data:{source.get('media_type')};base64,{source.get('data')}")
    return image_part(source["url"]) if part.get("type") == "image" and "url" in source else dict(part)


def _text(parts: list[dict[str, Any]]) -> Any:
    """One text where all parts are text; None where there is none."""
    if all(part.get("type") == "text" and isinstance(part["text"], str) for part in parts):
        return "".join(part["text"] for part in parts) if parts else None
    return parts


def read_bedrock(data: Mapping[str, Any]) -> Translated | None:
    """A row of Bedrock's conversation schema (Amazon Nova) as a chat; its blocks are named by their one key."""
    turns = [_bedrock_turn(fields_of(turn)) for turn in items_of(data["messages"])]
    system = "".join(str(fields_of(part).get("text", "")) for part in items_of(data.get("system")))
    rest = without(data, ["messages", "system", "schemaVersion"])
    return read({"messages": turns, **rest, **({"system": system} if system else {})})


def _bedrock_turn(turn: Mapping[str, Any]) -> dict[str, Any]:
    return {**turn, "content": [_bedrock_block(fields_of(part)) for part in items_of(turn.get("content"))]}


def _bedrock_block(part: Mapping[str, Any]) -> dict[str, Any]:
    if "text" in part:
        return {"type": "text", **part}
    if use := fields_of(part.get("toolUse")):
        return {"type": "tool_use", "id": use.get("toolUseId"), "name": use.get("name"), "input": use.get("input")}
    if result := fields_of(part.get("toolResult")):
        blocks = [_bedrock_result(fields_of(item)) for item in items_of(result.get("content"))]
        return {"type": "tool_result", "tool_use_id": result.get("toolUseId"), "content": blocks}
    location = fields_of(fields_of(fields_of(part.get("image")).get("source")).get("s3Location"))
    return {"type": "image", "source": {"url": location["uri"]}} if "uri" in location else dict(part)


def _bedrock_result(part: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": text_of(part["json"])} if "json" in part else _bedrock_block(part)


def _is_anthropic(data: Mapping[str, Any]) -> bool:
    """Blocks of its own, or the system's text beside messages that need no other reading."""
    if any(map(is_block, parts_of(data))):
        return True
    told = data.get("system", data.get("system_prompt"))
    if is_answered(data) and isinstance(told, str):
        return True
    return isinstance(data.get("system"), list) and not all(map(is_plain, data["messages"]))


def _is_bedrock(data: Mapping[str, Any]) -> bool:
    """Whether content parts are named by their one key, as Bedrock's conversation schema has them."""
    keys = ({"text"}, {"image"}, {"toolUse"}, {"toolResult"}, {"document"}, {"video"})
    parts = parts_of(data)
    return bool(parts) and all(isinstance(part, dict) and {*cast("dict[str, Any]", part)} in keys for part in parts)


ANTHROPIC: Final = Format(
    "anthropic",
    shapes=(
        Shape("bedrock", read=read_bedrock, within=Sign((), _is_bedrock)),
        Shape("anthropic", read=read, within=Sign(SYSTEM_KEYS, _is_anthropic)),
    ),
)
