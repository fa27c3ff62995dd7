"""How a fine-tuning job can end badly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune_lib.errors import FinetuneError

if TYPE_CHECKING:
    from finetune_lib.jobs.job import Job


class JobError(FinetuneError, RuntimeError):
    """A fine-tuning job did not end well.

    Attributes:
        job: The newest snapshot of the job.
    """

    def __init__(self, message: str, *, job: Job) -> None:
        super().__init__(message)
        self.job = job


class JobFailedError(JobError):
    """The job ended with status `failed`."""


class JobCancelledError(JobError):
    """The job ended with status `cancelled`."""


class JobTimeoutError(JobError, TimeoutError):
    """`wait` reached its timeout. The job goes on: `Job.get(id).wait()` follows it again."""
