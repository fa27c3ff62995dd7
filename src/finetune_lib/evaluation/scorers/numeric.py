"""A scorer for answers that are a number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from decimal import Decimal

from finetune_lib.evaluation.scorers.numerals import Number, answered
from finetune_lib.evaluation.scorers.scorer import Instant
from finetune_lib.records import Case, Score


@dataclass(frozen=True, slots=True)
class NumericMatch(Instant):
    r"""1 where the answer comes to the expected number, else 0; the reason says which number was read.

    In the answer and in the expected text alike, the number behind `####` or in `\boxed{}` counts, else the last one.
    Read are 1,234.5 and full-width digits, -5, 負5 and 零下5, 3.5萬, 2億5000萬, 1萬2 (12000) and 2.5 million, 25% and
    百分之25, fractions, powers of ten, and numbers in Chinese characters where there are no digits. Where only one
    side is a percentage, it may mean its number or its hundredth: 25% is right for 25 and for 0.25.

    Attributes:
        tolerance: How far the number may be off, in its own unit.
        relative: How far it may be off as a share of the expected number, as 0.01 for 1 %; the wider one counts.
        name: What reports call it.

    Raises:
        ValueError: A tolerance below 0; when called: the case expects no number.

    Example:
        >>> from finetune_lib import Case
        >>> from finetune_lib.evaluation.scorers import NumericMatch
        >>> NumericMatch()("一共 ３．５萬 元", Case("1", (), expected="35,000")).value
        1.0
    """

    _: KW_ONLY
    tolerance: float = 0.0
    relative: float = 0.0
    name: str = "numeric_match"

    def __post_init__(self) -> None:
        if not (self.tolerance >= 0 and self.relative >= 0):
            raise ValueError("tolerance and relative are at least 0")

    def __call__(self, answer: str, case: Case, /) -> Score:
        """Score one answer."""
        expected, given = answered(case.expected), answered(answer)
        if expected is None:
            raise ValueError(f"case {case.id} expects no number: {case.expected[:60]!r}")
        if given is None:
            return Score(0.0, reason="no number in the answer")
        tolerance, relative = Decimal(str(self.tolerance)), Decimal(str(self.relative))
        readings = _readings(given, expected)
        close = any(abs(one - other) <= max(tolerance, relative * abs(other)) for one, other in readings)
        return Score(float(close), reason=f"{_shown(given)} where {_shown(expected)} is expected")


def _readings(given: Number, expected: Number) -> Iterator[tuple[Decimal, Decimal]]:
    """What both may mean."""
    yield given.value, expected.value
    if given.percent and not expected.percent:
        yield given.value / 100, expected.value
    if expected.percent and not given.percent:
        yield given.value, expected.value / 100


def _shown(number: Number) -> str:
    return f"{float(number.value):.12g}{'%' if number.percent else ''}"
