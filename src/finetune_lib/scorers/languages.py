"""In which script a text is written, and Chinese in traditional or simplified characters; pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from finetune_lib.texts import fold

Variety = Literal["zh-Hans", "zh-Hant"]

HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
# A Latin, Greek or Cyrillic word weighs as much as one Han character: "我要退 iPhone" is Chinese.
WRITINGS = {
    "Han": HAN,
    "kana": re.compile(r"[\u3041-\u3096\u30a1-\u30fa]"),
    "Hangul": re.compile(r"[\uac00-\ud7a3]"),
    "Thai": re.compile(r"[\u0e01-\u0e5b]+"),
    "Latin": re.compile(r"[A-Za-z\u00c0-\u024f]+"),
    "Greek": re.compile(r"[\u0370-\u03ff]+"),
    "Cyrillic": re.compile(r"[\u0400-\u04ff]+"),
    "Hebrew": re.compile(r"[\u0590-\u05ff]+"),
    "Arabic": re.compile(r"[\u0600-\u06ff]+"),
    "Devanagari": re.compile(r"[\u0900-\u097f]+"),
}
# The first levels of both standards end here: they are ordered by use.
COMMON_GB, COMMON_BIG5 = b"\xd8", b"\xc6\x7f"
# Written on both sides, though a standard lacks them.
NEUTRAL = frozenset("傈墒着硷酞酶衹痺妳牠暱簷睪")


def writing(text: str) -> str | None:
    """The script that most of a text is in; Japanese shows by its kana. None where there are no letters."""
    counts = {name: len(pattern.findall(text)) for name, pattern in WRITINGS.items()}
    if counts["kana"] * 5 >= counts["Han"] + counts["kana"] > 0:
        return "Japanese"
    most = max(counts, key=lambda name: counts[name])
    return most if counts[most] else None


def told(text: str) -> dict[Variety, list[str]]:
    """The characters that only one of the two kinds of Chinese has, each once, in the order of the text."""
    found: dict[Variety, list[str]] = {"zh-Hans": [], "zh-Hant": []}
    for character in dict.fromkeys(HAN.findall(text)):
        if side := _only_in(character):
            found[side].append(character)
    return found


def variety(text: str) -> Variety | None:
    """Traditional or simplified, whichever more of its characters are; None where none tells."""
    found = told(text)
    simplified, traditional = len(found["zh-Hans"]), len(found["zh-Hant"])
    return None if simplified == traditional else "zh-Hans" if simplified > traditional else "zh-Hant"


@lru_cache(maxsize=16384)
def _only_in(character: str) -> Variety | None:
    """By the standards of both sides: what is common on one and unknown on the other.

    A traditional character is one only where a simplified one stands for it: names as 喆 are written so on both sides.
    """
    mainland, taiwan = _code(character, "gb2312"), _code(character, "cp950")
    if character in NEUTRAL or bool(mainland) == bool(taiwan):
        return None
    if mainland:
        return "zh-Hans" if mainland < COMMON_GB else None
    return "zh-Hant" if taiwan < COMMON_BIG5 and fold(character) != character else None


def _code(character: str, encoding: str) -> bytes:
    try:
        return character.encode(encoding)
    except UnicodeEncodeError:
        return b""
