"""Metrics of a job: its losses, accuracies and rewards by step, from all that the platform tells of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Any, overload

from finetune_lib.extras import require
from finetune_lib.jobs.results import Row, event_rows, file_rows
from finetune_lib.pages.curve import Line, Plot, Point, curve_svg
from finetune_lib.records import Checkpoint, JobEvent
from finetune_lib.shown import Shown

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

# The names of each measure in events and results files of OpenAI and Azure, old and new.
NAMES = {
    "train_loss": ("train_loss", "training_loss"),
    "train_mean_token_accuracy": ("train_mean_token_accuracy", "train_accuracy", "training_token_accuracy"),
    "valid_loss": ("valid_loss", "validation_loss"),
    "valid_mean_token_accuracy": (
        "valid_mean_token_accuracy",
        "validation_mean_token_accuracy",
        "valid_accuracy",
        "validation_token_accuracy",
    ),
    "full_valid_loss": ("full_valid_loss", "full_validation_loss"),
    "full_valid_mean_token_accuracy": ("full_valid_mean_token_accuracy", "full_validation_mean_token_accuracy"),
    "train_mean_reward": ("train_mean_reward", "train_reward_mean"),
    "valid_mean_reward": ("valid_mean_reward", "valid_reward_mean"),
    "full_valid_mean_reward": ("full_valid_mean_reward", "full_valid_reward_mean"),
    "tokens_per_second": ("tokens_per_second", "train_tokens_per_second"),
}
MISSING = -1.0  # as Azure writes it
LOSSES = {"train_loss": "training loss", "valid_loss": "validation loss", "full_valid_loss": "full validation loss"}
REWARDS = {
    "train_mean_reward": "training reward",
    "valid_mean_reward": "validation reward",
    "full_valid_mean_reward": "full validation reward",
}
# Overfitting: the validation loss ends so much above its least, and has risen so often since, each time. Many
# measurements, as of batches, are averaged to so few.
RISE, TIMES, MEANS = 0.05, 2, 6
BARS, WIDTH = "▁▂▃▄▅▆▇█", 24


@dataclass(frozen=True, slots=True)
class Step:
    """One training step; what the platform did not tell of it is None.

    Losses are mean cross-entropy in nats per learned token, accuracies shares in 0..1. Validation is measured on a
    batch (`valid_…`), and now and then on all of its rows (`full_valid_…`). Rewards are those of reinforcement.
    """

    step: int
    train_loss: float | None = None
    train_mean_token_accuracy: float | None = None
    valid_loss: float | None = None
    valid_mean_token_accuracy: float | None = None
    full_valid_loss: float | None = None
    full_valid_mean_token_accuracy: float | None = None
    _: KW_ONLY
    train_mean_reward: float | None = None
    valid_mean_reward: float | None = None
    full_valid_mean_reward: float | None = None
    tokens_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Metrics(Shown, Sequence[Step]):
    """The steps of a job in their order; the last one tells how training ended. Printing it gives one line."""

    steps: tuple[Step, ...] = ()

    @staticmethod
    def from_events(events: Iterable[JobEvent], *, results: bytes = b"") -> Metrics:
        """Gather the metrics rows of a job's events, and what its results file knows beside them.

        Args:
            events: The events.
            results: The content of the results file: CSV, or CSV in base64. What cannot be read adds nothing.
        """
        told = _by_step(event_rows(events))
        for step, values in _by_step(file_rows(results)).items():
            known = told.setdefault(step, {})
            for name, value in values.items():
                # Some files call the loss of all validation rows `valid_loss`, too.
                if known.get(f"full_{name}") != value:
                    known.setdefault(name, value)
        return _metrics(told)

    @property
    def end(self) -> dict[str, float]:
        """The last of each measure that is told, by its name in `Step`, and the best step."""
        last = {name: points[-1][1] for name in NAMES if (points := self._points(name))}
        return last if self.best_step is None else {**last, "best_step": self.best_step}

    @property
    def best_step(self) -> int | None:
        """The step of the least validation loss, else of the highest validation reward; None without validation.

        The loss of all validation rows counts where it is told more than once, else that of batches.
        """
        if losses := self._validation:
            return int(min(losses, key=lambda point: point[1])[0])
        rewards = self._points("full_valid_mean_reward") or self._points("valid_mean_reward")
        return int(max(rewards, key=lambda point: point[1])[0]) if rewards else None

    @property
    def overfits_from(self) -> int | None:
        """The step from which training has made the validation loss worse; None where it has not.

        It has where the loss has risen each time since its least, at least twice, and ends more than 5 % above it;
        more than six measurements count as the means of six equal parts.
        """
        parts = list(_parts(self._validation, MEANS))
        losses = [fmean(loss for _, loss in part) for part in parts]
        least = min(range(len(losses)), key=losses.__getitem__, default=0)
        since = losses[least:]
        rises = all(after > before for before, after in pairwise(since))
        if len(since) <= TIMES or not rises or since[-1] <= since[0] * (1 + RISE):
            return None
        return int(parts[least][-1][0])

    def best_of(self, checkpoints: Iterable[Checkpoint]) -> Checkpoint | None:
        """The checkpoint with the least validation loss, by what it tells itself and by this curve.

        None where nothing was validated.
        """
        saved = {one.step_number: one for one in checkpoints if one.step_number is not None}
        curve = [asdict(step) for step in self.steps if step.step in saved]
        own = [{**(one.metrics or {}), "step": number} for number, one in saved.items()]
        best = _metrics(_by_step([*curve, *own])).best_step
        return None if best is None else saved[best]

    def plot(self) -> Plot:
        """The curves of training, validation and full validation: of losses, or of rewards where those are told."""
        rewards = not any(self._points(name) for name in LOSSES) and any(self._points(name) for name in REWARDS)
        lines = [Line(title, self._points(name)) for name, title in (REWARDS if rewards else LOSSES).items()]
        return Plot(curve_svg(lines, x="step", y="reward" if rewards else "loss"))

    def to_pandas(self) -> pd.DataFrame:
        """The steps as a frame: one row each, columns as in `Step`.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        pandas = require("pandas", extra="frames", feature="to_pandas")
        return pandas.DataFrame([asdict(step) for step in self.steps], columns=["step", *NAMES])

    @property
    def _validation(self) -> list[Point]:
        full, batches = self._points("full_valid_loss"), self._points("valid_loss")
        return full if len(full) > 1 or not batches else batches

    def _points(self, name: str) -> list[Point]:
        told = ((step.step, getattr(step, name)) for step in self.steps)
        return [(step, value) for step, value in told if value is not None and math.isfinite(value)]

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> Metrics: ...
    def __getitem__(self, index: int | slice) -> Step | Metrics:
        return Metrics(self.steps[index]) if isinstance(index, slice) else self.steps[index]

    def __len__(self) -> int:
        return len(self.steps)

    def __str__(self) -> str:
        parts = [f"{len(self)} step{'' if len(self) == 1 else 's'}"]
        for name, title in {**LOSSES, **REWARDS}.items():
            if values := [value for _, value in self._points(name)]:
                parts.append(f"{title} {values[0]:.2f} → {values[-1]:.2f} {_sparkline(values)}")
        if self.best_step is not None:
            parts.append(f"best at step {self.best_step}")
        if self.overfits_from is not None:
            parts.append(f"overfits from step {self.overfits_from}")
        return ", ".join(parts)

    def _repr_html_(self) -> str:
        return self.plot().svg


def _metrics(told: Mapping[int, Mapping[str, float]]) -> Metrics:
    return Metrics(tuple(Step(step, **told[step]) for step in sorted(told)))


def _by_step(rows: Iterable[Row]) -> dict[int, dict[str, float]]:
    """The values of each step; of one that is told twice, the later ones."""
    steps = dict[int, dict[str, float]]()
    for row in rows:
        number = _number(row.get("step"))
        if number is not None and number >= 0 and number.is_integer():
            steps.setdefault(int(number), {}).update(_values(row))
    return steps


def _values(row: Row) -> dict[str, float]:
    found = {name: [_number(row.get(alias)) for alias in aliases] for name, aliases in NAMES.items()}
    return {name: value for name, told in found.items() for value in told[::-1] if value is not None}


def _number(value: Any) -> float | None:
    """A number, also one in text."""
    try:
        number = None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if number == MISSING else number


def _parts(points: Sequence[Point], most: int) -> Iterator[Sequence[Point]]:
    """The points in equal parts, one each where they are few."""
    count = min(most, len(points))
    for part in range(count):
        yield points[part * len(points) // count : (part + 1) * len(points) // count]


def _sparkline(values: Sequence[float]) -> str:
    means = [fmean(value for _, value in part) for part in _parts(list(enumerate(values)), WIDTH)]
    low, high = min(means), max(means)
    span = high - low or 1.0
    return "".join(BARS[int((value - low) / span * (len(BARS) - 1))] for value in means)
