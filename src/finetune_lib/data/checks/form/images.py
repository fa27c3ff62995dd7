"""Images in content parts: where they are, their format, their size and their number.

Source: OpenAI's guide on vision fine-tuning, read 2026-11-20; what other targets change stands in `rules.toml`.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic, diagnose, name_of
from finetune_lib.records import Example, Origin
from finetune_lib.rows.messages import items_of

DATA_URL = re.compile(r"data:image/([\w.+-]+);base64,", re.IGNORECASE)
WEB_URL = re.compile(r"(https?)://[^\s/]+\S*", re.IGNORECASE)
BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
SIGNATURES = {b"\xff\xd8\xff": "jpeg", b"\x89PNG": "png", b"RIFF": "webp"}
SIGNED_CHARACTERS = 16
SHOWN = 40


def check_image(part: Mapping[str, Any], path: str, origin: Origin, rules: Rules) -> Iterator[Diagnostic]:
    """Every finding about one image part."""
    if rules.method not in rules.profile.image_methods:
        severity = "error" if not rules.profile.image_methods else "warning"
        yield diagnose("S325", origin, path, target=rules.name, method=rules.method, severity=severity)
        return
    image = part.get("image_url")
    if isinstance(image, str):
        yield diagnose("S326", origin, f"{path}/image_url")
        return
    url = cast("dict[str, Any]", image).get("url") if isinstance(image, dict) else None
    place = f"{path}/image_url/url" if isinstance(image, dict) else f"{path}/image_url"
    if not isinstance(url, str):
        yield diagnose("S322", origin, place, given=name_of(url))
    else:
        yield from _located(url, place, origin, rules)


def _located(url: str, path: str, origin: Origin, rules: Rules) -> Iterator[Diagnostic]:
    """What an image's address says of it."""
    sources = rules.profile.image_sources
    if (web := WEB_URL.fullmatch(url)) and web[1].lower() in sources:
        return
    data = DATA_URL.match(url)
    if not data or "data" not in sources or data[1].lower() not in rules.profile.image_types:
        yield diagnose("S322", origin, path, given=_shown(url))
        return
    encoded = url[data.end() :]
    size, limit = len(encoded) * 3 // 4, rules.profile.image_bytes
    if size > limit:
        yield diagnose("S324", origin, path, size=_mebibytes(size), limit=_mebibytes(limit))
    elif not _is_image(encoded, data[1].lower()):
        yield diagnose("S322", origin, path, given=_shown(url))


def _is_image(encoded: str, kind: str) -> bool:
    """Whether it is base64, and begins as images of that format do."""
    if len(encoded) % 4 or not BASE64.fullmatch(encoded):
        return False
    start = binascii.a2b_base64(encoded[:SIGNED_CHARACTERS])
    said = "jpeg" if kind == "jpg" else kind
    return any(start.startswith(mark) and form == said for mark, form in SIGNATURES.items())


def _shown(url: str) -> str:
    return url if len(url) <= SHOWN else f"{url[:SHOWN]}…"


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.1f} MB"


def too_many(messages: Sequence[Mapping[str, Any]], path: str, origin: Origin, rules: Rules) -> Iterator[Diagnostic]:
    """More images in one example than the target takes."""
    number, limit = sum(map(images_in, messages)), rules.profile.images_per_example
    if number > limit:
        yield diagnose("S323", origin, path, number=number, limit=limit)


def images_in(message: Any) -> int:
    """How many image parts a message has."""
    if not isinstance(message, dict):
        return 0
    content = cast("dict[str, Any]", message).get("content")
    if not isinstance(content, list):
        return 0
    parts = cast("list[object]", content)
    return sum(isinstance(part, dict) and cast("dict[str, Any]", part).get("type") == "image_url" for part in parts)


class ImageExamples:
    """Counts the examples that have images."""

    def __init__(self) -> None:
        self.number = 0

    def look(self, example: Example, place: int) -> None:  # noqa: ARG002 - surveys share one shape
        """Take up one example."""
        self.number += any(map(images_in, items_of(example.data.get("messages"))))

    def take_plain(self, number: int, places: Sequence[int]) -> None:
        """Plain chats have no images."""

    def merge(self, later: ImageExamples, offset: int) -> None:  # noqa: ARG002
        """Take up the survey of the part behind this one."""
        self.number += later.number

    def findings(self, examples: Sequence[Example], rules: Rules) -> Iterator[Diagnostic]:
        """More examples with images than the target takes."""
        limit = rules.profile.image_examples
        if limit and self.number > limit:
            source = examples[0].origin.source if len(examples) else ""
            yield diagnose("K711", Origin(source), number=self.number, limit=limit, target=rules.name)
