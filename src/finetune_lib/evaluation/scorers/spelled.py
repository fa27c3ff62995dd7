"""Numbers in Chinese and English words, written in figures; pure."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

HAN_DIGITS = "零〇一二兩两三四五六七八九壹貳贰參叁肆伍陸陆柒捌玖"
HAN_UNITS = "十百千拾佰仟萬万億亿兆"
RUN = rf"[{HAN_DIGITS}{HAN_UNITS}]+"
# 三點一四 is a decimal, 三點十分 a time.
HAN = re.compile(rf"(?!零下)(?P<run>{RUN})(?:[點点](?P<part>[{HAN_DIGITS}]+)(?![{HAN_UNITS}分]))?")
# In words these are more often no numbers, unless a number goes on in them: 一定, 十分, 萬一, 千萬.
NO_NUMBER = re.compile(
    rf"(?<![{HAN_DIGITS}{HAN_UNITS}點点])(?:一(?=[^{HAN_DIGITS}{HAN_UNITS}點点分個个年月日天週周小時时塊块\s。])(?!公[尺里斤克升頃顷分])"
    rf"|十分(?!之|[鐘钟])|[萬万]一|千[萬万](?=[別别不要]))"
)
FIGURES = rf"(?<![0-9.])[0-9]+(?:\.[0-9]+)?|(?<![{HAN_DIGITS}{HAN_UNITS}]){RUN}"
# 七成五 is 75 %, 八折 what remains: 80 %; 成 and 折 begin other words as well.
TENTHS = re.compile(
    rf"(?P<tenths>{FIGURES})\s?成(?:(?P<more>[1-9一二兩两三四五六七八九])|(?P<half>半))?(?![功為为立長长員员本分年])"
)
OFF = re.compile(rf"(?P<left>{FIGURES})\s?折(?![疊叠磨騰腾合扣])")
HALF_MORE = re.compile(rf"(?P<whole>{FIGURES})\s?(?P<of>[個个]|小時|小时|年|天|公里|公斤|公尺|公升|塊|块)半")
HALF_OF = re.compile(r"(?<![一0-9])半(?=[個个]?(?:小時|小时|鐘頭|钟头|天|年|月|公里|公斤|公尺|公升|斤|打))")
HALF = re.compile(r"一半|二分之一|\A\s*(?:半|(?:one |a )?half)[\s。.]*\Z", re.IGNORECASE)

SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
ENGLISH = {word: n for n, word in enumerate(SMALL)} | {word: 10 * n for n, word in enumerate(TENS, 2)}
LARGE = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
WORD = rf"(?:{'|'.join([*ENGLISH, *LARGE])})"
IN_ENGLISH = re.compile(rf"\b{WORD}(?:(?:[\s-]+|\s+and\s+){WORD})*\b", re.IGNORECASE)
PARTS = {"half": "1/2", "third": "1/3", "quarter": "1/4"}
PART = re.compile(r"\b(?P<count>[0-9]+)(?:\s+and\s+a|(?P<of>\s+))\s*(?P<part>half|third|quarter)s?\b", re.IGNORECASE)


def spelled_out(text: str) -> str:
    """The text with numbers in words as figures: all of them where it has no figures, else those that are sure."""
    bare = not any(character.isdigit() and character.isascii() for character in text)
    text = HALF.sub(" 50% ", text)
    text = TENTHS.sub(_tenths, text)
    text = OFF.sub(lambda match: f"{_off(match['left'])}%", text)
    text = HALF_MORE.sub(lambda match: f"{_value(match['whole']) + Decimal('0.5')}{match['of']}", text)
    text = HALF_OF.sub("0.5", text)
    if not bare:
        return text
    masked = NO_NUMBER.sub(lambda match: "·" * len(match[0]), text)
    text = HAN.sub(lambda match: _in_figures(match["run"], match["part"]), masked)
    text = IN_ENGLISH.sub(lambda match: str(_english(match[0])), text)
    return PART.sub(_part, text)


def _tenths(match: re.Match[str]) -> str:
    more = _value(match["more"]) if match["more"] else 5 if match["half"] else 0
    return f"{10 * _value(match['tenths']) + more}%"


def _off(written: str) -> Decimal:
    """85折 and 八五折 are 85 %, 8折 and 8.5折 tenths."""
    left = _value(written)
    return left if left > 10 else 10 * left


def _value(written: str) -> Decimal:
    return Decimal(written) if written.isascii() else Decimal(_in_figures(written, None))


def _in_figures(run: str, part: str | None) -> str:
    figures = [int(unicodedata.numeric(character)) for character in run]
    whole = "".join(map(str, figures)) if max(figures) < 10 else str(_with_units(figures))
    decimals = "".join(str(int(unicodedata.numeric(character))) for character in part or "")
    return f"{whole}.{decimals}" if decimals else whole


def _with_units(figures: list[int]) -> int:
    """三百二十 and 一億零五萬: small units count in their section, 萬 and 億 for the section before them.

    A digit right behind a unit counts a tenth of it: 三千五 is 3500, 三千零五 is not.
    """
    total = section = digit = largest = 0
    for figure in figures:
        if figure < 10:
            digit = figure
        elif figure < 10_000:
            section, digit = section + (digit or 1) * figure, 0
        elif figure > largest and total:
            total, section, digit, largest = (total + section + digit) * figure, 0, 0, figure
        else:
            total, section, digit, largest = total + ((section + digit) or 1) * figure, 0, 0, figure
    short = figures[-2] // 10 if len(figures) > 1 and figures[-2] >= 10 else 1
    return total + section + digit * short


def _english(written: str) -> int:
    total = section = 0
    for word in re.findall(r"[a-z]+", written.lower()):
        if word == "hundred":
            section = (section or 1) * LARGE[word]
        elif word in LARGE:
            total, section = total + (section or 1) * LARGE[word], 0
        elif word != "and":
            section += ENGLISH[word]
    return total + section


def _part(match: re.Match[str]) -> str:
    """Three quarters are parts; two and a half is a whole and a part."""
    part = PARTS[match["part"].lower()]
    return f"{match['count']}{part[1:]}" if match["of"] else f"{match['count']} {part}"
