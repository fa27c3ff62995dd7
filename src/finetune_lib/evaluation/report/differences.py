"""Differences of two candidates, one a case: what is known, and what all that is missing could make of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from finetune_lib.evaluation.judges import Judgment, preferences
from finetune_lib.evaluation.report.results import Result
from finetune_lib.records import Case


@dataclass(frozen=True, slots=True)
class Differences:
    """How much better a candidate is than a baseline, one number a case.

    Attributes:
        known: What is known; None is missing.
        against: The same, with all that is missing counted against the candidate.
        favour: The same, with all that is missing counted for it.
    """

    known: Sequence[float | None]
    against: Sequence[float]
    favour: Sequence[float]

    @staticmethod
    def of_preferences(known: Sequence[float | None]) -> Differences:
        """Preferences from -1 to 1, of which one is wholly there or wholly missing."""
        return Differences(known, _filled(known, -1.0), _filled(known, 1.0))

    def at(self, places: Sequence[int]) -> Differences:
        """Those of some cases."""
        return Differences(
            [self.known[place] for place in places],
            [self.against[place] for place in places],
            [self.favour[place] for place in places],
        )

    @property
    def missing(self) -> int:
        """Cases that lack something: what they could be is not one number."""
        return sum(low != high for low, high in zip(self.against, self.favour, strict=True))


def seen_scale(scores: Iterable[float | None]) -> tuple[float, float]:
    """From 0 to 1, or as far beyond as scores were seen."""
    there = [score for score in scores if score is not None]
    return min(0.0, *there, 0.0), max(1.0, *there, 1.0)


def of_scores(ours: Iterable[Result], theirs: Iterable[Result], scorer: str, scale: tuple[float, float]) -> Differences:
    """Differences of scores; a side that is known stays, where the other one is missing."""
    low, high = scale
    pairs = [(x, x.score(scorer), y, y.score(scorer)) for x, y in zip(ours, theirs, strict=True)]
    known = [None if a is None or b is None else a - b for _, a, _, b in pairs]
    if None not in known:  # the usual case: nothing to fill
        whole = [d for d in known if d is not None]
        return Differences(whole, whole, whole)
    return Differences(
        known,
        [x.filled(scorer, low) - y.filled(scorer, high) for x, _, y, _ in pairs],
        [x.filled(scorer, high) - y.filled(scorer, low) for x, _, y, _ in pairs],
    )


def of_judgments(judgments: Sequence[Judgment], cases: Sequence[Case], candidate: str, baseline: str) -> Differences:
    """Preferences of judges; a verdict that one of several did not give could have been either."""
    known = preferences(judgments, cases, candidate, baseline)
    against, favour = (preferences(judgments, cases, candidate, baseline, missing=end) for end in (-1.0, 1.0))
    return Differences(known, _filled(against, -1.0), _filled(favour, 1.0))


def _filled(values: Iterable[float | None], missing: float) -> list[float]:
    return [missing if value is None else value for value in values]
