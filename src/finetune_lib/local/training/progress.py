"""What happens at each step: metrics to events, in OpenAI's words, and an ear for the request to stop."""

from __future__ import annotations

import math
import sys
import time
from typing import Any

import torch
from transformers import TrainerCallback

from finetune_lib.local.job_directory import JobDirectory
from finetune_lib.local.results import measured

try:
    import resource
except ImportError:  # Windows has none
    resource = None


class Progress(TrainerCallback):
    """Appends one metrics event a step to the job's directory, and ends a run whose numbers are none any more.

    The metrics of a step whose validation follows wait for it, so that each step is told once.

    Attributes:
        diverged: The step whose loss or gradient was not finite, once one was.
        paused: Whether it stopped to go on later.
    """

    def __init__(self, directory: JobDirectory) -> None:
        self.directory = directory
        self.waiting: dict[str, Any] = {}
        self.diverged: int | None = None
        self.paused = False
        self._began, self._done_before = time.monotonic(), 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """From here on the pace is measured."""
        self._began, self._done_before = time.monotonic(), state.global_step

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Take the metrics that the trainer logs for a step.

        The trainer logs before it saves: weights that are not finite never become a checkpoint.
        """
        logs = logs or {}
        found = measured(logs)
        if not found:
            return
        if not all(math.isfinite(float(logs[name])) for name in ("loss", "grad_norm") if name in logs):
            self.diverged = state.global_step
            control.should_training_stop, control.should_save, control.should_evaluate = True, False, False
        pace = self._pace(state, logs) if "loss" in logs else {}
        self.waiting |= {"step": state.global_step, "total_steps": state.max_steps, **found, **pace}
        if not control.should_evaluate:
            self._tell()

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The validation of a step is done: tell the step."""
        self._tell()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop where the job is cancelled; where it is paused, save first."""
        self.paused = self.directory.paused and state.global_step < state.max_steps
        if self.directory.cancelled or self.paused:
            control.should_training_stop = True
            control.should_save |= self.paused

    def _pace(self, state: Any, logs: dict[str, Any]) -> dict[str, Any]:
        """Tokens a second and memory of this process, and the Unix second in which the last step would be done."""
        passed = time.monotonic() - self._began
        left = (state.max_steps - state.global_step) * passed / (state.global_step - self._done_before)
        return {
            "tokens_per_second": round(logs.get("num_tokens", 0) / passed, 1),
            "peak_memory_bytes": peak_memory(),
            "estimated_finish": int(time.time() + left),
        }

    def _tell(self) -> None:
        if row := self.waiting:
            self.waiting = {}
            self.directory.append({"type": "metrics", "level": "info", "message": _message(row), "data": row})


def peak_memory() -> int | None:
    """The most bytes that this process has held: of the card where there is one; None where nobody counts."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit if resource else None


def _message(row: dict[str, Any]) -> str:
    losses = [
        ("training loss", "train_loss"),
        ("full validation loss", "full_valid_loss"),
        ("training reward", "train_mean_reward"),
        ("full validation reward", "full_valid_mean_reward"),
    ]
    known = ((label, row[name]) for label, name in losses if name in row)
    told = ", ".join(f"{label}={'not finite' if value is None else f'{value:.2f}'}" for label, value in known)
    return f"Step {row['step']}/{row['total_steps']}: {told}"
