"""In which script a text is written, and Chinese in Traditional or Simplified characters; pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

Variety = Literal["zh-Hans", "zh-Hant"]

HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
# A Latin, Greek or Cyrillic word weighs as much as one Han character: "我要退 iPhone" is Chinese.
WRITINGS = {
    "Han": HAN,
    "kana": re.compile(r"[\u3041-\u30ff]"),
    "Hangul": re.compile(r"[\uac00-\ud7a3]"),
    "Thai": re.compile(r"[\u0e01-\u0e5b]+"),
    "Latin": re.compile(r"[A-Za-z\u00c0-\u024f]+"),
    "Greek": re.compile(r"[\u0370-\u03ff]+"),
    "Cyrillic": re.compile(r"[\u0400-\u04ff]+"),
    "Hebrew": re.compile(r"[\u0590-\u05ff]+"),
    "Arabic": re.compile(r"[\u0600-\u06ff]+"),
    "Devanagari": re.compile(r"[\u0900-\u097f]+"),
}


def variety(text: str) -> Variety | None:
    """Traditional or Simplified, by the characters that only one of them has; None where none tells."""
    told = [_only_in(character) for character in HAN.findall(text)]
    simplified, traditional = told.count("zh-Hans"), told.count("zh-Hant")
    if simplified == traditional:
        return None
    return "zh-Hans" if simplified > traditional else "zh-Hant"


@lru_cache(maxsize=16384)
def _only_in(character: str) -> Variety | None:
    """GB 2312 and Big5 are the lists of what each side writes; a character of one alone tells the side."""
    mainland, taiwan = _has("gb2312", character), _has("big5", character)
    if mainland == taiwan:
        return None
    return "zh-Hans" if mainland else "zh-Hant"


def _has(encoding: str, character: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def writing(text: str) -> str | None:
    """The script that most of the text is in; Japanese shows by its kana. None where there are no letters."""
    counts = {name: len(pattern.findall(text)) for name, pattern in WRITINGS.items()}
    if counts["kana"] * 5 >= counts["Han"] + counts["kana"] > 0:
        return "Japanese"
    most = max(counts, key=lambda name: counts[name])
    return most if counts[most] else None
