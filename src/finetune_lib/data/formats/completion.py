"""OpenAI's older pairs: one question as `prompt`, one answer as `completion`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finetune_lib.data.formats.features import Carries, refuse, refuse_losses
from finetune_lib.data.formats.text import joined
from finetune_lib.records import Kind, conversation

CARRIES: Final = Carries(frozenset({"chat", "completion"}), frozenset({"placeholder in text"}))


def write(data: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """The row as a pair."""
    refuse_losses("completion", data, kind, CARRIES)
    if kind == "completion":
        return dict(data)
    turns = [(message["role"], joined(message.get("content"))) for message in conversation(data)]
    single = [role for role, _ in turns] == ["user", "assistant"] and all(text is not None for _, text in turns)
    refuse("completion", [] if single else ["turns other than one question and one answer"])
    return {"prompt": turns[0][1], "completion": turns[1][1]}
