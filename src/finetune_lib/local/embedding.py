"""Embeddings by a causal model: the mean of its last layer over the tokens of a text, of length one."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# The training stack ships incomplete types.
from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class TextTooLongError(ValueError):
    """A text has more tokens than the model reads."""


def embedded(model: Any, tokenizer: Any, texts: Sequence[str], *, limit: int) -> tuple[list[list[float]], int]:
    """The vector of each text, and how many tokens were read.

    Raises:
        TextTooLongError: A text is longer than `limit` tokens; none is cut.
    """
    import torch

    rows = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    for at, row in enumerate(rows):
        if not 1 <= len(row) <= limit:
            raise TextTooLongError(f"input {at} has {len(row)} tokens; this model reads 1 to {limit}")
    with torch.inference_mode():
        vectors = [_vector(model, row) for row in rows]
    return vectors, sum(map(len, rows))


def _vector(model: Any, row: list[int]) -> list[float]:
    import torch

    output = model(input_ids=torch.tensor([row], device=model.device), output_hidden_states=True)
    mean = output.hidden_states[-1][0].float().mean(dim=0)
    return torch.nn.functional.normalize(mean, dim=0).tolist()
