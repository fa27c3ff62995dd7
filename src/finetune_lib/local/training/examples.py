"""A job's files as tokens and labels, with a count of what did not fit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune_lib.rendering.messages import RenderingError
from finetune_lib.rendering.renderer import IGNORED, Encoded, Renderer


class ExampleError(ValueError):
    """An example that the base cannot say; the message names its line and field."""


@dataclass(frozen=True, slots=True)
class Examples:
    """The examples of a file as they are trained on.

    Attributes:
        rows: Tokens and labels; an example whose turns do not join has several rows.
        examples: Lines of the file.
        cut: Those of which the end is not learned, as they are longer than the limit.
        left_out: Those of which nothing is learned.
        limit: Tokens that are read of one row.
    """

    rows: list[Encoded]
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


def read_rows(path: Path) -> list[tuple[int, Mapping[str, Any]]]:
    """The rows of a JSONL file, each with its line."""
    with path.open(encoding="utf-8-sig") as lines:
        return [(number, json.loads(line)) for number, line in enumerate(lines, start=1) if line.strip()]


def prepared(rows: Sequence[tuple[int, Mapping[str, Any]]], renderer: Renderer, *, limit: int) -> Examples:
    """All rows as tokens and labels.

    Raises:
        ExampleError: The base cannot say one of them.
    """
    found: list[Encoded] = []
    cut = left_out = 0
    for line, row in rows:
        try:
            sequences = renderer.encode(row, limit=limit + 1)
        except RenderingError as error:
            raise ExampleError(f"line {line}, {error.path}: {error}") from error
        whole = [len(sequence["input_ids"]) <= limit for sequence in sequences]
        fitting = [{name: values[:limit] for name, values in sequence.items()} for sequence in sequences]
        learned = [sequence for sequence in fitting if any(label != IGNORED for label in sequence["labels"])]
        found += learned
        left_out += not learned
        cut += bool(learned) and not all(whole)
    return Examples(found, len(rows), cut, left_out, limit)
