"""The texts of a row with their places, and the row with other texts there; what is malformed is passed over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, cast

from finetune_lib.records import kind_of
from finetune_lib.rows.messages import OUTPUTS, fields_of, is_learned, items_of

Path: TypeAlias = tuple[str | int, ...]


class Turn(NamedTuple):
    """One text of a row.

    Attributes:
        path: Its place, step by step.
        role: Who says it; `prompt` and `completion` count as `user` and `assistant`.
        text: The text.
        learned: Whether a model is trained to write it.
    """

    path: Path
    role: str
    text: str
    learned: bool = False

    @property
    def pointer(self) -> str:
        """Its place as a JSON pointer."""
        return "".join([f"/{step}" for step in self.path])


def turns(data: Mapping[str, Any]) -> list[Turn]:
    """The texts of a chat, a pair or a preference, in their order; of a preference the first side is learned."""
    match kind_of(data):
        case "chat":
            return list(_spoken(data["messages"], ("messages",), learned=True))
        case "preference":
            asked = _spoken(fields_of(data.get("input")).get("messages"), ("input", "messages"), learned=False)
            sides = (_spoken(data.get(side), (side,), learned=side == OUTPUTS[0]) for side in OUTPUTS)
            return [*asked, *(turn for side in sides for turn in side)]
        case "completion":
            said = {"prompt": "user", "completion": "assistant"}
            texts = ((key, role, data.get(key)) for key, role in said.items())
            return [Turn((k,), role, text, k == "completion") for k, role, text in texts if isinstance(text, str)]
        case "unknown":
            return []


def user_turns(data: Mapping[str, Any]) -> list[Turn]:
    """The texts of the user that are not blank."""
    return [turn for turn in turns(data) if turn.role == "user" and turn.text.strip()]


def answers(data: Mapping[str, Any]) -> list[str]:
    """The texts that a model is trained to write, without their places."""
    messages = data.get("messages")
    if type(messages) is not list:
        return [turn.text for turn in turns(data) if turn.learned]
    found: list[str] = []
    for message in cast("list[Any]", messages):
        fields: dict[str, Any] = message
        if type(message) is dict and fields.get("role") == "assistant" and is_learned(fields):  # most are not its own
            content = fields.get("content")
            found += [content] if isinstance(content, str) else [text for _, text in _parts(content)]
    return found


def _spoken(messages: object, path: Path, *, learned: bool) -> Iterator[Turn]:
    for index, message in enumerate(items_of(messages)):
        fields = fields_of(message)
        if isinstance(role := fields.get("role"), str):
            own, content = learned and role == "assistant" and is_learned(fields), fields.get("content")
            if isinstance(content, str):
                yield Turn((*path, index, "content"), role, content, own)
            else:
                yield from (Turn((*path, index, "content", *at), role, text, own) for at, text in _parts(content))


def _parts(content: object) -> Iterator[tuple[Path, str]]:
    """The texts among the parts of a content, each with its place."""
    for number, part in enumerate(items_of(content)):
        if isinstance(text := fields_of(part).get("text"), str):
            yield (number, "text"), text


def rewritten(data: Mapping[str, Any], texts: Mapping[Path, str]) -> Mapping[str, Any]:
    """The row with other texts in some places; `data` stays as it is, and shares what did not change."""
    for path, text in texts.items():
        data = _with(data, path, text)
    return data


def _with(value: Any, path: Path, text: str) -> Any:
    if not path:
        return text
    copy: Any = dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else list(value)
    copy[path[0]] = _with(value[path[0]], path[1:], text)
    return copy


def retold(data: Mapping[str, Any], told: Sequence[Turn], texts: Sequence[str]) -> Mapping[str, Any]:
    """The row with one new text for each of the turns `told`."""
    pairs = zip(told, texts, strict=True)
    return rewritten(data, {turn.path: text for turn, text in pairs if text != turn.text})
