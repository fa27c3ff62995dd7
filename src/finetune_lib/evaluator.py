"""Evaluator: ask every candidate every case, score the answers, gather a Report. A failure is data, not an end."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import math
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, TypeVar

from finetune_lib.candidates import Candidate, name_of
from finetune_lib.candidates.chat_model import connections
from finetune_lib.dataset import Dataset
from finetune_lib.errors import DataError, EvaluationError
from finetune_lib.records import Answer, Case, Example
from finetune_lib.report import Report, Result
from finetune_lib.scorers import Scorer
from finetune_lib.statistics import require_statistics

T = TypeVar("T")
OnProgress = Callable[[int, int], object]


@dataclass(frozen=True)
class Evaluator:
    """Scores candidates side by side on a golden set.

    Attributes:
        scorers: What scores an answer: built-in scorers, or functions `(answer, case) -> number`. The first
            one decides the verdicts.
        concurrency: Calls under way at once.

    Example:
        >>> import finetune_lib as ft
        >>> def polite(answer, case): return "您" in answer
        >>> def clerk(case): return "您好，請出示護照。"
        >>> report = ft.Evaluator(scorers=[polite]).run([ft.Case("1", (), expected="")], candidates=[clerk])
        >>> report.mean("clerk")
        1.0
    """

    scorers: Sequence[Scorer]
    _: KW_ONLY
    concurrency: int = 8

    def run(
        self,
        golden: Sequence[Case | Example],
        *,
        candidates: Sequence[Candidate],
        on_progress: OnProgress | None = None,
    ) -> Report:
        """Evaluate; works in scripts and inside a running event loop (a notebook).

        Args:
            golden: Cases, or a Dataset whose last assistant turns are the expected answers.
            candidates: What to compare; the first one is the baseline of the printed comparisons.
            on_progress: Called after each answer with the number done and the number in all.

        Raises:
            ValueError: No case, no candidate, no scorer, or two of one name.
            DataError: The golden set has unread lines, or an example without an expected answer.
            EvaluationError: Not a single answer came; its report has the reasons.
            MissingExtraError: Comparing without `pip install "finetune_lib[eval]"`; raised before any call.
        """
        return _in_own_loop(self.run_async(golden, candidates=candidates, on_progress=on_progress))

    async def run_async(
        self,
        golden: Sequence[Case | Example],
        *,
        candidates: Sequence[Candidate],
        on_progress: OnProgress | None = None,
    ) -> Report:
        """As `run`."""
        if isinstance(golden, Dataset):
            golden.require_whole()
        if self.concurrency < 1:
            raise ValueError(f"concurrency is at least 1, not {self.concurrency}")
        cases = tuple(_case(item, number) for number, item in enumerate(golden, start=1))
        named = _named(candidates, "candidate")
        scorers = _named(self.scorers, "scorer")
        if not cases:
            raise ValueError("the golden set is empty")
        if len(named) > 1:
            require_statistics()
        run = _Run(cases, named, scorers, on_progress)
        async with connections():
            await run.finish(self.concurrency)
        return _checked(run.report())


class _Run:
    """The units of work of one evaluation, one for each candidate and case, and their results."""

    def __init__(
        self,
        cases: Sequence[Case],
        candidates: Mapping[str, Candidate],
        scorers: Mapping[str, Scorer],
        on_progress: OnProgress | None,
    ) -> None:
        self.cases, self.candidates, self.scorers = cases, candidates, scorers
        self.on_progress = on_progress
        self.results: dict[tuple[str, int], Result] = {}

    async def finish(self, concurrency: int) -> None:
        """A few workers share one iterator: no task for each unit, whatever their number."""
        units = iter([(name, place) for place in range(len(self.cases)) for name in self.candidates])
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(concurrency):
                    group.create_task(self._work(units))
        except BaseExceptionGroup as errors:  # only `on_progress` can raise: its error is the caller's own
            raise errors.exceptions[0] from None

    async def _work(self, units: Iterator[tuple[str, int]]) -> None:
        for name, place in units:
            case = self.cases[place]
            answer = await _answer(self.candidates[name], case)
            self.results[name, place] = await self._scored(answer, case)
            if self.on_progress:
                self.on_progress(len(self.results), len(self.cases) * len(self.candidates))

    async def _scored(self, answer: Answer, case: Case) -> Result:
        if answer.error:
            return Result(answer)
        scores: dict[str, float] = {}
        failures: dict[str, str] = {}
        for name, scorer in self.scorers.items():
            try:
                scores[name] = _number(await _call(scorer, answer.text, case))
            except Exception as error:
                failures[name] = f"scorer {name}: {_reason(error)}"
        return Result(answer, scores, failures)

    def report(self) -> Report:
        places = range(len(self.cases))
        results = {name: tuple(self.results[name, place] for place in places) for name in self.candidates}
        return Report(tuple(self.cases), tuple(self.candidates), tuple(self.scorers), results)


async def _answer(candidate: Candidate, case: Case) -> Answer:
    """One answer; whatever goes wrong in it is its own reason of failure."""
    start = time.perf_counter()
    try:
        given = await _call(candidate, case)
        answer = given if isinstance(given, Answer) else Answer(_text(given))
    except Exception as error:
        answer = Answer(error=_reason(error))
    return replace(answer, seconds=time.perf_counter() - start)


async def _call(function: Callable[..., Any], *args: Any) -> Any:
    """Await an async callable; run a plain one in a thread, so that a slow one holds up nobody."""
    if any(map(inspect.iscoroutinefunction, (function, type(function).__call__))):
        return await function(*args)
    result, error = await asyncio.to_thread(_caught, function, args)
    if error is not None:
        raise error
    return await result if inspect.isawaitable(result) else result


def _caught(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, Exception | None]:
    """Call inside the thread; what no future can carry, as `StopIteration`, becomes an ordinary error."""
    try:
        return function(*args), None
    except (StopIteration, SystemExit) as error:
        return None, RuntimeError(f"{type(error).__name__}: {error}")
    except Exception as error:
        return None, error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a candidate answers with text or an Answer, not {type(value).__name__}")
    return value


def _number(value: object) -> float:
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TypeError(f"a scorer gives a finite number or a truth value, not {value!r}")
    return float(value)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _case(item: Case | Example, number: int) -> Case:
    """A case of the golden set; what is no sound example says which one."""
    if isinstance(item, Case):
        return item
    try:
        return Case.from_example(item, number=number)
    except (KeyError, TypeError, ValueError) as error:
        place = item.origin.row or number
        raise DataError(f"golden example {place} of {item.origin.source or 'the set'} is no case: {error}") from error


def _named(things: Sequence[T], what: str) -> Mapping[str, T]:
    names = [name_of(thing) for thing in things]
    if not names:
        raise ValueError(f"give at least one {what}")
    if doubled := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"two {what}s are named {doubled!r}: give one of them another name")
    return dict(zip(names, things, strict=True))


def _checked(report: Report) -> Report:
    if all(result.answer.error for results in report.results.values() for result in results):
        raise EvaluationError(f"not a single answer came; the first reason: {report.failures[0].reason}", report=report)
    return report


def _in_own_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end on an event loop of its own in its own thread; Ctrl-C stops it."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(work)
    thread = threading.Thread(target=_drive, args=[loop, task], name="finetune_lib-evaluator", daemon=True)
    thread.start()
    try:
        thread.join()
    except BaseException:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        raise
    return task.result()


def _drive(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
    """The task keeps its result or its error for the thread that waits."""
    with contextlib.suppress(BaseException):
        loop.run_until_complete(task)
    loop.close()
