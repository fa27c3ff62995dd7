"""What preferences come to: win rates, the part of the length, the agreement with other judges and with people."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from finetune_lib.evaluation.judges.judgments import Cases, Judgment, id_of, preferences
from finetune_lib.evaluation.judges.order import direction
from finetune_lib.records import Case

if TYPE_CHECKING:
    from finetune_lib.statistics import Estimate, LengthEffect

# Cases below which the errors of a logit, or the interval of a correction by people's votes, are too small.
LEAST_LENGTHS, LEAST_VOTES = 50, 20

Preferred = Mapping[str, float]


def known(judgments: Iterable[Judgment], cases: Cases, candidate: str, baseline: str, *judge: str) -> Preferred:
    """The preference for a candidate by case, of the cases that have one."""
    found = preferences(judgments, cases, candidate, baseline, *judge)
    return {id: value for id, value in zip(map(id_of, cases), found, strict=True) if value is not None}


def _clusters(ids: Iterable[str], cases: Cases) -> list[str | None]:
    of = {case.id: case.cluster for case in cases if isinstance(case, Case)}
    return [of.get(id) for id in ids]


def _share(preference: float) -> float:
    """From -1 … 1 to a win rate's 0 … 1."""
    return (preference + 1) / 2


def win_rate_of(preferred: Preferred, cases: Cases) -> Estimate | None:
    """The candidate's win rate; None where nothing was judged."""
    from finetune_lib.statistics import win_rate

    return win_rate(list(preferred.values()), _clusters(preferred, cases), scale=(-1, 1)) if preferred else None


def apart_of(lengths: Mapping[tuple[str, str], float], candidate: str, baseline: str) -> Preferred:
    """How much longer the candidate's answer is, by case."""
    ids = [id for name, id in lengths if name == candidate and (baseline, id) in lengths]
    return {id: lengths[candidate, id] - lengths[baseline, id] for id in ids}


def length_of(preferred: Preferred, cases: Cases, apart: Preferred) -> LengthEffect | None:
    """What the preferences owe to the length of the answers; None where too few tell, or all are alike."""
    from finetune_lib.statistics import length_effect

    ids = [id for id in preferred if id in apart]
    shares, lengths = [_share(preferred[id]) for id in ids], [apart[id] for id in ids]
    if len(ids) < LEAST_LENGTHS or len(set(shares)) < 2 or len(set(lengths)) < 2:
        return None
    if _separated(shares, lengths):
        shares = [_squeezed(share, len(ids)) for share in shares]
    return length_effect(shares, lengths, _clusters(ids, cases))


def _separated(shares: list[float], lengths: list[float]) -> bool:
    """Whether one length parts wins from losses: then no finite coefficient fits them.

    Source: Albert and Anderson, "On the existence of maximum likelihood estimates in logistic regression", 1984.
    """
    won = [length for share, length in zip(shares, lengths, strict=True) if share > 0]
    lost = [length for share, length in zip(shares, lengths, strict=True) if share < 1]
    return max(lost) <= min(won) or max(won) <= min(lost)


def _squeezed(share: float, n: int) -> float:
    """Off the ends 0 and 1 by half an item. Source: Smithson and Verkuilen, "A better lemon squeezer?", 2006."""
    return (share * (n - 1) + 0.5) / n


def agreement_of(raters: Mapping[str, Preferred]) -> Estimate | None:
    """Agreement on loss, tie and win; None where no case has two raters, or all say one and the same."""
    from finetune_lib.statistics import agreement

    rated = Counter(id for preferred in raters.values() for id in preferred)
    if max(rated.values(), default=0) < 2:
        return None
    found = agreement({name: {id: direction(p) for id, p in told.items()} for name, told in raters.items()}, "ordinal")
    return None if math.isnan(found.value) else found


def corrected_of(preferred: Preferred, votes: Preferred) -> Estimate | None:
    """The win rate as people's votes correct it; their own where they voted on all, None where on too few."""
    from finetune_lib.statistics import calibrated, win_rate

    labelled = [id for id in preferred if id in votes]
    others = [_share(p) for id, p in preferred.items() if id not in votes]
    people = [_share(votes[id]) for id in labelled]
    if len(labelled) < LEAST_VOTES:
        return None
    if len(others) < 2:
        return win_rate(people)
    return calibrated([_share(preferred[id]) for id in labelled], people, others, tuned=True)
