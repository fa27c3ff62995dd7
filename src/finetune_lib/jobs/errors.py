"""How a fine-tuning job can end badly."""

from __future__ import annotations

from typing import Protocol

from finetune_lib.errors import FinetuneError
from finetune_lib.records import JobRecord, Origin


class Snapshot(Protocol):
    """What an error knows of its job: a `Job`."""

    @property
    def id(self) -> str:
        """The job's id."""
        ...

    @property
    def status(self) -> str:
        """Its status."""
        ...

    @property
    def record(self) -> JobRecord:
        """What the platform answered."""
        ...


class JobError(FinetuneError, RuntimeError):
    """A fine-tuning job did not end well.

    Attributes:
        job: The newest snapshot of the job.
    """

    def __init__(self, message: str, *, job: Snapshot) -> None:
        super().__init__(message)
        self.job = job


class JobFailedError(JobError):
    """The job ended with status `failed`.

    Attributes:
        code: The platform's word for the reason.
        param: What it is about, as `training_file`.
        rows: The rows of the training data that the reason names, where this process created the job.
    """

    def __init__(
        self,
        message: str,
        *,
        job: Snapshot,
        code: str | None = None,
        param: str | None = None,
        rows: tuple[Origin, ...] = (),
    ) -> None:
        super().__init__(message, job=job)
        self.code = code
        self.param = param
        self.rows = rows


class JobCancelledError(JobError):
    """The job ended with status `cancelled`."""


class JobTimeoutError(JobError, TimeoutError):
    """`wait` reached its timeout. The job goes on: `Job.get(id).wait()` follows it again."""
