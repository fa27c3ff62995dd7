"""When a run saves, and what is kept: the ends of epochs, and in between a place from which a lost run goes on."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from finetune_lib.local.job_directory import JobDirectory

KEPT = 3
SECONDS_BETWEEN, SAVES_BETWEEN = 60.0, 20


class Checkpoints(TrainerCallback):
    """Saves between the ends of epochs once a minute, or after 20 times what a save takes, if that is longer.

    Kept are the last ends of epochs, the one with the best validation loss, and the newest in between.
    """

    def __init__(self, directory: JobDirectory, *, epoch: int) -> None:
        self.directory, self.epoch = directory, epoch
        self._saved_at = self._asked_at = time.monotonic()
        self._takes = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The first minute begins."""
        self._saved_at = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Ask for a save where one is due."""
        self._asked_at = time.monotonic()
        if self._asked_at - self._saved_at >= max(SECONDS_BETWEEN, SAVES_BETWEEN * self._takes):
            control.should_save = True

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Validation comes before a save, and is not counted to it."""
        self._asked_at = time.monotonic()

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Drop what the new checkpoint replaces."""
        self._saved_at = time.monotonic()
        self._takes = self._saved_at - self._asked_at
        found = self.directory.checkpoints()
        ends = [step for step in found if step % self.epoch == 0]
        losses = validations(state)
        best = min((step for step in ends if step in losses), key=losses.__getitem__, default=None)
        keep = {*ends[-KEPT:], best, max(found)}
        for step in found.keys() - keep:
            shutil.rmtree(found[step])


class EarlyStop(TrainerCallback):
    """Ends a run whose validation has not got better so many times in a row; it keeps nothing that a kill loses."""

    def __init__(self, patience: int) -> None:
        self._patience = patience

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Look at all validations so far: losses, or rewards below zero."""
        losses = list(validations(state).values())
        if len(losses) - 1 - losses.index(min(losses)) >= self._patience:
            control.should_training_stop = True


def validations(state: Any) -> dict[int, float]:
    """What validation has told at each step, the less the better: a loss, or a reward below zero."""
    found = ((row["step"], -row["eval_reward"] if "eval_reward" in row else row["eval_loss"])
             for row in state.log_history if "eval_loss" in row)  # fmt: skip
    return dict(found)


def best_of(directory: JobDirectory, state: Any) -> tuple[int, Path] | None:
    """The checkpoint that validated best; None where none was validated."""
    losses, found = validations(state), directory.checkpoints()
    best = min((step for step in found if step in losses), key=losses.__getitem__, default=None)
    return None if best is None else (best, found[best])


def settle(directory: JobDirectory, *, epoch: int) -> None:
    """Once a job has succeeded: only the ends of epochs stay, each no larger than what answers."""
    for step, folder in directory.checkpoints().items():
        if step % epoch:
            shutil.rmtree(folder)
    directory.drop_states()
