"""The metrics of a job in OpenAI's words: of a step, of a checkpoint, and the table of all steps."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

NAMES = {  # the trainer's and OpenAI's
    "loss": "train_loss",
    "mean_token_accuracy": "train_mean_token_accuracy",
    "eval_loss": "full_valid_loss",
    "eval_mean_token_accuracy": "full_valid_mean_token_accuracy",
    "rewards/accuracies": "train_reward_accuracy",
    "rewards/margins": "train_reward_margin",
    "eval_rewards/accuracies": "full_valid_reward_accuracy",
    "eval_rewards/margins": "full_valid_reward_margin",
    "reward": "train_mean_reward",
    "eval_reward": "full_valid_mean_reward",
}

COLUMNS = {
    "step": "step",
    "train_loss": "train_loss",
    "train_accuracy": "train_mean_token_accuracy",
    "valid_loss": "full_valid_loss",
    "valid_mean_token_accuracy": "full_valid_mean_token_accuracy",
}
REWARDS = {"train_mean_reward": "train_mean_reward", "full_valid_mean_reward": "full_valid_mean_reward"}


def measured(logs: Mapping[str, Any]) -> dict[str, float | None]:
    """What the trainer has logged, under OpenAI's names; None for the NaN or infinity of a run that diverges."""
    rewarded = not {"reward", "eval_reward"}.isdisjoint(logs)  # their loss is zero by construction, and says nothing
    found = {NAMES[name]: float(value) for name, value in logs.items() if name in NAMES}
    found = {name: value for name, value in found.items() if not (rewarded and name.endswith("_loss"))}
    return {name: round(value, 5) if math.isfinite(value) else None for name, value in found.items()}


def checkpoint_metrics(folder: Path, step: int) -> dict[str, float | None]:
    """The metrics of a checkpoint's own step, from the trainer's log in it."""
    history = json.loads((folder / "trainer_state.json").read_text())["log_history"]
    rows = [measured(row) for row in history if row.get("step") == step]
    return {"step": step, **{name: value for row in rows for name, value in row.items()}}


def results_csv(events: Iterable[Mapping[str, Any]]) -> bytes:
    """One row a step; empty where a step was not validated. Rewards have columns where there are some."""
    rows = [event["data"] for event in events if event["type"] == "metrics"]
    columns = COLUMNS | (REWARDS if any(REWARDS.keys() & row.keys() for row in rows) else {})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([row.get(name, "") for name in columns.values()] for row in rows)
    return text.getvalue().encode()
