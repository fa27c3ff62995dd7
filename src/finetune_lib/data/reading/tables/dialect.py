"""How a text table parts its cells: by its own first line, by its header, or by the widths of its rows."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from finetune_lib.data.reading.tables.cells import Row
from finetune_lib.data.reading.tables.layout import Layout, Width, find_layout

DELIMITERS = (",", ";", "\t", "|", "，")
DECLARED = re.compile(r"sep=(.)\s*", re.IGNORECASE)
SAMPLE = 60
LONGEST_CELL = 2**31 - 1  # what a C long holds everywhere
LONGEST_QUOTED = 1 << 23  # more than any context window holds: a quote that is not closed ends here at the latest


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells are parted.

    Attributes:
        delimiter: What stands between them.
        spaced: Whether spaces behind it are not part of the cell, so that a quote may follow them.
    """

    delimiter: str
    spaced: bool = False

    def reader(self, lines: Iterator[str], *, strict: bool = True) -> Iterator[list[str]]:
        """The rows of these lines; `csv.Error` where strict and a quote is amiss."""
        csv.field_size_limit(LONGEST_QUOTED if strict else LONGEST_CELL)
        return csv.reader(lines, delimiter=self.delimiter, skipinitialspace=self.spaced, strict=strict)


def declared(first: str) -> Dialect | None:
    """The delimiter that Excel's own first line says: `sep=;`."""
    match = DECLARED.fullmatch(first.strip("\ufeff"))
    return Dialect(match[1]) if match else None


def guess(
    lines: Sequence[str], usual: str, columns: Mapping[str, str] | None, *, given: Dialect | None = None
) -> tuple[Dialect, Layout | None]:
    """The dialect that gives a known header, else the most even rows; the usual one where nothing speaks against it.

    Args:
        lines: The first lines of the table.
        usual: The delimiter that the file's ending promises.
        columns: Names of columns that the user gave.
        given: The dialect that the file declares.
    """
    order = [given.delimiter] if given else sorted(DELIMITERS, key=lambda delimiter: delimiter != usual)
    tried = [_tried(Dialect(delimiter, spaced), lines, columns) for delimiter in order for spaced in (False, True)]
    return max(tried, key=lambda t: t[0])[1:]


def _tried(
    dialect: Dialect, lines: Sequence[str], columns: Mapping[str, str] | None
) -> tuple[tuple[bool, float], Dialect, Layout | None]:
    """How well a dialect does: a header with known names counts before even widths."""
    rows = [Row(cells) for cells in dialect.reader(iter(lines[:SAMPLE]), strict=False)]
    filled = [row for row in rows if row.filled]
    layout = find_layout(filled[:20], columns)
    if layout is not None:
        even = sum(map(Width.of(layout.header).fits, (row.cells for row in filled))) / len(filled)
        return (True, round(even, 2)), dialect, layout
    widths = Counter(len(row.cells) for row in filled)
    width, count = widths.most_common(1)[0] if widths else (1, 0)
    return (False, round(count / len(filled), 2) if width > 1 else 0.0), dialect, None
