"""Putting a translated row together: messages or a preference, and beside them what every dialect may have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from finetune_lib.data.formats.images import addresses, with_images
from finetune_lib.data.formats.messages import masked, weighted
from finetune_lib.data.formats.tools import arguments_as_text, paired, tool_list
from finetune_lib.rows.messages import INSTRUCTIONS, fields_of

SYSTEM_KEYS = ("system", "system_prompt")
IMAGE_KEYS = ("images", "image")
CATEGORY_KEYS = ("category", "類別", "类别", "分類", "分类")
Message = dict[str, Any]


class UnclearError(ValueError):
    """A row holds a field of OpenAI's format beside a conversation in another; it is not told which of them counts."""


@dataclass(frozen=True, slots=True)
class Translated:
    """A row in OpenAI's shape.

    Attributes:
        data: The row.
        moves: From a path of the new row to the path of the old one that it was read from.
        category: A label that stood beside the text.
    """

    data: dict[str, Any]
    moves: Mapping[str, str] = field(default_factory=dict[str, str])
    category: str | None = None


def chat(messages: list[Message], rest: Mapping[str, Any], *, results: bool = True) -> dict[str, Any]:
    """A chat row.

    Args:
        messages: The conversation; calls in it may still lack ids and have objects as arguments.
        rest: What else the row has: system text, tools and pictures go where OpenAI has them, the rest stays.
        results: Whether tool results get the id of the call that they follow.
    """
    messages, extra = _dressed(_weighted(messages), rest)
    if any("tool_calls" in said or said.get("role") == "tool" for said in map(fields_of, messages)):
        messages = paired(arguments_as_text({"messages": messages})["messages"], results=results)
    return _joined({"messages": messages}, _tooled(extra))


def preference(
    prompt: list[Message], sides: tuple[list[Any], list[Any]], rest: Mapping[str, Any], *, results: bool = True
) -> dict[str, Any]:
    """A preference row from its prompt and the preferred and the other output."""
    messages, extra = _dressed(_weighted(prompt), rest)
    shared = paired(messages, results=results)
    outputs = [paired(_weighted(side), results=results) for side in sides]
    tooled = _tooled(extra)
    inner = {"messages": shared, **{key: tooled.pop(key) for key in ("tools", "parallel_tool_calls") if key in tooled}}
    row = {"input": inner, "preferred_output": outputs[0], "non_preferred_output": outputs[1]}
    return arguments_as_text(_joined(row, tooled))


def split_prompt(chosen: list[Any], rejected: list[Any]) -> int:
    """How many messages two conversations share from the start; each keeps its last as the answer."""
    most = min(len(chosen), len(rejected)) - 1
    return next((i for i in range(max(most, 0)) if chosen[i] != rejected[i]), max(most, 0))


def without(data: Mapping[str, Any], used: Iterable[str]) -> dict[str, Any]:
    """The fields that a dialect did not use."""
    taken = frozenset(used)
    return {key: value for key, value in data.items() if key not in taken}


def label_in(rest: dict[str, Any]) -> str | None:
    """The category among the fields, taken out; None where there is none."""
    key = next((key for key in CATEGORY_KEYS if isinstance(rest.get(key), (str, int))), None)
    return str(rest.pop(key)) or None if key else None


def _weighted(messages: list[Any]) -> list[Any]:
    return [weighted(message) if masked(message) else message for message in messages]


def _dressed(messages: list[Message], rest: Mapping[str, Any]) -> tuple[list[Message], dict[str, Any]]:
    """The messages with the system text before them and pictures in them, and what is left beside them."""
    if not rest:
        return messages, {}
    extra = {key: value for key, value in rest.items() if not (_is_known(key) and value in (None, "", [], {}))}
    for key in (key for key in SYSTEM_KEYS if isinstance(extra.get(key), str)):
        if not any(fields_of(message).get("role") in INSTRUCTIONS for message in messages):
            messages = [{"role": "system", "content": extra.pop(key)}, *messages]
        elif {"role": "system", "content": extra[key]} in messages:
            del extra[key]
    for key in (key for key in IMAGE_KEYS if key in extra):
        found = addresses(extra[key])
        if found and (filled := with_images(messages, found)) is not None:
            messages = filled
            del extra[key]
    return messages, extra


def _joined(row: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    if not row.keys().isdisjoint(extra) or "messages" in extra:
        raise UnclearError
    return {**row, **extra}


def _is_known(key: str) -> bool:
    return key in ("messages", "input", "tools", "history", "videos", "audios", *SYSTEM_KEYS, *IMAGE_KEYS)


def _tooled(extra: dict[str, Any]) -> dict[str, Any]:
    return {**extra, "tools": tool_list(extra["tools"])} if "tools" in extra else extra
