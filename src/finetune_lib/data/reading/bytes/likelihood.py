"""How likely a text is as something people wrote: the measure that tells one way to decode bytes from another.

Each character has a cost, the negative logarithm of how often it is met in text of the languages that an encoding
is made for. Bytes decoded wrongly give rare characters, so they cost more; a difference of costs is evidence in the
sense of a likelihood ratio and grows with the text, so that one row can be enough and can be too little.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache
from math import log

from finetune_lib.files import packaged_text

STRAY = 9.0  # a byte that is no text
ASCII = 3.0
CONTROL = 15.0
RARE = 17.0  # a Chinese character outside the two lists of common ones
PRIVATE = 20.0
ELSEWHERE = 14.0  # a letter or sign of another script than the encoding's own
HANZI_SHARES = (0.40, 0.28, 0.16, 0.07, 0.004)  # of the bands of the data file; punctuation has most of the rest
CHINESE_MARKS = "，。、！？：；「」『』（）《》〈〉【】“”‘’…—·～\u3000"
LATIN_LETTERS = "éèêàâçîôûùïëöüäßñáíóúãõåæøœ"
LATIN_MARKS = "’‘“”–—…•™®©£€°§«»·\xa0¿¡"
RUN = re.compile(f"[^\\x00-\\x7f{LATIN_MARKS}]{{2,}}|€{{2,}}")
NOT_ASCII = re.compile("[^\\x00-\\x7f]")
KANA = re.compile("[ぁ-ヿ]")
HALF_KANA = re.compile("[\uff61-\uff9f]")
HANGUL = re.compile("[가-힣]")
HANZI = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")


def cost(text: str, encoding: str) -> float:
    """What a text costs as one that was written in this encoding."""
    together = sum(number * _cost(character, encoding) for character, number in Counter(text).items())
    if encoding == "cp1252":  # foreign letters stand alone among plain ones: `é`, hardly `ÄãºÃ`
        together += 5 * sum(len(run) - 1 for run in RUN.findall(text))
    return together


def uncommon(text: str) -> int:
    """How many characters outside ASCII are uncommon in Chinese; a cheap first look."""
    return len(_uncommon().findall(text))


@lru_cache(maxsize=1 << 16)
def _cost(character: str, encoding: str) -> float:
    if character.isascii():
        return ASCII if character.isprintable() or character in "\t\r\n" else CONTROL
    if "\udc80" <= character <= "\udcff":
        return STRAY
    if character < "\u2e80" and (encoding == "cp1252" or encoding.startswith("utf")):
        return _latin(character)
    return _east_asian(character, encoding)


def _latin(character: str) -> float:
    if character in LATIN_MARKS:
        return 5.5
    if character in LATIN_LETTERS:
        return 6.0
    if character < "\xa0":
        return CONTROL
    return 7.5 if character.isupper() and character < "\xff" else 12.0


def _east_asian(character: str, encoding: str) -> float:
    if character in CHINESE_MARKS:
        return 5.0
    if HANZI.match(character):
        return _hanzi().get(character, RARE) + {"cp949": 5.0, "cp932": 0.5, "euc_jp": 0.5}.get(encoding, 0.0)
    if HANGUL.match(character):
        return _at_home(encoding, ("cp949",), _hangul(character))
    if KANA.match(character):
        return _at_home(encoding, ("cp932", "euc_jp"), 4.8)
    if HALF_KANA.match(character):
        return 11.5
    if "！" <= character <= "～":  # Latin letters and digits in the width of a Chinese character
        return 8.5
    return PRIVATE if not character.isprintable() else ELSEWHERE


def _at_home(encoding: str, homes: tuple[str, ...], price: float) -> float:
    return price if encoding in homes or encoding.startswith("utf") else ELSEWHERE


def _hangul(character: str) -> float:
    if character in _bands()[5]:
        return 5.5
    return 10.5 if len(character.encode("euc_kr", "ignore")) == 2 else 15.0  # those of KS X 1001, and the rest


@cache
def _bands() -> tuple[str, ...]:
    """Chinese characters, both scripts together, in five bands from the commonest down; then Korean syllables.

    The bands were counted over openly licensed Chinese question-and-answer data in both scripts; the fifth holds
    what else GB 2312 and Big5 list as common.
    """
    text = packaged_text("finetune_lib.data.reading.bytes", "common_characters.txt")
    return tuple(text.splitlines())


@cache
def _hanzi() -> Mapping[str, float]:
    bands = zip(_bands(), HANZI_SHARES, strict=False)
    return {character: -log(share / len(band)) for band, share in bands for character in band}


@cache
def _uncommon() -> re.Pattern[str]:
    return re.compile(f"[^\\x00-\\x7f{CHINESE_MARKS}！-～ぁ-ヿ{''.join(_bands()[:4])}]")
