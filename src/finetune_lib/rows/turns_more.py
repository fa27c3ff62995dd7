"""The texts of a row with their places, and the row with other texts in these places; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, cast

from finetune_lib.records import kind_of

Path: TypeAlias = tuple[str | int, ...]
SYSTEM_ROLES = frozenset({"system", "developer"})


class Turn(NamedTuple):
    """A text, who says it, and where it stands in the row."""

    role: str
    path: Path
    text: str


def turns(data: Mapping[str, Any]) -> list[Turn]:
    """All texts of a row that are not blank, in their order; what is malformed has none."""
    found: Iterator[Turn]
    match kind_of(data):
        case "chat":
            found = _spoken(data.get("messages"), ("messages",))
        case "preference":
            found = _preference(data)
        case "completion":
            found = iter([Turn("user", ("prompt",), data.get("prompt", "")), _completion(data)])
        case "unknown":
            found = iter(())
    return [turn for turn in found if isinstance(turn.text, str) and turn.text.strip()]  # pyright: ignore[reportUnnecessaryIsInstance]


def user_turns(data: Mapping[str, Any]) -> list[Turn]:
    """The texts of the user."""
    return [turn for turn in turns(data) if turn.role == "user"]


def _completion(data: Mapping[str, Any]) -> Turn:
    return Turn("assistant", ("completion",), data.get("completion", ""))


def _preference(data: Mapping[str, Any]) -> Iterator[Turn]:
    asked = data.get("input")
    if isinstance(asked, Mapping):
        yield from _spoken(cast("Mapping[str, Any]", asked).get("messages"), ("input", "messages"))
    for output in ("preferred_output", "non_preferred_output"):
        yield from _spoken(data.get(output), (output,))


def _spoken(messages: Any, path: Path) -> Iterator[Turn]:
    for index, message in enumerate(cast("list[Any]", messages) if isinstance(messages, list) else []):
        if isinstance(message, Mapping):
            yield from _texts(cast("Mapping[str, Any]", message), (*path, index))


def _texts(message: Mapping[str, Any], path: Path) -> Iterator[Turn]:
    """The text of a message, or those of its text parts."""
    role, content = str(message.get("role")), message.get("content")
    if isinstance(content, str):
        yield Turn(role, (*path, "content"), content)
    for index, part in enumerate(cast("list[Any]", content) if isinstance(content, list) else []):
        if isinstance(part, Mapping) and "text" in part:
            yield Turn(role, (*path, "content", index, "text"), cast("Mapping[str, Any]", part)["text"])


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
