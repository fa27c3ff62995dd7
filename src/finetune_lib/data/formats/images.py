"""Pictures beside the text, as LLaMA-Factory, LLaVA and TRL keep them, and pictures within it, as OpenAI does.

LLaMA-Factory and LLaVA put `<image>` into the text for each entry of a list `images`; TRL puts a part
`{"type": "image"}`. A path stays the path it was: whether a platform can reach it is a matter of the checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from finetune_lib.rows.messages import fields_of, is_list, items_of

PLACEHOLDER = "<image>"


def image_part(url: object) -> dict[str, Any]:
    """OpenAI's content part of a picture."""
    return {"type": "image_url", "image_url": {"url": url}}


def text_part(text: object) -> dict[str, Any]:
    """OpenAI's content part of a text."""
    return {"type": "text", "text": text}


def url_of(part: object) -> str | None:
    """The address in a picture part of OpenAI's; None for any other part."""
    inner = fields_of(part).get("image_url")
    url = inner if isinstance(inner, str) else fields_of(inner).get("url")
    return url if isinstance(url, str) else None


def with_images(messages: list[dict[str, Any]], images: list[str]) -> list[dict[str, Any]] | None:
    """The messages with each picture where its placeholder stands; None where they do not match one to one."""
    if sum(map(_slots, messages)) != len(images):
        return None
    rest = iter(images)
    return [_filled(message, rest) if _slots(message) else message for message in messages]


def _slots(message: object) -> int:
    content = fields_of(message).get("content")
    if isinstance(content, str):
        return content.count(PLACEHOLDER)
    return sum(_is_slot(part) for part in items_of(content))


def _is_slot(part: object) -> bool:
    return fields_of(part).get("type") == "image" and fields_of(part).keys() <= {"type", "text"}


def _filled(message: dict[str, Any], images: Iterator[str]) -> dict[str, Any]:
    content = message["content"]
    if isinstance(content, str):
        first, *others = content.split(PLACEHOLDER)
        parts = [text_part(first), *(part for text in others for part in (image_part(next(images)), text_part(text)))]
        return {**message, "content": [part for part in parts if part.get("text") != ""]}
    return {**message, "content": [image_part(next(images)) if _is_slot(part) else part for part in content]}


def addresses(value: object) -> list[str] | None:
    """The paths or addresses that an `image` or `images` field names; None where it holds something else."""
    found = [_address(item) for item in (value if is_list(value) else [value])]
    return [item for item in found if item is not None] if None not in found else None


def _address(item: object) -> str | None:
    fields = fields_of(item)
    found = item if isinstance(item, str) else fields.get("url") or fields.get("path")
    return found if isinstance(found, str) and not fields.get("bytes") else None
