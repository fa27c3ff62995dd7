"""The language to name for a text, so that a page shows Han characters in the forms that its readers know."""

from __future__ import annotations

import re

from finetune_lib.texts.scripts import HAN, HANGUL, KANA, variety, writing

LOOKED_AT = 2000
_EAST_ASIAN = re.compile(f"[{HAN}{KANA}{HANGUL}]+")
_LANGUAGES = {"Japanese": "ja", "Hangul": "ko"}


def language_of(text: str) -> str | None:
    """`zh-Hant`, `zh-Hans`, `ja`, `ko`, or None where the letters do not tell; letters of other scripts do not count.

    Example:
        >>> language_of("The word 請 is polite."), language_of("人口"), language_of("thanks")
        ('zh-Hant', None, None)
    """
    letters = "".join(_EAST_ASIAN.findall(text[:LOOKED_AT]))
    return _LANGUAGES.get(writing(letters) or "") or variety(letters)
