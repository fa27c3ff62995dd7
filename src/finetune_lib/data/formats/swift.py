"""ms-swift's preferences: a conversation whose last answer is the preferred one, and the other beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from finetune_lib.data.formats import questions
from finetune_lib.data.formats.messages import message_of_turn, outputs_of
from finetune_lib.data.formats.rows import Translated, preference, split_prompt, without
from finetune_lib.rows.messages import items_of


def translate(data: Mapping[str, Any]) -> Translated | None:
    """A row with `rejected_response` or `rejected_messages` as a preference."""
    if "messages" not in data:
        return _of_pair(data)
    messages = [message_of_turn(cast("dict[str, Any]", turn)) for turn in items_of(data["messages"])]
    rest = without(data, ["messages", "rejected_response", "rejected_messages"])
    if "rejected_messages" in data:
        other = outputs_of(data["rejected_messages"])
        shared = split_prompt(messages, other)
        return Translated(preference(messages[:shared], (messages[shared:], other[shared:]), rest))
    return Translated(preference(messages[:-1], (messages[-1:], outputs_of(data["rejected_response"])), rest))


def _of_pair(data: Mapping[str, Any]) -> Translated | None:
    pair = questions.translate(without(data, ["rejected_response"]))
    return pair and translate({**pair.data, "rejected_response": data["rejected_response"]})
