"""How a job ended, and why it failed: the rows that a platform complains about, as rows of the user's own data."""

from __future__ import annotations

import re
from collections.abc import Iterator

from finetune_lib.data.dataset import Dataset
from finetune_lib.jobs.errors import JobCancelledError, JobFailedError, JobTimeoutError, Snapshot
from finetune_lib.records import Origin

# "Example 100, message 2", "line 7", "Flagged lines: 4, 13, 14".
ROW = re.compile(r"\b(?:examples?|rows?|lines?)\s*(?:number\s*)?[:#]?\s*(\d+(?:\s*(?:,|and)\s*\d+)*)", re.IGNORECASE)


def rows_named(reason: str, train: Dataset | None) -> Iterator[Origin]:
    """The rows that a reason names; platforms count from 1."""
    for found in ROW.finditer(reason):
        for number in map(int, re.findall(r"\d+", found[1])):
            if train is not None and 0 < number <= len(train):
                yield train[number - 1].origin


def place_of(origin: Origin) -> str:
    """Where a row stands, in words."""
    cells = ", ".join(origin.cells.values())
    line = f", line {origin.line}" if origin.line else ""
    return f"{origin.source or 'the data'}, example {origin.row}{line}{f', cells {cells}' if cells else ''}"


def failed(job: Snapshot, *, reason: str, train: Dataset | None) -> JobFailedError:
    """The error of a job that failed, with the platform's words and the user's own rows that they name."""
    rows, error = tuple(rows_named(reason, train)), job.record.error
    named = "".join(f"\n  {place_of(origin)}" for origin in rows)
    return JobFailedError(
        f"{job.id} failed: {reason or 'the platform gives no reason'}{named}",
        job=job,
        code=error.code if error else None,
        param=error.param if error else None,
        rows=rows,
    )


def require_success(job: Snapshot, *, reason: str, train: Dataset | None, timeout: float | None) -> None:
    """That a job that was waited for has succeeded.

    Raises:
        JobFailedError: It failed.
        JobCancelledError: It was cancelled.
        JobTimeoutError: It has not ended within `timeout` seconds.
    """
    if job.status == "failed":
        raise failed(job, reason=reason, train=train)
    if job.status == "cancelled":
        raise JobCancelledError(f"{job.id} was cancelled", job=job)
    if job.status != "succeeded":
        still = f"{job.id} is still {job.status} after {timeout:g} s; it goes on. Follow it again: {again(job)}"
        raise JobTimeoutError(still, job=job)


def again(job: Snapshot) -> str:
    """What follows a job from any process."""
    return f"Job.get({job.id!r}).wait()"
