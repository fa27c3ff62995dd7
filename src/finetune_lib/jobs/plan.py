"""Plan: a job as it is meant, which can be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypedDict

from finetune_lib.concurrency import in_own_loop, in_thread
from finetune_lib.data.dataset import Dataset
from finetune_lib.jobs.calls import unmarked
from finetune_lib.jobs.creating import created
from finetune_lib.jobs.outlook import outlook
from finetune_lib.jobs.planning import Draft, drafted
from finetune_lib.jobs.settings import Settings, TrainingMethod
from finetune_lib.jobs.uploading import OnProgress
from finetune_lib.pages.bar import drawing
from finetune_lib.platforms import Platform
from finetune_lib.platforms.patience import OnStall
from finetune_lib.warned import warn

if TYPE_CHECKING:
    from finetune_lib.jobs.job import Job


class JobOptions(TypedDict, total=False):
    """What `Job.create`, `Job.plan` and their twins take beside the data and the model."""

    validation: Dataset | None
    suffix: str | None
    seed: int | None
    method: TrainingMethod
    hyperparameters: Mapping[str, Any] | None
    metadata: Mapping[str, str] | None
    grader: Mapping[str, Any] | None
    response_format: Mapping[str, Any] | None
    integrations: Sequence[Mapping[str, Any]]
    extra: Mapping[str, Any] | None
    platform: Platform | None
    budget: float | None


class CreateOptions(JobOptions, total=False):
    """What `Job.create` takes beside them."""

    allow_duplicate: bool
    on_progress: OnProgress | None
    progress: bool


class PilotOptions(JobOptions, total=False):
    """What `Job.pilot` takes beside them."""

    fractions: Sequence[float]
    subsets: int | None
    draw: int


@dataclass(frozen=True)
class Plan(Draft):
    """A job as it is meant: checked, counted, and not sent. `print` it, then `submit()` it; `Job.plan` makes one."""

    def on(self, train: Dataset) -> Plan:
        """The same plan for other examples."""
        fields = drafted(
            train,
            model=self.model,
            platform=self.platform,
            validation=self.validation,
            settings=self.settings,
            budget=self.budget,
        )
        return Plan(**fields, outlook=replace(self.outlook, needs=None))

    def submit(
        self,
        *,
        allow_duplicate: bool = False,
        on_progress: OnProgress | None = None,
        on_stall: OnStall | None = None,
        progress: bool = False,
    ) -> Job:
        """Upload the data and start the job, or give the same one that is there; errors are those of `Job.create`.

        `progress` draws the upload, in a notebook or a terminal.
        """
        work = self.submit_async(
            allow_duplicate=allow_duplicate, on_progress=on_progress, on_stall=on_stall, progress=progress
        )
        return in_own_loop(work)

    async def submit_async(
        self,
        *,
        allow_duplicate: bool = False,
        on_progress: OnProgress | None = None,
        on_stall: OnStall | None = None,
        progress: bool = False,
    ) -> Job:
        """As `submit`."""
        self.require()
        with drawing(on_progress, progress=progress, title="upload") as told:
            found = await created(self, allow_duplicate=allow_duplicate, on_progress=told, on_stall=on_stall)
        from finetune_lib.jobs.job import Job

        job = Job(unmarked(found.record), self.platform, self.train)
        if found.again:
            text = f"{job.id} ({job.status}) is the same job and is given back; allow_duplicate=True starts another one"
            warn(text)
        return job


async def planned(train: Dataset, model: str, options: Mapping[str, Any]) -> Plan:
    """The plan of a job: the data looked at here, then what the platform says."""
    given = {name: options[name] for name in JobOptions.__annotations__ if options.get(name) is not None}
    platform, validation, budget = given.pop("platform"), given.pop("validation", None), given.pop("budget", None)
    if "integrations" in given:
        given["integrations"] = tuple(given["integrations"])
    parts: dict[str, Any] = {"model": model, "platform": platform, "validation": validation, "budget": budget}
    plan = Plan(**await in_thread(drafted, train, settings=Settings(**given), **parts))
    if plan.problems or not plan.report.ok:
        return plan
    told = await outlook(
        platform, model, train=train, validation=validation, hyperparameters=plan.settings.hyperparameters
    )
    return replace(plan, outlook=told)
