"""What `auto` means: epochs, batch size and learning rate for a base and a number of examples; pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# OpenAI's published rule (cookbook, "Data preparation and analysis for chat model fine-tuning").
TARGET_EPOCHS, MIN_EXAMPLE_EPOCHS, MAX_EXAMPLE_EPOCHS, MAX_EPOCHS = 3, 100, 25_000, 25
DEFAULTS = "finetune_defaults.json"
# Of all weights, and of few: adapters, or the last layers.
LEARNING_RATE, FEW_LEARNING_RATE = 2e-5, 2e-4
# Of the rate of supervised training: preferences and rewards move a model that can answer already.
SHARES: Mapping[str, float] = {"dpo": 0.25, "reinforcement": 0.1}
BETA = 0.1
# Answers that a model gives to each question of a step of reinforcement, at a compute_multiplier of 1.
ANSWERS, FEWEST_ANSWERS, MOST_ANSWERS = 8, 2, 64


@dataclass(frozen=True, slots=True)
class Recipe:
    """The numbers that training runs with.

    Attributes:
        n_epochs: Passes over the data.
        batch_size: Examples a step.
        learning_rate_multiplier: As it was asked for; 1.0 for auto.
        learning_rate: The highest learning rate, reached after a short warm-up.
        beta: Of preferences, how much a model that leaves its base is held back; None of other methods.
        answers: Of reinforcement, how many answers to a question are held against each other; None of other methods.
    """

    n_epochs: int
    batch_size: int
    learning_rate_multiplier: float
    learning_rate: float
    beta: float | None = None
    answers: int | None = None

    def hyperparameters(self) -> dict[str, Any]:
        """In the words of the wire."""
        return {
            "n_epochs": self.n_epochs,
            "batch_size": self.batch_size,
            "learning_rate_multiplier": self.learning_rate_multiplier,
            **({} if self.beta is None else {"beta": self.beta}),
            **({} if self.answers is None else {"compute_multiplier": self.answers / ANSWERS}),
        }


def defaults_of(base: str) -> Mapping[str, Any]:
    """What the base's folder says of its own training; empty for most."""
    path = Path(base) / DEFAULTS
    return json.loads(path.read_text()) if path.is_file() else {}


def choose(
    wanted: Mapping[str, Any], defaults: Mapping[str, Any], *, examples: int, few: bool, method: str = "supervised"
) -> Recipe:
    """Fill in what is left to `auto`: from the base's own defaults, else by OpenAI's rule.

    Args:
        wanted: What was asked for, in the words of the wire.
        defaults: What the base says of its own training.
        examples: That are trained on.
        few: Whether few of the weights are trained: adapters, or the last layers.
        method: How it learns.
    """
    usual = FEW_LEARNING_RATE if few else LEARNING_RATE
    rate = defaults.get("few_learning_rate" if few else "learning_rate", defaults.get("learning_rate", usual))
    rate *= defaults.get("shares", SHARES).get(method, 1)
    multiplier = _given(wanted, "learning_rate_multiplier", 1.0)
    return Recipe(
        n_epochs=_given(wanted, "n_epochs", _epochs(defaults, examples)),
        batch_size=min(_given(wanted, "batch_size", defaults.get("batch_size", _batch(examples))), examples),
        learning_rate_multiplier=multiplier,
        learning_rate=rate * multiplier,
        beta=_given(wanted, "beta", BETA) if method == "dpo" else None,
        answers=_answers(wanted) if method == "reinforcement" else None,
    )


def _given(wanted: Mapping[str, Any], name: str, automatic: Any) -> Any:
    value = wanted.get(name, "auto")
    return automatic if value == "auto" else value


def _answers(wanted: Mapping[str, Any]) -> int:
    return min(max(round(ANSWERS * _given(wanted, "compute_multiplier", 1)), FEWEST_ANSWERS), MOST_ANSWERS)


def _epochs(defaults: Mapping[str, Any], examples: int) -> int:
    if target := defaults.get("example_epochs"):
        return min(max(math.ceil(target / examples), defaults["min_epochs"]), defaults["max_epochs"])
    if examples * TARGET_EPOCHS < MIN_EXAMPLE_EPOCHS:
        return min(MAX_EPOCHS, MIN_EXAMPLE_EPOCHS // examples)
    if examples * TARGET_EPOCHS > MAX_EXAMPLE_EPOCHS:
        return max(1, MAX_EXAMPLE_EPOCHS // examples)
    return TARGET_EPOCHS


def _batch(examples: int) -> int:
    """About 0.2 % of the examples, as OpenAI's earlier platform chose, from 1 to 16."""
    return min(max(1, round(examples * 0.002)), 16)
