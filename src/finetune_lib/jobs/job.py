"""Job: an immutable snapshot of a fine-tuning job on any platform that speaks OpenAI's protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from finetune_lib import catalog
from finetune_lib.concurrency import in_own_loop, in_thread
from finetune_lib.data.dataset import Dataset
from finetune_lib.errors import PlatformError
from finetune_lib.evaluation.candidates import ChatModel
from finetune_lib.jobs.calls import answered, place_behind, unmarked
from finetune_lib.jobs.errors import JobError
from finetune_lib.jobs.following import Follower, OnEvent, Told, read_events
from finetune_lib.jobs.metrics import Metrics
from finetune_lib.jobs.notebook import job_html
from finetune_lib.jobs.plan import CreateOptions, JobOptions, PilotOptions, Plan, planned
from finetune_lib.jobs.reasons import again, require_success
from finetune_lib.jobs.results import results_of
from finetune_lib.jobs.watching import Watch
from finetune_lib.pages.bar import Bar
from finetune_lib.platforms import Platform, default_platform
from finetune_lib.platforms.deployment import AzureDeployment, az_command, deployed
from finetune_lib.platforms.kinds import ENDED, status_of
from finetune_lib.platforms.patience import OnStall, Patience
from finetune_lib.platforms.webhooks import job_in
from finetune_lib.platforms.wire import Call, wired
from finetune_lib.records import Checkpoint, JobEvent, JobRecord
from finetune_lib.runs import note
from finetune_lib.shown import Shown

if TYPE_CHECKING:
    from finetune_lib.evaluation.evaluator import Evaluator
    from finetune_lib.jobs.pilot import Pilot
    from finetune_lib.records import Case, Example

JOBS = "/fine_tuning/jobs"
MILLION = 1_000_000


@dataclass(frozen=True)
class Job(Shown):
    """A fine-tuning job as it was when it was last asked for.

    No attribute calls the platform: `refresh()` and `wait()` give newer snapshots, and `Job.get(id)` takes a
    job up again in any process. Everything that waits or calls has an `_async` twin.

    Attributes:
        record: What the platform answered.
        platform: Where the job runs.
        train: The examples that it learns, where this process created it.

    Example:
        ```python
        job = ft.Job.create(train, model="tiny", platform=ft.connect("local"))
        job = job.wait(on_event=print)
        print(job.fine_tuned_model)
        ```
    """

    record: JobRecord
    platform: Platform
    train: Dataset | None = field(default=None, repr=False, compare=False)

    def __hash__(self) -> int:
        return hash((self.id, self.platform))

    def __reduce__(self) -> tuple[Any, ...]:
        return Job, (self.record, self.platform)

    @property
    def id(self) -> str:
        """The job's id, as `ftjob-…`."""
        return self.record.id

    @property
    def status(self) -> str:
        """`validating_files`, `queued`, `running`, `paused`, `succeeded`, `failed` or `cancelled`; others as told."""
        return status_of(self.record.status)

    @property
    def done(self) -> bool:
        """Whether the status is final."""
        return self.status in ENDED

    @property
    def model(self) -> str:
        """The base model."""
        return self.record.model

    @property
    def fine_tuned_model(self) -> str | None:
        """The name of the new model; None until the job has succeeded."""
        return self.record.fine_tuned_model

    @classmethod
    def plan(cls, train: Dataset, *, model: str, **options: Unpack[JobOptions]) -> Plan:
        """What a job would do, cost and need: print it, then `submit()` it. No data are sent, and nothing is spent.

        The platform is asked how long the model lives, by its name; the local one what training takes on this machine.

        Args:
            train: The examples to learn.
            model: The base: a model of the platform, or a fine-tuned one to go on from.
            options: As `create` takes them.

        Raises:
            TypeError: The data is no Dataset.
            ValueError: The platform has no jobs in this protocol.
        """
        options["platform"] = options.get("platform") or default_platform()
        return in_own_loop(planned(train, model, options))

    @classmethod
    async def plan_async(cls, train: Dataset, *, model: str, **options: Unpack[JobOptions]) -> Plan:
        """As `plan`, without blocking the event loop."""
        options["platform"] = options.get("platform") or await in_thread(default_platform)
        return await planned(train, model, options)

    @overload
    @classmethod
    def create(
        cls, train: Dataset, *, model: str, dry_run: Literal[False] = False, **options: Unpack[CreateOptions]
    ) -> Job: ...
    @overload
    @classmethod
    def create(
        cls, train: Dataset, *, model: str, dry_run: Literal[True], **options: Unpack[CreateOptions]
    ) -> Plan: ...
    @classmethod
    def create(
        cls, train: Dataset, *, model: str, dry_run: bool = False, **options: Unpack[CreateOptions]
    ) -> Job | Plan:
        """Check the data, upload it and start a job: `plan(…)` and `submit()` in one.

        The same call again gives the same job, in this process and in any other of this machine: a job costs money. A
        job that failed, was cancelled, or whose model was deleted does not count.

        Args:
            train: The examples to learn.
            model: The base: a model of the platform, or a fine-tuned one to go on from.
            dry_run: Give the plan, and send no data.
            options: `validation`, examples that the loss is measured on during training; `suffix`, that the new model's
                name carries; `seed`, for repeatable training; `method`, `supervised`, `dpo` or `reinforcement`;
                `hyperparameters`, as `n_epochs`, `batch_size`, `learning_rate_multiplier`, of which the platform
                chooses the rest; `metadata`, up to 15 pairs of text kept with the job; `grader` and `response_format`
                of reinforcement; `integrations`; `extra`, fields of the platform's own; `budget`, US dollars at
                most; `platform`, by default as `connect()` chooses; `allow_duplicate`, to start a job even where the
                same one is there; `on_progress`, called with the bytes that were uploaded and their number in all;
                `progress`, to draw them in a notebook or a terminal.

        Raises:
            ValueError: A setting that the platform would refuse, or a model that is not its own.
            InvalidDatasetError: The data does not pass `validate`; nothing was uploaded.
            BudgetExceededError: It would cost more than the budget; nothing was uploaded.
            JobUncertainError: The answer was lost, and the job is not found: the same call looks again.
            PlatformError: The platform refused the upload or the job.
            PolicyError: The policy forbids it.
        """
        options["platform"] = options.get("platform") or default_platform()
        if dry_run:
            return in_own_loop(planned(train, model, options))
        return in_own_loop(cls.create_async(train, model=model, **options))

    @overload
    @classmethod
    async def create_async(
        cls, train: Dataset, *, model: str, dry_run: Literal[False] = False, **options: Unpack[CreateOptions]
    ) -> Job: ...
    @overload
    @classmethod
    async def create_async(
        cls, train: Dataset, *, model: str, dry_run: Literal[True], **options: Unpack[CreateOptions]
    ) -> Plan: ...
    @classmethod
    async def create_async(
        cls, train: Dataset, *, model: str, dry_run: bool = False, **options: Unpack[CreateOptions]
    ) -> Job | Plan:
        """As `create`, without blocking the event loop; cancelled at any point, the next call finds the job."""
        options["platform"] = options.get("platform") or await in_thread(default_platform)
        plan = await planned(train, model, options)
        if dry_run:
            return plan
        return await plan.submit_async(
            allow_duplicate=options.get("allow_duplicate", False),
            on_progress=options.get("on_progress"),
            progress=options.get("progress", False),
        )

    @classmethod
    def pilot(
        cls,
        train: Dataset,
        *,
        model: str,
        evaluator: Evaluator,
        golden: Sequence[Case | Example],
        **options: Unpack[PilotOptions],
    ) -> Pilot:
        """Small trainings first: train on growing parts of the data and see whether more of it still helps.

        It ends early where the last step is shown to bring less than 0.01. The same pilot again takes up the jobs and
        answers that are there. Each training is held against `budget` alone.

        Args:
            train: The examples, of which parts are drawn at random.
            model: The base.
            evaluator: What scores the models; its first scorer decides.
            golden: The cases that it is measured on. Judge the final model with others.
            options: `fractions`, the parts as shares of the data, at least four sizes and by default 0.125, 0.25, 0.5
                and 1; `subsets`, how many parts of each size, by default two on the local platform and one elsewhere;
                `draw`, another number for other parts; and what `create` takes.

        Raises:
            ValueError: Fewer than four sizes.
            JobFailedError: One of the trainings failed.
        """
        options["platform"] = options.get("platform") or default_platform()
        return in_own_loop(cls.pilot_async(train, model=model, evaluator=evaluator, golden=golden, **options))

    @classmethod
    async def pilot_async(
        cls,
        train: Dataset,
        *,
        model: str,
        evaluator: Evaluator,
        golden: Sequence[Case | Example],
        **options: Unpack[PilotOptions],
    ) -> Pilot:
        """As `pilot`."""
        from finetune_lib.jobs.pilot import piloted

        return await piloted(train, model=model, evaluator=evaluator, golden=golden, **options)

    @classmethod
    def get(cls, id: str, *, platform: Platform | None = None) -> Job:
        """Take up a job by its id, from any process.

        Raises:
            PlatformError: There is no such job (`status_code` 404), or no answer.
        """
        return in_own_loop(cls.get_async(id, platform=platform or default_platform()))

    @classmethod
    async def get_async(cls, id: str, *, platform: Platform | None = None) -> Job:
        """As `get`."""
        platform = platform or await in_thread(default_platform)
        return cls(await answered(Call(f"get the job {id}", "GET", f"{JOBS}/{id}"), platform), platform)

    @classmethod
    def list(
        cls,
        *,
        limit: int | None = 20,
        status: str | None = None,
        model: str | None = None,
        metadata: Mapping[str, str] | None = None,
        platform: Platform | None = None,
    ) -> tuple[Job, ...]:
        """The jobs of the platform, newest first.

        Args:
            limit: So many at most; None for all, through all pages.
            status: Those of this status alone.
            model: Those of this base, or that gave this model.
            metadata: Those that carry all of these pairs.
            platform: Where; by default as `connect()` chooses.
        """
        platform = platform or default_platform()
        return in_own_loop(
            cls.list_async(limit=limit, status=status, model=model, metadata=metadata, platform=platform)
        )

    @classmethod
    async def list_async(
        cls,
        *,
        limit: int | None = 20,
        status: str | None = None,
        model: str | None = None,
        metadata: Mapping[str, str] | None = None,
        platform: Platform | None = None,
    ) -> tuple[Job, ...]:
        """As `list`."""
        platform = platform or await in_thread(default_platform)
        wanted = dict(metadata or {})
        query = {f"metadata[{name}]": value for name, value in wanted.items()} if platform.kind.metadata else {}
        found = list[Job]()
        async with wired(platform) as wire:
            async for page in wire.pages(Call("list the jobs", "GET", JOBS, query=query)):
                for job in (Job(unmarked(JobRecord.of(one)), platform) for one in page):
                    fits = status in (None, job.status) and model in (None, job.model, job.fine_tuned_model)
                    if fits and wanted.items() <= dict(job.record.metadata or {}).items():
                        found.append(job)
                if limit is not None and len(found) >= limit:
                    break
        return tuple(found[:limit])

    @classmethod
    def from_webhook(
        cls, body: str | bytes, headers: Mapping[str, str], *, secret: str, platform: Platform | None = None
    ) -> Job:
        """The job that a webhook of the platform tells of, as it is now.

        Args:
            body: The body of the request, as it came.
            headers: Its headers.
            secret: The endpoint's secret, `whsec_…`.
            platform: Where the job runs; by default as `connect()` chooses.

        Raises:
            ValueError: The signature does not fit, is older than five minutes, or the event is about no job.
        """
        return cls.get(job_in(body, headers, secret=secret), platform=platform)

    @classmethod
    async def from_webhook_async(
        cls, body: str | bytes, headers: Mapping[str, str], *, secret: str, platform: Platform | None = None
    ) -> Job:
        """As `from_webhook`."""
        return await cls.get_async(job_in(body, headers, secret=secret), platform=platform)

    def refresh(self) -> Job:
        """The job as it is now."""
        return in_own_loop(self.refresh_async())

    async def refresh_async(self) -> Job:
        """As `refresh`."""
        return await self._told("get", "GET", "")

    def events(self, *, after: JobEvent | None = None) -> tuple[JobEvent, ...]:
        """All events so far, oldest first; or those behind one of them."""
        return in_own_loop(self.events_async(after=after))

    async def events_async(self, *, after: JobEvent | None = None) -> tuple[JobEvent, ...]:
        """As `events`."""
        patience = Patience()
        async with wired(self.platform) as wire:
            found = await patience.trying(lambda: read_events(wire, self.id, seconds=patience.answer_seconds))
        return tuple(found[place_behind(found, after) :])

    def wait(
        self,
        *,
        on_event: OnEvent | None = None,
        on_stall: OnStall | None = None,
        timeout: float | None = None,
        after: JobEvent | None = None,
        progress: bool = False,
    ) -> Job:
        """Follow the job to its end, and until its model answers.

        An outage of the platform is waited out, for as long as there is time. Interrupting `wait` leaves the job
        running.

        Args:
            on_event: Called once with each event, oldest first: `print`, or any function.
            on_stall: Told in words what does not move: an outage, a paused job, nothing new for long. By default it
                goes to the log.
            timeout: Seconds to wait at most; by default as long as it takes.
            after: An event of this job; those up to it are not told again.
            progress: Draw status, steps, loss and the time left, in a notebook or a terminal.

        Returns:
            The succeeded job.

        Raises:
            JobFailedError: It failed; the message carries the platform's reason.
            JobCancelledError: It was cancelled.
            JobTimeoutError: The timeout is over; the job goes on.
            PlatformError: The platform refuses to tell of the job.
        """
        try:
            return in_own_loop(
                self.wait_async(on_event=on_event, on_stall=on_stall, timeout=timeout, after=after, progress=progress)
            )
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"{self.id} goes on. Follow it again: {again(self)}") from None

    async def wait_async(
        self,
        *,
        on_event: OnEvent | None = None,
        on_stall: OnStall | None = None,
        timeout: float | None = None,
        after: JobEvent | None = None,
        progress: bool = False,
    ) -> Job:
        """As `wait`."""
        watch = Watch(Bar() if progress else None, on_event)
        patience = Patience(timeout, on_stall=on_stall, sleep=watch.rest)
        async with wired(self.platform) as wire:
            told = Told()
            if after is not None:
                known = await patience.trying(lambda: read_events(wire, self.id, seconds=patience.answer_seconds))
                told.new(known[: place_behind(known, after)])
            watch.follower = Follower(wire, self.record, patience, watch.hear, told)
            try:
                job = self._seen(unmarked(await watch.follower.follow()))
            finally:
                watch.close()
        job._note(watch.metrics)
        require_success(job, reason=self.platform.scrub(job._reason), train=self.train, timeout=timeout)
        return job

    def cancel(self) -> Job:
        """Stop the job; what it has learned so far is not kept.

        Raises:
            PlatformError: It has already ended.
        """
        return in_own_loop(self.cancel_async())

    async def cancel_async(self) -> Job:
        """As `cancel`; where the answer is lost, the job itself tells whether it was cancelled."""
        return await self._told("cancel", "POST", "/cancel")

    def pause(self) -> Job:
        """Let the job rest; `resume` lets it go on.

        Raises:
            PlatformError: The platform cannot do that, or not now.
        """
        return in_own_loop(self.pause_async())

    async def pause_async(self) -> Job:
        """As `pause`."""
        return await self._told("pause", "POST", "/pause")

    def resume(self) -> Job:
        """Let a paused job go on.

        Raises:
            PlatformError: The platform cannot do that, or not now.
        """
        return in_own_loop(self.resume_async())

    async def resume_async(self) -> Job:
        """As `resume`."""
        return await self._told("resume", "POST", "/resume")

    def delete_model(self) -> None:
        """Delete the fine-tuned model; the job and its record stay.

        Raises:
            JobError: The job has no model.
            PlatformError: The platform refused.
        """
        in_own_loop(self.delete_model_async())

    async def delete_model_async(self) -> None:
        """As `delete_model`."""
        call = Call("delete the model", "DELETE", f"/models/{self._require_model()}")
        async with wired(self.platform) as wire:
            await wire.send(call)

    def metrics(self) -> Metrics:
        """Losses, accuracies and rewards by step, as far as the job has come: from its events and its results file."""
        return in_own_loop(self.metrics_async())

    async def metrics_async(self) -> Metrics:
        """As `metrics`; neither source is lost where the other one cannot be read."""
        results = await results_of(self.record, self.platform)
        try:
            metrics = Metrics.from_events(await self.events_async(), results=results)
        except PlatformError:
            if not (metrics := Metrics.from_events((), results=results)):
                raise
        if metrics.end:
            note(self.platform.identity, self.id, curve=metrics.end)
        return metrics

    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """The models saved during training, newest first; each answers under its own name."""
        return in_own_loop(self.checkpoints_async())

    async def checkpoints_async(self) -> tuple[Checkpoint, ...]:
        """As `checkpoints`."""
        call = Call(f"list the checkpoints of {self.id}", "GET", f"{JOBS}/{self.id}/checkpoints")
        async with wired(self.platform) as wire:
            return tuple([Checkpoint.of(one) async for page in wire.pages(call) for one in page])

    def best_checkpoint(self) -> Checkpoint | None:
        """The checkpoint with the least validation loss, else the highest validation reward; None without any."""
        return in_own_loop(self.best_checkpoint_async())

    async def best_checkpoint_async(self) -> Checkpoint | None:
        """As `best_checkpoint`."""
        return (await self.metrics_async()).best_of(await self.checkpoints_async())

    def cost(self) -> float | None:
        """US dollars of the training, by the tokens that the platform says it has trained; None where not known."""
        if self.platform.kind.free:
            return 0.0
        facts, tokens = catalog.find(self.model), self.record.trained_tokens
        if not self.platform.kind.listed_prices or tokens is None or facts is None or facts.price is None:
            return None
        return facts.price.training * tokens / MILLION

    def candidate(
        self,
        *,
        name: str = "tuned",
        system: str | None = None,
        max_tokens: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> ChatModel:
        """The fine-tuned model, or one of its checkpoints, as a candidate of an `Evaluator`.

        Raises:
            JobError: The job has not succeeded, so there is no model yet.
        """
        model = checkpoint.fine_tuned_model_checkpoint if checkpoint else self._require_model()
        return ChatModel(model, name=name, system=system, max_tokens=max_tokens, platform=self.platform)

    def deployment(self, *, resource_group: str = "RESOURCE_GROUP", account: str = "ACCOUNT") -> str:
        """The command that deploys the model on Azure, which answers with no tuned model before that.

        Raises:
            JobError: The job has no model, or its platform deploys none.
        """
        return az_command(self._deployable, resource_group=resource_group, account=account)

    def deploy(self, wanted: AzureDeployment, *, timeout: float | None = 900.0) -> str:
        """Deploy the model on Azure, and wait until it is there; gives the deployment's name, which a `ChatModel` asks.

        The same call again changes nothing. Azure deletes a deployment that nobody calls for 15 days.

        Args:
            wanted: Where, of what kind and size.
            timeout: Seconds to wait at most.

        Raises:
            JobError: The job has no model, or its platform deploys none.
            PlatformError: Azure refuses, or the time is over; then it goes on.
            PolicyError: The policy forbids the management plane.
        """
        return in_own_loop(self.deploy_async(wanted, timeout=timeout))

    async def deploy_async(self, wanted: AzureDeployment, *, timeout: float | None = 900.0) -> str:
        """As `deploy`."""
        return await deployed(self.platform, self._deployable, wanted, patience=Patience(timeout))

    @property
    def _deployable(self) -> str:
        if not self.platform.kind.deploys:
            raise JobError(f"{self.platform.name} answers with {self.fine_tuned_model} as it is", job=self)
        return self._require_model()

    async def _told(self, verb: str, method: Literal["GET", "POST"], path: str) -> Job:
        """The job after a call about it; a lost answer to a change is looked up."""
        call = Call(f"{verb} the job {self.id}", method, f"{JOBS}/{self.id}{path}")
        try:
            return self._seen(await answered(call, self.platform, again=method == "GET"))
        except PlatformError as error:
            if method == "GET" or not error.retryable:
                raise
        job = await self.refresh_async()
        done = job.done if verb == "cancel" else (job.status == "paused") is (verb == "pause")
        return job if done else self._seen(await answered(call, self.platform, again=False))

    def _seen(self, record: JobRecord) -> Job:
        return Job(record, self.platform, self.train)

    @property
    def _reason(self) -> str:
        return (self.record.error.message or "") if self.record.error else ""

    def _require_model(self) -> str:
        if self.fine_tuned_model is None:
            raise JobError(f"{self.id} is {self.status}: it has no model yet. Call wait() first.", job=self)
        return self.fine_tuned_model

    def _note(self, metrics: Metrics) -> None:
        """Write down what the job has become."""
        ended = self.record.finished_at if self.done else None
        seen: dict[str, Any] = {"status": self.status, "fine_tuned_model": self.fine_tuned_model, "ended": ended}
        known = {"usd": self.cost(), "curve": metrics.end or None}
        seen |= {name: value for name, value in known.items() if value is not None}
        note(self.platform.identity, self.id, **seen)

    def _repr_html_(self) -> str:
        reason, name = self.platform.scrub(self._reason), self.platform.name
        return job_html(self.record, status=self.status, platform=name, reason=reason, cost=self.cost())

    def __repr__(self) -> str:
        return f"Job({self.id!r}, {self.status!r}, model={self.model!r}, fine_tuned_model={self.fine_tuned_model!r})"
