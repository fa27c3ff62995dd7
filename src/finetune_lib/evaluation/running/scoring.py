"""Scores of answers, by every scorer; one that fails is a missing score with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field

from finetune_lib.concurrency import call
from finetune_lib.evaluation.running.answering import ENDS_THE_RUN, reason_of
from finetune_lib.evaluation.running.kept_function import KeptFunction
from finetune_lib.evaluation.running.units import Contents, load_score, score_of
from finetune_lib.evaluation.scorers import Scorer
from finetune_lib.evaluation.scorers.scorer import AsksGrader, given_to, marked_cut, scale_of, undecided
from finetune_lib.platforms.asking import Request, Session
from finetune_lib.records import Answer, Case, Score

SILENT = "the answer is empty"


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of one answer, and why others are missing."""

    scores: Mapping[str, Score] = field(default_factory=dict[str, Score])
    failures: Mapping[str, str] = field(default_factory=dict[str, str])


class Scoring:
    """Asks scorers."""

    def __init__(self, scorers: Mapping[str, Scorer], session: Session, contents: Contents) -> None:
        self._scorers, self._session, self._contents = scorers, session, contents
        self._graders = {name: one for name, one in scorers.items() if isinstance(one, AsksGrader)}
        self.functions = {
            name: KeptFunction(
                one, session, scope=contents.digest, role="scorer", name=name, read=score_of, load=load_score
            )
            for name, one in scorers.items()
            if name not in self._graders and not getattr(one, "instant", False)
        }

    async def scores(self, answer: Answer, case: Case) -> Scores:
        """What each scorer says of one answer."""
        scores: dict[str, Score] = {}
        failures: dict[str, str] = {}
        for name in self._scorers:
            try:
                score = _on_scale(await self._score(name, answer, case), self._scorers[name])
                scores[name] = marked_cut(score, self._scorers[name], answer, case)
            except ENDS_THE_RUN:
                raise
            except Exception as error:
                failures[name] = f"scorer {name}: {reason_of(error)}"
        return Scores(scores, failures)

    def lowest(self, given: Iterable[Scores]) -> Scores:
        """What a silent answer gets: the lowest score of each scorer, declared, else of all that it gave or 0."""
        scores = [one.scores for one in given]
        least = {
            name: (scale_of(scorer) or (min(0.0, *(s[name].value for s in scores if name in s), 0.0),))[0]
            for name, scorer in self._scorers.items()
        }
        return Scores({name: Score(value, reason=SILENT) for name, value in least.items()})

    async def _score(self, name: str, answer: Answer, case: Case) -> Score:
        scorer = self._scorers[name]
        if (score := undecided(scorer, answer)) is not None:
            return score
        given = given_to(scorer, answer)
        if grader := self._graders.get(name):
            return await self._session.read(grader.request(given, case), grader.read, by=f"scorer {name}")
        if function := self.functions.get(name):
            told = given if isinstance(given, str) else _content(given)
            return await function(given, case, about=[told, self._contents.each[case.id], case.id])
        return score_of(await call(scorer, given, case))

    def requests(self, answer: Answer, case: Case) -> list[Request]:
        """What models are asked about an answer."""
        found: list[Request] = []
        for grader in self._graders.values():
            if undecided(grader, answer):
                continue
            with suppress(Exception):  # it is told when the answer is scored
                found.append(grader.request(given_to(grader, answer), case))
        return found


def is_silent(answer: Answer) -> bool:
    """Whether a candidate answered, and said nothing at all: that is its own failure, and no missing score."""
    return not (answer.error or answer.text.strip() or answer.tool_calls)


def _on_scale(score: Score, scorer: Scorer) -> Score:
    """The score itself.

    Raises:
        ValueError: It is beyond the scale that its scorer declares.
    """
    if (declared := scale_of(scorer)) and not declared[0] <= score.value <= declared[1]:
        raise ValueError(f"{score.value:g} is beyond its range from {declared[0]:g} to {declared[1]:g}")
    return score


def _content(answer: Answer) -> dict[str, object]:
    """All of an answer but what another call gives anew, its time and price, and links; a thought only where one is."""
    left_out = {"seconds", "cost", "links", "by", *([] if answer.reasoning else ["reasoning"])}
    return {name: value for name, value in asdict(answer).items() if name not in left_out}
