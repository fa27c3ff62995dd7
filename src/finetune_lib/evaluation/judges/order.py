"""Whether a judge's verdict depends on the place in which it sees an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal

from finetune_lib.evaluation.judges.judgments import Judgment, grouped, mean
from finetune_lib.shown import Shown

if TYPE_CHECKING:
    from finetune_lib.statistics import Estimate

# A p-value below it is called a bias; of 20 judges without one, one is called so all the same.
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Places(Shown):
    """What a judge makes of the order in which it sees two answers.

    Attributes:
        pairs: Cases with a verdict in both orders; identical answers are not counted.
        consistency: Share of the pairs that have the same winner, or a tie, in both orders.
        first: Share of the first place in the calls that chose one; p is of the binomial test against 1/2.
        first_both: Pairs in which the first answer won in both orders.
        second_both: Pairs in which the second answer won in both orders.
        leaning: Share that leans to the first place, of the pairs that lean to one over both orders; p is of the
            sign test. A pair with the same winner in both orders leans to none, so that this tests the judge alone.
    """

    pairs: int = 0
    _: KW_ONLY
    consistency: Estimate | None = None
    first: Estimate | None = None
    first_both: int = 0
    second_both: int = 0
    leaning: Estimate | None = None

    @property
    def favoured(self) -> Literal["first", "second"] | None:
        """The place that the judge favours; None where no bias is shown."""
        if self.leaning is None or self.leaning.p is None or self.leaning.p >= ALPHA:
            return None
        return "first" if self.leaning.value > 0.5 else "second"


def direction(value: float) -> int:
    """1 above 0, -1 below, else 0."""
    return (value > 0) - (value < 0)


def places_of(judgments: Sequence[Judgment]) -> Places:
    """What a judge's calls about one pair of candidates say of its taste for a place."""
    from finetune_lib.statistics import position_bias, sign_test, wilson

    calls = Counter(direction(value) for j in judgments if (value := j.for_the_first) is not None)
    pairs = list(_both_orders(judgments))
    leaning = Counter(direction(ours_first + theirs_first) for ours_first, theirs_first in pairs)
    same = sum(ours_first == -theirs_first for ours_first, theirs_first in pairs)
    return Places(
        len(pairs),
        consistency=wilson(same, len(pairs)) if pairs else None,
        first=position_bias(calls[1], calls[-1]) if calls[1] + calls[-1] else None,
        first_both=pairs.count((1, 1)),
        second_both=pairs.count((-1, -1)),
        leaning=sign_test(leaning[1], leaning[-1]) if pairs else None,
    )


def _both_orders(judgments: Iterable[Judgment]) -> Iterator[tuple[int, int]]:
    """For each case with both orders: which place won with the candidate first, and which with the baseline first."""
    for group in grouped(judgments, lambda judgment: judgment.case).values():
        orders = [mean(j.for_the_first for j in group if j.candidate_first == first) for first in (True, False)]
        if orders[0] is not None and orders[1] is not None:
            yield direction(orders[0]), direction(orders[1])
