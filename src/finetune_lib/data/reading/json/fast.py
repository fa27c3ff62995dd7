"""The fastest JSON parser at hand: msgspec (the extra `fast`) where it is installed, else pydantic's own."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any, Literal, Protocol

Refusals = tuple[type[Exception], ...]


class TypedMessage(Protocol):
    """A role and a text."""

    role: str
    content: str


class TypedChat(Protocol):
    """Messages and nothing else."""

    messages: Sequence[TypedMessage]


def decoder() -> tuple[Callable[[bytes], Any], Refusals]:
    """What decodes strict JSON but for equal keys, of which it keeps the last; and the errors it raises."""
    if find_spec("msgspec") is None:
        from pydantic_core import from_json

        return partial(from_json, allow_inf_nan=False, cache_strings="keys"), (ValueError,)
    msgspec: Any = importlib.import_module("msgspec")
    return msgspec.json.Decoder().decode, (msgspec.DecodeError, ValueError, RecursionError)


def chats_decoder() -> tuple[Callable[[bytes], Sequence[TypedChat]] | None, Refusals]:
    """What decodes lines of chats that have roles and texts alone, and the errors it raises; None without msgspec.

    It is as strict as `decoder`, but takes white space of any kind between two chats.
    """
    if find_spec("msgspec") is None:
        return None, ()
    msgspec: Any = importlib.import_module("msgspec")
    kept = {"forbid_unknown_fields": True, "gc": False}
    roles = Literal["system", "user", "assistant"]
    message = msgspec.defstruct("Message", [("role", roles), ("content", str)], **kept)
    chat = msgspec.defstruct("Chat", [("messages", list[message])], **kept)
    return msgspec.json.Decoder(chat).decode_lines, (msgspec.DecodeError, ValueError, RecursionError)
