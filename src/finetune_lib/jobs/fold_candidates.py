"""Candidates of a cross-validation: to each row answers the one that has not learned it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, ClassVar, cast

from finetune_lib.concurrency import call, name_of
from finetune_lib.data.dataset import Dataset
from finetune_lib.evaluation.candidates import Candidate, ChatModel
from finetune_lib.evaluation.golden import GoldenSet
from finetune_lib.jobs.folds import FoldsPlan
from finetune_lib.jobs.job import Job
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking import Price, Request
from finetune_lib.records import Answer, Case, Example

WAY = ("temperature", "max_tokens", "response_format", "options")


@dataclass(frozen=True)
class ByFold:
    """A candidate whose answer to a row is that of the one that has not learned it."""

    name: str
    of_case: Mapping[str, Any]

    instant: ClassVar[bool] = True  # what a baseline looks up is not worth keeping

    async def __call__(self, case: Case, /) -> str | Answer:
        """The answer."""
        return await call(self.of_case[case.id], case)


@dataclass(frozen=True)
class ModelsByFold:
    """The same of candidates that ask a model, so that answers are kept under their question."""

    name: str
    model: str
    of_case: Mapping[str, Any]
    platform: Platform | None = None
    price: Price | None = None

    async def request(self, case: Case, /) -> Request:
        """What the model is asked that has not learned the row."""
        found = self.of_case[case.id]
        if isinstance(found, Exception):
            raise found
        return await cast("ChatModel", found).request(case)


def of_folds(baseline: Candidate, data: Dataset, plan: FoldsPlan) -> Candidate:
    """The baseline; where it holds the very rows, one for each fold that holds the others."""
    named = fields(baseline) if is_dataclass(baseline) else ()
    holds = [one.name for one in named if getattr(baseline, one.name) is data]
    if not holds:
        _refuse_learned(baseline, plan)
        return baseline
    first_turn = plan.trainings[: plan.folds]
    each = [(one, replace(cast("Any", baseline), **dict.fromkeys(holds, one.plan.train))) for one in first_turn]
    of_case = {plan.cases[place].id: made for one, made in each for place in one.judged}
    if isinstance(baseline, ChatModel):
        found = ModelsByFold(name_of(baseline), baseline.model, of_case, baseline.platform, baseline.price)
        return cast("Candidate", found)
    return ByFold(name_of(baseline), of_case)


def _refuse_learned(baseline: Candidate, plan: FoldsPlan) -> None:
    """A baseline that was shown the answers would look better than it is."""
    for name in ("examples", "corpus"):
        shown = getattr(baseline, name, None)
        if isinstance(shown, Sequence) and any(isinstance(one, Example) for one in cast("Sequence[Any]", shown)):
            rows = [one for one in cast("Sequence[Any]", shown) if isinstance(one, Example)]
            if told := GoldenSet.of(plan.cases).check(training=rows).contaminated:
                raise ValueError(
                    f"{name} of {name_of(baseline)} tell the answers of {len(told)} rows that it would be asked: give "
                    f"it the very data of the cross-validation, {name}=data, and each fold gets the rows of the others"
                )


def trained(plan: FoldsPlan, ended: Sequence[object], baseline: Candidate) -> list[Candidate]:
    """The models of each seed, as one candidate; asked as the baseline is, but under each row's own system message."""
    way = {name: getattr(baseline, name) for name in WAY} if isinstance(baseline, ChatModel) else {}
    models: list[Candidate] = []
    for turn in range(plan.seeds):
        name = f"trained on {plan.share}" + (f", seed {turn + 1}" if plan.seeds > 1 else "")
        of_case: dict[str, Any] = {}
        for one, end in zip(plan.trainings, ended, strict=True):
            if one.seed == turn + 1:
                found = replace(end.candidate(name=name), **way) if isinstance(end, Job) else end
                of_case |= {plan.cases[place].id: found for place in one.judged}
        first = plan.trainings[0].plan
        models.append(cast("Candidate", ModelsByFold(name, first.model, of_case, first.platform)))
    return models
