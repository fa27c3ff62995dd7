"""How many tokens a picture counts, by its size and detail.

Source of the rules: OpenAI's guide to images and vision, calculating costs, and that to vision fine-tuning. Two kinds
of models read pictures in two ways: by tiles of 512 pixels, of which there is none at detail `low`, or by patches of
32 pixels, at most 1,536, times a factor of the model.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor, sqrt
from typing import Any, NamedTuple, cast

TILE, WIDEST, NARROWEST = 512, 2048, 768
PATCH, MOST_PATCHES = 32, 1536
UNKNOWN = (1024, 1024)  # what a picture is taken for whose size is not told, as one behind a web address
HEAD = 2**19  # characters of base64 in which the size is looked for
NO_FRAMES = frozenset({0xC4, 0xC8, 0xCC})


@dataclass(frozen=True, slots=True)
class PictureRule:
    """How a model counts pictures: by tiles, or by patches.

    Attributes:
        base: Tokens of a picture at detail `low`, and beside its tiles.
        tile: Tokens of a tile; 0 where the model counts patches.
        factor: Tokens of a patch.
    """

    base: int = 0
    tile: int = 0
    factor: float = 0


class PictureTokens(NamedTuple):
    """What one picture counts, and whether its size and detail tell so for sure."""

    tokens: int
    sure: bool


def picture_tokens(part: Mapping[str, Any], rule: PictureRule) -> PictureTokens:
    """The tokens of a content part of the type `image_url`.

    A picture without a detail, or with `auto`, is counted as `high`; the model may choose less.
    """
    image = part.get("image_url")
    fields = cast("Mapping[str, Any]", image) if isinstance(image, Mapping) else {"url": image}
    detail, url = fields.get("detail"), fields.get("url")
    if rule.tile and detail == "low":
        return PictureTokens(rule.base, sure=True)
    size = size_of(url) if isinstance(url, str) else None
    width, height = size or UNKNOWN
    if rule.tile:
        return PictureTokens(rule.base + rule.tile * tiles(width, height), sure=bool(size) and detail == "high")
    return PictureTokens(round(rule.factor * patches(width, height)), sure=bool(size) and detail != "low")


def tiles(width: int, height: int) -> int:
    """The tiles of a picture that is first made to fit 2,048 pixels, and then 768 on its shorter side."""
    scale = min(1, WIDEST / max(width, height))
    scale *= min(1, NARROWEST / (min(width, height) * scale))
    return ceil(round(width * scale, 6) / TILE) * ceil(round(height * scale, 6) / TILE)


def patches(width: int, height: int) -> int:
    """The patches of a picture, made smaller where they are too many."""
    if (count := ceil(width / PATCH) * ceil(height / PATCH)) <= MOST_PATCHES:
        return count
    scale = sqrt(PATCH**2 * MOST_PATCHES / (width * height))
    across, down = width * scale / PATCH, height * scale / PATCH
    scale = min(floor(across) / across, floor(down) / down)
    return ceil(round(across * scale, 6)) * ceil(round(down * scale, 6))


def size_of(url: str) -> tuple[int, int] | None:
    """The width and height of a picture in a `data` URL (PNG, JPEG, WebP, GIF); None of any other."""
    if url[:5].casefold() != "data:" or ";base64," not in url[:100]:
        return None
    encoded = url[url.index(",") + 1 :][:HEAD]
    try:
        return _size(binascii.a2b_base64(encoded[: len(encoded) // 4 * 4]))
    except (ValueError, struct.error, IndexError):
        return None


def _size(head: bytes) -> tuple[int, int] | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        found = struct.unpack(">II", head[16:24])
    elif head.startswith(b"GIF8"):
        found = struct.unpack("<HH", head[6:10])
    elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        found = _of_webp(head)
    else:
        found = _of_jpeg(head) if head.startswith(b"\xff\xd8") else (0, 0)
    return (found[0], found[1]) if all(found) else None


def _of_webp(head: bytes) -> tuple[int, ...]:
    match head[12:16]:
        case b"VP8X":
            return tuple(int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case _:
            return tuple(side & 0x3FFF for side in struct.unpack("<HH", head[26:30]))


def _of_jpeg(head: bytes) -> tuple[int, ...]:
    """From the first frame; what stands before it are segments, each with its length."""
    at = 2
    while head[at] == 0xFF:
        marker = head[at + 1]
        if marker == 0xFF:
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in NO_FRAMES:
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return width, height
        else:
            at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return 0, 0
