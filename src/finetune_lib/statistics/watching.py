"""What moves from day to day, and whether labelled answers still keep a promise: evidence that may be looked at daily.

Both are e-detectors: sums of bets against "nothing has changed". Whoever looks every day, for as long as he likes, is
alarmed in vain at most as often as agreed.

Source: Shin, Ramdas and Rinaldo, "E-detectors: a nonparametric framework for sequential change detection", 2024; Vovk,
"Testing randomness online", 2021, for ranks among earlier days.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean, stdev

from finetune_lib.statistics.estimates import library

DAYS_A_YEAR = 365
VAIN = 0.01  # vain alarms a year
BETS = (-1.9, -1.0, 1.0, 1.9)
STAKES = (1.0, 2.0, 4.0, 8.0)
MIXED = 0.01  # of each bet's money is shared anew every day
LEARNING = 28  # days


def shift_evidence(days: Sequence[float], *, ties: Iterable[float] | None = None) -> list[float]:
    """After each day the evidence that the days have moved; 36,500 is an alarm that comes in vain once in 100 years.

    Each day is one number, and only its rank among all days before counts: whatever differs between days all the
    time, as weekends do, is no move.

    Args:
        days: One number a day, as the share of the questions that was answered.
        ties: For each day a number from 0 to 1 drawn at random, which splits equal days; 0.5 where None.

    Example:
        >>> from finetune_lib.statistics import shift_evidence
        >>> usual = [0.60, 0.61, 0.59, 0.60, 0.62, 0.58, 0.60, 0.61]
        >>> f"{shift_evidence([*usual, *[0.5] * 25])[-1]:.0f}"
        '6365'
    """
    draws = list(ties) if ties is not None else [0.5] * len(days)
    money, found = [0.0] * len(BETS), list[float]()
    for place, day in enumerate(days):
        if place:
            before = days[:place]
            below, equal = sum(one < day for one in before), sum(one == day for one in before)
            rank = (below + draws[place] * (equal + 1)) / (place + 1)
            money = [one + 1 / len(BETS) for one in money]
            shared = fmean(money)
            money = [
                (one * (1 - MIXED) + shared * MIXED) * (1 + bet * (rank - 0.5))
                for one, bet in zip(money, BETS, strict=True)
            ]
        found.append(sum(money))
    return found


def audit_evidence(wrong: Iterable[bool], *, error: float = 0.05) -> list[float]:
    """After each label the evidence that more than the promised share of the answers is wrong.

    The labelled answers are drawn at random. The alarm is at the labels of a year over 0.01: 182,500 with five a day.

    Args:
        wrong: One label an answer, in their order.
        error: The share that may be wrong.

    Example:
        >>> from finetune_lib.statistics import audit_evidence
        >>> f"{audit_evidence([number % 25 == 24 for number in range(100)])[-1]:.6f}"
        '34.862346'
    """
    money, found = [0.0] * len(STAKES), list[float]()
    for one in wrong:
        pairs = zip(money, STAKES, strict=True)
        money = [(held + 1 / len(STAKES)) * (1 + stake * (bool(one) - error)) for held, stake in pairs]
        found.append(sum(money))
    return found


def usual_days(days: Sequence[float], *, chance: float = VAIN / DAYS_A_YEAR) -> tuple[float, float] | None:
    """The range in which the next day lies but for that chance, if days spread as a normal law; None before 28 days.

    Raises:
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Example:
        >>> from finetune_lib.statistics import usual_days
        >>> low, high = usual_days([0.6 + 0.01 * (7 * i % 5 - 2) for i in range(60)])
        >>> f"{low:.3f} to {high:.3f}"
        '0.535 to 0.665'
    """
    n = len(days)
    if n < LEARNING:
        return None
    reach = float(library("scipy.special").stdtrit(n - 1, 1 - chance / 2)) * stdev(days) * (1 + 1 / n) ** 0.5
    return fmean(days) - reach, fmean(days) + reach
