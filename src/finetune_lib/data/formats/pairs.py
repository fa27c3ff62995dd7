"""OpenAI's older pairs, one question as `prompt`, one answer as `completion`: chats made of them, and back; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from finetune_lib.data.formats.features import joined, refuse
from finetune_lib.data.formats.format import Format
from finetune_lib.records import Example, Kind, conversation
from finetune_lib.rows.messages import INSTRUCTIONS, fields_of, items_of


def as_chat(example: Example, system: str | None, *, pairs: bool) -> Example:
    """Turn a pair into a chat where `pairs` asks for it, and put the system message first where there is none."""
    if example.kind == "completion":
        example = _chat_of_pair(example) if pairs else _labelled(example)
    return _with_system(example, system) if system else example


def _chat_of_pair(example: Example) -> Example:
    """The pair's fields as messages; each keeps the cell that it was read from."""
    data = dict(example.data)
    category = _label(data.pop("category", None)) or example.category
    roles = {"system": "system", "prompt": "user", "completion": "assistant"}
    fields = [name for name in roles if data.get(name) not in (None, "") or name != "system"]
    messages = [{"role": roles[name], "content": data.pop(name, None)} for name in fields]
    data.pop("system", None)
    cells = {
        f"/messages/{i}/content": cell
        for i, name in enumerate(fields)
        if (cell := example.origin.cells.get(f"/{name}"))
    }
    origin = replace(example.origin, cells={**example.origin.cells, **cells})
    return replace(example, data={"messages": messages, **data}, origin=origin, category=category)


def _labelled(example: Example) -> Example:
    """The pair as it is, its category beside it."""
    data = {name: value for name, value in example.data.items() if name != "category"}
    return replace(example, data=data, category=_label(example.data.get("category")) or example.category)


def _label(value: object) -> str | None:
    """A category as text; None for what stands for nothing, NaN of a data frame too."""
    return None if value is None or value != value else str(value) or None


def _with_system(example: Example, system: str) -> Example:
    messages = items_of(example.data.get("messages"))
    if not messages or any(fields_of(message).get("role") in INSTRUCTIONS for message in messages):
        return example
    cells = {_shifted(path): cell for path, cell in example.origin.cells.items()}
    data = {**example.data, "messages": [{"role": "system", "content": system}, *messages]}
    return replace(example, data=data, origin=replace(example.origin, cells=cells))


def _shifted(path: str) -> str:
    """The path of a message after one was put before it."""
    parts = path.split("/")
    if len(parts) > 2 and parts[1] == "messages":
        parts[2] = str(int(parts[2]) + 1)
    return "/".join(parts)


def write(data: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """The row as a pair."""
    if kind == "completion":
        return dict(data)
    turns = [(message["role"], joined(message.get("content"))) for message in conversation(data)]
    single = [role for role, _ in turns] == ["user", "assistant"] and all(text is not None for _, text in turns)
    refuse("completion", [] if single else ["turns other than one question and one answer"])
    return {"prompt": turns[0][1], "completion": turns[1][1]}


COMPLETION: Final = Format(
    "completion", write=write, kinds=frozenset({"chat", "completion"}), carries={"placeholder in text"}
)
