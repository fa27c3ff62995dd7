"""Money and time of each candidate, and how many calls pay for a training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from finetune_lib.evaluation.report.results import Result


@dataclass(frozen=True, slots=True)
class Expense:
    """What a candidate costs for each answer.

    Attributes:
        answers: Answers that came.
        prompt_tokens: Tokens read for an answer, on average.
        completion_tokens: Tokens written for an answer, on average.
        usd: US dollars for an answer, on average; None where a price is not known.
        total_usd: US dollars for all of them, whether paid in this run or an earlier one.
        p50: Seconds for an answer, the median.
        p95: Seconds that 95 % of the answers took at most.
    """

    answers: int
    prompt_tokens: float
    completion_tokens: float
    usd: float | None
    total_usd: float | None
    p50: float | None
    p95: float | None


def expense(results: Sequence[Result]) -> Expense:
    """What a candidate's answers cost and took."""
    answers = [a.answer for result in results for a in result.attempts if a.answer.error is None]
    n = len(answers)
    costs = [answer.cost for answer in answers]
    known = [cost for cost in costs if cost is not None]
    total = sum(known) if known and len(known) == n else None
    seconds = sorted(answer.seconds for answer in answers)
    return Expense(
        answers=n,
        prompt_tokens=sum(answer.usage.prompt_tokens for answer in answers) / max(1, n),
        completion_tokens=sum(answer.usage.completion_tokens for answer in answers) / max(1, n),
        usd=None if total is None else total / n,
        total_usd=total,
        p50=quantile(seconds, 0.5),
        p95=quantile(seconds, 0.95),
    )


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """The least value that `share` of all do not exceed (nearest rank); None of nothing."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


@dataclass(frozen=True, slots=True)
class Worth:
    """What a candidate's advantage over a baseline costs.

    Attributes:
        extra_usd: US dollars that an answer costs more than the baseline's; less than 0 is a saving.
        usd_per_win: US dollars more for each case won net of cases lost; None where it costs no more or wins nothing.
        break_even_calls: Calls after which the cheaper answers have paid for the training; None where they never do.
    """

    extra_usd: float | None
    usd_per_win: float | None
    break_even_calls: int | None


def worth(candidate: Expense, baseline: Expense, *, net_wins: float, training_usd: float | None) -> Worth:
    """Set the price against the gain.

    Args:
        candidate: Its expense.
        baseline: The other one's.
        net_wins: Wins less losses, as a share of all cases.
        training_usd: What the training cost; None where there was none or it is not known.
    """
    if candidate.usd is None or baseline.usd is None:
        return Worth(None, None, None)
    extra = candidate.usd - baseline.usd
    pays = training_usd is not None and extra < 0
    return Worth(
        extra_usd=extra,
        usd_per_win=extra / net_wins if extra > 0 and net_wins > 0 else None,
        break_even_calls=math.ceil((training_usd or 0.0) / -extra) if pays else None,
    )
