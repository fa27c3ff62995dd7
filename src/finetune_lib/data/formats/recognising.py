"""Which project's row shape a row has, told by its keys and the first signs in its messages.

This runs on every row, so a chat of plain texts, the usual case, is passed by one look at each message.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, cast

from finetune_lib.data.formats.features import is_plain
from finetune_lib.data.formats.format import Shape, Sign, is_judged
from finetune_lib.data.formats.known import FORMATS
from finetune_lib.data.formats.openai import is_own
from finetune_lib.data.formats.unsayable import KTO

SHAPES: Final = tuple(shape for known in FORMATS for shape in known.shapes)
ALONE: Final = tuple((shape, shape.alone) for shape in SHAPES if shape.alone)
WITH_MESSAGES: Final = (
    *((shape, shape.beside) for shape in SHAPES if shape.beside),
    *((shape, shape.within) for shape in SHAPES if shape.within),
)
BESIDE: Final = frozenset(field for _, found in WITH_MESSAGES for field in found.fields)


def dialect_of(data: Mapping[str, Any]) -> str | None:
    """The dialect of a row, or None where it has one of OpenAI's own shapes or none that is known."""
    messages = data.get("messages")
    if type(messages) is not list:
        return _without_messages(data) if messages is None else None
    if BESIDE.isdisjoint(data) and all(map(is_plain, cast("list[Any]", messages))):
        return None
    return next((shape.name for shape, sign in WITH_MESSAGES if sign.holds(data)), None)


def _without_messages(data: Mapping[str, Any]) -> str | None:
    if is_own(data):
        return KTO.name if is_judged(data) else None
    found = next((shape for shape, sign in _possible(tuple(data)) if sign.holds(data)), None)
    return found and (KTO.name if found.judged and is_judged(data) else found.name)


@lru_cache(maxsize=256)
def _possible(keys: tuple[str, ...]) -> tuple[tuple[Shape, Sign], ...]:
    """The shapes that a row may have by its fields; the rows of a file share theirs."""
    return tuple(known for known in ALONE if not known[1].fields or not {*known[1].fields}.isdisjoint(keys))
