"""Cross-validation: every row is judged by a model that has not learned it, so that small data speak as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Unpack, cast, overload

from finetune_lib.concurrency import in_own_loop, in_thread
from finetune_lib.data.dataset import Dataset
from finetune_lib.evaluation.candidates import Candidate, ChatModel
from finetune_lib.evaluation.evaluator import Evaluator
from finetune_lib.evaluation.report import Comparison, Report
from finetune_lib.evaluation.report.differences import Differences, of_judgments, of_scores
from finetune_lib.evaluation.report.measured import JUDGE
from finetune_lib.jobs.errors import JobCancelledError, JobFailedError
from finetune_lib.jobs.fold_candidates import of_folds, trained
from finetune_lib.jobs.folds import FoldsOptions, FoldsPlan, Training, planned_folds
from finetune_lib.jobs.job import Job
from finetune_lib.platforms import default_platform
from finetune_lib.shown import Shown
from finetune_lib.statistics import SeedsDifference, seeds_difference

LEAST_SEALED = 48
SEEDS_THAT_TELL = 5
WORDS = {2: "two", 3: "three", 4: "four", 5: "five"}
Ended = Job | JobFailedError | JobCancelledError


@dataclass(frozen=True, slots=True)
class CrossValidation(Shown):
    """What models that were trained on parts of the rows do on the others; `print` it.

    Attributes:
        plan: What was planned: the folds, their rows and seeds.
        jobs: One a training, in the order of `plan.trainings`; None where it failed.
        failures: Why those failed, by their place among the trainings; their rows are missing, and count against.
        report: All answers with their scores, as of any evaluation; its verdicts allow for the folds.
        these: These very models against the baseline: of several seeds their mean.
        recipe: Models trained this way, whatever the seed; None where there is one seed.
        spread: The standard deviation of the means of the seeds; None where there is one.
    """

    plan: FoldsPlan
    jobs: tuple[Job | None, ...]
    failures: Mapping[int, str]
    report: Report
    these: Comparison
    recipe: Comparison | None = None
    spread: float | None = None

    @property
    def verdict(self) -> Comparison:
        """What the claim rests on: that of the recipe where there are several seeds."""
        return self.recipe or self.these

    @property
    def advice(self) -> str:
        """What further trainings would tell; empty where they would tell nothing new."""
        if self.recipe is None or self.spread is None:
            return ""
        if self.these.outcome in ("better", "worse") and self.recipe.outcome == "not shown":
            number = _word(self.plan.seeds)
            return f"{self.these.outcome} for these {number}; two more seeds would tell whether it is the recipe"
        half = (self.these.estimate.high - self.these.estimate.low) / 2
        if self.plan.seeds < SEEDS_THAT_TELL and self.spread > half / 4:
            return f"seeds differ much for so few: {SEEDS_THAT_TELL} of them would tell more"
        return ""

    def __str__(self) -> str:
        rows, share, groups = len(self.plan.cases), self.plan.share, self.plan.units
        whose = f"{share} of these {rows:,} rows" + (f" ({groups:,} groups)" if groups < rows else "")
        if self.recipe is None:
            lines = [_claim(f"models trained this way on {whose}", self.these)]
        else:
            number = _word(self.plan.seeds)
            lines = [
                _claim(f"models trained this way on {whose}, whatever the seed,", self.recipe),
                _claim(f"these {number} models of each fold, on average,", self.these),
                f"seeds differ by {self.spread:.3f}" + (f"; {self.advice}" if self.advice else ""),
            ]
        lines += [
            f"fold {one.fold}, seed {one.plan.settings.seed}: {self.failures[place]}; its {len(one.judged)} rows are "
            "missing: the same call again trains it anew"
            for place, one in enumerate(self.plan.trainings)
            if place in self.failures
        ]
        return "\n".join(
            [
                *lines,
                f"The model that learns all rows is not among them: it is expected to be about as good. To show it, "
                f"keep at least {LEAST_SEALED} rows out of everything, and evaluate it on those.",
            ]
        )


def _word(number: int) -> str:
    return WORDS.get(number, str(number))


def _claim(who: str, found: Comparison) -> str:
    e, digits = found.estimate, 3 if found.estimate.high - found.estimate.low < 0.1 else 2
    numbers = f"{e.value:+.{digits}f} ({e.low:+.{digits}f} to {e.high:+.{digits}f})"
    said = (
        f"are not shown to differ from {found.baseline}: {numbers}"
        if found.outcome == "not shown"
        else f"score {numbers} {found.outcome} than {found.baseline}"
    )
    p = "p < 0.001" if found.p < 0.001 else f"p = {found.p:.3f}"
    missing = f", {found.missing} rows missing" if found.missing else ""
    text = f"{who[0].upper()}{who[1:]} {said} by {found.scorer}, {p}{missing}"
    return f"{text}; {found.advice}" if found.advice else text


@overload
def cross_validate(
    data: Dataset,
    *,
    model: str,
    evaluator: Evaluator,
    baseline: Candidate | None = None,
    dry_run: Literal[False] = False,
    progress: bool = False,
    **options: Unpack[FoldsOptions],
) -> CrossValidation: ...
@overload
def cross_validate(
    data: Dataset,
    *,
    model: str,
    evaluator: Evaluator,
    baseline: Candidate | None = None,
    dry_run: Literal[True],
    progress: bool = False,
    **options: Unpack[FoldsOptions],
) -> FoldsPlan: ...
def cross_validate(
    data: Dataset,
    *,
    model: str,
    evaluator: Evaluator,
    baseline: Candidate | None = None,
    dry_run: bool = False,
    progress: bool = False,
    **options: Unpack[FoldsOptions],
) -> CrossValidation | FoldsPlan:
    """Train on all folds but one, in turn, and let each model answer the rows that it has not learned.

    So all of a small set speaks, and not the fifth that would be held out. It tells of models that learn this way from
    so many rows, and not of the one that learns all of them. Rows that tell each other's answer
    (`finetune_lib.relation`), children of one augmented example and rows of one `group_by` are in one fold and count
    once. Rows are what counts and never the folds: five units show nothing. As models share rows, intervals are wider
    by the square root of folds / (folds - 1). Choose prompt, epochs and all else on other rows.

    The same call again goes on: jobs and answers that are there are found, and a training that failed is started anew.

    Args:
        data: The rows, each with its expected answer.
        model: The base.
        evaluator: What scores; its first scorer decides. Where it names no platform, it asks that of the trainings.
        baseline: What the models are compared with; by default the base itself. Of a `ChatModel` they take over
            `max_tokens`, `temperature`, `response_format` and `options`. Where it holds these very rows, as
            `FewShot(…, examples=data)`, it is shown those of the other folds alone.
        dry_run: Give the plan with all costs, and send no data.
        progress: Draw how far it is, in a notebook or a terminal.
        options: `folds`, 5 by default: 10 shows more, at twice the trainings; `seeds`, trainings of each fold, 3 where
            the claim is to hold whatever the seed; `group_by`, from an example to its customer, document or template;
            `seed`, the first of the seeds; `budget`, US dollars at most for all trainings together, held before the
            first is sent; and what `Job.create` takes.

    Raises:
        TypeError: The data is no Dataset.
        ValueError: Too few folds, seeds or groups; a platform that deploys its models; a baseline that has learned from
            some of the rows; or what `Job.create` and `Evaluator.run` refuse. All of it before anything is sent.
        DataError: A row has no expected answer.
        InvalidDatasetError: The rows of a fold do not pass `validate`.
        BudgetExceededError: The trainings would cost more than the budget.
        JobFailedError: All trainings failed.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Source: simulated trainings, as `statistics.paired_difference` tells; Bates, Hastie and Tibshirani,
    "Cross-validation: what does it estimate and how well does it do it?", 2024, for what it speaks of.
    """
    options["platform"] = options.get("platform") or default_platform()
    work = _cross_validated(
        data, model=model, evaluator=evaluator, baseline=baseline, dry_run=dry_run, progress=progress, **options
    )
    return in_own_loop(work)


@overload
async def cross_validate_async(
    data: Dataset,
    *,
    model: str,
    evaluator: Evaluator,
    baseline: Candidate | None = None,
    dry_run: Literal[False] = False,
    progress: bool = False,
    **options: Unpack[FoldsOptions],
) -> CrossValidation: ...
@overload
async def cross_validate_async(
    data: Dataset,
    *,
    model: str,
    evaluator: Evaluator,
    baseline: Candidate | None = None,
    dry_run: Literal[True],
    progress: bool = False,
    **options: Unpack[FoldsOptions],
) -> FoldsPlan: ...
async def cross_validate_async(
    data: Dataset,
    *,
    model: str,
    evaluator: Evaluator,
    baseline: Candidate | None = None,
    dry_run: bool = False,
    progress: bool = False,
    **options: Unpack[FoldsOptions],
) -> CrossValidation | FoldsPlan:
    """As `cross_validate`, without blocking the event loop."""
    options["platform"] = options.get("platform") or await in_thread(default_platform)
    return await _cross_validated(
        data, model=model, evaluator=evaluator, baseline=baseline, dry_run=dry_run, progress=progress, **options
    )


async def _cross_validated(
    data: Dataset,
    *,
    model: str,
    evaluator: Evaluator,
    baseline: Candidate | None,
    dry_run: bool,
    progress: bool,
    **options: Unpack[FoldsOptions],
) -> CrossValidation | FoldsPlan:
    plan = await planned_folds(data, model=model, **options)
    against = baseline or ChatModel(model, name="base", platform=options.get("platform"))
    candidates = [of_folds(against, data, plan), *trained(plan, plan.trainings, against)]
    if dry_run:
        return plan
    evaluator = replace(evaluator, platform=evaluator.platform or options.get("platform"), folds=plan.folds)
    evaluator.require(plan.cases, candidates=candidates)
    plan.require()
    ended = await _trained_jobs(plan.trainings, progress=progress)
    candidates[1:] = trained(plan, ended, against)
    report = await evaluator.run_async(plan.cases, candidates=candidates, progress=progress)
    return _concluded(plan, ended, report)


async def _trained_jobs(trainings: Sequence[Training], *, progress: bool) -> list[Ended]:
    """All jobs, started before the first is waited for; one that fails leaves the others going.

    Raises:
        JobError: All of them failed; the first error.
    """
    started = [await training.plan.submit_async(progress=progress) for training in trainings]
    ended: list[Ended] = []
    for job in started:
        try:
            ended.append(await job.wait_async(progress=progress))
        except (JobFailedError, JobCancelledError) as error:
            ended.append(error)
    errors = [one for one in ended if not isinstance(one, Job)]
    if len(errors) == len(ended):
        errors[0].add_note(f"so did all {len(ended)} trainings of the cross-validation")
        raise errors[0]
    return ended


def _concluded(plan: FoldsPlan, ended: Sequence[Ended], report: Report) -> CrossValidation:
    baseline, *names = report.candidates
    failures = {place: str(end) for place, end in enumerate(ended) if not isinstance(end, Job)}
    jobs = tuple(end if isinstance(end, Job) else None for end in ended)
    first = report.verdict(names[0], baseline=baseline)
    if len(names) == 1:
        return CrossValidation(plan, jobs, failures, report, first)
    known, filled = _of_seeds(report, first.scorer, names)
    means = [sum(row) / len(row) for row in known[1]]
    doubts = [c.doubt for name in names if (c := report.verdict(name, baseline=baseline)).doubt]
    common: dict[str, Any] = {
        "wins": sum(mean > 0 for mean in means),
        "losses": sum(mean < 0 for mean in means),
        "ties": sum(mean == 0 for mean in means),
        "missing": len(report.cases) - len(means),
        "doubt": doubts[0] if doubts else None,
        "adjusted_p": None,
        "family": 1,
        "candidate": f"trained on {plan.share}",
    }

    def compared(of: Literal["these", "recipe"]) -> Comparison:
        ends = None if filled is None else (getattr(filled[0], of), getattr(filled[1], of))
        return replace(first, estimate=getattr(known[0], of), filled=ends, **common)

    these, recipe = compared("these"), compared("recipe")
    return CrossValidation(plan, jobs, failures, report, these, recipe, known[0].spread)


Rows = list[tuple[float, ...]]


def _of_seeds(
    report: Report, measure: str, names: Sequence[str]
) -> tuple[tuple[SeedsDifference, Rows], tuple[SeedsDifference, SeedsDifference] | None]:
    """All seeds on the rows that have all scores, and with what is missing against and for them."""
    baseline, clusters = report.candidates[0], [case.cluster for case in report.grouped]
    columns = [_differences(report, name, baseline, measure) for name in names]
    scale = (0.0, 1.0) if measure == JUDGE else report.scale(measure)[0]

    def found(rows: Rows, groups: Sequence[str | None]) -> SeedsDifference:
        return seeds_difference(rows, groups, scale=scale, **report.design.told)

    known = list(zip(*(column.known for column in columns), strict=True))
    there = [place for place, row in enumerate(known) if None not in row]
    rows = cast("Rows", [known[place] for place in there])
    of_known = found(rows, [clusters[place] for place in there]), rows
    if len(there) == len(known):
        return of_known, None
    against, favour = (
        found(list(zip(*(getattr(column, end) for column in columns), strict=True)), clusters)
        for end in ("against", "favour")
    )
    return of_known, (against, favour)


def _differences(report: Report, candidate: str, baseline: str, measure: str) -> Differences:
    if measure == JUDGE:
        return of_judgments(report.judgments, report.cases, candidate, baseline)
    scale = report.scale(measure)[0]
    return of_scores(report.results[candidate], report.results[baseline], measure, scale)
