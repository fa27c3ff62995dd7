"""A scorer for answers that are a number, a date or a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from decimal import Decimal, localcontext
from typing import ClassVar

from finetune_lib.evaluation.scorers.moments import Moment
from finetune_lib.evaluation.scorers.numerals import PRECISION
from finetune_lib.evaluation.scorers.quantities import Quantity, Value, answered, as_moment, expected_in
from finetune_lib.evaluation.scorers.scorer import Instant, is_cut, text_of
from finetune_lib.records import Answer, Case, Score
from finetune_lib.shown import Shown


@dataclass(frozen=True, slots=True)
class NumericMatch(Shown, Instant):
    r"""1 where the answer comes to the expected number, date or time, else 0; the reason says what was read.

    Of the answer counts the number behind `####` or in `\boxed{}`; else behind "the answer is" or 「答案是」; else the
    one in bold; else the last one that is not denied, those in brackets aside. The expected text says one number, or
    marks it so.

    Read are 1,234.5, 1.234,56, 1 234 and full-width digits, -5, 負5 and 零下5, 35k, 3.5萬, 2億5000萬 and 1萬2 (12000),
    25%, 百分之25, 七成 and 八折, 半, fractions, powers, LaTeX, and numbers in Chinese or English words where there are
    no digits. Units are converted: 0.005 kg is right for 5 g, 5 kg is not, and neither is 5 m; where one side has no
    unit, it is taken to mean that of the other. Where only one side is a percentage, it may mean its number or its
    hundredth: 25% is right for 25 and for 0.25. Dates and times are themselves: 2023-05-06 is wrong for 2024-05-06,
    and 10:30 PM for 10:30; 2024年5月6日 and May 6, 2024 are the same.

    Attributes:
        tolerance: How far the number may be off, in the expected unit.
        relative: How far it may be off as a share of the expected number, as 0.01 for 1 %; the wider one counts.
        name: What reports call it.

    Raises:
        ValueError: A tolerance below 0; when called: the case expects no number, or several.

    Example:
        >>> from finetune_lib import Case
        >>> from finetune_lib.evaluation.scorers import NumericMatch
        >>> NumericMatch()("一共 ３．５萬 元", Case("1", (), expected="35,000")).value
        1.0
        >>> NumericMatch()("It weighs 5 kg.", Case("1", (), expected="5 g")).reason
        '5 kg where 5 g is expected'
    """

    whole_answer: ClassVar[bool] = True

    _: KW_ONLY
    tolerance: float = 0.0
    relative: float = 0.0
    name: str = "numeric_match"

    def __post_init__(self) -> None:
        if not (self.tolerance >= 0 and self.relative >= 0):
            raise ValueError("tolerance and relative are at least 0")

    def __call__(self, answer: Answer | str, case: Case, /) -> Score:
        """Score one answer."""
        expected = _expected(case)
        given = answered(text_of(answer), cut=is_cut(answer))
        if given is None:
            return Score(0.0, reason="no number in the answer" + (", which was cut off" if is_cut(answer) else ""))
        return Score(float(self._right(given, expected)), reason=f"{given} where {expected} is expected")

    def _right(self, given: Value, expected: Value) -> bool:
        if isinstance(given, Moment) or isinstance(expected, Moment):
            return _same_moment(given, expected)
        tolerance, relative = Decimal(str(self.tolerance)), Decimal(str(self.relative))
        with localcontext(prec=PRECISION):
            return any(
                abs(one - other) <= max(tolerance, relative * abs(other)) for one, other in _readings(given, expected)
            )


def _expected(case: Case) -> Value:
    found = expected_in(case.expected)
    if not found:
        raise ValueError(f"case {case.id} expects no number: {case.expected[:60]!r}")
    if len(found) > 1:
        told = " and ".join(map(str, found[:3]))
        raise ValueError(
            f"case {case.id} expects several numbers ({told}): mark the one that counts as '#### {found[-1]}', "
            "or score the text with ExactMatch or Contains"
        )
    return found[0]


def _same_moment(given: Value, expected: Value) -> bool:
    """A number is the year of a date, or a form that may be a date or time."""
    if (
        isinstance(given, Moment)
        and isinstance(expected, Quantity)
        and expected.value in {day[0] for day in given.days}
    ):
        return expected.unit is None or expected.unit.name == "年"
    one, other = as_moment(given), as_moment(expected)
    return one is not None and other is not None and one.fits(other)


def _readings(given: Quantity, expected: Quantity) -> Iterator[tuple[Decimal, Decimal]]:
    """What both may mean."""
    values = given.in_units_of(expected)
    yield from ((value, expected.value) for value in values)
    if given.percent and not expected.percent:
        yield given.value / 100, expected.value
    if expected.percent and not given.percent:
        yield from ((value, expected.value / 100) for value in values)
