"""What becomes of a cell with a number format: the text that people see, or what must be said about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, lru_cache
from math import isfinite
from typing import NamedTuple

from finetune_lib.data.reading.tables.cells import Mark, text_of
from finetune_lib.data.reading.tables.shown.codes import UntoldError, sections
from finetune_lib.data.reading.tables.shown.dates import DAY, moment
from finetune_lib.data.reading.tables.shown.numbers import scaled
from finetune_lib.data.reading.tables.shown.rendering import chosen, render

# ECMA-376, part 1, 18.8.30: the formats that files name by number and all languages share; 41 and 43
# differ in negative numbers.
BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??",
    15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss",
    37: "#,##0 ;(#,##0)", 38: "#,##0 ;[Red](#,##0)", 39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;[Red](#,##0.00)",
    41: '[>0]#,##0;[=0]"-"', 43: '[>0]#,##0.00;[=0]"-"', 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0",
}  # fmt: skip
VIEWERS_DATES = frozenset({14, 22, *range(27, 37), *range(50, 59)})
MONEY = frozenset({5, 6, 7, 8, 42, 44})
VIEWERS_OWN = frozenset({14, 22}) | MONEY  # whatever code the file gives, each program shows its viewer's own
VIEWERS_CODE = re.compile(r"\[\$-(?:x-sys(?:date|time)|F[48]00)\]", re.IGNORECASE)
QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]|[\\!_*].')
ELAPSED = re.compile(r"\[[hms]+\]", re.IGNORECASE)
LONGEST_TIME = 61  # days: what is less is a length of time, or a date that programs tell otherwise


@dataclass(frozen=True, eq=False)
class Form:
    """The number format of a cell; one for all cells that have it.

    Attributes:
        number: Its number in the file.
        code: Its code; empty where the file names it by number alone.
        date1904: Whether the file counts days from 1904.
    """

    number: int
    code: str = ""
    date1904: bool = False

    @cached_property
    def plain(self) -> bool:
        """Whether it shows each number as it is stored, or whole ones so."""
        return (not self.number and not self.code) or self.code.casefold() in ("general", "@") or self.number == 49

    @cached_property
    def told(self) -> str:
        """The code to show by; empty where it follows the settings of whoever looks."""
        if self.number in VIEWERS_OWN or VIEWERS_CODE.search(self.code):
            return ""
        return self.code or BUILT_IN.get(self.number, "")

    @cached_property
    def adds_to_texts(self) -> bool:
        """Whether texts are shown with something beside them, or not at all."""
        return bool(self.told) and (self.told.count(";") >= 3 or ("@" in self.told and self.told != "@"))

    @cached_property
    def letters(self) -> str:
        """The letters of its code that stand for parts of dates, and others."""
        return QUOTED.sub("", self.told).casefold() + "".join(ELAPSED.findall(self.told))

    @cached_property
    def dated(self) -> bool:
        """Whether it shows dates or times."""
        if self.number in VIEWERS_DATES or VIEWERS_CODE.search(self.code):
            return True
        try:
            return any(section.dated for section in sections(self.told))
        except UntoldError:
            return not set("ymdhs").isdisjoint(self.letters)


class Look(NamedTuple):
    """What a cell is read as.

    Attributes:
        text: The text; None where it stays what is stored.
        mark: What must be said about it.
    """

    text: str | None
    mark: Mark | None


@lru_cache(maxsize=1 << 14)
def look(value: float, form: Form) -> Look:
    """What becomes of a number under a format."""
    if not isfinite(value):
        return Look(None, None)
    stored = _stored(value, form)
    if not form.told:
        if form.dated:
            return Look(stored, Mark("a date in the viewer's own form", stored) if stored else Mark("a date"))
        return Look(stored, Mark("an amount of money") if form.number in MONEY else None)
    try:
        shown = render(value, form.told, date1904=form.date1904).strip()
        unitless = scaled(chosen(form.told, value))
    except UntoldError:
        return Look(stored, Mark("a date" if form.dated else "a number whose shown form cannot be told"))
    if not shown:
        return Look(stored, Mark("a value that is not shown"))
    if unitless:
        return Look(shown, Mark("a number in thousands without a unit"))
    return Look(shown, Mark("shown by its format", stored or "") if shown != stored else None)


def text_look(text: str, form: Form) -> Look:
    """What becomes of a text under a format that adds something to texts."""
    try:
        shown = render(text, form.told)
    except UntoldError:
        return Look(None, None)
    if not shown.strip():
        return Look(None, Mark("a value that is not shown"))
    return Look(shown, Mark("shown by its format", text)) if shown != text else Look(None, None)


def _stored(value: float, form: Form) -> str | None:
    """The number or the date itself; None for dates before March 1900, of which programs make different ones."""
    if not form.dated:
        return text_of(value)
    if 0 <= value < LONGEST_TIME and set("yde").isdisjoint(form.letters):
        return text_of(timedelta(seconds=round(value * DAY)))
    try:
        return text_of(moment(value, date1904=form.date1904))
    except UntoldError:
        return None
