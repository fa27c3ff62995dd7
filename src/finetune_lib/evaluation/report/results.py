"""What came of one candidate and one case: each attempt with its answer and its scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from finetune_lib.records import Answer, Score
from finetune_lib.shown import Shown


@dataclass(frozen=True, slots=True)
class Attempt(Shown):
    """One answer and its scores by scorer; a scorer that failed has a reason instead."""

    answer: Answer
    scores: Mapping[str, Score] = field(default_factory=dict[str, Score])
    failures: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Result(Shown):
    """One candidate on one case: an attempt, or several where each case is asked repeatedly.

    Attributes:
        attempts: In the order of their repeats; at least one.
    """

    attempts: tuple[Attempt, ...]

    @property
    def answer(self) -> Answer:
        """The first attempt's answer."""
        return self.attempts[0].answer

    @property
    def cut(self) -> bool:
        """Whether the limit of tokens cut off an attempt."""
        if len(self.attempts) == 1:
            return self.attempts[0].answer.cut
        return any(attempt.answer.cut for attempt in self.attempts)

    def undecided(self, measure: str) -> bool:
        """Whether an attempt that was cut off might have another score; of a judge or experts, always."""
        if not self.cut:
            return False
        cut = [attempt for attempt in self.attempts if attempt.answer.cut]
        scores = [attempt.scores.get(measure) for attempt in cut if attempt.answer.text]
        return len(scores) < len(cut) or any(score is None or score.cut for score in scores)

    @property
    def scores(self) -> Mapping[str, float]:
        """The mean of each scorer over all attempts: the case is the unit, not the attempt.

        A scorer that lacks one of them is missing: those that failed may have failed for what they would have said.
        """
        if len(self.attempts) == 1:
            return {name: score.value for name, score in self.attempts[0].scores.items()}
        found: dict[str, list[float]] = {}
        for attempt in self.attempts:
            for name, score in attempt.scores.items():
                found.setdefault(name, []).append(score.value)
        whole = {name: values for name, values in found.items() if len(values) == len(self.attempts)}
        return {name: sum(values) / len(values) for name, values in whole.items()}

    def score(self, scorer: str) -> float | None:
        """The mean of one scorer; None where it is missing."""
        if len(self.attempts) == 1:
            found = self.attempts[0].scores.get(scorer)
            return None if found is None else found.value
        return self.scores.get(scorer)

    def filled(self, scorer: str, missing: float) -> float:
        """The mean of one scorer, with a value in the place of each score that is missing."""
        if len(self.attempts) == 1:
            known = self.score(scorer)
            return missing if known is None else known
        values = [a.scores[scorer].value if scorer in a.scores else missing for a in self.attempts]
        return sum(values) / len(values)

    @property
    def failures(self) -> tuple[str, ...]:
        """Why answers and scores are missing."""
        return tuple(
            reason
            for attempt in self.attempts
            for reason in ([attempt.answer.error] if attempt.answer.error else attempt.failures.values())
        )
