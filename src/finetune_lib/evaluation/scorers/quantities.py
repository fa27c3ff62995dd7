"""Which quantity an answer comes to: a number with its unit, a date, or a time of day; pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from finetune_lib.evaluation.scorers.moments import Moment, loosely, moments
from finetune_lib.evaluation.scorers.negation import negated
from finetune_lib.evaluation.scorers.numerals import PRECISION, numbers, readable
from finetune_lib.evaluation.scorers.units import (
    Unit,
    comparable,
    converted,
    named_before,
    unit_before,
    unit_behind,
)

STRICT = re.compile(r"####|\\boxed\s*\{")
# Only where the answer is told in so many words: behind "total" or 結果 there are steps on the way, too.
TOLD = re.compile(
    r"(?:\b(?:answer|solution)(?:\s+to\s+[^.:\n]{1,80}?)?[*_]*\s*(?:(?:is|would\s+be|should\s+be)\b\s*:?|[:=])"
    r"|(?:答案|解答)(?:應該|应该)?[*_]*\s*(?:[:=]|[是為为]|[應应][為为])|(?:^|\n)[*_\s]*答[*_]*\s*[:])[*_\s]*",
    re.IGNORECASE,
)
CLAUSE = re.compile(
    r"[,，](?![0-9])|[。；;\n]|\.(?![0-9])|\b(?:because|since|as)\b|[因由][為为於于]|(?<=[0-9])\s+(?:out\s+)?of\b",
    re.IGNORECASE,
)
BOLD = re.compile(r"\*\*(.+?)\*\*|__(.+?)__")
EQUATION = re.compile(r"[0-9)][0-9\s+\-*/×÷x^().,%$]*=\s*(?=[-$€£¥0-9.])")
IN_BRACKETS = re.compile(r"[(][^()]*[)]")
# What is no part of the answer: marks of sources, addresses.
ASIDE = re.compile(r"\[[0-9]+(?:\s*[-,–]\s*[0-9]+)*\]|【[0-9]+[^】]*】|https?://\S+")
BETWEEN = re.compile(r"\s*(?:and|又|,)?\s*", re.IGNORECASE)
ROC_YEAR = re.compile(r"(?:民國|民国)\s?([0-9]{1,4})(?=\s?年)")
ROC = 1911
LONGEST_REST = 4  # characters beside a quantity in bold: 約, 個人
WRITTEN = 8  # characters behind a number in which more of a date or time may stand


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a text, with its unit.

    Attributes:
        start: Where it begins in the text as it was read.
        end: Where it ends, its unit included.
        value: Its value; of a percentage its number, 50 of 50%.
        percent: Whether it is one.
        unit: Its unit, where the text has one that is known.
        written: What stands there, and a little more.
    """

    start: int
    end: int
    value: Decimal
    percent: bool = False
    unit: Unit | None = None
    written: str = ""

    def __str__(self) -> str:
        unit = f" {self.unit.name}" if self.unit else ""
        return f"{float(self.value):.12g}{'%' if self.percent else ''}{unit}"

    def in_units_of(self, other: Quantity) -> list[Decimal]:
        """Its value in the unit of another one, or the values where the units can mean two things; else none."""
        with localcontext(prec=PRECISION):
            return converted(self.value, self.unit, other.unit) if comparable(self.unit, other.unit) else []


Value = Quantity | Moment


def quantities(text: str) -> list[Value]:
    """All numbers, dates and times of a text, in its order."""
    return _read(_plain(text))


def answered(text: str, *, cut: bool = False) -> Value | None:
    r"""The quantity that an answer comes to.

    That behind `####` or in `\boxed{}`; else behind "the answer is" or 「答案是」; else the one in bold; else the last
    one that is not denied, those in brackets aside.

    Args:
        text: The answer.
        cut: Whether the answer was cut off: only a marked quantity counts then, and none that the cut touches.
    """
    plain = _plain(text)
    found = _read(plain)
    marked = _marked(plain, found)
    if cut:
        whole = marked is not None and plain[marked.end :].strip(" *_})")
        return marked if whole else None
    return marked or _last(plain, found)


def expected_in(text: str) -> list[Value]:
    """What a case may expect: one quantity, or several that differ, of which nobody knows which one counts."""
    plain = _plain(text)
    values = _read(plain)
    if marked := _marked(plain, values):
        return [marked]
    if equations := list(EQUATION.finditer(plain)):
        return [value for value in values if value.start >= equations[-1].end()][:1]
    found: list[Value] = []
    for value in values:
        if not any(same(value, other) for other in found):
            found.append(value)
    return found


def same(given: Value, expected: Value) -> bool:
    """Whether two values are equal, whatever their units are."""
    if isinstance(given, Quantity) and isinstance(expected, Quantity):
        return given.percent == expected.percent and expected.value in given.in_units_of(expected)
    return given == expected


def as_moment(value: Value) -> Moment | None:
    """The date or time that a value is, or may be where one is expected: 5/6, 三點."""
    return value if isinstance(value, Moment) else loosely(value.written)


def _plain(text: str) -> str:
    read = readable(ASIDE.sub(" ", text))
    read = ROC_YEAR.sub(lambda match: str(int(match[1]) + ROC), read) if "月" not in read else read
    return read if any(map(str.isdigit, read)) else readable(text)


def _read(plain: str) -> list[Value]:
    """All that stands in a text; what is read as a date or time is no number as well."""
    dates: list[Value] = [*moments(plain)]
    masked = plain
    for date in dates:
        masked = masked[: date.start] + "·" * (date.end - date.start) + masked[date.end :]
    found = [_quantity(masked, number.start, number.end, number.value, number.percent) for number in numbers(masked)]
    return sorted([*dates, *_sums(masked, found)], key=lambda value: value.start)


def _quantity(text: str, start: int, end: int, value: Decimal, percent: bool) -> Quantity:
    behind = None if percent else unit_behind(text, end)
    before = unit_before(text, start + 1 if text[start] in "$€£¥" else start)
    unit, until = behind or (before, end)
    if behind and before and unit and unit.kind == "money":
        unit = before
    named = named_before(text, start, unit)
    return Quantity(start, until, value, percent, named, text[start : end + WRITTEN])


def _sums(text: str, found: Sequence[Quantity]) -> list[Quantity]:
    """1 小時 30 分鐘 and 5 ft 3 in are one quantity."""
    joined: list[Quantity] = list(found[:1])
    for more in found[1:]:
        last = joined[-1]
        smaller = last.unit and more.unit and last.unit.kind == more.unit.kind and last.unit.factors > more.unit.factors
        if smaller and BETWEEN.fullmatch(text, last.end, more.start) and not last.value % 1:
            with localcontext(prec=PRECISION):
                total = converted(last.value, last.unit, more.unit)[0] + more.value
            joined[-1] = replace(more, start=last.start, value=total)
        else:
            joined.append(more)
    return joined


def _marked(plain: str, found: Sequence[Value]) -> Value | None:
    if strict := list(STRICT.finditer(plain)):
        return next((value for value in found if value.start >= strict[-1].end()), None)
    for told in reversed(list(TOLD.finditer(plain))):
        clause = CLAUSE.search(plain, told.end())
        if said := _affirmed(plain, _between(found, told.end(), clause.start() if clause else len(plain))):
            return _outside(plain, said)[-1]
    return _bold(plain, found)


def _bold(plain: str, found: Sequence[Value]) -> Value | None:
    """What stands in bold, where that is one quantity."""
    bold: list[Value] = []
    for match in BOLD.finditer(plain):
        inner = _affirmed(plain, _between(found, match.start(), match.end()))
        rest = "".join(match.groups(default=""))
        if len(inner) == 1 and len(rest.strip()) <= inner[0].end - inner[0].start + LONGEST_REST:
            bold += inner
    return bold[-1] if bold and all(same(value, bold[0]) for value in bold) else None


def _between(found: Sequence[Value], start: int, end: int) -> Sequence[Value]:
    """Those that begin between two places."""
    return found[bisect_left(found, start, key=_start) : bisect_left(found, end, key=_start)]


def _start(value: Value) -> int:
    return value.start


def _last(plain: str, found: Sequence[Value]) -> Value | None:
    said = _affirmed(plain, found)
    return _outside(plain, said)[-1] if said else None


def _affirmed(plain: str, found: Sequence[Value]) -> list[Value]:
    return [value for value in found if not negated(plain, value.start)]


def _outside(plain: str, found: Sequence[Value]) -> Sequence[Value]:
    """Those outside of brackets, where there are any."""
    spans = [match.span() for match in IN_BRACKETS.finditer(plain)]
    outside = [value for value in found if not any(start < value.start < end for start, end in spans)]
    return outside or found
