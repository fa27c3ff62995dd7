"""Dates and times of day as people write them in Chinese and English texts; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTH = (
    r"(?P<name>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
DAY = r"(?P<day>[0-3]?[0-9])"
ROC = 1911  # years of the Republic of China begin after it
DATES = [
    re.compile(
        r"(?<![0-9])(?P<roc>民國|民国)?\s?(?P<year>[0-9]{2,4})\s?年\s?(?P<month>[01]?[0-9])\s?月(?:\s?"
        + DAY
        + r"\s?[日號号])?"
    ),
    re.compile(rf"(?<![0-9年])(?P<month>[01]?[0-9])\s?月\s?{DAY}\s?[日號号]"),
    re.compile(rf"(?<![-0-9./])(?P<year>[12][0-9]{{3}})([-/.])(?P<month>[01]?[0-9])\2{DAY}(?![-/]?[0-9])"),
    re.compile(r"(?<![-0-9./])(?P<month>[0-3]?[0-9])([-/.])(?P<day>[0-3]?[0-9])\2(?P<year>[12][0-9]{3})(?![0-9])"),
    re.compile(rf"\b{MONTH}\s{DAY}(?:st|nd|rd|th)?\b(?:,?\s(?P<year>[12][0-9]{{3}}))?"),
    re.compile(rf"\b{DAY}(?:st|nd|rd|th)?\s(?:of\s)?{MONTH}(?:,?\s(?P<year>[12][0-9]{{3}}))?"),
    re.compile(rf"\b{MONTH},?\s(?P<year>[12][0-9]{{3}})\b"),
]
MORNING, LATER = "上午|早上|早晨|清晨|凌晨", "下午|晚上|晚間|晚间|傍晚|中午"
HALF = rf"(?P<half>{MORNING}|{LATER})"
HOUR = r"(?<![0-9.:])(?P<hour>[0-2]?[0-9])"
LETTERS = r"(?P<letters>[ap])\.?m\b\.?"
TIMES = [
    re.compile(
        rf"(?:{HALF}\s?)?{HOUR}:(?P<minute>[0-5][0-9])(?::[0-5][0-9])?(?![0-9:])(?:\s?{LETTERS})?", re.IGNORECASE
    ),
    re.compile(rf"(?:{HALF}\s?)?{HOUR}\s?[點点時时]\s?(?:(?P<minute>[0-5]?[0-9])\s?分(?!之)|(?P<past>半))"),
    re.compile(rf"{HALF}\s?{HOUR}\s?[點点時时](?:\s?(?P<minute>[0-5][0-9])(?![0-9]))?"),
    re.compile(rf"{HOUR}\s?[點点](?P<minute>[0-5][0-9])(?![0-9])"),
    re.compile(rf"{HOUR}\s?{LETTERS}", re.IGNORECASE),
]
# Dates and times only where one is expected: else they are as well a fraction, and three points.
LOOSE_DATE = re.compile(r"(?P<month>[01]?[0-9])\s?/\s?(?P<day>[0-3]?[0-9])")
LOOSE_TIME = re.compile(rf"{HOUR}\s?[點点時时]|{HOUR.replace('hour', 'clock')}\s?o['’]clock")
BETWEEN = re.compile(r"T|\s?(?:的|at|on|,|，)?\s?", re.IGNORECASE)
HALF_DAY = 12


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, a time of day, or both.

    Attributes:
        start: Where it begins in its text.
        end: Where it ends.
        days: Year, month and day; several where its form can be read in two ways; 0 is not said.
        hour: From 0; None without a time of day.
        minute: From 0.
        clock: Whether the hour may be of either half of the day.
    """

    start: int
    end: int
    days: frozenset[tuple[int, int, int]] = frozenset()
    hour: int | None = None
    minute: int = 0
    clock: bool = False

    def __str__(self) -> str:
        year, month, day = min(self.days, default=(0, 0, 0))
        said = [f"{year:04}" * bool(year), f"{month:02}" * bool(month), f"{day:02}" * bool(day)]
        date = "-".join(filter(None, said))
        return " ".join(filter(None, [date, "" if self.hour is None else f"{self.hour:02}:{self.minute:02}"]))

    def fits(self, expected: Moment) -> bool:
        """Whether it says all that is expected."""
        return self._fits_the_day(expected) and self._fits_the_time(expected)

    def _fits_the_day(self, expected: Moment) -> bool:
        wanted = expected.days
        return not wanted or any(
            all(part in (0, given) for part, given in zip(day, own, strict=True)) for day in wanted for own in self.days
        )

    def _fits_the_time(self, expected: Moment) -> bool:
        if expected.hour is None or self.hour is None:
            return expected.hour is None
        apart = abs(self.hour - expected.hour)
        either = self.clock or expected.clock
        return self.minute == expected.minute and (apart == 0 or (either and apart == HALF_DAY))


def moments(text: str) -> list[Moment]:
    """All dates and times of a text, in its order; a date and a time beside each other are one moment."""
    found: list[Moment] = []
    for moment in sorted(_apart([*_dates(text), *_times(text)]), key=lambda moment: moment.start):
        last = found[-1] if found else None
        if last and bool(last.days) != bool(moment.days) and BETWEEN.fullmatch(text, last.end, moment.start):
            date, time = (last, moment) if last.days else (moment, last)
            found[-1] = replace(time, start=last.start, end=moment.end, days=date.days)
        else:
            found.append(moment)
    return found


def loosely(text: str) -> Moment | None:
    """The moment that a text is which may be something else as well, as 5/6 and 三點."""
    if found := LOOSE_DATE.match(text):
        return _date(found)
    if found := LOOSE_TIME.match(text):
        return Moment(0, found.end(), hour=int(found["hour"] or found["clock"]) % 24, clock=True)
    return None


def _apart(found: list[Moment]) -> Iterator[Moment]:
    """Those that do not lie in one that was found before."""
    taken: list[Moment] = []
    for moment in found:
        if all(moment.end <= other.start or other.end <= moment.start for other in taken):
            taken.append(moment)
            yield moment


def _dates(text: str) -> Iterator[Moment]:
    for pattern in DATES:
        yield from (moment for match in pattern.finditer(text) if (moment := _date(match)))


def _date(match: re.Match[str]) -> Moment | None:
    parts = match.groupdict()
    year, day = int(parts.get("year") or 0), int(parts.get("day") or 0)
    named = MONTHS.index(parts["name"][:3]) + 1 if parts.get("name") else 0
    month = named or int(parts["month"])
    years = [year + ROC] if parts.get("roc") else [year, year + ROC] if 0 < year < 1000 else [year]
    days = {(each, month, day) for each in years}
    if match.re is DATES[3]:  # 05/06/2024 begins with the month in one country, with the day in another
        days |= {(year, day, month)}
    real = frozenset(one for one in days if 1 <= one[1] <= 12 and one[2] <= 31)
    return Moment(match.start(), match.end(), real) if real else None


def _times(text: str) -> Iterator[Moment]:
    for pattern in TIMES:
        yield from (moment for match in pattern.finditer(text) if (moment := _time(match)))


def _time(match: re.Match[str]) -> Moment | None:
    parts = match.groupdict()
    hour, half = int(parts["hour"]), parts.get("half") or ""
    minute = 30 if parts.get("past") else int(parts.get("minute") or 0)
    said = bool(half or parts.get("letters"))
    if hour > 24 or (parts.get("letters") and hour > HALF_DAY):
        return None
    later = half in LATER.split("|") if half else (parts.get("letters") or "").lower() == "p"
    if said and hour == HALF_DAY:
        hour = HALF_DAY if later and half not in {"晚上", "晚間", "晚间"} else 0
    elif later and hour < HALF_DAY and not (half == "中午" and hour == HALF_DAY - 1):
        hour += HALF_DAY
    clock = not said and ":" not in match[0] and hour <= HALF_DAY
    return Moment(match.start(), match.end(), hour=hour % 24, minute=minute, clock=clock)
