"""The text that a spreadsheet shows of a value under a number format."""

from __future__ import annotations

import operator
import re
from collections.abc import Sequence

from finetune_lib.data.reading.tables.shown.codes import Section, UntoldError, sections
from finetune_lib.data.reading.tables.shown.dates import date
from finetune_lib.data.reading.tables.shown.numbers import number

BOUND = re.compile(r"([<>=]+)(.+)")
COMPARED = {
    "<": operator.lt, ">": operator.gt, "=": operator.eq, "<=": operator.le, ">=": operator.ge, "<>": operator.ne,
}  # fmt: skip


def render(value: float | str, code: str, *, date1904: bool = False) -> str:
    """The text that a cell wide enough shows; of dates in the language that the format names, else in English.

    Args:
        value: A number, a date as the number of its day, or a text.
        code: The number format.
        date1904: Whether days are counted from 1904.

    Raises:
        UntoldError: Programs or the viewer's settings differ in it, or the format is broken.
    """
    parts = sections(code)
    if isinstance(value, str):
        return _text(parts, value)
    section, value = _chosen(parts[:3], value)
    return date(section, value, date1904=date1904) if section.dated else number(section, value)


def chosen(code: str, value: float) -> Section:
    """The section that shows a number.

    Raises:
        UntoldError: It cannot be told.
    """
    return _chosen(sections(code)[:3], value)[0]


def _text(parts: Sequence[Section], value: str) -> str:
    texts = parts[3:] or [part for part in parts if part.has("at")]
    if not texts:
        return value
    return "".join(value if sign.kind == "at" else sign.text for sign in texts[0].signs)


def _chosen(parts: Sequence[Section], value: float) -> tuple[Section, float]:
    """The section for a number, and the number without a sign where the section is the one for negatives."""
    if any(part.bound for part in parts):
        return _bounded(parts, value), value
    if len(parts) == 1 or value > 0 or (value == 0 and len(parts) == 2):
        return parts[0], value
    return (parts[2], value) if value == 0 else (parts[1], abs(value))


def _bounded(parts: Sequence[Section], value: float) -> Section:
    """The first section whose condition holds; in the sign of negative numbers programs differ."""
    unsaid = (">0", "<0", "")
    for place, part in enumerate(parts):
        bound = part.bound or (unsaid[place] if place < len(parts) - 1 else "")
        if not bound or _holds(bound, value):
            if value < 0:
                break
            return part
    raise UntoldError("a negative number, or one that no condition fits")


def _holds(bound: str, value: float) -> bool:
    match = BOUND.fullmatch(bound)
    try:
        return bool(match) and COMPARED[match[1]](value, float(match[2]))
    except ValueError as error:
        raise UntoldError(bound) from error
