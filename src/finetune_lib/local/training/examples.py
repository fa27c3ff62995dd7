"""A job's files as tokens and labels, with a count of what did not fit."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from finetune_lib.rendering.messages import RenderingError
from finetune_lib.rendering.renderer import IGNORED, Encoded

T = TypeVar("T")
Line = tuple[int, Mapping[str, Any]]
Take = Callable[[Mapping[str, Any], int], tuple[list[T], bool]]


class ExampleError(ValueError):
    """An example that the base cannot say; the message names its line and field."""


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


def read_rows(path: Path) -> list[Line]:
    """The rows of a JSONL file, each with its line."""
    with path.open(encoding="utf-8-sig") as lines:
        return [(number, json.loads(line)) for number, line in enumerate(lines, start=1) if line.strip()]


def prepared(rows: Sequence[Line], take: Take[T], *, limit: int) -> Examples[T]:
    """All rows as what is learned of them.

    Args:
        rows: The rows, each with its line.
        take: What is learned of a row within the limit, and whether that is all of it.
        limit: Tokens that are read of one row.

    Raises:
        ExampleError: The base cannot say one of them.
    """
    found: list[T] = []
    cut = left_out = 0
    for line, row in rows:
        try:
            learned, whole = take(row, limit)
        except RenderingError as error:
            raise ExampleError(f"line {line}, {error.path}: {error}") from error
        found += learned
        left_out += not learned
        cut += bool(learned) and not whole
    return Examples(found, len(rows), cut, left_out, limit)


def within(sequence: Encoded, limit: int) -> Encoded:
    """The beginning of a sequence."""
    return {name: values[:limit] for name, values in sequence.items()}


def is_learned(sequence: Encoded) -> bool:
    """Whether any token of it is learned."""
    return any(label != IGNORED for label in sequence["labels"])
