"""Pairs of answers before the judges: always in both orders, never with the names of those who gave them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from finetune_lib.evaluation.judges import AsksJudge, Judge, Judgment, Verdict
from finetune_lib.evaluation.judges.judge import Level
from finetune_lib.evaluation.running.answering import ENDS_THE_RUN, reason_of
from finetune_lib.evaluation.running.kept_function import KeptFunction
from finetune_lib.evaluation.running.units import Contents, load_verdict, verdict_of
from finetune_lib.platforms.asking import Request, Session
from finetune_lib.records import Answer, Case

SAME = "the answers are identical"
NOTHING = "the other answer is empty"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers in the order in which one judge sees them."""

    case: Case
    candidate: str
    baseline: str
    judge: str
    candidate_first: bool
    repeat: int
    first: str
    second: str

    def judged(self, verdict: Verdict | None, *, error: str | None = None, asked: bool = True) -> Judgment:
        """The pair with what was said of it."""
        names = (self.case.id, self.candidate, self.baseline, self.judge, self.candidate_first)
        level, reason = (verdict.level, verdict.reason) if verdict else (None, "")
        return Judgment(*names, repeat=self.repeat, level=level, reason=reason, error=error, asked=asked)


class Pairing:
    """Asks judges."""

    def __init__(self, judges: Mapping[str, Judge], session: Session, contents: Contents) -> None:
        self._judges, self._session, self._contents = judges, session, contents
        self._models = {name: one for name, one in judges.items() if isinstance(one, AsksJudge)}
        self.functions = {
            name: KeptFunction(
                one, session, scope=contents.digest, role="judge", name=name, read=verdict_of, load=load_verdict
            )
            for name, one in judges.items()
            if name not in self._models
        }

    def pairs(self, case: Case, names: tuple[str, str], answers: tuple[Answer, Answer], epoch: int) -> list[Pair]:
        """What is to be judged of two answers; nothing where one of them failed."""
        if any(answer.error for answer in answers):
            return []
        ours, theirs = map(said, answers)
        times = {name: getattr(judge, "repeats", 1) for name, judge in self._judges.items()}
        return [
            Pair(case, *names, judge, ours_first, repeat, *((ours, theirs) if ours_first else (theirs, ours)))
            for judge, number in times.items()
            for repeat in range(epoch * number, (epoch + 1) * number)
            for ours_first in (True, False)
        ]

    async def judgment(self, pair: Pair) -> Judgment:
        """What the judge says; whatever goes wrong is the reason why it is missing."""
        if pair.first == pair.second:
            return pair.judged(Verdict("tie", SAME), asked=False)
        if not (pair.first.strip() and pair.second.strip()):
            better: Level = "first_much_better" if pair.first.strip() else "second_much_better"
            return pair.judged(Verdict(better, NOTHING), asked=False)
        try:
            return pair.judged(await self._verdict(pair))
        except ENDS_THE_RUN:
            raise
        except Exception as error:
            return pair.judged(None, error=reason_of(error))

    async def _verdict(self, pair: Pair) -> Verdict:
        if model := self._models.get(pair.judge):
            return await self._session.read(self._request(model, pair), model.read, by=f"judge {pair.judge}")
        about = [self._contents.each[pair.case.id], pair.case.id, pair.first, pair.second, pair.repeat]
        return await self.functions[pair.judge](pair.case, pair.first, pair.second, about=about)

    def _request(self, judge: AsksJudge, pair: Pair) -> Request:
        request = judge.request(pair.case, pair.first, pair.second)
        return replace(request, salt=f"{request.salt}#{pair.repeat}") if pair.repeat else request

    def requests(self, pair: Pair) -> list[Request]:
        """What a model is asked about a pair."""
        told = pair.first != pair.second and pair.first.strip() and pair.second.strip()
        asked = pair.judge in self._models and told
        return [self._request(self._models[pair.judge], pair)] if asked else []


def said(answer: Answer) -> str:
    """What a judge sees of an answer: the text, and the calls where it made some."""
    calls = [{"name": call.name, "arguments": call.arguments} for call in answer.tool_calls]
    return "\n".join([answer.text, json.dumps(calls, ensure_ascii=False)]).strip() if calls else answer.text
