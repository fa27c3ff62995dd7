"""LLaMA-Factory v1: content in typed blocks with a loss weight a message; ids of calls stay as further fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finetune_lib.data.formats.features import Carries, refuse, refuse_losses
from finetune_lib.data.formats.images import url_of
from finetune_lib.data.formats.json_text import object_of, text_of
from finetune_lib.records import Kind, conversation
from finetune_lib.rows.messages import fields_of, items_of

CARRIES: Final = Carries(
    frozenset({"chat", "preference", "completion"}),
    frozenset(
        {"weight", "reasoning", "tools", "tool calls", "parallel calls", "text beside calls", "image"}
        | {"placeholder in text"}
    ),
)


def write(data: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """The row in LLaMA-Factory's shape."""
    refuse_losses("llamafactory", data, kind, CARRIES)
    if kind == "preference":
        inner = fields_of(data["input"])
        outputs = {"chosen_messages": data["preferred_output"], "rejected_messages": data["non_preferred_output"]}
        refuse("llamafactory", ["output of several messages" for side in outputs.values() if len(items_of(side)) != 1])
        sides = {key: _messages([*items_of(inner["messages"]), *items_of(side)]) for key, side in outputs.items()}
        return {**sides, **_tools(inner)}
    return {"messages": _messages([dict(message) for message in conversation(data)]), **_tools(data)}


def _tools(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"tools": text_of(fields["tools"])} if fields.get("tools") else {}


def _messages(messages: list[Any]) -> list[Any]:
    empty = [message for message in messages if not _blocks(message)]
    refuse("llamafactory", ["message without content"] if empty else [])
    odd = [m for m in messages if m.get("weight") is not None and m["role"] != "assistant"]
    refuse("llamafactory", ["weight on a turn that is not the assistant's"] if odd else [])
    return [_message(message) for message in messages]


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    weight = float(message.get("weight", 1) or 0) if message["role"] == "assistant" else 0.0
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
