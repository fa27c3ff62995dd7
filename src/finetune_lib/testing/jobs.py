"""One fine-tuning job of a scripted platform: it moves by one step of its script each time it is looked at."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

ENDED = frozenset({"succeeded", "failed", "cancelled"})
RESTING = ENDED | {"paused"}
# The names of the results file's columns, and how each platform says that a cell is missing.
COLUMNS = {
    "openai": ("step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy", ""),
    "azure": (
        "step,train_loss,train_mean_token_accuracy,valid_loss,validation_mean_token_accuracy,"
        "full_valid_loss,full_valid_mean_token_accuracy",
        "-1",
    ),
}


def new_id(kind: str) -> str:
    """An id as the platforms give them."""
    return f"{kind}-{uuid4().hex[:24]}"


@dataclass
class ScriptedJob:
    """A job, its events, and how far it has come."""

    kind: str
    request: Mapping[str, Any]
    statuses: Sequence[str]
    steps: int
    ends: str
    failure: Mapping[str, Any] | None = None
    id: str = field(default_factory=lambda: new_id("ftjob"))
    created: float = field(default_factory=time.time)
    finished: int | None = None
    step: int = 0
    status: str = ""
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def __post_init__(self) -> None:
        self.status, self._ahead = self.statuses[0], list(self.statuses[1:])
        self.tell(f"Created fine-tuning job: {self.id}")
        self.tell(f"Validating training file: {self.request['training_file']}")

    def tell(self, message: str, *, level: str = "info", at: float | None = None, **more: Any) -> None:
        """Add an event."""
        event = {"object": "fine_tuning.job.event", "id": new_id("ftevent"), "level": level, "message": message}
        self.events.append({**event, "created_at": int(at or time.time()), "type": "message", "data": {}, **more})

    def move(self) -> None:
        """To the next status, else by a third of the steps, else to the end."""
        if self.status.lower() in RESTING or self.finished:
            return
        if self._ahead:
            self.status = self._ahead.pop(0)
            self.tell(f"The job is {self.status}")
            return
        for _ in range(max(1, self.steps // 3)):
            self._train()
        if self.step >= self.steps:
            self._end()

    def _train(self) -> None:
        if self.step >= self.steps:
            return
        self.step += 1
        data = {"step": self.step, "total_steps": self.steps, **self._measured(self.step)}
        text = f"Step {self.step}/{self.steps}: training loss={data['train_loss']:.2f}"
        self.tell(text, type="metrics", data=data)

    def _measured(self, step: int) -> dict[str, float | None]:
        valid = 2.1 / step if step % 2 == 0 else None
        return {"train_loss": 2 / step, "train_mean_token_accuracy": 1 - 1 / (step + 1), "valid_loss": valid}

    def _end(self) -> None:
        self.tell("Moderation checks have passed", type="moderation_checks", data={"blocked": False})
        self.status, self.finished = self.ends, int(time.time())
        if self.failure is not None:
            self.tell(str(self.failure.get("message")), level="error")
        else:
            self.tell(f"New fine-tuned model created: {self.model}")
            self.tell("The job has ended")

    def stop(self) -> None:
        """Cancel it."""
        self.status, self.finished = "cancelled", int(time.time())
        self.tell("The job is cancelled", level="warn")

    @property
    def model(self) -> str:
        """The name of what it makes."""
        base = self.request["model"]
        if self.kind == "azure":
            return f"{base}.{self.id.replace('ftjob', 'ft')}"
        return f"ft:{base}:org:{self.request.get('suffix') or ''}:{self.id[-8:]}"

    @property
    def told(self) -> dict[str, Any]:
        """As the platform tells of it."""
        done = bool(self.finished) and self.failure is None and self.status != "cancelled"
        asked = self.request
        return {
            "id": self.id,
            "object": "fine_tuning.job",
            "created_at": int(self.created),
            "finished_at": self.finished,
            "model": asked["model"],
            "status": self.status,
            "training_file": asked["training_file"],
            "validation_file": asked.get("validation_file"),
            "fine_tuned_model": self.model if done else None,
            "trained_tokens": 1700 if done else None,
            "result_files": [f"results-{self.id}"] if done else [],
            "hyperparameters": {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 1.8},
            "method": asked.get("method"),
            "seed": asked.get("seed") or 7,
            "metadata": asked.get("metadata"),
            "integrations": asked.get("integrations") or [],
            "organization_id": None if self.kind == "azure" else "org-1",
            "estimated_finish": None,
            "error": dict(self.failure) if self.failure and self.finished else {},
        }

    @property
    def checkpoints(self) -> list[dict[str, Any]]:
        """Of every second step, newest first."""
        return [
            {
                "object": "fine_tuning.job.checkpoint",
                "id": f"ftckpt-{self.id}-{step}",
                "created_at": int(self.created) + step,
                "fine_tuned_model_checkpoint": f"{self.model}:ckpt-step-{step}",
                "fine_tuning_job_id": self.id,
                "step_number": step,
                "metrics": {"step": step, **self._measured(step)},
            }
            for step in range(self.step - self.step % 2, 0, -2)
        ]

    @property
    def results(self) -> bytes:
        """The file of results."""
        columns, missing = COLUMNS["azure" if self.kind == "azure" else "openai"]
        lines = [columns]
        for step in range(1, self.step + 1):
            row = [step, *self._measured(step).values(), None, None, None][: len(columns.split(","))]
            lines.append(",".join(missing if cell is None else str(cell) for cell in row))
        return ("\n".join(lines) + "\n").encode()
