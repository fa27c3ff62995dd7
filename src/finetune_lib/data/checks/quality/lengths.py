"""Answers that are far longer or shorter than the others.

Lengths spread by factors, not by sums, so they are measured by logarithms, and by the median and the median of the
distances from it, which outliers do not move. Source: Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic, diagnose, quote
from finetune_lib.records import Example
from finetune_lib.rows.facts import Facts
from finetune_lib.rows.turns import turns

FEWEST = 30
STEPS = 16  # of a doubling
SCORE = 6.0
FACTOR = 8  # below this a difference is not worth a word
NAMED = 20
PER_LENGTH = 4
SIGMA = 1.4826  # from the median distance to a standard deviation


@dataclass(slots=True)
class Bin:
    """Answers of about one length: how many, and the first of them."""

    count: int = 0
    places: list[int] = field(default_factory=list[int])


@dataclass(slots=True)
class LengthSurvey:
    """Counts the lengths of answers by their logarithm."""

    bins: dict[int, Bin] = field(default_factory=dict[int, Bin])

    def look(self, facts: Facts, place: int) -> None:
        """Take up the last answer of one example."""
        texts = facts.answers
        if texts and (length := len(texts[-1].strip())):
            self._add(round(STEPS * math.log2(length)), 1, [place])

    def merge(self, later: Self, offset: int) -> None:
        """Take up what was counted in the part behind this one."""
        for step, other in later.bins.items():
            self._add(step, other.count, [place + offset for place in other.places])

    def findings(self, examples: Sequence[Example], rules: Rules) -> Iterator[Diagnostic]:  # noqa: ARG002
        """The outliers, the farthest first, and no more than a few."""
        if sum(other.count for other in self.bins.values()) < FEWEST:
            return
        middle = _median({step: entry.count for step, entry in self.bins.items()})
        distances: Counter[int] = Counter()
        for step, entry in self.bins.items():
            distances[abs(step - middle)] += entry.count
        limit = max(SCORE * SIGMA * _median(distances), STEPS * math.log2(FACTOR))
        far = sorted((step for step in self.bins if abs(step - middle) > limit), key=lambda step: -abs(step - middle))
        places = [place for step in far for place in self.bins[step].places][:NAMED]
        count = sum(self.bins[step].count for step in far)
        for place in sorted(places):
            example, typical = examples[place], round(2 ** (middle / STEPS))
            answer = next(turn for turn in reversed(turns(example.data)) if turn.learned)
            given: dict[str, Any] = {"length": len(answer.text.strip()), "typical": typical, "count": count}
            yield diagnose("Q904", example.origin, answer.pointer, quote=quote(answer.text, 0), **given)

    def _add(self, step: int, count: int, places: list[int]) -> None:
        known = self.bins.get(step) or self.bins.setdefault(step, Bin())
        known.count += count
        if len(known.places) < PER_LENGTH:
            known.places += places[: PER_LENGTH - len(known.places)]


def _median(counts: dict[int, int]) -> int:
    half, passed = sum(counts.values()) / 2, 0
    for value in sorted(counts):
        passed += counts[value]
        if passed >= half:
            return value
    return 0
