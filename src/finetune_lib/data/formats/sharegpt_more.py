"""ShareGPT as LLaMA-Factory reads it: `conversations` of `from`/`value`, tools as JSON text, pictures by placeholder.

It has one call a turn, without an id, and its result is the next turn; it has no weights and no names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finetune_lib.data.formats.features import Carries, refuse, refuse_losses
from finetune_lib.data.formats.json_text import object_of, text_of
from finetune_lib.data.formats.text import joined, pictures
from finetune_lib.data.formats.tools import paired
from finetune_lib.records import Kind, conversation
from finetune_lib.rows.messages import fields_of, items_of

CARRIES: Final = Carries(
    frozenset({"chat", "preference", "completion"}), frozenset({"tools", "tool calls", "image", "placeholder in text"})
)
FROM: Final = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}


def write(data: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """The row in ShareGPT's shape."""
    refuse_losses("sharegpt", data, kind, CARRIES)
    inner = fields_of(data["input"]) if kind == "preference" else data
    prompt = [dict(message) for message in (conversation(data) if kind == "completion" else inner["messages"])]
    sides = [items_of(data[key]) for key in SIDES] if kind == "preference" else []
    _refuse_unsayable(prompt, sides)
    row: dict[str, Any] = {"conversations": [_turn(message) for message in prompt]}
    row |= {name: _turn(side[0]) for name, side in zip(("chosen", "rejected"), sides, strict=False)}
    row |= {"tools": text_of(inner["tools"])} if inner.get("tools") else {}
    return row | ({"images": found} if (found := pictures(prompt)) else {})


SIDES: Final = ("preferred_output", "non_preferred_output")


def _refuse_unsayable(prompt: list[Any], sides: list[list[Any]]) -> None:
    lost = ["output of several messages" for side in sides if len(side) != 1]
    lost += ["image in an output" for side in sides if pictures(side)]
    lost += [
        "empty system message"
        for message in prompt
        if message["role"] == "system" and not joined(message.get("content"))
    ]
    lost += ["message without text" for m in [*prompt, *(m for side in sides for m in side)] if _is_mute(m)]
    lost += [] if is_in_order(prompt) else ["tool results that do not follow their calls in order"]
    shown = "".join(str(joined(message.get("content"))) for message in prompt).count("<image>")
    lost += ["placeholder in text"] if pictures(prompt) and shown != len(pictures(prompt)) else []
    refuse("sharegpt", lost)


def _is_mute(message: Mapping[str, Any]) -> bool:
    return message.get("content") is None and not message.get("tool_calls")


def is_in_order(messages: list[Any]) -> bool:
    """Whether pairing by order finds again which result answers which call."""
    bare = [_without_ids(message) for message in messages]
    return [_ids(m) for m in _numbered(messages)] == [_ids(m) for m in _numbered(paired(bare))]


def _without_ids(message: Mapping[str, Any]) -> dict[str, Any]:
    calls = [{**call, "id": ""} for call in items_of(message.get("tool_calls"))]
    kept = {key: value for key, value in message.items() if key not in ("tool_call_id", "tool_calls")}
    return {**kept, **({"tool_calls": calls} if calls else {})}


def _numbered(messages: list[Any]) -> list[Any]:
    """Each list of ids with every id as its number of first use."""
    seen: dict[object, int] = {}
    return [[seen.setdefault(id, len(seen)) for id in _ids_of(message)] for message in messages]


def _ids(numbers: list[int]) -> tuple[int, ...]:
    return tuple(numbers)


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
