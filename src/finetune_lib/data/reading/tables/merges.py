"""Merged cells of a sheet: their value stands in the first cell alone, which may not be what people mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.data.reading.tables.cells import Row, is_blank, letters
from finetune_lib.records import Origin

CARRIED = ("category", "system")


@dataclass(frozen=True, slots=True)
class Merge:
    """One range of merged cells; rows and columns are counted from 0."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def name(self) -> str:
        """As Excel has it: `A3:B5`."""
        return f"{letters(self.left)}{self.top + 1}:{letters(self.right)}{self.bottom + 1}"


@dataclass(slots=True)
class Merges:
    """The merged ranges of a sheet, and the values that they hold."""

    ranges: Sequence[Merge] = ()
    _by_row: dict[int, list[Merge]] = field(default_factory=dict[int, list[Merge]])
    _values: dict[Merge, str] = field(default_factory=dict[Merge, str])

    @classmethod
    def of(cls, ranges: Iterable[Merge], rows: Sequence[Row]) -> Merges:
        """The merges of a sheet whose rows are given from its first on."""
        by_row: defaultdict[int, list[Merge]] = defaultdict(list)
        kept = [merge for merge in ranges if merge.top < len(rows) and merge.left < len(rows[merge.top].cells)]
        for merge in kept:
            for number in range(merge.top, min(merge.bottom + 1, len(rows))):
                by_row[number].append(merge)
        return cls(kept, dict(by_row), {merge: rows[merge.top].cells[merge.left] for merge in kept})

    def named(self, row: Row) -> Row:
        """A row that may be a header, where a cell merged with those above it has their value."""
        cells = list(row.cells)
        for merge in self._by_row.get(row.number - 1, ()):
            if merge.left == merge.right and merge.left < len(cells) and is_blank(cells[merge.left]):
                cells[merge.left] = self._values[merge]
        return row._replace(cells=cells) if cells != row.cells else row

    def touch(self, number: int) -> bool:
        """Whether cells of a row are merged, by its number in the sheet."""
        return number - 1 in self._by_row

    def last_row(self, row: Row) -> int:
        """The number of the last row that a header's merged cells reach to."""
        return max((m.bottom + 1 for m in self._by_row.get(row.number - 1, ())), default=row.number)

    def findings(self, row: Row, places: Mapping[str, int], origin: Origin) -> Iterator[Diagnostic]:
        """What merged cells do to one row; a category or system message is carried into it."""
        merges = self._by_row.get(row.number - 1, ())
        for merge in merges:
            covered = [name for name, place in places.items() if merge.left <= place <= merge.right]
            at = replace(origin, cells={"": row.address(merge.left)})
            if merge.top == row.number - 1:
                yield from _first(merge, row, covered, places, at)
            elif covered and all(name in CARRIED for name in covered):
                row.cells[places[covered[0]]] = self._values[merge]
                if merge.top == row.number - 2:  # told once
                    yield diagnose("T275", at, range=merge.name)
            elif covered:
                yield diagnose("T260", at, severity="error", range=merge.name, heading=False)


def _first(
    merge: Merge, row: Row, covered: Sequence[str], places: Mapping[str, int], at: Origin
) -> Iterator[Diagnostic]:
    """The row where the value stands: merged across the fields, it is a heading between the rows."""
    others = [place for place in places.values() if not merge.left <= place <= merge.right]
    alone = all(is_blank(row.cells[place]) for place in others if place < len(row.cells))
    if len(covered) > 1 and alone:
        yield diagnose("T260", at, range=merge.name, heading=True)
    elif len(covered) > 1:
        yield diagnose("T260", at, severity="error", range=merge.name, heading=False)
