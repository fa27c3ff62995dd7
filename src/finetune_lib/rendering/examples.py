"""Rows as what a base learns of them within its limit of tokens, with a count of what did not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from finetune_lib.rendering.messages import RenderingError
from finetune_lib.rendering.renderer import IGNORED, Encoded, Piece, Renderer, encoded

LONGEST_EXAMPLE = 65_536
NAMED = 5  # lines that are told in full
SIDES = ("chosen", "rejected")
T = TypeVar("T")
Line = tuple[int, Mapping[str, Any]]
Take = Callable[[Mapping[str, Any], int], tuple[list[T], bool]]


class ExampleError(ValueError):
    """Examples that the base cannot say; the message names each line, and the field."""


@dataclass(frozen=True, slots=True)
class Examples(Generic[T]):
    """The examples of a file as they are trained on.

    Attributes:
        rows: What is learned; an example whose turns do not join has several rows.
        examples: Lines of the file.
        cut: Those of which the end is not learned, as they are longer than the limit.
        left_out: Those of which nothing is learned.
        limit: Tokens that are read of one row.
    """

    rows: list[T]
    examples: int
    cut: int
    left_out: int
    limit: int

    @property
    def kept(self) -> int:
        """Examples of which something is learned."""
        return self.examples - self.left_out

    def told(self, name: str) -> str | None:
        """What did not fit, in a sentence; None where everything did."""
        if not (self.cut or self.left_out):
            return None
        cut = f"{self.cut} cut at the {self.limit} tokens that the base reads" if self.cut else ""
        left = f"{self.left_out} left out, as no learned word lies within {self.limit} tokens" if self.left_out else ""
        return f"{name}: of {self.examples} examples " + ", ".join(filter(None, (cut, left)))


def prepared(rows: Sequence[Line], take: Take[T], *, limit: int) -> Examples[T]:
    """All rows as what is learned of them.

    Args:
        rows: The rows, each with its line.
        take: What is learned of a row within the limit, and whether that is all of it.
        limit: Tokens that are read of one row.

    Raises:
        ExampleError: The base cannot say some of them.
    """
    found: list[T] = []
    refused: list[tuple[int, RenderingError]] = []
    cut = left_out = 0
    for line, row in rows:
        try:
            learned, whole = take(row, limit)
        except RenderingError as error:
            refused.append((line, error))
            continue
        found += learned
        left_out += not learned
        cut += bool(learned) and not whole
    if refused:
        raise ExampleError(_refusals(refused)) from refused[0][1]
    return Examples(found, len(rows), cut, left_out, limit)


def _refusals(refused: Sequence[tuple[int, RenderingError]]) -> str:
    told = [f"line {line}, {error.path}: {error}" for line, error in refused[:NAMED]]
    rest = ", ".join(str(line) for line, _ in refused[NAMED:])
    return "; ".join([*told, *([f"and lines {rest} likewise"] if rest else [])])


def sequences_of(renderer: Renderer, row: Mapping[str, Any], method: str) -> list[tuple[str, Sequence[Piece]]]:
    """All that a method reads and learns of a row, however long, by name: both answers of a preference have one.

    Raises:
        RenderingError: The base cannot say the row.
    """
    if method == "dpo":
        pair = renderer.pair(row)
        return list(zip(SIDES, ([pair.prompt, pair.chosen], [pair.prompt, pair.rejected]), strict=True))
    if method == "reinforcement":
        return [("", [renderer.asked(row)])]
    return [("", pieces) for pieces in renderer.sequences(row)]


def sequences_within(renderer: Renderer, row: Mapping[str, Any], limit: int) -> tuple[list[Encoded], bool]:
    """What supervised training learns of a row: its sequences that teach something, and whether nothing is cut.

    Raises:
        RenderingError: The base cannot say the row.
    """
    sequences = renderer.encode(row, limit=limit + 1)
    whole = all(len(sequence["input_ids"]) <= limit for sequence in sequences)
    return [cut for sequence in sequences if is_learned(cut := within(sequence, limit))], whole


def pair_within(renderer: Renderer, row: Mapping[str, Any], limit: int) -> tuple[list[dict[str, Encoded]], bool]:
    """What a preference teaches: both answers, each behind the prompt, and whether nothing is cut.

    Raises:
        RenderingError: The base cannot say the row.
    """
    sides = [encoded(pieces, limit=limit + 1) for _, pieces in sequences_of(renderer, row, "dpo")]
    whole = all(len(side["input_ids"]) <= limit for side in sides)
    cut = [within(side, limit) for side in sides]
    return [dict(zip(SIDES, cut, strict=True))] if all(map(is_learned, cut)) else [], whole


def limit_of(config: Any) -> int:
    """Tokens that a base reads of one example, by its configuration."""
    return min(getattr(config.get_text_config(), "max_position_embeddings", LONGEST_EXAMPLE), LONGEST_EXAMPLE)


def within(sequence: Encoded, limit: int) -> Encoded:
    """The beginning of a sequence."""
    return {name: values[:limit] for name, values in sequence.items()}


def is_learned(sequence: Encoded) -> bool:
    """Whether any token of it is learned."""
    return any(label != IGNORED for label in sequence["labels"])
