"""Every error that finetune_lib raises on purpose.

FinetuneError
├─ DataError (ValueError)              the data cannot be used as it is
│  ├─ ReadError                        the file as a whole cannot be read      .path .line .diagnostic
│  └─ InvalidDatasetError              the file reads, its examples do not pass .report
├─ PlatformError (RuntimeError)        the platform refused or could not be reached
│  │                                   .status_code .code .param .request_id .retryable
│  └─ JobUncertainError                a job may have been made, and is not found .key
├─ PolicyError (PermissionError)       the policy forbids it; nothing was sent
├─ BudgetExceededError (ValueError)    it would cost more than the budget      .estimate .budget
├─ JobError (RuntimeError)             a job did not end well                  .job
│  ├─ JobFailedError
│  ├─ JobCancelledError
│  └─ JobTimeoutError (TimeoutError)   `wait` gave up; the job itself goes on
├─ EvaluationError (RuntimeError)      an evaluation gave nothing to compare   .report
└─ MissingExtraError (ImportError)     an optional package is not installed    .extra

What all rooms share stands here; an error of a wing stands in the wing.
Wrong arguments stay `ValueError` and `TypeError`. Each message says what is wrong, where, and what to do.
"""

from __future__ import annotations

from finetune_lib.shown import FIELD, brief, cut


class FinetuneError(Exception):
    """The root of all errors that finetune_lib raises on purpose."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({cut(', '.join(map(brief, self.args)), FIELD)})"

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross the borders of processes whole, attributes and all."""
        return _restore, (type(self), self.args, self.__dict__)


def _restore(kind: type[FinetuneError], args: tuple[object, ...], attributes: dict[str, object]) -> FinetuneError:
    root = OSError if issubclass(kind, OSError) else Exception  # only the wider of two built-in bases makes both
    error = root.__new__(kind, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


class DataError(FinetuneError, ValueError):
    """The data cannot be used as it is."""


class PlatformError(FinetuneError, RuntimeError):
    """The platform refused a call, or could not be reached.

    Attributes:
        status_code: The HTTP status; None when no answer came.
        code: The platform's error code, as `model_not_found`.
        param: The field of the request that it complains about.
        request_id: What the platform's support will ask for.
        retryable: Whether the same call may succeed later.
        retry_after: Seconds that the platform asks to wait before; None where it says nothing.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.code = code
        self.param = param
        self.request_id = request_id
        self.retryable = retryable
        self.retry_after = retry_after


class PolicyError(FinetuneError, PermissionError):
    """What is allowed to leave this machine does not cover it; nothing was sent."""


class MissingExtraError(FinetuneError, ImportError):
    """An optional package is not installed.

    Attributes:
        extra: The extra that brings it: `pip install "finetune_lib[<extra>]"`.
    """

    def __init__(self, *, feature: str, package: str, extra: str) -> None:
        super().__init__(
            f'{feature} needs the package {package!r}, which is not installed. Run: pip install "finetune_lib[{extra}]"'
        )
        self.extra = extra
