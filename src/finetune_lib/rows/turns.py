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


def turns(data: Mapping[str, Any]) -> list[Turn]:
    """The texts of a chat, a pair or a preference, in their order."""
    if "messages" in data:
        return list(_messages(data["messages"], "/messages", learned=True))
    return list(_of_pairs(data))


def _of_pairs(data: Mapping[str, Any]) -> Iterator[Turn]:
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
    messages: Any = data.get("messages")
    if not isinstance(cast("object", messages), list):
        return [turn.text for turn in turns(data) if turn.learned]
    found: list[str] = []
    for message in messages:
        fields: dict[str, Any] = message
        if isinstance(message, dict) and fields.get("role") == "assistant" and fields.get("weight") != 0:
            text = fields.get("content")
            found += [text] if isinstance(text, str) else []
    return found


def _messages(messages: object, path: str, *, learned: bool) -> Iterator[Turn]:
    if not isinstance(messages, list):
        return
    for index, message in enumerate(cast("list[Any]", messages)):
        fields: dict[str, Any] = message
        if isinstance(message, dict) and isinstance(role := fields.get("role"), str):
            own = learned and role == "assistant" and fields.get("weight") != 0
            if isinstance(content := fields.get("content"), str):
                yield Turn(f"{path}/{index}/content", role, content, own)
            else:
                yield from _parts(content, f"{path}/{index}/content", role, learned=own)


def _parts(content: object, path: str, role: str, *, learned: bool) -> Iterator[Turn]:
    for index, part in enumerate(cast("list[Any]", content)) if isinstance(content, list) else ():
        text = cast("dict[str, Any]", part).get("text") if isinstance(part, dict) else None
        if isinstance(text, str):
            yield Turn(f"{path}/{index}/text", role, text, learned)
