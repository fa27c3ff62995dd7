"""Numbers as people write them in Chinese and English texts."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import NamedTuple

from finetune_lib.evaluation.scorers.spelled import HAN_DIGITS, HAN_UNITS, spelled_out

PRECISION = 100  # digits; the usual 28 are too few for long identifiers
NOT_FIGURES = re.compile("[^0-9]")
SUPERSCRIPT = re.compile("[⁰¹²³⁴-⁹⁺⁻]+")
PERCENT = re.compile("百分之(?=[-+.0-9])")
LATEX_FRACTION = re.compile(r"\\[dt]?frac\s*(?:\{(-?[0-9.]+)\}\s*\{([0-9.]+)\}|([0-9])([0-9]))")
# What LaTeX puts around and between figures; a thin space parts thousands.
LATEX = [
    (re.compile(r"\$\$"), " "),
    (re.compile(r"(?<![A-Za-z0-9])\$(?=\S)([^$\n]*[^$\s])\$(?![0-9])"), r"\1"),
    (re.compile(r"\\(?:text|textbf|mathrm|mathbf|operatorname)\s*\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\[,;:! ]"), " "),
    (re.compile(r"\\([$%])"), r"\1"),
    (re.compile(r"\^\s*(?:\\circ|\{\s*\\circ\s*\})"), "°"),
    (re.compile(r"\\(?:times|cdot)\b"), "×"),
]
# 1,234.5 and 12,34,567; 1.234,56 and 1.234.567; 1 234,56 and 1'234.56; 1234.5; .5
DIGITS = (
    r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+(?![0-9,])|[0-9]{1,3}(?:\.[0-9]{3}){2,}(?![0-9.])"
    r"|[0-9]{1,3}(?: [0-9]{3})+(?:[.,][0-9]+)?(?![-0-9])(?! [0-9])|[0-9]{1,3}(?:['’][0-9]{3})+(?:\.[0-9]+)?(?![0-9])"
    r"|(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?![0-9])|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+"
)
BEHIND_NUMBER = rf"[A-Za-z0-9_)\]{HAN_DIGITS}{HAN_UNITS}]"
# Between numbers and spaces, as in 5 - 3, a minus is no sign.
SIGN = (
    rf"(?P<minus>(?<!{BEHIND_NUMBER})-(?:(?!\s)|(?<![0-9]\s-)\s)"
    r"|(?:[負负]|零下|(?<![0-9]\s)\b(?:minus|negative)\b)\s?)?"
)
NUMBER = re.compile(
    r"(?<![A-Za-z_0-9.^])(?<![0-9]/)"  # no part of a name, of another number or of a date
    rf"{SIGN}(?P<currency>[$€£¥])?"
    rf"(?:(?P<whole>[0-9]+)\s(?=[0-9]+\s?/\s?[0-9]))?(?P<number>{DIGITS})"
    r"(?:\^\{?(?P<raised>-?[0-9]{1,3})(?![0-9])\}?)?"
    r"(?:(?:[eE]|\s?[×xX*·]\s?10\s?(?:\^|\*\*)\s?\{?)(?P<power>[+-]?[0-9]{1,4})(?![0-9])\}?)?"
    r"(?:\s?/\s?(?P<under>[0-9]+(?:\.[0-9]+)?)(?![/0-9]))?"
    r"(?P<scale>\s?[十百千萬万億亿兆]+(?![克米瓦卡帕赫伏])|\s?(?:hundred|thousand|million|billion|trillion)\b"
    r"|(?:k|(?-i:M)|mn|bn)(?![A-Za-z0-9])|(?(currency)m(?![A-Za-z0-9])|(?!)))?"
    r"\s?(?P<percent>%|per\s?cent\b|‰)?",
    re.IGNORECASE,
)
WORDS = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
SHORT = {"k": 10**3, "m": 10**6, "mn": 10**6, "bn": 10**9}
# Several lines that begin with "- " are a list.
ITEM = re.compile(r"^[ \t]*-\s", re.MULTILINE)


class Found(NamedTuple):
    """A number with its place.

    Attributes:
        start: Where it begins, its sign included.
        end: Where it ends, a percent sign included.
        value: Its value; of a percentage its number, 50 of 50%.
        percent: Whether it is one.
        unit: The power of ten that a Chinese unit behind it stands for.
    """

    start: int
    end: int
    value: Decimal
    percent: bool = False
    unit: int = 0


def numbers(text: str) -> list[Found]:
    """All numbers of a text that `readable` made so, in its order.

    Read are 1,234.5, 1.234,56, 1 234 and 12,34,567, -5, 負5 and 零下5, 35k, 3.5萬, 2億5000萬 and 1萬2, 2.5 million,
    25% and 100分之25, 3/4 and 1 1/2, 1.2e6, 1.2×10^6 and 2^10.
    """
    with localcontext(prec=PRECISION):
        found = [number for match in NUMBER.finditer(text) if (number := _number(match))]
        return _fractions(text, _sums(text, found))


def readable(text: str) -> str:
    """A text in the one writing that `numbers` reads: full-width and LaTeX forms made plain, words made figures.

    NFKC would make 10² to 102 and 1½ to 11/2: they are spelled out before. Numbers in words, Chinese or English, count
    only where there are no figures, but for 七成, 八折 and 兩個半, which are nothing else.
    """
    text = SUPERSCRIPT.sub(lambda match: "^" + unicodedata.normalize("NFKC", match[0]), text)
    for pattern, instead in LATEX:
        text = pattern.sub(instead, text)
    text = LATEX_FRACTION.sub(lambda match: f" {match[1] or match[3]}/{match[2] or match[4]}", text)
    text = "".join(_spelled(c) if "¼" <= c <= "↉" else c for c in text)
    text = unicodedata.normalize("NFKC", text).replace("\u2212", "-").replace("\u2044", "/")
    text = spelled_out(text)
    text = PERCENT.sub("100分之", text)
    return ITEM.sub(" ", text) if len(ITEM.findall(text)) > 1 else text


def _spelled(character: str) -> str:
    if unicodedata.decomposition(character).startswith("<fraction>"):
        return " " + unicodedata.normalize("NFKC", character).replace("\u2044", "/")
    return character


def _number(match: re.Match[str]) -> Found | None:
    value = _figures(match["number"]).scaleb(int(match["power"] or 0))
    scale = _scale(match["scale"])
    try:
        value = value ** int(match["raised"] or 1) / Decimal(match["under"] or 1)
    except ArithmeticError:
        return None
    value = (value + int(match["whole"] or 0)) * scale * (-1 if match["minus"] else 1)
    value = value / 10 if match["percent"] == "‰" else value
    han = scale if scale > 1 and not match["scale"].strip().isascii() else 0
    return Found(match.start(), match.end(), value, bool(match["percent"]), han)


def _figures(written: str) -> Decimal:
    """The last of both marks parts the decimals where there are two, and a comma behind thousands in spaces."""
    last = max(written, key=lambda mark: (mark in ",.", written.rfind(mark)))
    thousands = written.count(last) > 1 or (last == "," and not set(written) & set(". "))
    if last in ",." and not thousands:
        whole, _, part = written.rpartition(last)
        return Decimal(f"{NOT_FIGURES.sub('', whole)}.{part}")
    return Decimal(NOT_FIGURES.sub("", written))


def _scale(written: str | None) -> int:
    """The product of the units: 百萬 is a million."""
    if not written:
        return 1
    written = written.strip()
    if word := WORDS.get(written.lower()) or SHORT.get(written.lower()):
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
