"""Conversations in a list of their own: ShareGPT, LLaMA-Factory's `sharegpt`, LLaVA, ms-swift, XTuner, LMSYS.

The list is `conversations` (or `conversation`, `dialog`, …) with `from`/`value` or `role`/`content`; a call is a
turn `function_call` with JSON text, and the `observation` after it its result. With `chosen` and `rejected` it
is a preference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from finetune_lib.data.formats.messages import messages_of_turn, outputs_of
from finetune_lib.data.formats.rows import Message, Translated, chat, preference, without
from finetune_lib.rows.messages import items_of

KEYS: Final = ("conversations", "conversation", "dialog", "dialogue", "messages", "items")


def key_of(data: Mapping[str, Any]) -> str | None:
    """The field that holds the conversation, a list of turns."""
    return next((key for key in KEYS if _is_conversation(data.get(key))), None)


def _is_conversation(value: object) -> bool:
    turns = items_of(value)
    return bool(turns) and all(isinstance(turn, dict) for turn in turns)


def translate(data: Mapping[str, Any]) -> Translated | None:
    """A ShareGPT row as a chat."""
    key = key_of(data)
    return Translated(chat(_messages(data[key]), without(data, [key]))) if key else None


def translate_preference(data: Mapping[str, Any]) -> Translated | None:
    """A ShareGPT row with `chosen` and `rejected` as a preference."""
    key = key_of(data)
    sides = outputs_of(data.get("chosen")), outputs_of(data.get("rejected"))
    if key is None or not all(sides):
        return None
    return Translated(preference(_messages(data[key]), sides, without(data, [key, "chosen", "rejected"])))


def _messages(turns: object) -> list[Message]:
    found = [message for turn in items_of(turns) for message in messages_of_turn(cast("dict[str, Any]", turn))]
    return [message for message in found if message.get("content") != "" or message.get("role") != "system"]
