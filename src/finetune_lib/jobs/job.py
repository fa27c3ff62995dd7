"""Job: an immutable snapshot of a fine-tuning job on any platform that speaks OpenAI's protocol."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from finetune_lib.concurrency import in_thread
from finetune_lib.data.checks import Target
from finetune_lib.data.dataset import Dataset
from finetune_lib.evaluation.candidates import ChatModel
from finetune_lib.jobs.errors import JobCancelledError, JobError, JobFailedError, JobTimeoutError
from finetune_lib.jobs.following import Follower, OnEvent
from finetune_lib.jobs.metrics import Metrics
from finetune_lib.platforms import Platform, default_platform
from finetune_lib.records import Checkpoint, JobEvent, JobRecord

# Reinforcement needs a grader, which has no place here yet.
TrainingMethod = Literal["supervised", "dpo"]
PAGE = 100
NOT_IN_NAMES = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Job:
    """A fine-tuning job as it was when it was last asked for.

    No attribute calls the platform: `refresh()` and `wait()` give newer snapshots, and `Job.get(id)` takes a
    job up again in any process. `create`, `get`, `refresh`, `events`, `wait` and `cancel` have `_async` twins.

    Attributes:
        record: What the platform answered.
        platform: Where the job runs.

    Example:
        ```python
        job = ft.Job.create(train, model="tiny", platform=ft.connect("local"))
        job = job.wait(on_event=print)
        print(job.fine_tuned_model)
        ```
    """

    record: JobRecord
    platform: Platform

    @property
    def id(self) -> str:
        """The job's id, as `ftjob-…`."""
        return self.record.id

    @property
    def status(self) -> str:
        """`validating_files`, `queued`, `running`, `succeeded`, `failed` or `cancelled`; platforms add others."""
        return self.record.status

    @property
    def done(self) -> bool:
        """Whether the status is final."""
        return self.record.done

    @property
    def model(self) -> str:
        """The base model."""
        return self.record.model

    @property
    def fine_tuned_model(self) -> str | None:
        """The name of the new model; None until the job has succeeded."""
        return self.record.fine_tuned_model

    @classmethod
    def create(
        cls,
        train: Dataset,
        *,
        model: str,
        validation: Dataset | None = None,
        suffix: str | None = None,
        seed: int | None = None,
        method: TrainingMethod = "supervised",
        hyperparameters: Mapping[str, Any] | None = None,
        metadata: Mapping[str, str] | None = None,
        platform: Platform | None = None,
    ) -> Job:
        """Check the data, upload it and start a job.

        The request that starts the job is sent once and never repeated blindly: a job costs money.

        Args:
            train: The examples to learn.
            model: The base: a model of the platform, or a fine-tuned one to go on from.
            validation: Examples that the loss is measured on during training.
            suffix: Up to 64 characters that the new model's name carries.
            seed: For repeatable training.
            method: `supervised` or `dpo`.
            hyperparameters: `n_epochs`, `batch_size`, `learning_rate_multiplier`; the platform chooses the rest.
            metadata: Up to 16 pairs of text kept with the job.
            platform: Where to train; by default as `connect()` chooses.

        Raises:
            InvalidDatasetError: The data does not pass `validate`; nothing was uploaded.
            PlatformError: The platform refused the upload or the job.
        """
        platform = platform or default_platform()
        model = platform.model_id(model)
        plan = _Plan(train, validation, model, method, _target(platform))
        plan.check()
        files = {name: _upload(platform, data) for name, data in plan.uploads()}
        request = plan.request(files, suffix=suffix, seed=seed, hyperparameters=hyperparameters, metadata=metadata)
        with platform.paid_call("create the job"):
            answer = platform.client.with_options(max_retries=0).fine_tuning.jobs.create(**request)
            return cls(JobRecord.of(answer), platform)

    @classmethod
    async def create_async(
        cls,
        train: Dataset,
        *,
        model: str,
        validation: Dataset | None = None,
        suffix: str | None = None,
        seed: int | None = None,
        method: TrainingMethod = "supervised",
        hyperparameters: Mapping[str, Any] | None = None,
        metadata: Mapping[str, str] | None = None,
        platform: Platform | None = None,
    ) -> Job:
        """As `create`, without blocking the event loop."""
        return await in_thread(
            cls.create,
            train,
            model=model,
            validation=validation,
            suffix=suffix,
            seed=seed,
            method=method,
            hyperparameters=hyperparameters,
            metadata=metadata,
            platform=platform,
        )

    @classmethod
    def get(cls, id: str, *, platform: Platform | None = None) -> Job:
        """Take up a job by its id, from any process.

        Raises:
            PlatformError: There is no such job (`status_code` 404), or no answer.
        """
        platform = platform or default_platform()
        with platform.calls(f"get the job {id}"):
            return cls(JobRecord.of(platform.client.fine_tuning.jobs.retrieve(id)), platform)

    @classmethod
    async def get_async(cls, id: str, *, platform: Platform | None = None) -> Job:
        """As `get`."""
        platform = platform or await in_thread(default_platform)
        with platform.calls(f"get the job {id}"):
            async with platform.async_client() as client:
                return cls(JobRecord.of(await client.fine_tuning.jobs.retrieve(id)), platform)

    @classmethod
    def list(cls, *, limit: int = 20, platform: Platform | None = None) -> tuple[Job, ...]:
        """The newest jobs of the platform, newest first."""
        platform = platform or default_platform()
        with platform.calls("list the jobs"):
            page = platform.client.fine_tuning.jobs.list(limit=limit)
            return tuple(cls(JobRecord.of(job), platform) for job in page.data)

    def refresh(self) -> Job:
        """The job as it is now."""
        return Job.get(self.id, platform=self.platform)

    async def refresh_async(self) -> Job:
        """As `refresh`."""
        return await Job.get_async(self.id, platform=self.platform)

    def events(self) -> tuple[JobEvent, ...]:
        """All events so far, oldest first."""
        return self._events_beyond(frozenset())

    async def events_async(self) -> tuple[JobEvent, ...]:
        """As `events`."""
        return await self._events_beyond_async(frozenset())

    def _events_beyond(self, seen: AbstractSet[str]) -> tuple[JobEvent, ...]:
        """The events that are not in `seen`, oldest first; platforms list the newest first."""
        with self.platform.calls(f"list the events of {self.id}"):
            page = self.platform.client.fine_tuning.jobs.list_events(self.id, limit=PAGE)
            new = takewhile(lambda event: event.id not in seen, page)
            return tuple(JobEvent.of(event) for event in new)[::-1]

    async def _events_beyond_async(self, seen: AbstractSet[str]) -> tuple[JobEvent, ...]:
        new: list[JobEvent] = []
        with self.platform.calls(f"list the events of {self.id}"):
            async with self.platform.async_client() as client:
                async for event in client.fine_tuning.jobs.list_events(self.id, limit=PAGE):
                    if event.id in seen:
                        break
                    new.append(JobEvent.of(event))
        return tuple(reversed(new))

    def wait(self, *, on_event: OnEvent | None = None, timeout: float | None = None) -> Job:
        """Follow the job to its end.

        Short breaks of the connection are tolerated. Interrupting `wait` leaves the job running.

        Args:
            on_event: Called once with each event, oldest first: `print`, or any function.
            timeout: Seconds to wait at most; by default as long as it takes.

        Returns:
            The succeeded job.

        Raises:
            JobFailedError: It failed; the message carries the platform's reason.
            JobCancelledError: It was cancelled.
            JobTimeoutError: The timeout is over; the job goes on.
            PlatformError: The platform refused, or stayed out of reach.
        """
        follower = Follower(self.record, on_event, timeout)
        while True:
            with follower.tolerating():
                follower.see(self.refresh().record, self._events_beyond(follower.seen))
            follower.tell()
            job = replace(self, record=follower.record)
            if follower.finished:
                return _ended(job)
            time.sleep(_pause(job, follower))

    async def wait_async(self, *, on_event: OnEvent | None = None, timeout: float | None = None) -> Job:
        """As `wait`."""
        follower = Follower(self.record, on_event, timeout)
        while True:
            with follower.tolerating():
                job = await self.refresh_async()
                follower.see(job.record, await self._events_beyond_async(follower.seen))
            follower.tell()
            job = replace(self, record=follower.record)
            if follower.finished:
                return _ended(job)
            await asyncio.sleep(_pause(job, follower))

    def cancel(self) -> Job:
        """Stop the job; what it has learned so far is not kept.

        Raises:
            PlatformError: It has already ended.
        """
        with self.platform.calls(f"cancel the job {self.id}"):
            answer = self.platform.client.fine_tuning.jobs.cancel(self.id)
        return Job(JobRecord.of(answer), self.platform)

    async def cancel_async(self) -> Job:
        """As `cancel`."""
        with self.platform.calls(f"cancel the job {self.id}"):
            async with self.platform.async_client() as client:
                answer = await client.fine_tuning.jobs.cancel(self.id)
        return Job(JobRecord.of(answer), self.platform)

    def metrics(self) -> Metrics:
        """Losses and accuracies by step, as far as the job has come."""
        return Metrics.from_events(self.events())

    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """The models saved during training, newest first; each answers under its own name."""
        with self.platform.calls(f"list the checkpoints of {self.id}"):
            page = self.platform.client.fine_tuning.jobs.checkpoints.list(self.id, limit=PAGE)
            return tuple(Checkpoint.of(checkpoint) for checkpoint in page)

    def candidate(self, *, name: str = "tuned", system: str | None = None, max_tokens: int | None = None) -> ChatModel:
        """The fine-tuned model as a candidate of an `Evaluator`.

        Raises:
            JobError: The job has not succeeded, so there is no model yet.
        """
        if self.fine_tuned_model is None:
            raise JobError(f"{self.id} is {self.status}: it has no model yet. Call wait() first.", job=self)
        return ChatModel(self.fine_tuned_model, name=name, system=system, max_tokens=max_tokens, platform=self.platform)

    def __repr__(self) -> str:
        return f"Job({self.id!r}, {self.status!r}, model={self.model!r}, fine_tuned_model={self.fine_tuned_model!r})"


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a new job will ask of the platform."""

    train: Dataset
    validation: Dataset | None
    model: str
    method: TrainingMethod
    target: Target

    def check(self) -> None:
        self._check(self.train)
        if self.validation is not None:
            self._check(self.validation, ignore=["K701"])  # a few rows are enough to measure on

    def _check(self, data: Dataset, *, ignore: Sequence[str] = ()) -> None:
        """What the platform would refuse; opinions about the texts keep nobody from training."""
        report = data.validate(model=self.model, target=self.target, method=self.method, content=False, ignore=ignore)
        report.raise_for_errors()

    def uploads(self) -> Iterable[tuple[str, Dataset]]:
        yield "training_file", self.train
        if self.validation is not None and len(self.validation):
            yield "validation_file", self.validation

    def request(self, files: Mapping[str, str], **options: Any) -> dict[str, Any]:
        chosen = {name: value for name, value in options.items() if value is not None}
        hyperparameters = chosen.pop("hyperparameters", None)
        settings = {"hyperparameters": dict(hyperparameters)} if hyperparameters else {}
        method = {"type": self.method, self.method: settings}
        return {"model": self.model, "method": method, **files, **chosen}


def _target(platform: Platform) -> Target:
    """Another service follows OpenAI's rules, but not its dates."""
    known: dict[str, Target] = {"local": "local", "openai": "openai"}
    return known.get(platform.name, "compatible")


def _upload(platform: Platform, data: Dataset) -> str:
    """Send the examples from a file on disk: the client streams an open file, and may repeat it."""
    with TemporaryDirectory() as folder:
        path = data.save(Path(folder) / f"{NOT_IN_NAMES.sub('_', data.name).strip('_') or 'data'}.jsonl")
        with path.open("rb") as file, platform.calls("upload the data"):
            return platform.client.files.create(file=file, purpose="fine-tune").id


def _ended(job: Job) -> Job:
    reason = job.record.error.message if job.record.error else None
    if job.status == "failed":
        raise JobFailedError(f"{job.id} failed: {reason or 'the platform gives no reason'}", job=job)
    if job.status == "cancelled":
        raise JobCancelledError(f"{job.id} was cancelled", job=job)
    return job


def _pause(job: Job, follower: Follower) -> float:
    delay = follower.next_delay()
    if delay is None:
        text = f"{job.id} is still {job.status} after {follower.timeout:g} s; it goes on. "
        raise JobTimeoutError(text + f"Follow it again: Job.get({job.id!r}).wait()", job=job)
    return delay
