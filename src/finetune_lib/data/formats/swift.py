"""ms-swift's preferences: a conversation whose last answer is the preferred one, and the other beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finetune_lib.data.formats import questions
from finetune_lib.data.formats.format import Format, Shape, Sign, is_answered
from finetune_lib.data.formats.messages import outputs_of
from finetune_lib.data.formats.rows import Translated, preference, split_prompt, without

REJECTED: Final = ("rejected_response", "rejected_messages")


def read(data: Mapping[str, Any]) -> Translated | None:
    """A row with `rejected_response` or `rejected_messages` as a preference."""
    if "messages" not in data:
        return _of_pair(data)
    messages = outputs_of(data["messages"])
    rest = without(data, ["messages", *REJECTED])
    if "rejected_messages" in data:
        other = outputs_of(data["rejected_messages"])
        shared = split_prompt(messages, other)
        return Translated(preference(messages[:shared], (messages[shared:], other[shared:]), rest))
    return Translated(preference(messages[:-1], (messages[-1:], outputs_of(data["rejected_response"])), rest))


def _of_pair(data: Mapping[str, Any]) -> Translated | None:
    pair = questions.read(without(data, ["rejected_response"]))
    return pair and read({**pair.data, "rejected_response": data["rejected_response"]})


def _has_other_answer(data: Mapping[str, Any]) -> bool:
    return is_answered(data) and not data.keys().isdisjoint(REJECTED)


PREFERENCE: Final = Shape(
    "swift-preference",
    read=read,
    alone=Sign((REJECTED[0],), lambda data: questions.pair_of(data) is not None),
    beside=Sign(REJECTED, _has_other_answer),
)
SWIFT: Final = Format("swift", shapes=(PREFERENCE,))
