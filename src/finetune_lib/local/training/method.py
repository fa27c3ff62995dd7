"""The seam of methods: what is learned of a row, the trainer that learns it, and how well a model knows it."""

# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from finetune_lib.local.training.recipe import Recipe
from finetune_lib.rendering.renderer import Renderer

MEASURED_ROWS = 32


@dataclass(frozen=True, slots=True)
class OwnLoss:
    """How well a model knows rows that it was trained on.

    Attributes:
        loss: In nats: of supervised training a mean over learned tokens, of preferences one over pairs.
        accuracy: Share of the learned tokens that it would choose itself, or of the pairs that it orders rightly.
    """

    loss: float
    accuracy: float


class Method(Protocol):
    """A way to learn; it is made for the renderer of the base.

    Attributes:
        nothing_learned: What is told where a trained model gets none of its own rows right.
    """

    nothing_learned: str

    def __init__(self, renderer: Renderer) -> None: ...

    def take(self, row: Mapping[str, Any], limit: int, /) -> tuple[list[Any], bool]:
        """What is learned of a row within the limit of tokens, and whether that is all of it."""
        ...

    def tokens(self, row: Any, /) -> int:
        """The tokens of what is learned of a row, with those that it is learned from."""
        ...

    def trainer(
        self,
        model: Any,
        tokenizer: Any,
        rows: Sequence[Any],
        held_out: Sequence[Any],
        *,
        recipe: Recipe,
        args: Any,
        callbacks: list[Any],
        adapter: Any,
    ) -> Any:
        """A trainer of transformers; its model has the adapter, where one is given."""
        ...

    def own(self, trainer: Any, /) -> OwnLoss:
        """How well its model knows its own rows, by at most 32 of them; no random number is drawn."""
        ...


def spread(rows: Sequence[Any]) -> Sequence[Any]:
    """At most 32 rows, spread over all of them."""
    return rows[:: max(1, len(rows) // MEASURED_ROWS)][:MEASURED_ROWS]
