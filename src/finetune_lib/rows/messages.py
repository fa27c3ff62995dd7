"""What a row of OpenAI's own formats is made of: where its messages stand, what each of them is, how to change all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeGuard, cast

from finetune_lib.records import conversation, kind_of

OUTPUTS: Final = ("preferred_output", "non_preferred_output")  # the first is the side that is learned
INSTRUCTIONS: Final = ("system", "developer")  # tuples: a role may be unhashable
RESULTS: Final = ("tool", "function")
NOTHING: Final[Mapping[str, Any]] = {}
Change = Callable[[list[Any], frozenset[str]], list[Any]]


def fields_of(value: object) -> Mapping[str, Any]:
    """A JSON object's fields; none for any other value."""
    if type(value) is dict:  # what JSON gives; asking an abstract class costs more
        return cast("dict[str, Any]", value)
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else NOTHING


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a value is a JSON array."""
    return isinstance(value, list)


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether a value is a JSON object."""
    return type(value) is dict or isinstance(value, Mapping)


def items_of(value: object) -> list[Any]:
    """A JSON array's items; none for any other value."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def is_silent(message: Mapping[str, Any]) -> bool:
    """Whether a message has weight 0, so that it is not learned; `false` counts as 0, as it does where models train."""
    return message.get("weight") == 0


def is_learned(message: Mapping[str, Any]) -> bool:
    """Whether a model is trained to write a message of a chat, or of a preference's first side."""
    return message.get("role") == "assistant" and message.get("weight") != 0


def trained(data: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], bool]]:
    """The messages of a sound row as it is trained on, each with whether a model is trained to write it.

    Of a preference these are its prompt, which is only read, and its first side.
    """
    messages = conversation(data)
    read = len(messages) - len(data[OUTPUTS[0]]) if kind_of(data) == "preference" else 0
    return [(message, place >= read and is_learned(fields_of(message))) for place, message in enumerate(messages)]


def tools_of(data: Mapping[str, Any]) -> Any:
    """The tools that a row declares; a preference has them in its input."""
    return (fields_of(data.get("input")) if kind_of(data) == "preference" else data).get("tools")


def calls_of(message: Mapping[str, Any]) -> Any:
    """The tool calls of a message, or the one function call of older rows; nothing where it calls none."""
    return message.get("tool_calls") or message.get("function_call")


def message_lists(data: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Each list of messages of a row with its JSON pointer: of a chat, or of a preference's three parts."""
    inner = data.get("input")
    places = {"/messages": data.get("messages"), "/input/messages": fields_of(inner).get("messages")}
    for path, messages in (places | {f"/{side}": data.get(side) for side in OUTPUTS}).items():
        if isinstance(messages, list):
            yield path, cast("list[Any]", messages)


def changed_messages(data: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The row with every list of messages changed.

    Args:
        data: A chat or preference row.
        change: Gets a list and the call ids of the conversation before it; answers a new list.
    """
    row = dict(data)
    before: frozenset[str] = frozenset()
    for path, messages in message_lists(data):
        if path == "/input/messages":
            row["input"] = {**row["input"], "messages": change(messages, before)}
            before = call_ids(row["input"]["messages"])
        else:
            row[path[1:]] = change(messages, before)
    return row


def call_ids(messages: list[Any]) -> frozenset[str]:
    """The ids that the tool calls of a conversation have."""
    calls = (call for message in messages for call in items_of(fields_of(message).get("tool_calls")))
    return frozenset(id for call in calls if isinstance(id := fields_of(call).get("id"), str))
