"""What happens at each step: metrics to events, in OpenAI's words, and an ear for the request to stop."""

from __future__ import annotations

import math
from typing import Any

from transformers import TrainerCallback

from finetune_lib.local.job_directory import JobDirectory

NAMES = {
    "loss": "train_loss",
    "mean_token_accuracy": "train_mean_token_accuracy",
    "eval_loss": "full_valid_loss",
    "eval_mean_token_accuracy": "full_valid_mean_token_accuracy",
}


def finite(value: Any) -> float | None:
    """A metric as JSON can hold it: None for the NaN or infinity of a run that diverges."""
    number = float(value)
    return round(number, 5) if math.isfinite(number) else None


class Progress(TrainerCallback):
    """Appends one metrics event a step to the job's directory.

    The metrics of a step whose validation follows wait for it, so that each step is told once.
    """

    def __init__(self, directory: JobDirectory) -> None:
        self.directory = directory
        self.waiting: dict[str, Any] = {}

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Take the metrics that the trainer logs for a step."""
        found = {NAMES[name]: finite(value) for name, value in (logs or {}).items() if name in NAMES}
        if not found:
            return
        self.waiting |= {"step": state.global_step, "total_steps": state.max_steps, **found}
        if not control.should_evaluate:
            self._tell()

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The validation of a step is done: tell the step."""
        self._tell()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop where the job is cancelled."""
        if self.directory.cancelled:
            control.should_training_stop = True

    def _tell(self) -> None:
        if row := self.waiting:
            self.waiting = {}
            self.directory.append({"type": "metrics", "level": "info", "message": _message(row), "data": row})


def _message(row: dict[str, Any]) -> str:
    losses = [("training loss", "train_loss"), ("full validation loss", "full_valid_loss")]
    known = ((label, row[name]) for label, name in losses if name in row)
    told = ", ".join(f"{label}={'not finite' if value is None else f'{value:.2f}'}" for label, value in known)
    return f"Step {row['step']}/{row['total_steps']}: {told}"
