"""The objects of the wire and their ids, as OpenAI's specification shapes them; pure."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Mapping
from typing import Any

Object = dict[str, Any]
ALPHABET = string.ascii_letters + string.digits
UPLOAD_SECONDS = 3600
TERMINAL = frozenset({"succeeded", "failed", "cancelled"})
MORE_HYPERPARAMETERS = {"dpo": ("beta",), "reinforcement": ("compute_multiplier",)}
OWN_FIELDS = (
    "chat_template",
    "strategy",
    "early_stopping",
    "max_completion_tokens",
)  # of a job, beside those of the wire


def now() -> int:
    """Unix seconds."""
    return int(time.time())


def new_id(prefix: str, length: int = 24) -> str:
    """A random id: `new_id("ftjob-")`."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(length))


def model_name(base: str, suffix: str | None) -> str:
    """The name of a new fine-tuned model: `ft:<base>:<organisation>:<suffix>:<8 characters>`."""
    return f"ft:{base}:local:{suffix or ''}:{new_id('', 8)}"


def file_object(id: str, *, filename: str, purpose: str, size: int, lives: int | None = None) -> Object:
    """A file; `lives` are the seconds after which it is gone, None where it stays."""
    created = now()
    return {
        "id": id,
        "object": "file",
        "bytes": size,
        "created_at": created,
        "filename": filename,
        "purpose": purpose,
        "status": "processed",
        "expires_at": None if lives is None else created + lives,
        "status_details": None,
    }


def upload_object(*, filename: str, purpose: str, size: int, lives: int | None = None) -> Object:
    """A file that is to come in parts; `lives`, the seconds after which it is gone, is not told."""
    created = now()
    return {
        "id": new_id("upload_"),
        "object": "upload",
        "bytes": size,
        "created_at": created,
        "filename": filename,
        "purpose": purpose,
        "status": "pending",
        "expires_at": created + UPLOAD_SECONDS,
        "file": None,
        "lives": lives,
    }


def part_object(upload: str) -> Object:
    """A part of an upload."""
    return {"id": new_id("part_"), "object": "upload.part", "created_at": now(), "upload_id": upload}


def job_object(
    request: Mapping[str, Any],
    *,
    model: str,
    seed: int,
    hyperparameters: Mapping[str, Any],
    method: str = "supervised",
    grader: Mapping[str, Any] | None = None,
) -> Object:
    """A new job; fields of this platform's own are shown where they were given."""
    own = {name: request[name] for name in OWN_FIELDS if request.get(name) is not None}
    return {
        "id": new_id("ftjob-"),
        "object": "fine_tuning.job",
        "created_at": now(),
        "model": model,
        "organization_id": "org-local",
        "status": "validating_files",
        "training_file": request["training_file"],
        "validation_file": request.get("validation_file"),
        "fine_tuned_model": None,
        "finished_at": None,
        "trained_tokens": None,
        "result_files": [],
        "seed": seed,
        "error": None,
        "user_provided_suffix": request.get("suffix"),
        "estimated_finish": None,
        "integrations": request.get("integrations") or [],
        "metadata": request.get("metadata"),
        **own,
        **with_hyperparameters(hyperparameters, method, grader),
    }


def with_hyperparameters(values: Mapping[str, Any], method: str, grader: Mapping[str, Any] | None = None) -> Object:
    """The two places where a job shows its hyperparameters, and the grader of reinforcement."""
    names = ("n_epochs", "batch_size", "learning_rate_multiplier")
    shown = {name: values.get(name, "auto") for name in names}
    more = {name: values.get(name, "auto") for name in MORE_HYPERPARAMETERS.get(method, ())}
    graded = {"grader": grader} if grader else {}
    return {"hyperparameters": shown, "method": {"type": method, method: {**graded, "hyperparameters": shown | more}}}


def event_object(
    message: str, *, level: str = "info", kind: str = "message", data: Any = None, at: int | None = None
) -> Object:
    """An event of a job."""
    return {
        "object": "fine_tuning.job.event",
        "id": new_id("ftevent-"),
        "created_at": at or now(),
        "level": level,
        "message": message,
        "type": kind,
        "data": data if data is not None else {},
    }


def checkpoint_object(job: str, model: str, *, step: int, metrics: Mapping[str, Any]) -> Object:
    """A checkpoint of a job."""
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": new_id("ftckpt_"),
        "created_at": now(),
        "fine_tuned_model_checkpoint": f"{model}:ckpt-step-{step}",
        "fine_tuning_job_id": job,
        "step_number": step,
        "metrics": metrics,
    }


def batch_object(request: Mapping[str, Any]) -> Object:
    """A new batch; it never expires: how long this machine takes, nobody has promised."""
    stamps = ("in_progress", "expires", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")
    return {
        "id": new_id("batch_"),
        "object": "batch",
        "endpoint": request["endpoint"],
        "model": None,
        "errors": None,
        "input_file_id": request["input_file_id"],
        "completion_window": request["completion_window"],
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "created_at": now(),
        **{f"{stamp}_at": None for stamp in stamps},
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "usage": None,
        "metadata": request.get("metadata"),
        "output_expires_after": request.get("output_expires_after"),
    }


def model_object(id: str, *, path: str, owner: str = "local") -> Object:
    """A model; `path` stays on this side of the wire."""
    return {"id": id, "object": "model", "created": now(), "owned_by": owner, "path": path}
