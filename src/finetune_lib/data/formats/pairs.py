"""From prompt/completion pairs to chats, with a system message where one is wished; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from finetune_lib.records import Example


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
    messages = messages_of(example)
    if not messages or any(role_of(message) in ("system", "developer") for message in messages):
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


def messages_of(example: Example) -> list[Any]:
    """The row's messages as they are, sound or not; empty where there is no list of them."""
    messages = example.data.get("messages")
    return cast("list[Any]", messages) if isinstance(messages, list) else []


def role_of(message: Any) -> Any:
    """The role of a message as it is; None where there is none."""
    return cast("dict[str, Any]", message).get("role") if isinstance(message, dict) else None
