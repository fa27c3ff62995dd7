"""Creating a job: once, whatever happens. The intent is on disk, then one looks, then posts once, then settles.

Nobody knows after a broken connection whether a request arrived. So the request that creates a job is never sent again
by itself: what is unclear is looked for, by a mark in the job's metadata or by its training file, until any lag of the
platform's lists is over. Each step is written down before it is done; a process that ends anywhere leaves what the
next one needs.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from finetune_lib.concurrency import in_thread
from finetune_lib.errors import PlatformError
from finetune_lib.jobs.settings import MARK
from finetune_lib.jobs.uploading import OnProgress, Uploader
from finetune_lib.platforms.admission import admitted
from finetune_lib.platforms.kinds import status_of
from finetune_lib.platforms.patience import OnStall, Patience
from finetune_lib.platforms.platform import FINAL_CODES
from finetune_lib.platforms.wire import UNREADABLE, Call, Wire, wired
from finetune_lib.records import JobRecord
from finetune_lib.runs import Record, Run, in_turn, spent_today

if TYPE_CHECKING:
    from finetune_lib.jobs.planning import Draft

# After an unclear end the lists are read so often, over so many seconds; a list that lags longer is not known.
SETTLING_SECONDS, SETTLING_LOOKS = 60.0, 12
LEAST_LOOKS = 3
POST_SECONDS = 120.0  # of patience where the platform refuses for haste, and nothing was done
REMEMBERED = 30 * 24 * 3600.0
TOO_MANY, FORBIDDEN, MISSING = 429, 403, 404
NO_LIST = frozenset({404, 405, 501})
# With these the request may have been carried out, though it was refused in words.
UNCLEAR = frozenset({408, 409})
STILL_PROCESSING = "being processed"
CLOSED = (
    "It may be closed to this account: OpenAI takes no jobs of new customers since 2026-05-07 and none at all from "
    '2027-01-06. Ways on: the local platform (ft.connect("local")), Azure (ft.connect("azure")), or another service.'
)


class JobUncertainError(PlatformError):
    """A job may have been created, and cannot be found: the same call looks for it before it creates another.

    Attributes:
        key: The mark that the job carries in its metadata, as `finetune_lib_key`.
    """

    def __init__(self, message: str, *, key: str, cause: PlatformError) -> None:
        super().__init__(
            message,
            status_code=cause.status_code,
            code=cause.code,
            param=cause.param,
            request_id=cause.request_id,
        )
        self.key = key


@dataclass(frozen=True, slots=True)
class Created:
    """What came of asking for a job.

    Attributes:
        record: The job.
        again: Whether it was there already.
    """

    record: JobRecord
    again: bool


async def created(
    plan: Draft,
    *,
    allow_duplicate: bool = False,
    on_progress: OnProgress | None = None,
    on_stall: OnStall | None = None,
) -> Created:
    """The job of a plan: the one that is there, else a new one.

    Raises:
        JobUncertainError: A job may have been made, and cannot be found.
        PlatformError: The platform refused.
        PolicyError: The policy forbids it.
        ValueError: The platform does not take the model.
    """
    async with wired(plan.platform) as wire:
        model = await admitted(plan.platform, plan.model, wire=wire)
        key = await in_thread(key_of, plan, model)
        with Record.open() as record:
            async with in_turn(key):
                creation = _Creation(plan, wire, record, model, key, on_progress, on_stall)
                return await creation.run(allow_duplicate=allow_duplicate)


def key_of(plan: Draft, model: str) -> str:
    """What is asked for, told by its content: the data, the model, the settings, and where."""
    digests = [upload.digest for upload in plan.uploads().values()]
    told = json.dumps([plan.platform.identity, model, plan.settings.content, digests])
    return hashlib.sha256(told.encode()).hexdigest()[:32]


@dataclass
class _Creation:
    plan: Draft
    wire: Wire
    record: Record
    model: str
    key: str
    on_progress: OnProgress | None
    on_stall: OnStall | None

    @property
    def _where(self) -> str:
        return self.plan.platform.identity

    async def run(self, *, allow_duplicate: bool) -> Created:
        earlier = self.record.runs(self.key, self._where)
        last = earlier[0] if earlier else None
        if not allow_duplicate and (found := await self._existing(last)):
            self._keep(last or self._new_run(1), found)
            return Created(found, again=True)
        open_one = last is not None and last.state != "created" and not allow_duplicate
        run = self._new_run((last.number if open_one else last.number + 1) if last else 1)
        self.record.write(run)
        files = await self._files(run)
        job = await self._post(run, files)
        self._keep(run, job)
        return Created(job, again=False)

    def _new_run(self, number: int) -> Run:
        plan = self.plan
        settings = json.loads(plan.settings.content) | {"metadata": dict(plan.settings.metadata)}
        return Run(
            self.key,
            self._where,
            "intended",
            self.model,
            started=time.time(),
            usd=plan.estimate.cost if plan.estimate else None,
            data={name: {**plan.told(name), "sha256": up.digest} for name, up in plan.uploads().items()},
            settings=json.loads(plan.platform.scrub(json.dumps(settings))),
            number=number,
        )

    def _keep(self, run: Run, job: JobRecord) -> None:
        kept = replace(run, state="created", job=job.id, status=job.status, fine_tuned_model=job.fine_tuned_model)
        self.record.write(kept)

    async def _files(self, run: Run) -> dict[str, str]:
        plan = self.plan
        policy = plan.platform.policy
        if policy.usd_per_day is not None:
            policy.admit_spending(run.usd or 0.0, spent_today=spent_today())
        patience = Patience(on_stall=self.on_stall)
        uploader = Uploader(self.wire, self.record, plan.upload_limit, patience, self.on_progress)
        return {name: await uploader.file(upload) for name, upload in plan.uploads().items()}

    async def _existing(self, last: Run | None) -> JobRecord | None:
        """The job of this key that is there: known, listed, or still to come to light."""
        if last and last.state == "created" and last.job:
            return await self._known(last.job)
        uncertain = last is not None and last.state == "posting"
        if not uncertain:
            return await self._listed()
        left = (last.posted or 0.0) + SETTLING_SECONDS - time.time() if last else 0.0
        return await self._settled(min(max(left, 0.0), SETTLING_SECONDS))

    async def _known(self, id: str) -> JobRecord | None:
        try:
            job = JobRecord.of(await self._patiently(Call(f"get the job {id}", "GET", f"/fine_tuning/jobs/{id}")))
        except PlatformError as error:
            if error.status_code == MISSING:
                return None
            raise
        return job if await self._counts(job) else None

    async def _counts(self, job: JobRecord) -> bool:
        """Whether a job stands for the one that is asked for: not where it failed, or its model was deleted."""
        status = status_of(job.status)
        if status in {"failed", "cancelled"}:
            return False
        if status != "succeeded" or job.fine_tuned_model is None or self.plan.platform.kind.deploys:
            return True
        try:
            await self._patiently(Call("look for the model", "GET", f"/models/{job.fine_tuned_model}"))
        except PlatformError as error:
            return error.status_code != MISSING
        return True

    async def _listed(self) -> JobRecord | None:
        """A job that carries the mark; where the platform keeps none, one of the same training file.

        Raises:
            PlatformError: The list cannot be read.
        """
        kind = self.plan.platform.kind
        query = {f"metadata[{MARK}]": self.key} if kind.metadata else {}
        call = Call("list the jobs", "GET", "/fine_tuning/jobs", query=query)
        files = None if kind.metadata else self._known_files()
        oldest = time.time() - REMEMBERED

        async def look() -> list[JobRecord]:
            found = list[JobRecord]()
            async for page in self.wire.pages(call, seconds=POST_SECONDS):
                jobs = [JobRecord.of(job) for job in page]
                found += [job for job in jobs if job.id and self._is_ours(job, files)]
                if jobs and all((job.created_at or time.time()) < oldest for job in jobs):
                    break
            return found

        try:
            found = await Patience(on_stall=self.on_stall).trying(look)
        except PlatformError as error:
            if error.status_code == FORBIDDEN:
                error.args = (f"{error} {CLOSED}",)
            if error.status_code in NO_LIST:
                return None
            raise
        for job in found:
            if await self._counts(job):
                return job
        return None

    def _known_files(self) -> tuple[str | None, str]:
        """The settings and the training file by which a job is known where no mark is kept."""
        training = next(iter(self.plan.uploads().values()))
        return self.record.file(self._where, training.digest), self.model

    def _is_ours(self, job: JobRecord, files: tuple[str | None, str] | None) -> bool:
        if files is None:
            return (job.metadata or {}).get(MARK) == self.key
        return files[0] is not None and (job.training_file, job.model) == files

    async def _settled(self, seconds: float) -> JobRecord | None:
        """Look until any lag of the lists is over."""
        until, pause = time.time() + seconds, max(seconds, 1.0) / SETTLING_LOOKS
        looks = 0
        while True:
            looks += 1
            if found := await self._listed():
                return found
            if time.time() >= until and (looks >= LEAST_LOOKS or seconds <= 0):
                return None
            await asyncio.sleep(pause)

    async def _post(self, run: Run, files: Mapping[str, str]) -> JobRecord:
        """Send the request once; again only where it is certain that nothing was done."""
        body = self.plan.settings.body(self.plan.platform.kind, model=self.model, files=files, mark=self.key)
        headers = {"Idempotency-Key": f"{self.key}-{run.number}"}
        call = Call("create the job", "POST", "/fine_tuning/jobs", body=body, headers=headers)
        patience = Patience(POST_SECONDS, on_stall=self.on_stall)

        async def send() -> dict[str, Any]:
            self.record.write(replace(run, state="posting", posted=time.time()))  # before it may have arrived
            try:
                answer = await self.wire.send(call)
            except PlatformError as error:
                error.retryable = _nothing_done(error)
                raise
            if not answer.get("id"):
                raise PlatformError("the platform answered without the job's id", code=UNREADABLE)
            return answer

        try:
            return JobRecord.of(await patience.trying(send))
        except PlatformError as error:
            if _is_refusal(error) or _nothing_done(error):
                error.retryable = error.status_code == TOO_MANY and error.code not in FINAL_CODES
                self.record.write(replace(run, state="refused"))
                if error.status_code == FORBIDDEN:
                    error.args = (f"{error} {CLOSED}",)
                raise
            unclear = error
        if found := await self._settled(SETTLING_SECONDS):
            return found
        raise JobUncertainError(
            f"{unclear} It may have been done all the same, but no such job is listed. Look at the platform's own "
            "page, then make the same call again: it looks first, and creates the job only where there is none. "
            "allow_duplicate=True creates another at once.",
            key=self.key,
            cause=unclear,
        ) from unclear

    async def _patiently(self, call: Call) -> dict[str, Any]:
        patience = Patience(on_stall=self.on_stall)
        return await patience.trying(lambda: self.wire.send(call, seconds=patience.answer_seconds))


def _nothing_done(error: PlatformError) -> bool:
    """Whether a refusal says that the request was not carried out, and when it may be sent again."""
    if error.status_code == TOO_MANY:
        return error.retryable and error.retry_after is not None
    return error.code == "not_sent" or (error.status_code == 400 and STILL_PROCESSING in str(error))


def _is_refusal(error: PlatformError) -> bool:
    """Whether the platform has understood the request and said no."""
    status = error.status_code
    return status is not None and 400 <= status < 500 and status not in UNCLEAR
