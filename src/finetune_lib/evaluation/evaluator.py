"""Evaluator: ask every candidate every case, score the answers, gather a Report. A failure is data, not an end."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from os import PathLike
from typing import Any, Literal, cast, get_args

from finetune_lib.concurrency import in_own_loop
from finetune_lib.errors import DataError
from finetune_lib.evaluation.candidates import Candidate
from finetune_lib.evaluation.judges import Judge
from finetune_lib.evaluation.regression import AsAsked, SuiteName, suite_of, without_system
from finetune_lib.evaluation.report import EvaluationError, Report, RunRecord
from finetune_lib.evaluation.report.design import Design
from finetune_lib.evaluation.report.history import earlier_looks, enter, remember
from finetune_lib.evaluation.running.progress import OnProgress, Progress
from finetune_lib.evaluation.running.record import Job, run_record, scales, signatures
from finetune_lib.evaluation.running.run import Plan, Run
from finetune_lib.evaluation.running.units import cases_of, named
from finetune_lib.evaluation.scorers import Scorer
from finetune_lib.files import refuse_path
from finetune_lib.pages.bar import drawing
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking import Session, within
from finetune_lib.records import Case, Example
from finetune_lib.shown import Shown
from finetune_lib.statistics import require_statistics
from finetune_lib.statistics.intervals import Assumption
from finetune_lib.statistics.paired import require_design
from finetune_lib.warned import warn

__all__ = ["Evaluator", "Progress"]

Mode = Literal["live", "batch"]


@dataclass(frozen=True)
class Evaluator(Shown):
    """Scores candidates side by side on a golden set.

    Every answer, grade and judgment of a model is kept on disk the moment it arrives, under the content of its
    question. So an evaluation that was interrupted, or is run again with one more scorer or candidate, pays only
    for what is missing.

    Attributes:
        scorers: What scores an answer: built-in scorers, or functions `(answer, case) -> number`. The first
            one decides the verdicts.
        judge: What compares two answers, in both orders: a `PairwiseJudge`, a function, or several of them as a
            panel. Each candidate is compared with the first one.
        all_pairs: Judges compare each candidate with each other one.
        epochs: How often each candidate is asked each case; the attempts are averaged within the case.
        mode: `live`, or `batch` to send calls to models through the platform's Batch API: cheaper, and slower.
        concurrency: Calls under way at once; a platform that answers 429 gets fewer for a while.
        timeout: Seconds that one call to a model may take.
        budget: US dollars at most for the calls of one run; what it does not reach is missing, with that reason. It
            reckons with the `max_tokens` of a model, else with the longest answer until then.
        platform: Where models run that name no platform; by default as `connect()` chooses.
        planned_looks: How often you mean to look at the verdict while you add cases: each look is then held to 5 %
            over that number. A run on more cases than an earlier one of the same candidates says that it looks again.
        assume: `"cases not seen are like those seen"` where you know that no rare large loss hides in what was not
            seen: smaller sets of graded scores then decide. It is printed with the verdict.
        cluster_similar: Whether cases that ask the same count once together; False where they are independent.
        folds: Of cases that were judged in folds, each by a model trained on the others, how many folds: intervals are
            wider then. `cross_validate` says it.
        regression_suite: Cases of general things that every candidate is asked as well, to see what tuning broke:
            True or `"general"` for those of the library (319 cases: form, arithmetic and reading, system prompt), or
            a file or cases of your own. `report.regressions` tells; a candidate's own system message is left out there.
        store: The file of kept answers; by default `answers.db` in `FINETUNE_LIB_HOME`, else in
            `~/.finetune_lib`; ":memory:" keeps none.

    Example:
        >>> import finetune_lib as ft
        >>> def polite(answer, case): return "您" in answer
        >>> def clerk(case): return "您好，請出示護照。"
        >>> report = ft.Evaluator(scorers=[polite]).run([ft.Case("1", (), expected="")], candidates=[clerk])
        >>> report.mean("clerk")
        1.0
    """

    scorers: Sequence[Scorer] = ()
    _: KW_ONLY
    judge: Judge | Sequence[Judge] | None = None
    all_pairs: bool = False
    epochs: int = 1
    mode: Mode = "live"
    concurrency: int = 16
    timeout: float = 120.0
    budget: float | None = None
    platform: Platform | None = None
    planned_looks: int = 1
    assume: Assumption | None = None
    cluster_similar: bool = True
    folds: int | None = None
    regression_suite: bool | SuiteName | str | PathLike[str] | Sequence[Case | Example] | None = None
    store: str | PathLike[str] | None = None

    def run(
        self,
        golden: Sequence[Case | Example],
        *,
        candidates: Sequence[Candidate],
        training: Sequence[Example] | None = None,
        job: Job | None = None,
        on_progress: OnProgress | None = None,
        progress: bool = False,
    ) -> Report:
        """Evaluate; works in scripts and inside a running event loop (a notebook). Ctrl-C loses nothing.

        Args:
            golden: A `GoldenSet`, cases, or a Dataset whose last assistant turns are the expected answers.
            candidates: What to compare; the first one is the baseline of the printed comparisons.
            training: The training data: cases whose like is in it are left out of the comparisons.
            job: The fine-tuning job behind the tuned candidate, for the record and the price of the training.
            on_progress: Called after each unit with a `Progress`; `print` is one.
            progress: Draw how far it is, in a notebook or a terminal.

        Raises:
            TypeError: A candidate, scorer or judge is nothing that can be called, or the class of one; or a path
                stands where cases or examples are wanted.
            ValueError: No case, no candidate, nothing that scores, two of one name, a number out of range, or a
                budget without the price of a model.
            DataError: The golden set has unread lines, or an example without an expected answer; or an answer
                cannot be kept.
            EvaluationError: Not a single answer came; its report has the reasons.
            MissingExtraError: Comparing without `pip install "finetune_lib[eval]"`; raised before any call.
        """
        work = self.run_async(
            golden, candidates=candidates, training=training, job=job, on_progress=on_progress, progress=progress
        )
        return in_own_loop(work)

    async def run_async(
        self,
        golden: Sequence[Case | Example],
        *,
        candidates: Sequence[Candidate],
        training: Sequence[Example] | None = None,
        job: Job | None = None,
        on_progress: OnProgress | None = None,
        progress: bool = False,
    ) -> Report:
        """As `run`."""
        refuse_path(training, "training has examples", "ft.Dataset.load")
        plan = self._plan(golden, candidates)
        suite = self._suite_plan(plan)
        started, watch = time.time(), time.perf_counter()
        near = _contaminated(plan.cases, training)
        session = Session(
            platform=self.platform,
            store=self.store,
            budget=self.budget,
            concurrency=self.concurrency,
            timeout=self.timeout,
        )
        async with within(session):
            await session.prepare(_asking(plan))
            with drawing(on_progress, progress=progress) as told:
                run = Run(plan, session, told)
                await run.finish()
                asked = Run(suite, session, told) if suite and run.any_answer else None
                if asked:
                    await asked.finish()
            record = run_record(plan, session, golden, job, started=started, seconds=time.perf_counter() - watch)
            report = _report(plan, run, near, record, self._design(plan, session))
            report = _checked(replace(report, regression_suite=_of_suite(asked, record, training) if asked else None))
            _remembered(session, report, plan.contents.tokens)
        return report

    def require(self, golden: Sequence[Case | Example], *, candidates: Sequence[Candidate]) -> None:
        """Refuse now what `run` would refuse before its first call, as before a training is paid."""
        self._suite_plan(self._plan(golden, candidates))

    def _suite_plan(self, plan: Plan) -> Plan | None:
        """The same candidates on a regression suite."""
        suite = suite_of(self.regression_suite)
        if suite is None:
            return None
        if len(plan.candidates) < 2:
            raise ValueError("a regression suite compares: give at least two candidates, the one before tuning first")
        by = AsAsked()
        return replace(
            plan,
            cases=tuple(suite),
            candidates=without_system(plan.candidates),
            scorers={by.name: by},
            judges={},
            name=suite.name,
        )

    def _plan(self, golden: Sequence[Case | Example], candidates: Sequence[Candidate]) -> Plan:
        if require_whole := getattr(golden, "require_whole", None):  # a Dataset, which need not be loaded to tell
            require_whole()
        if problems := list(self._problems()):
            raise ValueError("; ".join(problems))
        several = isinstance(self.judge, Sequence) and not isinstance(self.judge, str)
        judges: Sequence[Any] = cast("Any", self.judge if several else [self.judge] if self.judge else [])
        plan = Plan(
            cases_of(golden),
            named(candidates, "candidate"),
            named(self.scorers, "scorer"),
            named(judges, "judge"),
            epochs=self.epochs,
            all_pairs=self.all_pairs,
            concurrency=self.concurrency,
            batch=self.mode == "batch",
        )
        scales(plan.scorers)
        if not plan.candidates:
            raise ValueError("give at least one candidate")
        if not plan.scorers and not plan.judges:
            raise ValueError("give at least one scorer, or a judge")
        if plan.judges and len(plan.candidates) < 2:
            raise ValueError("a judge compares: give at least two candidates")
        if len(plan.candidates) > 1:
            require_statistics()
        return plan

    def _design(self, plan: Plan, session: Session) -> Design:
        return Design(
            self.planned_looks,
            self.assume,
            self.cluster_similar,
            scales(plan.scorers),
            look=1 + earlier_looks(session.kept_path, plan.contents.tokens, plan.candidates),
            folds=self.folds,
        )

    def _problems(self) -> Iterator[str]:
        for name in ("concurrency", "epochs"):
            if getattr(self, name) < 1:
                yield f"{name} is at least 1, not {getattr(self, name)}"
        if not self.timeout > 0:
            yield f"timeout is above 0 seconds, not {self.timeout}"
        if self.folds is not None and self.folds < 2:
            yield f"folds is at least 2, or None, not {self.folds}"
        if self.budget is not None and not self.budget >= 0:
            yield f"budget is at least $0, not {self.budget}"
        try:
            require_design(self.assume, self.planned_looks)
        except ValueError as error:
            yield str(error)
        if self.mode not in get_args(Mode):
            yield f"mode is one of {', '.join(get_args(Mode))}, not {self.mode!r}"


def _contaminated(cases: Sequence[Case], training: Sequence[Example] | None) -> frozenset[str]:
    if training is None:
        return frozenset()
    from finetune_lib.evaluation.golden import GoldenSet

    return frozenset(GoldenSet.of(cases).check(training=training).contaminated)


def _asking(plan: Plan) -> list[Any]:
    """Whatever asks a model under a name of its own."""
    things = (*plan.candidates.values(), *plan.scorers.values(), *plan.judges.values())
    return [thing for thing in things if hasattr(thing, "request") and hasattr(thing, "model")]


def _report(plan: Plan, run: Run, near: frozenset[str], record: RunRecord, design: Design) -> Report:
    return Report(
        plan.cases,
        tuple(plan.candidates),
        tuple(plan.scorers),
        run.results,
        judgments=tuple(run.judgments[number] for number in sorted(run.judgments)),
        contaminated=near,
        signatures=signatures(plan.scorers),
        run=record,
        design=design,
    )


def _of_suite(run: Run, record: RunRecord, training: Sequence[Example] | None) -> Report:
    """The report of a regression suite, as a part of the other one: what it cost is told there."""
    plan = run.plan
    told = RunRecord(golden=plan.contents.digest, golden_name=plan.name, models=record.models)
    return _report(plan, run, _contaminated(plan.cases, training), told, Design(scales=scales(plan.scorers)))


def _remembered(session: Session, report: Report, cases: Collection[str]) -> None:
    """What was paid for is kept, and the report is here: a history that cannot be written is no reason to lose it."""
    try:
        remember(session.kept_path, report, cases)
    except sqlite3.Error as error:
        warn(f"the evaluation is not in the history {session.kept_path}: {error}")
    try:
        enter(report)
    except (DataError, sqlite3.Error) as error:
        warn(f"the evaluation is not in the record of runs: {error}")


def _checked(report: Report) -> Report:
    if all(result.answer.error for results in report.results.values() for result in results):
        raise EvaluationError(f"not a single answer came; the first reason: {report.failures[0].reason}", report=report)
    return report
