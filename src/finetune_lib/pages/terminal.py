"""Tables for the terminal; columns line up with Chinese text too, whose characters are two cells wide."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence


def width(text: str) -> int:
    """Cells that a text takes in a terminal (Unicode TR 11)."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Aligned columns: the first to the left, the others to the right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(width(line[column]) for line in lines) for column in range(len(header))]
    ruled = [lines[0], ["─" * size for size in widths], *lines[1:]]
    return "\n".join(_line(line, widths) for line in ruled)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [" " * (size - width(cell)) for cell, size in zip(cells, widths, strict=True)]
    first = cells[0] + padded[0]
    return "  ".join([first, *(pad + cell for cell, pad in zip(cells[1:], padded[1:], strict=True))]).rstrip()


def number(value: float | None) -> str:
    """A score, or a dash where there is none."""
    return "–" if value is None else f"{value:.2f}"
