"""The trainings of a cross-validation, planned: which rows each learns and judges, and what all of them cost."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Unpack

from finetune_lib.concurrency import in_thread
from finetune_lib.data.dataset import Dataset
from finetune_lib.data.leakage import Folds, folded
from finetune_lib.data.splitting import usual_stratum
from finetune_lib.errors import DataError
from finetune_lib.jobs.job import Job
from finetune_lib.jobs.plan import JobOptions, Plan
from finetune_lib.jobs.planning import BudgetExceededError
from finetune_lib.jobs.reasons import place_of
from finetune_lib.records import Case, Example

Key = Callable[[Example], Hashable]


class FoldsOptions(JobOptions, total=False):
    """What `cross_validate` takes beside the data and the model, and what `Job.create` takes."""

    folds: int
    seeds: int
    group_by: Key | None


@dataclass(frozen=True, slots=True)
class Training:
    """One training of a cross-validation, as it is meant.

    Attributes:
        fold: The fold that it does not learn, from 1.
        seed: Which of the seeds, from 1.
        plan: The job.
        judged: The places of the rows that its model judges, and never learned.
    """

    fold: int
    seed: int
    plan: Plan
    judged: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FoldsPlan:
    """What a cross-validation would train, judge and cost; `print` it. Nothing was sent.

    Attributes:
        trainings: By seed, then by fold.
        cases: The rows as they are judged, in their order; rows that belong together have one cluster.
        folds: How many.
        seeds: Trainings of each fold.
        budget: US dollars at most, for all of the trainings.
    """

    trainings: tuple[Training, ...]
    cases: tuple[Case, ...] = field(repr=False)
    folds: int
    seeds: int
    budget: float | None

    @property
    def cost(self) -> float | None:
        """US dollars of all trainings; None where a price is not known."""
        costs = [training.plan.cost for training in self.trainings]
        return None if None in costs else sum(cost or 0.0 for cost in costs)

    @property
    def share(self) -> str:
        """What each model learned of the rows, as `4/5`."""
        return f"{self.folds - 1}/{self.folds}"

    @property
    def units(self) -> int:
        """Independent pieces of evidence: rows that belong together count once."""
        return len({case.cluster or f"row {place}" for place, case in enumerate(self.cases)})

    def require(self) -> None:
        """That everything is in order with all of the trainings; errors are those of `Job.create`."""
        first = self.trainings[0].plan
        if first.platform.kind.deploys:
            raise ValueError(
                f"{first.platform.name} answers with a tuned model only once it is deployed, and each fold has one: "
                "cross-validate on a platform that answers at once, as OpenAI or ft.connect('local')"
            )
        for training in self.trainings:
            training.plan.require()
        if self.budget is None:
            return
        replace(first, budget=self.budget).require()  # that it is a number, and that there are prices
        if self.cost is None or self.cost > self.budget:
            raise BudgetExceededError(
                f"{len(self.trainings)} trainings of {first.model} are estimated at ${self.cost or 0:,.2f} in all, "
                f"above the budget of ${self.budget:,.2f}. Nothing was sent. Fewer folds, seeds or epochs cost less.",
                estimate=self.cost or 0.0,
                budget=self.budget,
            )

    def __str__(self) -> str:
        first = self.trainings[0].plan
        apart = f" in {self.units:,} groups" if self.units < len(self.cases) else ""
        lines = [f"train {first.model} on {first.platform.name}: {len(self.cases):,} rows{apart}, {self.folds} folds"]
        for one in self.trainings:
            cost = "price unknown" if one.plan.cost is None else f"${one.plan.cost:,.2f}"
            seed = f"seed {one.plan.settings.seed}"
            lines.append(
                f"  fold {one.fold}: learns {len(one.plan.train):,}, judges {len(one.judged):,}, {seed}, {cost}"
            )
        cost = "unknown" if self.cost is None else f"${self.cost:,.2f}"
        most = "" if self.budget is None else f", of a budget of ${self.budget:,.2f}"
        lines.append(f"  in all {len(self.trainings)} trainings: {cost}{most}; answers are paid beside it")
        lines += [f"  note: {warning}" for warning in first.warnings]
        problems = dict.fromkeys(problem for one in self.trainings for problem in one.plan.problems)
        return "\n".join([*lines, *(f"  PROBLEM: {problem}" for problem in problems)])


async def planned_folds(data: Dataset, *, model: str, **options: Unpack[FoldsOptions]) -> FoldsPlan:
    """The trainings of a cross-validation; no data are sent.

    Raises:
        ValueError: Too few folds, seeds or groups, or an equal seed for two trainings.
        DataError: A row has no expected answer.
    """
    folds, seeds = options.pop("folds", 5), options.pop("seeds", 1)
    key, budget = options.pop("group_by", None), options.pop("budget", None)
    for name, value, least in (("folds", folds, 2), ("seeds", seeds, 1)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"{name} is a whole number of at least {least}, not {value!r}")
    whole = await Job.plan_async(data, model=model, **options)
    data.require_whole()
    rows = list(data)
    cases = _cases(rows)
    seed = whole.settings.seed or 0
    parts = await in_thread(lambda: folded(rows, folds=folds, seed=seed, key=key, stratum=usual_stratum(rows)))
    plans = await in_thread(lambda: [whole.on(_learned(data, parts, number)) for number in range(folds)])
    trainings = [
        Training(fold + 1, turn + 1, _seeded(plans[fold], seed + turn * folds + fold), tuple(parts.parts[fold]))
        for turn in range(seeds)
        for fold in range(folds)
    ]
    return FoldsPlan(tuple(trainings), _clustered(cases, parts), folds, seeds, budget)


def _cases(rows: Sequence[Example]) -> list[Case]:
    """The rows as they are judged, under their numbers in the file where those tell them apart."""
    numbers = [row.origin.row for row in rows]
    alone = len(set(numbers)) == len(rows) and None not in numbers
    return [_case(row, str(numbers[place] if alone else place + 1)) for place, row in enumerate(rows)]


def _case(row: Example, id: str) -> Case:
    try:
        return replace(Case.from_example(row, number=0), id=id)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{place_of(row.origin)} cannot be judged: {error}") from error


def _learned(data: Dataset, parts: Folds, number: int) -> Dataset:
    learned = [data[place] for place in parts.rest(number)]
    return Dataset(learned, name=f"{data.name}-fold-{number + 1}-of-{len(parts.parts)}")


def _seeded(plan: Plan, seed: int) -> Plan:
    """Another seed for each training, so that what seeds do is in the spread of the rows."""
    return replace(plan, settings=replace(plan.settings, seed=seed))


def _clustered(cases: Sequence[Case], parts: Folds) -> tuple[Case, ...]:
    family = {place: number for number, places in enumerate(parts.families, start=1) for place in places}
    return tuple(
        replace(case, cluster=f"group {family[place]}") if place in family else case for place, case in enumerate(cases)
    )
