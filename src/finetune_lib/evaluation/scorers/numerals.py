"""Numbers as people write them in Chinese and English texts."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import NamedTuple

PRECISION = 100  # digits; the usual 28 are too few for long identifiers
MARKED = re.compile(r"####|\\boxed\s*\{")
SUPERSCRIPT = re.compile("[⁰¹²³⁴-⁹⁺⁻]+")
PERCENT = re.compile("百分之(?=[-+.0-9])")
LATEX_FRACTION = re.compile(r"\\[dt]?frac\s*\{(-?[0-9.]+)\}\s*\{([0-9.]+)\}")
DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+"
HAN_DIGITS = "零〇一二兩两三四五六七八九壹貳贰參叁肆伍陸陆柒捌玖"
HAN_UNITS = "十百千拾佰仟萬万億亿兆"
BEHIND_NUMBER = rf"[A-Za-z0-9_)\]{HAN_DIGITS}{HAN_UNITS}]"
# Between numbers and spaces, as in 5 - 3, a minus is no sign.
SIGN = (
    rf"(?P<minus>(?<!{BEHIND_NUMBER})-(?:(?!\s)|(?<![0-9]\s-)\s)"
    r"|(?:[負负]|零下|(?<![0-9]\s)\b(?:minus|negative)\b)\s?)?"
)
NUMBER = re.compile(
    r"(?<![A-Za-z_0-9.^])(?<![0-9]/)"  # no part of a name, of another number or of a date
    rf"{SIGN}[$€£¥]?"
    rf"(?:(?P<whole>[0-9]+)\s(?=[0-9]+\s?/\s?[0-9]))?(?P<number>{DIGITS})"
    r"(?:\^(?P<raised>-?[0-9]{1,3}))?"
    r"(?:(?:[eE]|\s?[×xX*·]\s?10\s?(?:\^|\*\*)\s?\{?)(?P<power>[+-]?[0-9]{1,4})(?![0-9])\}?)?"
    r"(?:\s?/\s?(?P<under>[0-9]+(?:\.[0-9]+)?)(?![/0-9]))?"
    r"\s?(?P<scale>[十百千萬万億亿兆]+(?![克米瓦卡帕赫伏])|(?:thousand|million|billion|trillion)\b)?"
    r"\s?(?P<percent>%|per\s?cent\b)?",
    re.IGNORECASE,
)
WORDS = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
HAN = re.compile(rf"{SIGN}(?P<run>[{HAN_DIGITS}{HAN_UNITS}]+)(?:[點点](?P<part>[{HAN_DIGITS}]+))?", re.IGNORECASE)
# In words these are more often no numbers, unless a number goes on in them: 一定, 十分, 萬一, 千萬.
NO_NUMBER = re.compile(
    rf"(?<![{HAN_DIGITS}{HAN_UNITS}點点])"
    rf"(?:一[^{HAN_DIGITS}{HAN_UNITS}點点分個个]|十分(?!之)|[萬万]一|千[萬万](?=[別别不要]))"
)
# Several lines that begin with "- " are a list.
ITEM = re.compile(r"^[ \t]*-\s", re.MULTILINE)


class Number(NamedTuple):
    """A number of a text.

    Attributes:
        value: Its value; of a percentage its number, 50 of 50%.
        percent: Whether it is one.
    """

    value: Decimal
    percent: bool = False


class Found(NamedTuple):
    """A number with its place, and the power of ten that a Chinese unit behind it stands for."""

    start: int
    end: int
    value: Decimal
    percent: bool = False
    unit: int = 0


def answered(text: str) -> Number | None:
    r"""The number that a text comes to: the one marked by `####` or `\boxed{}`, else the last one.

    Read are 1,234.5 and １２３４, -5, 負5 and 零下5, 3.5萬, 2億5000萬 and 1萬2, 2.5 million, 25% and 百分之25, 3/4
    and 1½, 1.2e6 and 1.2×10⁶; where there are no digits at all, 三百二十, 三千五 and 四分之三 too. A comma parts
    thousands, a point decimals.
    """
    marks = list(MARKED.finditer(text))
    marked = numbers(text[marks[-1].end() :])[:1] if marks else []
    return (marked or numbers(text)[-1:] or [None])[0]


def numbers(text: str) -> list[Number]:
    """All numbers of a text, in its order."""
    read = _readable(text)
    with localcontext(prec=PRECISION):
        found = [number for match in NUMBER.finditer(read) if (number := _number(match))] or _han(read)
        return [Number(number.value, number.percent) for number in _fractions(read, _sums(read, found))]


def _readable(text: str) -> str:
    """NFKC would make 10² to 102 and 1½ to 11/2: they are spelled out before."""
    text = SUPERSCRIPT.sub(lambda match: "^" + unicodedata.normalize("NFKC", match[0]), text)
    text = "".join(_spelled(c) if "¼" <= c <= "↉" else c for c in LATEX_FRACTION.sub(r" \1/\2", text))
    text = PERCENT.sub("100分之", unicodedata.normalize("NFKC", text).replace("\u2212", "-"))
    return ITEM.sub(" ", text) if len(ITEM.findall(text)) > 1 else text


def _spelled(character: str) -> str:
    if unicodedata.decomposition(character).startswith("<fraction>"):
        return " " + unicodedata.normalize("NFKC", character).replace("\u2044", "/")
    return character


def _number(match: re.Match[str]) -> Found | None:
    value = Decimal(match["number"].replace(",", "")).scaleb(int(match["power"] or 0))
    scale = _scale(match["scale"])
    try:
        value = value ** int(match["raised"] or 1) / Decimal(match["under"] or 1)
    except ArithmeticError:
        return None
    value = (value + int(match["whole"] or 0)) * scale * (-1 if match["minus"] else 1)
    return Found(match.start(), match.end(), value, bool(match["percent"]), scale if scale > 1 else 0)


def _scale(written: str | None) -> int:
    """The product of the units: 百萬 is a million."""
    if not written:
        return 1
    if word := WORDS.get(written.lower()):
        return word
    product = 1
    for character in written:
        product *= int(unicodedata.numeric(character))
    return product


def _sums(text: str, found: list[Found]) -> list[Found]:
    """2億5000萬 is one number, and so is 1萬2."""
    joined = found[:1]
    for number in found[1:]:
        last = joined[-1]
        if last.end == number.start and last.unit > abs(number.value):
            more = number.value * _short_for(text[last.end - 1], text[number.start : number.end])
            total = last.value + more.copy_sign(last.value)
            joined[-1] = Found(last.start, number.end, total, number.percent, number.unit or 1)
        else:
            joined.append(number)
    return joined


def _short_for(unit: str, digits: str) -> int:
    """What one digit right behind a unit counts: 2 thousand in 1萬2, but 5 in 1十5 and 12 in 1萬12."""
    return (int(unicodedata.numeric(unit, 0)) // 10 if len(digits) == 1 else 0) or 1


def _fractions(text: str, found: list[Found]) -> list[Found]:
    """4分之3 is three quarters, 100分之50 is 50%."""
    upper = {
        over.start for under, over in pairwise(found) if under.value and text[under.end : over.start].strip() == "分之"
    }
    kept = [number for number, after in pairwise([*found, None]) if number and not (after and after.start in upper)]
    unders = {over.start: under.value for under, over in pairwise(found) if over.start in upper}
    return [_divided(number, unders.get(number.start)) for number in kept]


def _divided(number: Found, under: Decimal | None) -> Found:
    if under is None:
        return number
    if abs(under) == 100:
        return number._replace(value=number.value.copy_sign(number.value * under), percent=True)
    return number._replace(value=number.value / under)


def _han(text: str) -> list[Found]:
    """Numbers in Chinese characters; 一 alone is in too many words to be one."""
    masked = NO_NUMBER.sub(lambda match: "·" * len(match[0]), text)
    return [
        Found(match.start(), match.end(), _han_value(match["run"], match["part"]) * (-1 if match["minus"] else 1))
        for match in HAN.finditer(masked)
    ]


def _han_value(run: str, part: str | None) -> Decimal:
    figures = [int(unicodedata.numeric(character)) for character in run]
    whole = int("".join(map(str, figures))) if max(figures) < 10 else _with_units(figures)
    decimals = "".join(str(int(unicodedata.numeric(character))) for character in part or "")
    return Decimal(f"{whole}.{decimals or 0}")


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
