"""A chat of OpenAI's with its pictures beside it, in the text a placeholder for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finetune_lib.data.formats.format import Format, Shape, Sign
from finetune_lib.data.formats.images import addresses
from finetune_lib.data.formats.rows import IMAGE_KEYS, Translated, chat, without


def read(data: Mapping[str, Any]) -> Translated | None:
    """The chat with its pictures in the text; None where pictures and placeholders do not match."""
    row = chat(data["messages"], without(data, ["messages"]))
    return None if row.keys() & {*IMAGE_KEYS} else Translated(row)


def _has_pictures(data: Mapping[str, Any]) -> bool:
    return any(data.get(key) and addresses(data[key]) for key in IMAGE_KEYS)


PLACEHOLDERS: Final = Format(
    "image-placeholders", shapes=(Shape("image-placeholders", read=read, beside=Sign(IMAGE_KEYS, _has_pictures)),)
)
