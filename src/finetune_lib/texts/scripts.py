"""In which script a text is written, and Chinese in Traditional or Simplified characters; pure.

Most characters of Chinese are the same in both kinds. What tells are those that only one of them writes, about 3,000
(`scripts.toml` says which and why); half of all pairs of characters hold one, and nine tenths of all sentences.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Literal

from finetune_lib.files import packaged_text
from finetune_lib.texts.languages import Language

Variety = Literal["zh-Hant", "zh-Hans"]

# What stands between the brackets of a pattern.
HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KANA = "\u3041-\u3096\u30a1-\u30fa"  # without the middle dot, which Chinese puts into foreign names
HANGUL = "\uac00-\ud7a3"
_BY_CHARACTER = {"Han": HAN, "Japanese": KANA, "Hangul": HANGUL}
_BY_WORD = {
    "Latin": "A-Za-z\u00c0-\u024f",
    "Greek": "\u0370-\u03ff",
    "Cyrillic": "\u0400-\u04ff",
    "Thai": "\u0e01-\u0e5b",
    "Hebrew": "\u0590-\u05ff",
    "Arabic": "\u0600-\u06ff",
    "Devanagari": "\u0900-\u097f",
}
WRITINGS = (*_BY_CHARACTER, *_BY_WORD)
_RUNS = {name: re.compile(f"[{letters}]+") for name, letters in (_BY_CHARACTER | _BY_WORD).items()}
LEAST_KANA = 1 / 5  # of what is Japanese; Chinese texts that name a Japanese band have less
LOOKED_AT = 2000
_EAST_ASIAN = re.compile(f"[{HAN}{KANA}{HANGUL}]+")
_LANGUAGES = {"Japanese": "ja", "Hangul": "ko"}


def writing(text: str) -> str | None:
    """The script that most of a text is in; Japanese shows by its kana. None where there are no letters.

    Example:
        >>> writing("我要退 iPhone"), writing("返品はいつまで"), writing("Where is it?"), writing("12:30")
        ('Han', 'Japanese', 'Latin', None)
    """
    if text.isascii():
        return "Latin" if _RUNS["Latin"].search(text) else None
    weights = {name: _weight(name, text) for name in WRITINGS}
    kana, han = weights["Japanese"], weights["Han"]
    if kana and kana >= LEAST_KANA * (kana + han):
        weights["Japanese"] += weights.pop("Han")
    most = max(weights, key=lambda name: weights[name])
    return most if weights[most] else None


def _weight(name: str, text: str) -> int:
    """A word of letters weighs as much as one Han character: "我要退 iPhone" is Chinese."""
    found: list[str] = _RUNS[name].findall(text)
    return sum(map(len, found)) if name in _BY_CHARACTER else len(found)


def variety(text: str) -> Variety | None:
    """Traditional or Simplified Chinese, whichever more of the characters are; None where none tells.

    Example:
        >>> variety("請問退票"), variety("请问退票"), variety("你好")
        ('zh-Hant', 'zh-Hans', None)
    """
    traditional, simplified = map(len, told(text).values())
    return None if simplified == traditional else "zh-Hans" if simplified > traditional else "zh-Hant"


def varieties(text: str) -> tuple[Variety, ...]:
    """Traditional, Simplified or both: each that a character of the text tells; the first of each is enough."""
    return () if text.isascii() else tuple([name for name, only in _only().items() if only.search(text)])


def told(text: str) -> dict[Variety, tuple[str, ...]]:
    """The characters that only one of the two kinds of Chinese has, each once, in the order of the text.

    Example:
        >>> told("请點選「设定」")
        {'zh-Hant': ('點', '選'), 'zh-Hans': ('请', '设')}
    """
    return {name: tuple(dict.fromkeys(only.findall(text))) for name, only in _only().items()}


def language_for(*texts: str) -> Language:
    """The language in which to speak to whoever wrote these texts: English, or their kind of Chinese.

    The first text with letters tells whether it is Chinese, the first that tells one which of the two.

    Example:
        >>> language_for("你好", "您好，请问要退票吗？"), language_for("你好"), language_for("Hello")
        ('zh-Hans', 'zh-Hant', 'en')
    """
    if next((found for text in texts if (found := writing(text))), None) != "Han":
        return "en"
    kinds: list[Language] = [found for text in texts if (found := variety(text))]
    return kinds[0] if kinds else "zh-Hant"


def language_of(text: str) -> str | None:
    """`zh-Hant`, `zh-Hans`, `ja`, `ko`, or None where the letters do not tell; letters of other scripts do not count.

    A page that names it shows Han characters in the forms that its readers know.

    Example:
        >>> language_of("The word 請 is polite."), language_of("人口"), language_of("thanks")
        ('zh-Hant', None, None)
    """
    letters = "".join(_EAST_ASIAN.findall(text[:LOOKED_AT]))
    return _LANGUAGES.get(writing(letters) or "") or variety(letters)


@cache
def _only() -> Mapping[Variety, re.Pattern[str]]:
    lists = tomllib.loads(packaged_text("finetune_lib.texts", "scripts.toml"))
    return {"zh-Hant": re.compile(f"[{lists['traditional']}]"), "zh-Hans": re.compile(f"[{lists['simplified']}]")}
