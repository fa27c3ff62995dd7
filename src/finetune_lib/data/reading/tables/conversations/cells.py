"""A table with a whole conversation in one cell: as a transcript, or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.data.reading.tables.body import at_cell
from finetune_lib.data.reading.tables.cells import Row, text_of
from finetune_lib.data.reading.tables.conversations.turns import Chats, Turn, cell_of
from finetune_lib.data.reading.tables.evidence import json_in
from finetune_lib.data.reading.tables.scripts import turns_in
from finetune_lib.data.reading.tables.words import role_of
from finetune_lib.records import Example, Origin

INSIDE = ("messages", "conversations", "conversation", "dialog", "dialogue", "turns")
SPEAKER = ("role", "from", "speaker", "sender")
SAID = ("content", "value", "text", "message", "utterance")
MORE_THAN_TEXT = frozenset({"weight", "loss", "loss_weight", "train", "tool_calls", "tool_call_id", "function_call"})


@dataclass(slots=True)
class ConversationsInCells(Chats):
    """Rows with a conversation in one of their cells.

    Attributes:
        roles: Speakers that the user names.
    """

    roles: Mapping[str, str] | None = None

    def of_row(self, row: Row, origin: Origin) -> Iterator[Example | Diagnostic]:
        """The conversation of the cell, or that it holds none."""
        place = self.places["transcript"]
        text, cell = cell_of(row, place), row.address(place)
        found = turns_in_json(text, self.roles) or turns_in(text, self.roles)
        if found is None:
            yield diagnose("T316", at_cell(origin, row, place), text=" ".join(text.split())[:40])
        else:
            yield self.chat([Turn(role, said, cell) for role, said in found], row, origin)


def turns_in_json(text: str, roles: Mapping[str, str] | None = None) -> list[tuple[str, str]] | None:
    """The turns of a conversation in JSON as pairs of role and text; None where it is none or a speaker is unknown."""
    turns: list[tuple[str, str]] = []
    for speaker, said in said_in(json_in(text)) or ():
        role = role_of(speaker, roles)
        if role is None or not isinstance(said, (str, int, float)):
            return None
        turns.append((role, text_of(said).strip()))
    return turns or None


def said_in(value: Any) -> Sequence[tuple[str, Any]] | None:
    """Who says what in a list of messages under any of the usual names, or of `{"user": …, "assistant": …}`."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        value = next((fields[name] for name in INSIDE if isinstance(fields.get(name), list)), None)
    if not isinstance(value, list) or not value:
        return None
    said: list[tuple[str, Any]] = []
    for message in cast("list[Any]", value):
        if not isinstance(message, dict) or not MORE_THAN_TEXT.isdisjoint(cast("dict[str, Any]", message)):
            return None
        fields = cast("dict[str, Any]", message)
        speaker = next((fields[name] for name in SPEAKER if name in fields), None)
        text = next((fields[name] for name in SAID if name in fields), None)
        if speaker is not None and text is not None:
            said.append((str(speaker), text))
        elif fields and all(role_of(name) for name in fields):
            said.extend(fields.items())
        else:
            return None
    return said
