"""The rows that need no look at their form: plain chats of text alone, which most rows are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OTHER = {"user": "assistant", "assistant": "user"}


def is_plain(data: Mapping[str, Any]) -> bool:
    """Whether a row is a chat that has no finding about its form, whoever trains on it.

    Such a row has `messages` alone; each is a role and a text that is not blank; perhaps a system message comes
    first, then user and assistant take turns, and the assistant has the last word. What the texts say is not
    looked at. True is a promise for the supervised method alone (`Rules.learns_plain_chats`).
    """
    messages: Any = data.get("messages")
    if messages.__class__ is not list or len(data) != 1:
        return False
    turn = "user"
    first = True
    for message in messages:
        if message.__class__ is not dict or len(message) != 2:
            return False
        content = message.get("content")
        if content.__class__ is not str or not content or content.isspace():
            return False
        role = message.get("role")
        if role == turn:
            turn = OTHER[turn]
        elif role != "system" or not first:
            return False
        first = False
    return turn == "user" and len(messages) > 1
