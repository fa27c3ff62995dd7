"""The Batch API of a platform: many requests in a file, at OpenAI for half the price, answered within a day."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from finetune_lib.errors import PlatformError
from finetune_lib.platforms.batch_files import ENDPOINT, Body, Outcome, Part, outcomes_of, parts_of, unanswered
from finetune_lib.platforms.platform import TOO_MANY, Platform

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types import Batch

WINDOW = "24h"
FINGERPRINT = "finetune_lib_requests"
RUNNING = frozenset({"validating", "in_progress", "finalizing"})
ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
FIRST_DELAY, LONGEST_DELAY, DELAY_GROWTH = 0.5, 60.0, 1.5
TOLERATED_FAILURES, TRIES_TO_CREATE = 8, 6
# OpenAI deletes the files of a batch after 30 days: what is older gives no answers any more.
REMEMBERED_SECONDS = 29 * 24 * 3600.0
PAGE = 100
MISSING = 404

# By the id of a batch, what it was asked; None where another process began it.
Waiting = dict[str, Sequence[str] | None]


@dataclass(frozen=True)
class Batches:
    """Sends requests through the Batch API, and gives what comes back.

    A batch that was begun goes on without this process: keep the ids that `on_batch` tells, and `resume` them.
    The same requests are not paid for twice: each batch carries a fingerprint of its requests, and a batch of
    the same fingerprint that runs, or has ended with answers, is taken up instead of a new one.

    Attributes:
        platform: Where the batches run.
        on_batch: Told the id of each batch the moment it is known.
        sleep: How to wait between two questions, in seconds.

    Example:
        ```python
        batches = Batches(ft.connect(), on_batch=print)
        body = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "行李可以帶多少公斤？"}]}
        async for id, outcome in batches.run({"baggage": body}):
            print(id, outcome if isinstance(outcome, PlatformError) else outcome["choices"][0]["message"]["content"])
        ```
    """

    platform: Platform
    _: KW_ONLY
    on_batch: Callable[[str], object] | None = None
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    async def run(self, requests: Mapping[str, Body]) -> AsyncGenerator[tuple[str, Outcome]]:
        """Answer chat completions; batch by batch as they end, in no order that means anything.

        Args:
            requests: Bodies of chat completions of one model, by ids of your own. They are cut into batches of
                50,000 requests and 190 MB.

        Yields:
            Each id once, with the body of the answer, or with why there is none.

        Raises:
            ValueError: The requests name no model or several, or one alone is larger than a batch may be.
            PlatformError: The platform refused, or stayed out of reach; the batches that run go on.
        """
        parts = parts_of(requests)
        async with self.platform.async_client() as client:
            calls = _Calls(self.platform, client, self.sleep)
            waiting: Waiting = {}
            taken = await calls.taken() if parts else {}
            for part in parts:
                id = await calls.begin(part, taken.get(part.fingerprint))
                waiting[id] = part.ids
                if self.on_batch:
                    self.on_batch(id)
            async for answered in self._answers(calls, waiting):
                yield answered

    async def resume(self, batch_ids: Iterable[str]) -> AsyncGenerator[tuple[str, Outcome]]:
        """Take batches up by their ids, from any process; otherwise as `run`.

        Raises:
            PlatformError: There is no such batch, or the platform stayed out of reach.
        """
        async with self.platform.async_client() as client:
            waiting: Waiting = dict.fromkeys(batch_ids)
            async for answered in self._answers(_Calls(self.platform, client, self.sleep), waiting):
                yield answered

    async def _answers(self, calls: _Calls, waiting: Waiting) -> AsyncGenerator[tuple[str, Outcome]]:
        pace = _Pace()
        while waiting:
            for id, asked in tuple(waiting.items()):
                outcomes = None
                with pace.tolerating():
                    outcomes = await calls.outcomes(id, asked)
                if outcomes is not None:
                    del waiting[id]
                    for answered in outcomes.items():
                        yield answered
            if waiting:
                await self.sleep(pace.next_delay())


@dataclass
class _Pace:
    """When to ask again, and how many failures in a row are borne."""

    delay: float = FIRST_DELAY
    failures: int = 0

    @contextmanager
    def tolerating(self) -> Generator[None]:
        try:
            yield
        except PlatformError as error:
            self.failures += 1
            if not error.retryable or self.failures > TOLERATED_FAILURES:
                raise
        else:
            self.failures = 0

    def next_delay(self) -> float:
        delay, self.delay = self.delay, min(self.delay * DELAY_GROWTH, LONGEST_DELAY)
        return delay


@dataclass(frozen=True, slots=True)
class _Calls:
    """What is asked of the platform."""

    platform: Platform
    client: AsyncOpenAI
    sleep: Callable[[float], Awaitable[object]]

    async def taken(self) -> dict[str, Batch]:
        """The batches by fingerprint that run, or have ended with answers; the newest of each."""
        oldest = time.time() - REMEMBERED_SECONDS
        found: dict[str, Batch] = {}
        with self.platform.calls("list the batches"):
            async for batch in self.client.batches.list(limit=PAGE):
                if batch.created_at < oldest:
                    break
                mark = (batch.metadata or {}).get(FINGERPRINT)
                if mark and (batch.status in RUNNING or (batch.status == "completed" and batch.output_file_id)):
                    found.setdefault(mark, batch)
        return found

    async def begin(self, part: Part, taken: Batch | None) -> str:
        """The id of the batch that answers these requests: one that is there, or a new one."""
        if taken and (taken.status in RUNNING or await self._is_there(str(taken.output_file_id))):
            return taken.id
        with self.platform.calls("upload the requests"):
            name = f"requests-{part.fingerprint[:12]}.jsonl"
            file = await self.client.files.create(file=(name, part.content), purpose="batch")
        try:
            return await self._create(file.id, part.fingerprint)
        except PlatformError as error:
            if error.status_code is None or error.status_code >= 500:  # it may have been done all the same
                again = (await self.taken()).get(part.fingerprint)
                if again:
                    return again.id
            raise

    async def _is_there(self, file: str) -> bool:
        try:
            with self.platform.calls("look for the answers"):
                await self.client.files.retrieve(file)
        except PlatformError as error:
            if error.status_code == MISSING:
                return False
            raise
        return True

    async def _create(self, file: str, fingerprint: str) -> str:
        """Create a batch; only a refusal for haste is tried again, because nothing was done then."""
        pace = _Pace()
        client = self.client.with_options(max_retries=0)
        while True:
            try:
                with self.platform.paid_call("create the batch"):
                    mark = {FINGERPRINT: fingerprint}
                    batch = await client.batches.create(
                        input_file_id=file, endpoint=ENDPOINT, completion_window=WINDOW, metadata=mark
                    )
                    return batch.id
            except PlatformError as error:
                pace.failures += 1
                hasty = error.status_code == TOO_MANY and error.code != "insufficient_quota"
                if not hasty or pace.failures == TRIES_TO_CREATE:
                    raise
            await self.sleep(pace.next_delay())

    async def outcomes(self, id: str, asked: Sequence[str] | None) -> dict[str, Outcome] | None:
        """What came of each request of a batch that has ended; None while it runs."""
        with self.platform.calls(f"get the batch {id}"):
            batch = await self.client.batches.retrieve(id)
            if batch.status not in ENDED:
                return None
        files = [await self._download(file) for file in (batch.output_file_id, batch.error_file_id) if file]
        answered = outcomes_of(line for lines in files for line in lines)
        missing = unanswered(batch)
        return {one: answered.get(one, missing) for one in asked or await self._asked(batch, answered)}

    async def _download(self, file: str) -> list[bytes]:
        with self.platform.calls(f"download {file}"):
            content = await self.client.files.content(file)
            return content.content.split(b"\n")

    async def _asked(self, batch: Batch, answered: Mapping[str, Outcome]) -> Iterable[str]:
        """The ids of a batch that another process began; the answered ones where its input is gone."""
        counts = batch.request_counts
        if counts and 0 < counts.total <= len(answered):
            return answered
        try:
            lines = await self._download(batch.input_file_id)
        except PlatformError as error:
            if error.status_code == MISSING:
                return answered
            raise
        return [str(json.loads(line)["custom_id"]) for line in lines if line.strip()]
