"""Small trainings before the big bill: does more data still help?"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Unpack

from finetune_lib.data.dataset import Dataset
from finetune_lib.evaluation.evaluator import Evaluator
from finetune_lib.evaluation.report import Report
from finetune_lib.jobs.job import Job
from finetune_lib.jobs.plan import JobOptions, Plan
from finetune_lib.records import Case, Example
from finetune_lib.shown import Shown
from finetune_lib.statistics import Estimate, paired_difference
from finetune_lib.statistics.estimates import library

FRACTIONS = (0.125, 0.25, 0.5, 1.0)
LEAST_SIZES = 4
LEAST_GAIN = 0.01
DECIDE = "The golden set of a pilot chooses the size; judge the model that is trained then with another one."


@dataclass(frozen=True, slots=True)
class PilotStep:
    """The trainings on subsets of one size.

    Attributes:
        examples: Their size.
        jobs: One for each subset.
        score: The mean score of their models.
        usd: What the trainings cost; None where that is not known.
    """

    examples: int
    jobs: tuple[Job, ...]
    score: float | None
    usd: float | None


@dataclass(frozen=True, slots=True)
class Pilot(Shown):
    """What small trainings showed; `print` it.

    Attributes:
        steps: By size, the smallest first.
        rising: How much better the models of the largest size are than those of the size before it, case by case.
        report: All models side by side on the golden set.
        planned: The sizes that were planned; fewer steps where the curve was shown to be flat.
    """

    steps: tuple[PilotStep, ...]
    rising: Estimate | None
    report: Report
    planned: tuple[int, ...] = field(default=())

    @property
    def still_rising(self) -> bool:
        """Whether it is shown that the last examples still brought something."""
        return self.rising is not None and self.rising.low > 0

    def expected(self, examples: int) -> Estimate | None:
        """The score that so many examples may bring, with a 95 % interval for a further training.

        A line through the scores over 1/√n, two numbers by least squares, for at least four sizes: fewer say nothing of
        how sure they are. The form is that of a sampling error that fades; it is a guess, and the farther the worse.
        """
        points = [(1 / math.sqrt(step.examples), step.score) for step in self.steps if step.score is not None]
        if len({x for x, _ in points}) < LEAST_SIZES:
            return None
        xs, ys = [x for x, _ in points], [y for _, y in points]
        n, mean_x, mean_y = len(points), sum(xs) / len(points), sum(ys) / len(points)
        spread = sum((x - mean_x) ** 2 for x in xs)
        slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
        at = 1 / math.sqrt(examples)
        value = mean_y + slope * (at - mean_x)
        rest = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in points) / (n - 2)
        error = math.sqrt(rest * (1 + 1 / n + (at - mean_x) ** 2 / spread))
        half = float(library("scipy.stats").t.ppf(0.975, n - 2)) * error
        return Estimate(
            value, value - half, value + half, None, n, "least squares over 1/sqrt(n)", standard_error=error
        )

    def __str__(self) -> str:
        lines = [f"{'examples':>9}  {'score':>6}  {'cost':>8}"]
        for step in self.steps:
            score = "—" if step.score is None else f"{step.score:.3f}"
            cost = "unknown" if step.usd is None else f"${step.usd:,.2f}"
            lines.append(f"{step.examples:>9,}  {score:>6}  {cost:>8}")
        shown = "shown" if self.still_rising else "not shown"
        lines.append(f"still rising: {shown}" + (f", the last step brought {self.rising}" if self.rising else ""))
        if len(self.steps) < len(self.planned):
            lines.append(f"ended early: the last step is shown to bring less than {LEAST_GAIN:g}")
        most = self.steps[-1].examples * 2
        if guess := self.expected(most):
            lines.append(
                f"{most:,} examples may bring {guess.value:.3f} ({guess.low:.3f} to {guess.high:.3f}), a guess"
            )
        return "\n".join([*lines, DECIDE])


async def piloted(
    train: Dataset,
    *,
    model: str,
    evaluator: Evaluator,
    golden: Sequence[Case | Example],
    fractions: Sequence[float] = FRACTIONS,
    subsets: int | None = None,
    draw: int = 0,
    **options: Unpack[JobOptions],
) -> Pilot:
    """Train on growing parts of the data, the smallest first, until all are done or the curve is shown to be flat.

    Raises:
        ValueError: Fewer than four sizes, or one that is no share of the data.
    """
    plan = await Job.plan_async(train, model=model, **options)
    sizes = tuple(sorted({round(share * len(plan.train)) for share in fractions}))
    if len(sizes) < LEAST_SIZES or not all(0 < share <= 1 for share in fractions):
        raise ValueError(f"a pilot needs at least {LEAST_SIZES} different sizes, as shares of the data above 0 up to 1")
    each = subsets or (2 if plan.platform.kind.free else 1)
    drafts = [
        plan.on(_part(plan.train, size, seed=draw + copy))
        for size in sizes
        for copy in range(_copies(size, each, plan))
    ]
    for draft in drafts:  # all that is wrong with any of them, before the first is paid
        draft.require()
    by_size: dict[int, list[Job]] = {}
    report, rising = None, None
    for size in sizes:
        for draft in drafts:
            if len(draft.train) == size:
                job = await draft.submit_async()
                by_size.setdefault(size, []).append(await job.wait_async())
        candidates = [
            job.candidate(name=_name(n, copy)) for n, jobs in by_size.items() for copy, job in enumerate(jobs, 1)
        ]
        report = await evaluator.run_async(golden, candidates=candidates)
        rising = _gain(report, list(by_size.items())[-2:])
        if len(by_size) >= LEAST_SIZES and rising is not None and rising.high < LEAST_GAIN:
            break
    assert report is not None  # noqa: S101 - there are at least four sizes
    return Pilot(tuple(_step(report, size, jobs) for size, jobs in by_size.items()), rising, report, sizes)


def _copies(size: int, each: int, plan: Plan) -> int:
    """All of the data is one set, however often it is drawn."""
    return 1 if size == len(plan.train) else each


def _part(data: Dataset, size: int, *, seed: int) -> Dataset:
    chosen = sorted(random.Random(seed).sample(range(len(data)), size))  # noqa: S311 - no secret
    return Dataset([data[place] for place in chosen], name=f"{data.name}-{size}")


def _name(size: int, copy: int) -> str:
    return f"{size} examples ({copy})"


def _scores(report: Report, size: int, jobs: Sequence[Job]) -> list[float | None]:
    """By case, the mean over the models of one size; None where one of them has no score."""
    columns = [report.scores(_name(size, copy)) for copy in range(1, len(jobs) + 1)]
    return [None if None in row else sum(filter(None, row)) / len(row) for row in zip(*columns, strict=True)]


def _gain(report: Report, last: Sequence[tuple[int, Sequence[Job]]]) -> Estimate | None:
    if len(last) < 2:
        return None
    before, after = (_scores(report, size, jobs) for size, jobs in last)
    both = [(a, b) for a, b in zip(after, before, strict=True) if a is not None and b is not None]
    return paired_difference([a for a, _ in both], [b for _, b in both]) if both else None


def _step(report: Report, size: int, jobs: Sequence[Job]) -> PilotStep:
    scores = [score for score in _scores(report, size, jobs) if score is not None]
    costs: Mapping[Job, float | None] = {job: job.cost() for job in jobs}
    known = [cost for cost in costs.values() if cost is not None]
    usd = sum(known) if len(known) == len(jobs) else None
    return PilotStep(size, tuple(jobs), sum(scores) / len(scores) if scores else None, usd)
