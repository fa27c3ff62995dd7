"""Asks what the plan says and keeps each answer at once: killed and begun again, it asks nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from finetune_lib import catalog
from finetune_lib.concurrency import together
from finetune_lib.errors import DataError, PlatformError
from finetune_lib.evaluation.golden import GoldenSet
from finetune_lib.evaluation.running.batching import in_batches
from finetune_lib.evaluation.running.progress import OnProgress, Progress, Stopwatch
from finetune_lib.migration.recording.plan import Ask, RecordingPlan, require_own_ids
from finetune_lib.migration.recording.recording import (
    AGAIN,
    ANSWERS,
    QUESTIONS,
    Line,
    Recording,
    asks_the_same,
    lines_in,
    manifest_in,
    write_lines,
    write_manifest,
)
from finetune_lib.pages.bar import drawing
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking import NotAskedError, Reply, Session, cost, within
from finetune_lib.records import Case

AT_ONCE, AT_ONCE_CHECKPOINT = 16, 4  # a checkpoint has the platform's default limits, not those of its base
LIVE_FIRST = 3  # of a batch: a model that batches refuse is found out before all is sent
CHECKPOINT = ":ckpt-"


@dataclass
class _Recorder:
    plan: RecordingPlan
    session: Session
    answers: dict[str, Line]
    again: dict[str, Line]
    missing: dict[str, str] = field(default_factory=dict[str, str])
    done: int = 0

    def of(self, ask: Ask) -> dict[str, Line]:
        return self.again if ask.kind == "again" else self.answers

    async def work(self, waiting: Iterator[Ask], tell: OnProgress | None, watch: Stopwatch) -> None:
        for ask in waiting:
            try:
                reply = await self.session.ask(ask.request)
                self.of(ask)[ask.case.id] = _line(ask, reply, self.plan)
            except (PlatformError, NotAskedError, ValueError) as error:
                if ask.kind != "again":
                    self.missing[ask.case.id] = f"{error}"
            self.done += 1
            if tell:
                tell(self._progress(watch))

    def _progress(self, watch: Stopwatch) -> Progress:
        total, spent = len(self.plan.asks), self.session.purse.spent
        left = watch.left(self.done, total)
        return Progress(
            "answers",
            self.done,
            total,
            len(self.missing),
            watch.seconds(),
            left,
            spent.calls,
            spent.reused,
            spent.usd,
        )


async def record(
    plan: RecordingPlan,
    folder: Path,
    *,
    platform: Platform,
    store: str | PathLike[str] | None,
    on_progress: OnProgress | None,
    progress: bool,
) -> Recording:
    """Ask, keep, and write the folder.

    Raises:
        DataError: The folder holds something else, or a recording of another model, margin or settings.
        ValueError: The platform does not take the model, or a budget is given and its price is not known.
    """
    told = _fixed(plan, folder)
    questions = _questions(plan, folder)
    answers, again = lines_in(folder / ANSWERS), lines_in(folder / AGAIN)
    at_once = AT_ONCE_CHECKPOINT if CHECKPOINT in plan.model.model else AT_ONCE
    session = Session(platform=platform, store=store, budget=plan.budget, concurrency=at_once)
    async with within(session):
        recorder = _Recorder(plan, session, answers, again)
        wanted = [ask for ask in plan.asks if ask.case.id not in recorder.of(ask)]
        recorder.done = len(plan.asks) - len(wanted)
        await session.prepare([plan.model])
        with drawing(on_progress, progress=progress) as tell:
            watch = Stopwatch()
            try:
                await _ask(recorder, wanted, tell, watch, at_once)
            finally:  # what was answered is written, also where Ctrl-C ends it
                _write(folder, questions, recorder)
        spent = session.purse.spent
    return Recording(
        folder,
        model=told["model"],
        margin=told["margin"],
        day=told["day"],
        questions=questions,
        answers=answers,
        again=again,
        missing=recorder.missing,
        spent=spent,
    )


async def _ask(recorder: _Recorder, wanted: list[Ask], tell: OnProgress | None, watch: Stopwatch, at_once: int) -> None:
    live = wanted[:LIVE_FIRST] if recorder.plan.batch else wanted
    rest = wanted[len(live) :]
    for part in (live, rest):
        if part is rest and rest and not recorder.session.hopeless:
            await in_batches(recorder.session, [ask.request for ask in rest])
        waiting = iter(part)
        await together(recorder.work(waiting, tell, watch) for _ in range(min(at_once, len(part))))


def _fixed(plan: RecordingPlan, folder: Path) -> dict[str, Any]:
    """What is fixed before the first answer: as it was, or now."""
    settings = {
        name: value
        for name in ("system", "temperature", "max_tokens", "response_format", "options")
        if (value := getattr(plan.model, name)) not in (None, {})
    }
    wanted: dict[str, Any] = {"model": plan.model.model, "settings": settings, "margin": float(plan.margin)}
    told = manifest_in(folder)
    if told is None:
        folder.mkdir(parents=True, exist_ok=True)
        wanted["day"] = catalog.today().isoformat()
        write_manifest(folder, wanted)
        return wanted
    for name, value in wanted.items():
        if told.get(name) != value:
            raise DataError(
                f"{folder} holds a recording with the {name} {told.get(name)!r}, fixed on {told['day']}, "
                f"not {value!r}: record that in another folder"
            )
    return dict(told)


def _questions(plan: RecordingPlan, folder: Path) -> GoldenSet:
    """The questions of this plan and of earlier ones in the folder, written before they are asked."""
    require_own_ids(plan.cases)
    cases: dict[str, Case] = {}
    if (path := folder / QUESTIONS).exists():
        cases = {case.id: case for case in GoldenSet.load(path)}
    for case in plan.cases:
        if (before := cases.get(case.id)) and not asks_the_same(before, case):
            raise DataError(f"{path}: {case.id} asks something else there: give the new question an id of its own")
        cases[case.id] = case
    questions = GoldenSet(tuple(cases.values()), name="recorded questions")
    questions.save(path, overwrite=True)
    return questions


def _line(ask: Ask, reply: Reply, plan: RecordingPlan) -> Line:
    usd = cost(reply.usage, plan.price) * reply.price_share if plan.price else None
    told: dict[str, Any] = {
        "id": ask.case.id,
        "kind": ask.kind,
        "question": ask.case.prompt,
        "answer": reply.text,
        "tool_calls": [[call.name, call.arguments] for call in reply.tool_calls],
        "reasoning": reply.reasoning,
        "finish_reason": reply.finish_reason,
        "model": reply.model,
        "usage": [reply.usage.prompt_tokens, reply.usage.completion_tokens],
        "seconds": round(reply.seconds, 4),
        "cost": usd,
        "logprobs": list(reply.logprobs),
        "request": {"messages": list(ask.request.messages), **ask.request.options},
        "day": catalog.today().isoformat(),
    }
    return {name: value for name, value in told.items() if value not in (None, "", []) or name == "answer"}


def _write(folder: Path, questions: GoldenSet, recorder: _Recorder) -> None:
    order = {case.id: place for place, case in enumerate(questions)}
    for name, lines in ((ANSWERS, recorder.answers), (AGAIN, recorder.again)):
        write_lines(folder / name, sorted(lines.values(), key=lambda line: order.get(line["id"], len(order))))
