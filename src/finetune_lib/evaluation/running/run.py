"""One evaluation: answers, then scores, then judgments; each unit is data when it fails, and kept when it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from finetune_lib.concurrency import together
from finetune_lib.evaluation.candidates import Candidate
from finetune_lib.evaluation.judges import Judge, Judgment
from finetune_lib.evaluation.report.results import Attempt, Result
from finetune_lib.evaluation.running.answering import Answering
from finetune_lib.evaluation.running.batching import in_batches
from finetune_lib.evaluation.running.pairing import Pair, Pairing
from finetune_lib.evaluation.running.progress import OnProgress, Progress, Stopwatch
from finetune_lib.evaluation.running.scoring import Scores, Scoring, is_silent
from finetune_lib.evaluation.running.units import Contents
from finetune_lib.evaluation.scorers import Scorer
from finetune_lib.platforms.asking import Request, Session
from finetune_lib.records import Answer, Case

Unit = TypeVar("Unit")
Asked = tuple[str, int, int]  # candidate, place of the case, number of the repeat


@dataclass(frozen=True)
class Plan:
    """What an evaluation asks.

    Attributes:
        cases: The golden set.
        candidates: By name; the first is the baseline.
        scorers: By name.
        judges: By name.
        epochs: How often each candidate is asked each case.
        all_pairs: Whether judges compare each candidate with each other one, not with the baseline alone.
        concurrency: Units under way at once.
        batch: Whether calls to models go through the platform's Batch API.
        name: What the cases are called, where that is to be told.
    """

    cases: tuple[Case, ...]
    candidates: Mapping[str, Candidate]
    scorers: Mapping[str, Scorer]
    judges: Mapping[str, Judge] = field(default_factory=dict[str, Judge])
    epochs: int = 1
    all_pairs: bool = False
    concurrency: int = 16
    batch: bool = False
    name: str = ""

    @cached_property
    def contents(self) -> Contents:
        """The golden set told by its content."""
        return Contents.of(self.cases)

    @cached_property
    def asked(self) -> list[Asked]:
        """Each answer that is wanted, those to one case together."""
        places, epochs = range(len(self.cases)), range(self.epochs)
        return [(name, place, epoch) for place in places for epoch in epochs for name in self.candidates]

    @property
    def matches(self) -> list[tuple[str, str]]:
        """Each candidate and the one it is judged against."""
        names = list(self.candidates)
        if self.all_pairs:
            return [(one, other) for i, other in enumerate(names) for one in names[i + 1 :]]
        return [(name, names[0]) for name in names[1:]]


class Run:
    """The units of one evaluation and what came of them."""

    def __init__(self, plan: Plan, session: Session, on_progress: OnProgress | None) -> None:
        self.plan, self.session, self._on_progress = plan, session, on_progress
        self._watch = Stopwatch()
        self._answering = Answering(plan.candidates, session, plan.contents)
        self._scoring = Scoring(plan.scorers, session, plan.contents)
        self._pairing = Pairing(plan.judges, session, plan.contents)
        self.answers: dict[Asked, Answer] = {}
        self.scores: dict[Asked, Scores] = {}
        self.judgments: dict[int, Judgment] = {}

    async def finish(self) -> None:
        """All units, and then nothing that was kept for an interrupted evaluation.

        Raises:
            DataError: An answer could not be kept.
            MissingExtraError: Something needs a package that is not installed.
        """
        parts = (self._answering, self._scoring, self._pairing)
        functions = [function for part in parts for function in part.functions.values()]
        try:
            await self._stages()
            for function in functions:
                function.finish()
        finally:
            for function in functions:
                function.close()

    async def _stages(self) -> None:
        await self._stage("answers", self.plan.asked, self._answer, self._answer_request)
        answered = [asked for asked in self.plan.asked if not self.answers[asked].error]
        silent = [asked for asked in answered if is_silent(self.answers[asked])]
        spoken = [asked for asked in answered if not is_silent(self.answers[asked])]
        await self._stage("scores", spoken if self.plan.scorers else [], self._score, self._score_requests)
        self.scores |= dict.fromkeys(silent, self._scoring.lowest(self.scores.values()))
        await self._stage("judgments", list(enumerate(self._pairs())), self._judge, self._judge_request)

    async def _stage(
        self,
        name: str,
        units: Sequence[Unit],
        work: Callable[[Unit], Awaitable[bool]],
        requests: Callable[[Unit], Awaitable[list[Request]]],
    ) -> None:
        """A few workers share one iterator: no task for each unit, whatever their number."""
        if self.plan.batch:
            await in_batches(self.session, await _all(requests, units))
        watch, waiting = Stopwatch(), iter(units)
        done = failed = 0

        async def worker() -> None:
            nonlocal done, failed
            for unit in waiting:
                failed += not await work(unit)
                done += 1
                self._tell(name, done, len(units), failed, watch)
                await asyncio.sleep(0)  # where nothing has to be waited for, Ctrl-C and other tasks have their turn

        await together(worker() for _ in range(min(self.plan.concurrency, len(units))))

    def _tell(self, stage: str, done: int, total: int, failed: int, watch: Stopwatch) -> None:
        if self._on_progress is None:
            return
        spent, left = self.session.purse.spent, watch.left(done, total)
        told = Progress(
            stage,
            done,
            total,
            failed,
            seconds=self._watch.seconds(),
            seconds_left=left,
            paid_calls=spent.calls,
            reused=spent.reused,
            spent=spent.usd,
        )
        self._on_progress(told)

    async def _answer(self, unit: Asked) -> bool:
        name, place, epoch = unit
        answer = await self._answering.answer(name, self.plan.cases[place], epoch)
        self.answers[unit] = answer
        return answer.error is None

    async def _score(self, unit: Asked) -> bool:
        self.scores[unit] = await self._scoring.scores(self.answers[unit], self.plan.cases[unit[1]])
        return not self.scores[unit].failures

    async def _answer_request(self, unit: Asked) -> list[Request]:
        name, place, epoch = unit
        return await self._answering.requests(name, self.plan.cases[place], epoch)

    async def _score_requests(self, unit: Asked) -> list[Request]:
        return self._scoring.requests(self.answers[unit], self.plan.cases[unit[1]])

    def _pairs(self) -> list[Pair]:
        """Each pair of answers that judges compare, in both orders."""
        found: list[Pair] = []
        for place, case in enumerate(self.plan.cases):
            for epoch in range(self.plan.epochs):
                for one, other in self.plan.matches:
                    answers = self.answers[one, place, epoch], self.answers[other, place, epoch]
                    found += self._pairing.pairs(case, (one, other), answers, epoch)
        return found

    async def _judge(self, unit: tuple[int, Pair]) -> bool:
        number, pair = unit
        judgment = await self._pairing.judgment(pair)
        self.judgments[number] = judgment
        return judgment.error is None

    async def _judge_request(self, unit: tuple[int, Pair]) -> list[Request]:
        return self._pairing.requests(unit[1])

    @property
    def any_answer(self) -> bool:
        """Whether a single answer came."""
        return any(not answer.error for answer in self.answers.values())

    @property
    def results(self) -> dict[str, tuple[Result, ...]]:
        """For each candidate, what came of each case."""
        places, epochs = range(len(self.plan.cases)), range(self.plan.epochs)
        return {
            name: tuple(Result(tuple(self._attempt((name, place, epoch)) for epoch in epochs)) for place in places)
            for name in self.plan.candidates
        }

    def _attempt(self, asked: Asked) -> Attempt:
        found = self.scores.get(asked)
        return Attempt(self.answers[asked], found.scores, found.failures) if found else Attempt(self.answers[asked])


async def _all(requests: Callable[[Unit], Awaitable[list[Request]]], units: Sequence[Unit]) -> list[Request]:
    """What models are asked in these units; one that cannot be put is told when its unit is done."""
    found: list[Request] = []
    for unit in units:
        with suppress(Exception):
            found += await requests(unit)
    return found
