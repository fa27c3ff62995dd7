"""Content parts as one text, where a format knows only texts."""

from __future__ import annotations

from typing import Any

from finetune_lib.data.formats.images import PLACEHOLDER, url_of
from finetune_lib.rows.messages import fields_of, is_list, items_of


def joined(content: Any) -> Any:
    """Parts as one text, a placeholder for each picture; text and None stay."""
    if not is_list(content):
        return content
    return "".join(PLACEHOLDER if url_of(part) else str(fields_of(part).get("text", "")) for part in content)


def pictures(messages: list[Any]) -> list[str]:
    """The addresses of all pictures in their order."""
    parts = (part for message in messages for part in items_of(fields_of(message).get("content")))
    return [url for part in parts if (url := url_of(part)) is not None]
