"""Dates and times as a section of a format shows them, with the words of the language that it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from finetune_lib.data.reading.tables.shown.codes import CHINA, CHINESE, TAIWAN, Section, Sign, UntoldError

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
CHINESE_DAYS = "一二三四五六日"
FIRST_SURE_DAY = 61  # Excel counts a 29 February 1900, other programs do not
LAST_DAY = 2_958_465  # 9999-12-31
DAYS_TO_1904 = 1462
DAY = 86_400
REPUBLIC = 1911  # the year 0 of Taiwan's calendar
EPOCH = datetime(1899, 12, 30)


def moment(value: float, *, date1904: bool = False) -> datetime:
    """The date that a number stands for, to the second.

    Raises:
        UntoldError: It lies before March 1900, where programs differ, or behind the last day.
    """
    days = value + DAYS_TO_1904 * date1904
    if not FIRST_SURE_DAY <= days <= LAST_DAY + 1:
        raise UntoldError(str(value))
    return EPOCH + timedelta(seconds=round(days * DAY))


def days(found: datetime, *, date1904: bool = False) -> float:
    """The number that stands for a date."""
    return (found.replace(tzinfo=None) - EPOCH) / timedelta(days=1) - DAYS_TO_1904 * date1904


def date(section: Section, value: float, *, date1904: bool) -> str:
    """What a section shows of a date or time.

    Raises:
        UntoldError: It cannot be told for sure.
    """
    unsure = section.has("general", "at", "percent", "power") or section.numerals
    if unsure or not 0 <= value + DAYS_TO_1904 * date1904 < LAST_DAY + 1:
        raise UntoldError(str(value))
    fraction = _fraction_digits(section)
    ticks = int((Decimal(value) * DAY * 10 ** len(fraction)).quantize(Decimal(1), ROUND_HALF_UP))
    seconds, rest = divmod(ticks, 10 ** len(fraction))
    clock = _Clock(section, seconds, date1904)
    text = str(rest).zfill(len(fraction))
    shown = dict(zip(fraction, text, strict=True)) if fraction else {}
    return "".join(shown.get(place) or clock.shown(place, sign) for place, sign in enumerate(section.signs))


@lru_cache(maxsize=4096)
def _fraction_digits(section: Section) -> Sequence[int]:
    """The places of the digits behind a point: of seconds; other digits do not belong into a date."""
    digits = [place for place, sign in enumerate(section.signs) if sign.kind == "digit"]
    for place in digits:
        before = section.signs[place - 1].kind if place else ""
        if section.signs[place].text != "0" or before not in ("point", "digit"):
            raise UntoldError("digits in a date")
    return digits


@lru_cache(maxsize=4096)
def _minutes(section: Section) -> frozenset[int]:
    """The places of `m` that are minutes, behind hours and before seconds; others are months."""
    parts = [place for place, sign in enumerate(section.signs) if sign.kind in ("date", "elapsed")]
    letters = [section.signs[place].text[0].lower() for place in parts]
    around = zip(parts, ["", *letters], [*letters[1:], ""], strict=False)
    return frozenset(place for place, before, after in around if before == "h" or after == "s")


@dataclass(frozen=True, slots=True)
class _Clock:
    """A moment, and the section that shows it."""

    section: Section
    seconds: int
    date1904: bool

    @property
    def day(self) -> datetime:
        """The day, where one is shown at all."""
        return moment(self.seconds // DAY, date1904=self.date1904)

    def shown(self, place: int, sign: Sign) -> str:
        """What stands for one sign."""
        hour = self.seconds % DAY // 3600
        match sign.kind:
            case "date":
                return self._part(sign.text[0].lower(), len(sign.text), place)
            case "elapsed":
                unit = {"h": 3600, "m": 60, "s": 1}[sign.text[0].lower()]
                return str(self.seconds // unit).zfill(len(sign.text))
            case "half" if self.section.language in CHINESE or sign.text == "上午/下午":
                return ("上午", "下午")[hour >= 12]
            case "half":
                return ("AM", "PM")[hour >= 12][: 2 if len(sign.text) > 3 else 1]
            case _:
                return sign.text

    def _part(self, letter: str, width: int, place: int) -> str:
        clock = self.seconds % DAY
        match letter:
            case "h":
                hour = clock // 3600
                return str((hour % 12 or 12) if self.section.has("half") else hour).zfill(min(width, 2))
            case "m" if place in _minutes(self.section):
                return str(clock // 60 % 60).zfill(min(width, 2))
            case "s":
                return str(clock % 60).zfill(min(width, 2))
            case "m":
                return self._month(width)
            case "d" if width <= 2:
                return str(self.day.day).zfill(width)
            case "d" | "a":
                return self._weekday(letter, width)
            case _:
                return self._year(letter, width)

    def _month(self, width: int) -> str:
        month = self.day.month
        if width <= 2:
            return str(month).zfill(width)
        if self.section.language in CHINESE:
            raise UntoldError("the months of Chinese formats")
        name = MONTHS[month - 1]
        return {3: name[:3], 5: name[0]}.get(width, name)

    def _weekday(self, letter: str, width: int) -> str:
        """The day of the week; `aaa` without a language is in the one of whoever looks."""
        number, language = self.day.weekday(), self.section.language
        if language in (TAIWAN, CHINA):
            short = "週" if language == TAIWAN else "周" if letter == "d" else ""
            return (short if width == 3 else "星期") + CHINESE_DAYS[number]
        if letter == "a" or language in CHINESE:
            raise UntoldError("weekdays in the viewer's own language")
        return DAYS[number][: 3 if width == 3 else None]

    def _year(self, letter: str, width: int) -> str:
        year, taiwanese = self.day.year, self.section.language == TAIWAN
        match letter:
            case "y":
                return f"{year % 100:02}" if width <= 2 else str(year)
            case "b":
                return f"{(year + 543) % 100:02}" if width <= 2 else str(year + 543)
            case "e" if taiwanese and year > REPUBLIC:
                return str(year - REPUBLIC).zfill(width if width > 1 else 1)
            case "g" if taiwanese and year > REPUBLIC:
                return "中華民國" if width >= 3 else "民國"
            case _:
                raise UntoldError("years of an era, which follow the viewer's own language")
