"""Hugging Face TRL: `messages`, or a prompt with its completion, or `prompt`/`chosen`/`rejected`.

Arguments are objects and pictures a list of their own (huggingface.co/docs/trl/dataset_formats). TRL has no
weight a message, but it learns from a completion alone: weights of 0 before the first learned turn, and only
assistant turns from there on, say the same as a prompt and a completion. A row that asks and leaves the answer
to be graded becomes a prompt, its further fields the columns that reward functions get.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finetune_lib.data.formats.features import Carries, refuse, refuse_losses
from finetune_lib.data.formats.images import url_of
from finetune_lib.data.formats.text import joined, pictures
from finetune_lib.data.formats.tools import arguments_as_objects
from finetune_lib.records import Kind
from finetune_lib.rows.messages import fields_of, is_list, items_of

CARRIES: Final = Carries(
    frozenset({"chat", "preference", "completion"}),
    frozenset(
        {"weight", "name", "reasoning", "other field", "developer role", "tools", "parallel_tool_calls", "image"}
        | {"tool calls", "parallel calls", "text beside calls", "placeholder in text"}
    ),
)

RESERVED: Final = frozenset(
    {"chosen", "rejected", "images", "image", "system", "system_prompt", "history", "choices", "videos", "audios"}
    | {"rejected_response", "rejected_messages"}
)


def write(data: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """The row in TRL's shape."""
    refuse_losses("trl", data, kind, CARRIES)
    refuse("trl", [f"other field (/{key}), a name that TRL uses itself" for key in sorted(RESERVED.intersection(data))])
    if kind == "completion":
        return dict(data)
    refuse("trl", [f"other field (/{key})" for key in ("prompt", "completion") if key in data])
    row = arguments_as_objects(data)
    return _preference(row) if kind == "preference" else _chat(row)


def _preference(row: Mapping[str, Any]) -> dict[str, Any]:
    inner = fields_of(row["input"])
    refuse("trl", [f"other field (/{key})" for key in ("tools", "parallel_tool_calls") if key in row])
    weighted = [m for key in ("preferred_output", "non_preferred_output") for m in items_of(row[key]) if "weight" in m]
    refuse("trl", ["weight" for m in [*weighted, *items_of(inner["messages"])] if m.get("weight") == 0])
    beside = {key: value for key, value in row.items() if key not in ("input", *SIDES)}
    more = {key: value for key, value in inner.items() if key not in ("messages", "tools", "parallel_tool_calls")}
    refuse("trl", [f"other field (/input/{key})" for key in more])
    tooled = {key: inner[key] for key in ("tools", "parallel_tool_calls") if key in inner}
    sides = {name: _messages(items_of(row[key])) for key, name in SIDES.items()}
    refuse("trl", ["image in an output"] if any(pictures(items_of(row[key])) for key in SIDES) else [])
    shown = _shown(items_of(inner["messages"]))
    return {"prompt": _messages(items_of(inner["messages"])), **sides, **tooled, **shown, **beside}


SIDES: Final = {"preferred_output": "chosen", "non_preferred_output": "rejected"}


def _chat(row: Mapping[str, Any]) -> dict[str, Any]:
    messages = items_of(row["messages"])
    beside = {key: value for key, value in row.items() if key != "messages"}
    shown = _shown(messages)
    roles = [message["role"] for message in messages]
    if any(message.get("weight") not in (None, 1) for message in messages):
        start = _learned_from(messages)
        parts = {"prompt": _messages(messages[:start]), "completion": _messages(messages[start:])}
        return {**parts, **beside, **shown}
    graded = roles[-1:] == ["user"] and ("assistant" not in roles or beside.keys() - {"tools", "parallel_tool_calls"})
    return {"prompt" if graded else "messages": _messages(messages), **beside, **shown}


def _learned_from(messages: list[Any]) -> int:
    """Where the learned turns start.

    Raises:
        ValueError: They are not the assistant turns at the end, so that TRL cannot tell them apart.
    """
    silent = [i for i, m in enumerate(messages) if m["role"] == "assistant" and m.get("weight") == 0]
    start = next((i for i, m in enumerate(messages) if m["role"] == "assistant" and i not in silent), len(messages))
    late = [i for i in silent if i > start] or any(message["role"] != "assistant" for message in messages[start:])
    odd = any(message.get("weight") not in (None, 0, 1) for message in messages)
    odd = odd or any(message.get("weight") == 0 and message["role"] != "assistant" for message in messages)
    refuse("trl", ["weight (only the assistant turns at the end can be the learned ones)"] if late or odd else [])
    refuse("trl", ["weight 0 on every assistant turn"] if start == len(messages) else [])
    return start


def _shown(messages: list[Any]) -> dict[str, Any]:
    found = pictures(messages)
    held = any("<image>" in str(joined(_without_pictures(message))) for message in messages)
    refuse("trl", ["placeholder in text"] if found and held else [])
    return {"images": found} if found else {}


def _without_pictures(message: Mapping[str, Any]) -> Any:
    content = message.get("content")
    return [part for part in content if not url_of(part)] if is_list(content) else content


def _messages(messages: list[Any]) -> list[Any]:
    return [_message(message) for message in messages]


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in message.items() if key != "weight" and (key == "content" or value is not None)}
    if not isinstance(kept.get("content"), list):
        return kept
    if not pictures([message]):
        return {**kept, "content": joined(kept["content"])}
    return {**kept, "content": [{"type": "image"} if url_of(part) else part for part in items_of(kept["content"])]}
