"""Metrics of a job: its loss and token accuracy by step."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard, overload

from finetune_lib.pages.curve import Line, Plot, curve_svg
from finetune_lib.records import JobEvent


@dataclass(frozen=True, slots=True)
class Step:
    """One training step. Losses are mean cross-entropy in nats per learned token, accuracies shares in 0..1."""

    step: int
    train_loss: float | None = None
    train_mean_token_accuracy: float | None = None
    valid_loss: float | None = None
    valid_mean_token_accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class Metrics(Sequence[Step]):
    """The steps of a job in their order; the last one tells how training ended."""

    steps: tuple[Step, ...] = ()

    @staticmethod
    def from_events(events: Iterable[JobEvent]) -> Metrics:
        """Gather the metrics rows of a job's events."""
        rows = [event.data for event in events if event.type == "metrics" and event.data]
        steps = {int(row["step"]): _step(row) for row in rows if "step" in row}
        return Metrics(tuple(steps[number] for number in sorted(steps)))

    def plot(self) -> Plot:
        """The loss curves of training and validation."""
        train = [(step.step, step.train_loss) for step in self.steps if _is_finite(step.train_loss)]
        valid = [(step.step, step.valid_loss) for step in self.steps if _is_finite(step.valid_loss)]
        return Plot(curve_svg([Line("training loss", train), Line("validation loss", valid)], x="step", y="loss"))

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> Metrics: ...
    def __getitem__(self, index: int | slice) -> Step | Metrics:
        return Metrics(self.steps[index]) if isinstance(index, slice) else self.steps[index]

    def __len__(self) -> int:
        return len(self.steps)

    def _repr_html_(self) -> str:
        return self.plot().svg


def _step(row: dict[str, Any]) -> Step:
    """Validation is measured on all of its rows where the platform does so, else on a batch."""
    return Step(
        int(row["step"]),
        row.get("train_loss"),
        row.get("train_mean_token_accuracy"),
        _first(row.get("full_valid_loss"), row.get("valid_loss")),
        _first(row.get("full_valid_mean_token_accuracy"), row.get("valid_mean_token_accuracy")),
    )


def _is_finite(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)
