"""Several signals as one: the chance that an answer is right, learned on training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from os import PathLike
from typing import Any, ClassVar, TypedDict, Unpack

from finetune_lib.concurrency import in_own_loop, name_of
from finetune_lib.evaluation.candidates import Candidate
from finetune_lib.evaluation.certifying.drawing import one_of_each, question
from finetune_lib.evaluation.certifying.signals import Signal, Sure, answered, require_rule, signal_of
from finetune_lib.evaluation.evaluator import Evaluator
from finetune_lib.evaluation.report import Report
from finetune_lib.evaluation.running.units import cases_of
from finetune_lib.evaluation.scorers import Scorer
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking import Request, Session, current_session
from finetune_lib.records import Answer, Case, Example
from finetune_lib.statistics.logistic import Logistic, ridge_logistic

LEAST = 30  # rows: of fewer nobody learns which signal to trust


class AskOptions(TypedDict, total=False):
    """How the candidate is asked, as for `Evaluator`."""

    platform: Platform | None
    concurrency: int
    timeout: float
    budget: float | None
    store: str | PathLike[str] | None


@dataclass(frozen=True)
class Combined:
    """The chance that an answer is right, by several signals; `fit_signal` makes one.

    Where a signal tells nothing of an answer, nobody is sure of it.

    Attributes:
        signals: What tells how sure an answer is.
        fitted: How they are weighed.
        rows: How many training rows it was fitted on.
        fitted_on: Marks of their questions: a certificate on one of them is refused.
        name: What certificates call it.
    """

    signals: tuple[Signal, ...]
    fitted: Logistic
    _: KW_ONLY
    rows: int
    fitted_on: tuple[str, ...] = field(repr=False)
    name: str = "combined"

    @property
    def options(self) -> Mapping[str, Any]:
        """What any of the signals wants to be asked for."""
        return {name: value for signal in self.signals for name, value in signal.options.items()}

    async def confidence(self, answer: Answer, request: Request | None, case: Case, session: Session, /) -> Sure:
        """The chance that the answer is right."""
        told = await _each(self.signals, answer, request, case, session)
        values = [one.value for one in told]
        known = [value for value in values if value is not None]
        return Sure(self.fitted.chance(known) if len(known) == len(values) else None, _sum(one.usd for one in told))


def fit_signal(
    signals: Sequence[Signal | Scorer],
    *,
    candidate: Candidate,
    examples: Sequence[Case | Example],
    scorer: Scorer,
    right: float = 1.0,
    ridge: float = 1.0,
    **options: Unpack[AskOptions],
) -> Combined:
    """Learn on training rows how several signals together tell whether an answer is right.

    The candidate is asked the rows; a logistic regression over the standardised signals is fitted to what the scorer
    says. The rows are none that the model was trained on, where it would be surer than in life, and never those of the
    golden set: `certify` refuses them. About 60 rows do; a poor fit costs answers, never the promise.

    Args:
        signals: As `certify` takes them: `LogProbability()`, `Agreement()`, scorers, functions.
        candidate: Who answers.
        examples: Rows with right answers; of those that ask the same, one.
        scorer: What tells whether an answer is right.
        right: The least score of a right answer.
        ridge: How strongly the weights are held near 0.
        options: `platform`, `concurrency`, `timeout`, `budget`, `store`, as for `Evaluator`.

    Raises:
        TypeError: The scorer is a judge, or a signal is none.
        ValueError: There is no signal, fewer than 30 rows have all signals and a score, or all answers are right, or
            all are wrong.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Example:
        >>> import finetune_lib as ft
        >>> rows = [ft.Case(str(n), (ft.Message(role="user", content=f"{n} + {n}?"),), str(n + n)) for n in range(40)]
        >>> def adds(case): return str(2 * int(case.id)) if int(case.id) < 30 else "100"
        >>> def small(answer, case): return -float(answer)
        >>> fitted = ft.fit_signal([small], candidate=adds, examples=rows, scorer=ft.ExactMatch(), store=":memory:")
        >>> fitted.rows, fitted.fitted.weights[0] > 0
        (40, True)
    """
    return in_own_loop(
        fit_signal_async(
            signals, candidate=candidate, examples=examples, scorer=scorer, right=right, ridge=ridge, **options
        )
    )


async def fit_signal_async(
    signals: Sequence[Signal | Scorer],
    *,
    candidate: Candidate,
    examples: Sequence[Case | Example],
    scorer: Scorer,
    right: float = 1.0,
    ridge: float = 1.0,
    **options: Unpack[AskOptions],
) -> Combined:
    """As `fit_signal`, without blocking the event loop."""
    require_rule(scorer)
    if not isinstance(signals, Sequence) or isinstance(signals, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"several signals are wanted, so write signals=[…], not {signals!r}")
    looked = tuple(signal_of(one, scorer, right) for one in signals)
    if not looked:
        raise ValueError("give at least one signal")
    cases = one_of_each(cases_of(examples), seed=0)
    probe = _Probe(candidate, looked, name_of(candidate))
    report = await Evaluator(scorers=[scorer], cluster_similar=False, **options).run_async(cases, candidates=[probe])
    rows, yes = _known(report, probe, right)
    if len(rows) < LEAST:
        raise ValueError(
            f"only {len(rows)} of {len(cases)} rows have every signal and a score: at least {LEAST} are needed"
        )
    if len(set(yes)) < 2:
        said = "right" if yes[0] else "wrong"
        raise ValueError(f"all {len(yes)} answers are {said}: no signal can learn to tell right from wrong")
    marks = tuple(sorted(question(case) for case in cases_of(examples)))
    return Combined(looked, ridge_logistic(rows, yes, ridge=ridge), rows=len(rows), fitted_on=marks)


@dataclass(frozen=True)
class _Probe:
    """A candidate that notes what each signal says of its answers."""

    instant: ClassVar[bool] = True

    candidate: Candidate
    signals: tuple[Signal, ...]
    name: str
    noted: dict[str, list[float | None]] = field(default_factory=dict[str, "list[float | None]"])

    async def __call__(self, case: Case, /) -> Answer:
        options = {name: value for signal in self.signals for name, value in signal.options.items()}
        async with current_session() as session:
            answer, request = await answered(self.candidate, case, session, options)
            if not answer.error:
                told = await _each(self.signals, answer, request, case, session)
                self.noted[case.id] = [one.value for one in told]
        return answer


async def _each(
    signals: Sequence[Signal], answer: Answer, request: Request | None, case: Case, session: Session
) -> list[Sure]:
    return [await signal.confidence(answer, request, case, session) for signal in signals]


def _sum(costs: Any) -> float | None:
    known = list(costs)
    return None if None in known else sum(known)


def _known(report: Report, probe: _Probe, right: float) -> tuple[list[list[float]], list[bool]]:
    """The rows of which every signal and the score are known."""
    rows: list[list[float]] = []
    yes: list[bool] = []
    for case, score in zip(report.cases, report.scores(probe.name), strict=True):
        values = [value for value in probe.noted.get(case.id, ()) if value is not None]
        if score is not None and len(values) == len(probe.signals):
            rows.append(values)
            yes.append(score >= right)
    return rows, yes
