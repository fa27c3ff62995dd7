"""Certify: ask each case, find the confidence from which on the promise holds, and put it before the candidate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from finetune_lib import catalog
from finetune_lib.concurrency import in_own_loop, name_of
from finetune_lib.evaluation.candidates import Candidate
from finetune_lib.evaluation.certifying.certificate import (
    GOLDEN,
    Certificate,
    NoCertificateError,
    advice,
    too_few,
)
from finetune_lib.evaluation.certifying.certified import Certified, Rated, depends_on
from finetune_lib.evaluation.certifying.combined import AskOptions
from finetune_lib.evaluation.certifying.drawing import one_of_each, require_unseen
from finetune_lib.evaluation.certifying.signals import Signal, require_rule, signal_of, usual_signal
from finetune_lib.evaluation.evaluator import Evaluator
from finetune_lib.evaluation.report import Report
from finetune_lib.evaluation.running.progress import OnProgress
from finetune_lib.evaluation.running.units import Contents, cases_of
from finetune_lib.evaluation.scorers import Scorer
from finetune_lib.records import Case, Example
from finetune_lib.statistics.certificates import Promised, certified_threshold, require_promise


def certify(
    candidate: Candidate,
    golden: Sequence[Case | Example],
    *,
    scorer: Scorer,
    signal: Signal | Scorer | None = None,
    error: float = 0.05,
    confidence: float = 0.95,
    of: Promised = "answers",
    right: float = 1.0,
    otherwise: Candidate | None = None,
    training: Sequence[Example] | None = None,
    name: str = "",
    seed: int = 0,
    on_progress: OnProgress | None = None,
    progress: bool = False,
    **options: Unpack[AskOptions],
) -> Certified:
    """A candidate that answers itself where it is sure enough that at most `error` is wrong, and else passes.

    The confidence from which on it answers is chosen on the golden set, and the promise holds for that choice: one
    exact bound over every threshold at once (`docs/explanation/certificates.md`). The cases must not have served to
    choose anything else, as the prompt or the model. Cases that ask the same, and those of one cluster, count once, by
    one drawn at random; a case without a verdict counts as wrong, and is asked again by the next call.

    Args:
        candidate: Who is to answer.
        golden: Cases with right answers, which nothing was chosen by.
        scorer: What tells whether an answer is right. A judge is none: its own errors would be in the promise.
        signal: What tells how sure an answer is: `LogProbability()`, `Agreement()` (the default), a scorer that
            needs no right answer, a function `(answer, case) -> number`, or several together (`fit_signal`). A
            `Cascade` tells it itself.
        error: The promise: at most this share is wrong.
        confidence: How often a promise given in this way is kept, at least.
        of: `answers`: of what it answers itself, at most that share is wrong. `questions`, which is cheaper: of all
            questions, at most that share gets a wrong answer.
        right: The least score of a right answer.
        otherwise: Who is asked what it does not answer; None declines.
        training: The training data: cases that it tells the answer of are left out.
        name: What reports call it.
        seed: Of the draw among cases that ask the same.
        on_progress: Called after each unit with a `Progress`.
        progress: Draw how far it is, in a notebook or a terminal.
        options: `platform`, `concurrency`, `timeout`, `budget`, `store`, as for `Evaluator`.

    Raises:
        TypeError: The scorer is a judge, or Agreement is asked of a candidate that is no model.
        NoCertificateError: So few cases cannot show it, which is said before anything is asked; or these do not.
        ValueError: A number or word is out of range, or the signal was fitted on some of the cases.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Example:
        >>> import finetune_lib as ft
        >>> cases = [ft.Case(str(n), (ft.Message(role="user", content=f"{n} + 1?"),), str(n + 1)) for n in range(80)]
        >>> def adds(case): return str(int(case.prompt.split()[0]) + 1)
        >>> def sure(answer, case): return 1.0
        >>> found = ft.certify(adds, cases, scorer=ft.ExactMatch(), signal=sure, store=":memory:")
        >>> found.certificate.answered, found.certificate.wrong
        (80, 0)
    """
    return in_own_loop(
        certify_async(
            candidate,
            golden,
            scorer=scorer,
            signal=signal,
            error=error,
            confidence=confidence,
            of=of,
            right=right,
            otherwise=otherwise,
            training=training,
            name=name,
            seed=seed,
            on_progress=on_progress,
            progress=progress,
            **options,
        )
    )


async def certify_async(
    candidate: Candidate,
    golden: Sequence[Case | Example],
    *,
    scorer: Scorer,
    signal: Signal | Scorer | None = None,
    error: float = 0.05,
    confidence: float = 0.95,
    of: Promised = "answers",
    right: float = 1.0,
    otherwise: Candidate | None = None,
    training: Sequence[Example] | None = None,
    name: str = "",
    seed: int = 0,
    on_progress: OnProgress | None = None,
    progress: bool = False,
    **options: Unpack[AskOptions],
) -> Certified:
    """As `certify`, without blocking the event loop."""
    require_promise(error, confidence, of)
    require_rule(scorer)
    signal = signal or usual_signal(candidate)
    told = signal_of(signal, scorer, right)
    depends = depends_on(candidate, scorer, told)
    given = cases_of(golden)
    require_unseen(given, told, candidate)
    cases = one_of_each(_clean(given, training), seed)
    if reason := too_few(len(cases), error, confidence, of):
        raise NoCertificateError(reason)
    rated = Rated(candidate, told, name_of(candidate))
    evaluator = Evaluator(scorers=[scorer], cluster_similar=False, **options)
    report = await evaluator.run_async(cases, candidates=[rated], on_progress=on_progress, progress=progress)
    sure, wrong = _seen(report, rated.name, right)
    found = certified_threshold(sure, wrong, error=error, confidence=confidence, of=of)
    if found is None:
        seen = f"{sum(one is not False for one in wrong):,} of {len(cases):,} are wrong or without a verdict"
        raise NoCertificateError(
            f"No certificate: these cases do not show {error:.0%} from any confidence on ({seen}); "
            f"{advice(error, confidence, of)}. Try a better signal or candidate, a larger error, or more cases.",
            report=report,
        )
    certificate = Certificate(
        rated.name,
        error=error,
        confidence=confidence,
        of=of,
        threshold=found.value,
        answered=found.answered,
        wrong=found.wrong,
        cases=found.n,
        level=found.level,
        signal=name_of(signal),
        scorer=name_of(scorer),
        right=right,
        day=catalog.today().isoformat(),
        stages=_stages(candidate, report, sure, wrong, found.value),
        depends={GOLDEN: Contents.of(given).digest, **depends},
    )
    return Certified(candidate, certificate, signal=told, otherwise=otherwise, name=name)


def _clean(cases: Sequence[Case], training: Sequence[Example] | None) -> Sequence[Case]:
    if training is None:
        return cases
    from finetune_lib.evaluation.golden import GoldenSet

    known = GoldenSet.of(cases).check(training=training).contaminated
    return [case for case in cases if case.id not in known]


def _seen(report: Report, name: str, right: float) -> tuple[list[float | None], list[bool | None]]:
    """Of each case how sure its answer is, and whether it is wrong; None where nobody can tell."""
    attempts: list[Any] = [result.attempts[0] for result in report.results[name]]
    (scorer,) = report.scorers
    scores = [attempt.scores.get(scorer) for attempt in attempts]
    wrong = [None if score is None else score.value < right for score in scores]
    return [attempt.answer.confidence for attempt in attempts], wrong


def _stages(
    candidate: Candidate,
    report: Report,
    sure: Sequence[float | None],
    wrong: Sequence[bool | None],
    least: float,
) -> dict[str, tuple[int, int]]:
    """Of a cascade, what each stage answered and got wrong among what reached that confidence."""
    found = {name_of(one): (0, 0) for one, _ in getattr(candidate, "stages", ())}
    (results,) = report.results.values()
    for result, confidence, bad in zip(results, sure, wrong, strict=True):
        if (by := result.answer.by) and confidence is not None and confidence >= least:
            answered, errors = found.get(by, (0, 0))
            found[by] = answered + 1, errors + (bad is not False)
    return found
