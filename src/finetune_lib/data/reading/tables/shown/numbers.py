"""Numbers as a section of a format shows them: digits in their places, thousands, scales, percentages, fractions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache

from finetune_lib.data.reading.tables.shown.codes import CHINESE, Section, Sign, UntoldError

BLANKS = {"0": "0", "?": " ", "#": ""}
FRACTION = re.compile(r"(?:([#0?]+) +)?([#0?]+)/([#0?]+|[1-9]\d*)")
NUMERALS = {"1": "〇一二三四五六七八九", "2": "零壹貳參肆伍陸柒捌玖"}
TENS = {"1": "十百千", "2": "拾佰仟"}
TOGETHER = re.compile(r"[#,]*([0,]*)(\.0+)?")
UNIT = re.compile(r"[KMBT](?!\$)|mn|bn|thousand|[mb]illion|[千仟萬万億亿兆]", re.IGNORECASE)
LARGEST_COUNTED = 10_000
PRECISE = 700  # digits: no float has more before and behind its point


def number(section: Section, value: float) -> str:
    """What a section shows of a number.

    Raises:
        UntoldError: It cannot be told for sure.
    """
    sign, exact = "-" if value < 0 else "", abs(decimal(value))
    if section.has("general", "at"):
        return sign + _general(section, exact)
    if not section.has("digit"):
        if sign:
            raise UntoldError("programs differ in whether a minus stands before mere text")
        return "".join(sign.text for sign in section.signs)
    if section.has("slash"):
        return _fraction(section, exact, sign)
    with localcontext() as context:
        context.prec = PRECISE
        return _digits(section, exact, sign)


@lru_cache(maxsize=4096)
def scaled(section: Section) -> bool:
    """Whether a section shows thousands, millions … and no word or letter that says so."""
    if section.dated or not section.has("digit") or not section.has("comma"):
        return False
    unit = UNIT.search("".join(sign.text for sign in section.signs if sign.kind == "text"))
    return bool(_places(section).scaling) and not unit


def decimal(value: float) -> Decimal:
    """The number with the 15 digits that spreadsheets keep."""
    return Decimal(format(value, ".15g"))


def _general(section: Section, exact: Decimal) -> str:
    if section.has("digit", "point", "percent"):
        raise UntoldError("General beside digits")
    shown = _counted(section, exact) if section.numerals else f"{exact:f}"
    return "".join(shown if sign.kind in ("general", "at") else sign.text for sign in section.signs)


def _counted(section: Section, exact: Decimal) -> str:
    """A number in Chinese words, as 一百二十三; how a zero inside is written differs between versions."""
    digits, text = NUMERALS.get(section.numerals), f"{exact:f}"
    told = digits and section.language in CHINESE and exact < LARGEST_COUNTED and text.isdecimal() and "0" not in text
    if not digits or not told:
        raise UntoldError(text)
    tens = ["", *TENS[section.numerals]]
    return "".join(digits[int(digit)] + tens[len(text) - 1 - place] for place, digit in enumerate(text))


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the digits of a number go.

    Attributes:
        whole: The signs for digits before the point.
        part: Those behind it.
        point: The sign where the point is, or would be.
        scaling: The commas behind the digits, each of which divides by a thousand.
        grouped: Whether thousands are parted.
        power: By which power of ten the number is shown: up by percentages, down by scales.
    """

    whole: Sequence[int]
    part: Sequence[int]
    point: int
    scaling: frozenset[int]
    grouped: bool
    power: int


@lru_cache(maxsize=4096)
def _places(section: Section) -> _Places:
    """The places in a section with digits."""
    kinds = [sign.kind for sign in section.signs]
    digits, points, commas, powers = (
        [place for place, found in enumerate(kinds) if found == kind] for kind in ("digit", "point", "comma", "power")
    )
    point = (*points, *powers, digits[-1] + 1)[0]
    if len(points) > 1 or len(powers) > 1 or (powers and digits[-1] > powers[0]):
        raise UntoldError("two points")
    whole = [place for place in digits if place < point]
    last = whole[-1] if whole else -1
    scaling = {place for end in {last, last if powers else digits[-1]} for place in _run(commas, end + 1)}
    grouped = any(whole[0] < place < last for place in commas) if whole else False
    power = 2 * kinds.count("percent") - 3 * len(scaling)
    return _Places(whole, [place for place in digits if place > point], point, frozenset(scaling), grouped, power)


def _run(places: Sequence[int], start: int) -> Sequence[int]:
    """The places from `start` on without a gap."""
    return [place for place in places if place >= start and set(range(start, place)) <= set(places)]


@dataclass(frozen=True, slots=True)
class _DigitRun:
    """Digits that stand together, as in nearly every format: `#,##0.00"元"`.

    Attributes:
        before: What stands before them.
        behind: What stands behind them.
        zeros: The fewest digits before the point.
        form: How they are written: with or without thousands parted.
    """

    before: str
    behind: str
    zeros: int
    form: str

    def shown(self, amount: Decimal, sign: str) -> str:
        """What is shown of a number that is rounded to the digits of the section."""
        whole, point, part = format(amount, self.form).partition(".")
        whole = ("" if whole == "0" else whole).zfill(self.zeros)
        return f"{sign if amount else ''}{self.before}{whole}{point}{part}{self.behind}"


@lru_cache(maxsize=4096)
def _run_of(section: Section) -> _DigitRun | None:
    """How a section shows its digits, where they stand together; None where each needs a look."""
    places, signs = _places(section), section.signs
    if section.numerals or section.has("power") or not places.whole:
        return None
    first, last = places.whole[0], (places.part or places.whole)[-1]
    inside = signs[first : last + 1]
    match = TOGETHER.fullmatch("".join(sign.text for sign in inside))
    if not match or not {sign.kind for sign in inside} <= {"digit", "comma", "point"}:
        return None
    zeros = match[1].count("0")
    if places.grouped and zeros > 1:
        return None
    behind = (sign.text for place, sign in enumerate(signs) if place > last and place not in places.scaling)
    before = "".join(sign.text for sign in signs[:first])
    return _DigitRun(before, "".join(behind), zeros, ",f" if places.grouped else "f")


def _digits(section: Section, exact: Decimal, sign: str) -> str:
    """A number digit by digit, in as many places as the format has."""
    places = _places(section)
    amount = exact.scaleb(places.power)
    if run := _run_of(section):
        return run.shown(_rounded(amount, places), sign)
    amount, power = _powered(amount, places, section) if section.has("power") else (_rounded(amount, places), 0)
    whole, _, part = f"{amount:f}".partition(".")
    put = {**_before(whole.lstrip("0"), places, section.signs), **_behind(part.rstrip("0"), places, section.signs)}
    if not places.whole and section.signs[places.point].kind == "point":
        put[places.point] = whole.lstrip("0") + "."
    shown = "".join(_put(place, found, put, places, power) for place, found in enumerate(section.signs))
    return (sign if amount else "") + (_numerals(shown, section) if section.numerals else shown)


def _rounded(amount: Decimal, places: _Places) -> Decimal:
    """To the digits shown, halves away from zero."""
    return amount.quantize(Decimal(1).scaleb(-len(places.part)), ROUND_HALF_UP)


def _powered(amount: Decimal, places: _Places, section: Section) -> tuple[Decimal, int]:
    """The number before its power of ten; `##0.0E+0` has powers of a thousand."""
    width = max(1, len(places.whole))
    step = width if places.whole and section.signs[places.whole[0]].text != "0" else 1
    power = amount.adjusted() // step * step if step > 1 else amount.adjusted() - width + 1
    power = power if amount else 0
    rounded = _rounded(amount.scaleb(-power), places)
    if rounded >= 10**width:
        return _rounded(rounded.scaleb(-step), places), power + step
    return rounded, power


def _before(digits: str, places: _Places, signs: Sequence[Sign]) -> Mapping[int, str]:
    """The digits before the point from the right; the first place takes what is over."""
    put: dict[int, str] = {}
    count = max(len(digits), len(places.whole))
    for behind in range(count if places.whole else 0)[::-1]:
        place = places.whole[max(0, len(places.whole) - 1 - behind)]
        character = digits[-1 - behind] if behind < len(digits) else BLANKS[signs[place].text]
        parted = places.grouped and behind and behind % 3 == 0 and character.strip()
        put[place] = put.get(place, "") + character + ("," if parted else "")
    return put


def _behind(digits: str, places: _Places, signs: Sequence[Sign]) -> Mapping[int, str]:
    return {
        place: digits[count] if count < len(digits) else BLANKS[signs[place].text]
        for count, place in enumerate(places.part)
    }


def _put(place: int, sign: Sign, put: Mapping[int, str], places: _Places, power: int) -> str:
    """What stands at a place of the format."""
    if place in put:
        return put[place]
    if sign.kind == "power":
        plus = "+" if sign.text[1] == "+" else ""
        return "E" + ("-" if power < 0 else plus) + str(abs(power)).zfill(len(sign.text) - 2)
    among = bool(places.whole) and places.whole[0] < place < places.whole[-1]
    return "" if sign.kind == "comma" and (among or place in places.scaling) else sign.text


def _numerals(shown: str, section: Section) -> str:
    """The digits in Chinese; the zero of `[DBNum1]` is a circle in some versions and a character in others."""
    digits = NUMERALS.get(section.numerals)
    if digits is None or section.language not in CHINESE | {0} or (section.numerals == "1" and "0" in shown):
        raise UntoldError(shown)
    return "".join(digits[int(letter)] if letter in "0123456789" else letter for letter in shown)


def _fraction(section: Section, exact: Decimal, sign: str) -> str:
    """A number with its part as a fraction: `# ?/?`, or with the denominator given: `# ?/8`."""
    match = FRACTION.fullmatch("".join(found.text for found in section.signs))
    if not match or (match[1] or "").replace("#", "") not in ("", "0") or section.numerals:
        raise UntoldError("a fraction with more around it")
    lead, top_form, below = match.groups()
    value = Fraction(exact)
    whole = int(value) if lead else 0
    near = _nearest(value - whole, below)
    if lead and near[0] == near[1]:
        whole, near = whole + 1, (0, near[1])
    if lead and not near[0]:
        return f"{sign if whole else ''}{whole}" + " " * (2 + len(top_form) + len(below))
    start = f"{whole or ('0' if '0' in lead else '')} " if lead else ""
    return (
        f"{sign if whole or near[0] else ''}{start}{str(near[0]).rjust(len(top_form))}/{str(near[1]).ljust(len(below))}"
    )


def _nearest(rest: Fraction, below: str) -> tuple[int, int]:
    """The numerator and denominator for a part."""
    if below.isdecimal() and below.strip("0"):
        return round(rest * int(below)), int(below)
    near = rest.limit_denominator(10 ** len(below) - 1)
    return near.numerator, near.denominator
