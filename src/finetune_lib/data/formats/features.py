"""What a row says beyond plain text, each with its place, so that a format names what it has no place for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from finetune_lib.data.formats.images import PLACEHOLDER, url_of
from finetune_lib.data.formats.json_text import object_of
from finetune_lib.data.formats.messages import MASKS
from finetune_lib.records import Kind
from finetune_lib.rows.messages import NOTHING, OUTPUTS, fields_of, is_list, items_of, message_lists

ROLES: Final = ("user", "assistant", "system", "tool", "developer", "function")  # a role may be unhashable
ROW_KEYS: Final = {
    "chat": {"messages", "tools"},
    "preference": {"input", *OUTPUTS},
    "completion": {"prompt", "completion"},
}
NAMES: Final = {
    "weight": "weight",
    "name": "name",
    "refusal": "refusal",
    "function_call": "functions",
    "audio": "audio",
    "reasoning_content": "reasoning",
}
PLAIN: Final = frozenset({"role", "content", "tool_calls", "tool_call_id"})


def is_plain(message: Any) -> bool:
    """Whether a message has a role that OpenAI knows and a text, or none, and no mask of another project."""
    if type(message) is not dict:
        return False
    fields = cast("dict[str, Any]", message)
    content = fields.get("content")
    if type(content) is not str and content is not None:
        return False
    return fields.get("role") in ROLES and (len(fields) == 2 or not any(map(fields.__contains__, MASKS)))


def joined(content: Any) -> Any:
    """Parts as one text, a placeholder for each picture; text and None stay."""
    if not is_list(content):
        return content
    return "".join(PLACEHOLDER if url_of(part) else str(fields_of(part).get("text", "")) for part in content)


def pictures(messages: list[Any]) -> list[str]:
    """The addresses of all pictures in their order."""
    parts = (part for message in messages for part in items_of(fields_of(message).get("content")))
    return [url for part in parts if (url := url_of(part)) is not None]


def refuse(name: str, lost: list[str]) -> None:
    """Raise where anything would be lost, naming at most eight things."""
    if lost:
        more = f" and {len(lost) - 8} more" if len(lost) > 8 else ""
        raise ValueError(f"{name} has no place for: {', '.join(lost[:8])}{more}")


def features(data: Mapping[str, Any], kind: Kind) -> Iterator[tuple[str, str]]:
    """Each thing that a row says beyond texts by role, with its JSON pointer.

    Raises:
        ValueError: A message is not one of OpenAI's, so that no format can be asked for it.
    """
    inner = fields_of(data.get("input")) if kind == "preference" else NOTHING
    beside = {f"/{key}": key for key in data.keys() - ROW_KEYS.get(kind, set())}
    beside |= {f"/input/{key}": key for key in inner.keys() - {"messages", "tools"}}
    for path, key in sorted(beside.items()):
        yield key if key in ("functions", "parallel_tool_calls") else "other field", path
    if data.get("tools") or inner.get("tools"):
        yield "tools", "/input/tools" if inner else "/tools"
    for path, messages in message_lists(data):
        for index, message in enumerate(messages):
            yield from _of_message(message, f"{path}/{index}")


def _of_message(message: object, path: str) -> Iterator[tuple[str, str]]:
    fields = fields_of(message)
    if fields.get("role") not in ROLES:
        raise ValueError(f"{path} is not a message with a role that OpenAI knows; validate the data first")
    if fields["role"] in ("developer", "function"):
        yield ("functions" if fields["role"] == "function" else "developer role"), f"{path}/role"
    for key in (key for key in fields if key not in PLAIN):
        if fields[key] is not None and (key != "weight" or fields[key] != 1):
            yield NAMES.get(key, "other field"), f"{path}/{key}"
    yield from _of_content(fields.get("content"), f"{path}/content")
    if fields.get("tool_calls") is not None:
        yield from _of_calls(fields, path)


def _of_content(content: object, path: str) -> Iterator[tuple[str, str]]:
    if not (content is None or isinstance(content, str) or is_list(content)):
        raise ValueError(f"{path} is neither text nor a list of parts; validate the data first")
    texts = [content] if isinstance(content, str) else []
    for index, part in enumerate(items_of(cast("object", content))):
        fields = fields_of(part)
        if fields.get("type") == "text" and isinstance(fields.get("text"), str):
            texts.append(fields["text"])
        elif url_of(part) is not None:
            yield "image", f"{path}/{index}"
            if isinstance(fields["image_url"], dict) and cast("dict[str, Any]", fields["image_url"]).keys() != {"url"}:
                yield "image detail", f"{path}/{index}/image_url"
        else:
            yield "content part", f"{path}/{index}"
    if any(PLACEHOLDER in text for text in texts):
        yield "placeholder in text", path


def _of_calls(message: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    calls = items_of(message["tool_calls"])
    functions = [fields_of(fields_of(call).get("function")) for call in calls]
    if not all(isinstance(f.get("name"), str) and isinstance(f.get("arguments"), str) for f in functions):
        raise ValueError(f"{path}/tool_calls has a call without a name or arguments; validate the data first")
    yield "tool calls", f"{path}/tool_calls"
    if len(calls) > 1:
        yield "parallel calls", f"{path}/tool_calls"
    if message.get("content"):
        yield "text beside calls", f"{path}/content"
    for index, function in enumerate(functions):
        if object_of(function["arguments"]) is None:
            yield "arguments that are no JSON object", f"{path}/tool_calls/{index}/function/arguments"
