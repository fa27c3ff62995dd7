"""Calls about one job: made again for a while where that is safe, and answered by what the platform says of it."""

from __future__ import annotations

from collections.abc import Sequence

from finetune_lib.errors import PlatformError
from finetune_lib.jobs.settings import MARK
from finetune_lib.platforms import Platform
from finetune_lib.platforms.patience import Patience
from finetune_lib.platforms.wire import UNREADABLE, Call, wired
from finetune_lib.records import JobEvent, JobRecord

CALL_SECONDS = 2.0  # that one call is tried again: a person waits for it


async def answered(call: Call, platform: Platform, *, again: bool = True) -> JobRecord:
    """What the platform says of a job, as the answer to a call.

    Raises:
        PlatformError: It refused, did not answer, or answered in another protocol.
    """
    patience = Patience(CALL_SECONDS if again else 0.0)
    async with wired(platform) as wire:

        async def ask() -> JobRecord:
            try:
                return JobRecord.of(await wire.send(call))
            except PlatformError as error:
                error.retryable &= error.code != UNREADABLE  # a wrong address stays wrong
                raise

        record = await patience.trying(ask)
    if not record.id:
        raise PlatformError(
            f"could not {call.doing}: {platform.name} answered with something that is not OpenAI's protocol (it has "
            "no id). Check the address; it usually ends in /v1."
        )
    return unmarked(record)


def unmarked(record: JobRecord) -> JobRecord:
    """The record without the mark by which a job is found again: it is none of the user's metadata."""
    if not record.metadata or MARK not in record.metadata:
        return record
    own = {name: value for name, value in record.metadata.items() if name != MARK}
    return record.model_copy(update={"metadata": own})


def place_behind(events: Sequence[JobEvent], after: JobEvent | None) -> int:
    """How many events stand up to one of them, this one included."""
    if after is None:
        return 0
    places = [place for place, event in enumerate(events, 1) if event.content == after.content]
    return places[-1] if places else 0
