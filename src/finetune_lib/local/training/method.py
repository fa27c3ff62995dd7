"""The seam of methods: what is learned of a row, the trainer that learns it, and how well a model knows it."""

# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from finetune_lib.local.training.recipe import Recipe

MEASURED_ROWS = 32


@dataclass(frozen=True, slots=True)
class OwnLoss:
    """How well a model knows rows that it was trained on.

    Attributes:
        loss: The less the better. In nats: of supervised training a mean over learned tokens, of preferences one over
            pairs. Of reinforcement the mean reward, below zero.
        accuracy: Share of the learned tokens that it would choose itself, of the pairs that it orders rightly, or of
            the questions that earn a reward.
    """

    loss: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Setup:
    """What a trainer runs with, whatever it learns.

    Attributes:
        recipe: Epochs, batch size and rate.
        settings: The arguments that all trainers of transformers share.
        callbacks: Who is told of its steps.
        adapter: What is put beside the weights; None where they are trained themselves, or one is there.
    """

    recipe: Recipe
    settings: Mapping[str, Any]
    callbacks: list[Any]
    adapter: Any = None


class Method(Protocol):
    """A way to learn; it is made for the renderer of the base.

    Attributes:
        measure: What `OwnLoss.loss` is, in a word for people.
    """

    measure: str

    def take(self, row: Mapping[str, Any], limit: int, /) -> tuple[list[Any], bool]:
        """What is learned of a row within the limit of tokens, and whether that is all of it."""
        ...

    def tokens(self, row: Any, /) -> int:
        """The tokens of what is learned of a row, with those that it is learned from."""
        ...

    def steps(self, rows: int, batch: int) -> int:
        """Steps of one pass over so many rows."""
        ...

    def trainer(self, model: Any, tokenizer: Any, rows: Sequence[Any], held_out: Sequence[Any], setup: Setup) -> Any:
        """A trainer of transformers; its model has the adapter, where one is given."""
        ...

    def own(self, trainer: Any, /) -> OwnLoss:
        """How well its model knows its own rows, by at most 32 of them; no random number is drawn."""
        ...

    def is_worse(self, metrics: Mapping[str, Any], base: OwnLoss) -> bool:
        """Whether a checkpoint with these metrics knows less than the base."""
        ...

    def doubt(self, trainer: Any, tuned: OwnLoss) -> str | None:
        """What people should know of a training that may have taught nothing; None where it taught something."""
        ...


def lost(metrics: Mapping[str, Any], base: OwnLoss) -> bool:
    """Whether a checkpoint of a method that lowers a loss has a higher one than the base."""
    loss = metrics.get("train_loss")
    return loss is None or loss > base.loss


def spread(rows: Sequence[Any], most: int = MEASURED_ROWS) -> Sequence[Any]:
    """At most so many rows, spread over all of them."""
    return rows[:: max(1, len(rows) // most)][:most]
