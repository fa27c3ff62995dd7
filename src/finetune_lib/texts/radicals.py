"""Characters that fonts of PDFs name wrongly: the radical ⾏ for 行, the ligature ﬁ for fi. Shown, they are the same.

Sources: Unicode's compatibility decompositions of the Kangxi radicals (U+2F00) and Latin ligatures (U+FB00), and
EquivalentUnifiedIdeograph for those of the CJK radicals (U+2E80) that are words as well; NFKC leaves these.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# Fonts name the glyph that two characters share by the rarer one, in PDF of Chromium and Word.
_SHARED = {rare: unicodedata.normalize("NFKC", chr(rare)) for rare in (*range(0x2F00, 0x2FD6), *range(0xFB00, 0xFB07))}
_RADICALS = "⻁⻄⻅⻆⻉⻋⻑⻓⻔⻗⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻨⻩⻬⻮⻰⻳⺟⺠⻊⺩⺬⺮"
_WORDS = "虎西见角贝车長长门雨青韦页风飞食马骨鬼鱼鸟麦黄齐齿龙龟母民足王示竹"
USUAL = _SHARED | dict(zip(map(ord, _RADICALS), _WORDS, strict=True))
RARE = "".join(map(chr, USUAL))
_FOUND = re.compile(f"[{RARE}]")
_WORD = re.compile("[a-zぁ-ヿ一-鿿]", re.IGNORECASE)
_ABOUT_THEM = re.compile(
    r"部首|字[形體体源]|[異异][體体]|康熙|kangxi|radical|ligature|glyph|unicode|U\+[0-9A-F]{4}", re.IGNORECASE
)


def misnamed(text: str) -> list[int]:
    """Where such characters stand within words; none where the text may be about them, or is a list of them."""
    found = [match.start() for match in _FOUND.finditer(text)]
    if not found or len(found) > 3 * len(_WORD.findall(text)) or _ABOUT_THEM.search(text):
        return []
    return [place for place in found if any(_WORD.match(beside) for beside in _beside(text, place))]


def renamed(text: str) -> str:
    """The text with the usual characters there."""
    places = set(misnamed(text))
    return "".join(USUAL[ord(c)] if place in places else c for place, c in enumerate(text)) if places else text


def _beside(text: str, place: int) -> Iterator[str]:
    """The nearest characters before and behind that are none of these."""
    for step in (-1, 1):
        at = place + step
        while 0 <= at < len(text) and ord(text[at]) in USUAL:
            at += step
        if 0 <= at < len(text):
            yield text[at]
