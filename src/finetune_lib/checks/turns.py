"""The texts of a row with their places, whatever its form; what is malformed is passed over, others report it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast


class Turn(NamedTuple):
    """One text of a row.

    Attributes:
        path: Its place as a JSON pointer.
        role: Who says it; `prompt` and `completion` count as `user` and `assistant`.
        text: The text.
        learned: Whether a model is trained to write it.
    """

    path: str
    role: str
    text: str
    learned: bool = False


def turns(data: Mapping[str, Any]) -> Iterator[Turn]:
    """The texts of a chat, a pair or a preference, in their order."""
    if "messages" in data:
        yield from _messages(data["messages"], "/messages", learned=True)
        return
    given = data.get("input")
    if isinstance(given, dict):
        yield from _messages(cast("dict[str, Any]", given).get("messages"), "/input/messages", learned=False)
    yield from _messages(data.get("preferred_output"), "/preferred_output", learned=True)
    yield from _messages(data.get("non_preferred_output"), "/non_preferred_output", learned=False)
    if isinstance(text := data.get("prompt"), str):
        yield Turn("/prompt", "user", text)
    if isinstance(text := data.get("completion"), str):
        yield Turn("/completion", "assistant", text, learned=True)


def answers(data: Mapping[str, Any]) -> list[str]:
    """The texts that a model is trained to write, without their places."""
    messages = data.get("messages")
    if not isinstance(messages, list):
        return [turn.text for turn in turns(data) if turn.learned]
    return [
        text
        for message in cast("list[Any]", messages)
        if isinstance(message, dict)
        and cast("dict[str, Any]", message).get("role") == "assistant"
        and isinstance(text := cast("dict[str, Any]", message).get("content"), str)
        and cast("dict[str, Any]", message).get("weight") != 0
    ]


def _messages(messages: object, path: str, *, learned: bool) -> Iterator[Turn]:
    if not isinstance(messages, list):
        return
    for index, message in enumerate(cast("list[Any]", messages)):
        if isinstance(message, dict):
            yield from _message(cast("dict[str, Any]", message), f"{path}/{index}/content", learned=learned)


def _message(message: Mapping[str, Any], path: str, *, learned: bool) -> Iterator[Turn]:
    role, content = message.get("role"), message.get("content")
    if not isinstance(role, str):
        return
    learned = learned and role == "assistant" and message.get("weight") != 0
    if isinstance(content, str):
        yield Turn(path, role, content, learned)
    elif isinstance(content, list):
        for index, part in enumerate(cast("list[Any]", content)):
            text = cast("dict[str, Any]", part).get("text") if isinstance(part, dict) else None
            if isinstance(text, str):
                yield Turn(f"{path}/{index}/text", role, text, learned)
