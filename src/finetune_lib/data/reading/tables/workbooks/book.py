"""What every kind of workbook gives: sheets with values, merged ranges, and what is odd in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from finetune_lib.data.reading.tables.merges import Merge
from finetune_lib.data.reading.tables.workbooks.oddities import Oddities

Values = Sequence[Sequence[object]]


class Workbook(Protocol):
    """A workbook that can be read sheet by sheet."""

    @property
    def names(self) -> Sequence[str]:
        """Its sheets, in order."""
        ...

    @property
    def hidden(self) -> Sequence[str]:
        """Those that people do not see."""
        ...

    def values(self, sheet: str) -> Values:
        """The values of a sheet from its first cell on; none of a chart."""
        ...

    def merges(self, sheet: str) -> Sequence[Merge]:
        """The merged ranges of a sheet whose values were read."""
        ...

    def oddities(self, sheet: str) -> Oddities:
        """What is odd in a sheet."""
        ...


@dataclass(slots=True)
class Grid:
    """One sheet that was read as a whole.

    Attributes:
        name: Its name.
        values: Its cells.
        odd: What is odd in it, its merged ranges too.
        hidden: Whether people do not see it.
    """

    name: str
    values: list[list[object]] = field(default_factory=list[list[object]])
    odd: Oddities = field(default_factory=Oddities)
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Grids:
    """A workbook of sheets that were read as a whole."""

    grids: Sequence[Grid]

    @property
    def names(self) -> Sequence[str]:
        """Its sheets, in order."""
        return [grid.name for grid in self.grids]

    @property
    def hidden(self) -> Sequence[str]:
        """Those that people do not see."""
        return [grid.name for grid in self.grids if grid.hidden]

    def values(self, sheet: str) -> Values:
        """The values of a sheet."""
        return self._grid(sheet).values

    def merges(self, sheet: str) -> Sequence[Merge]:
        """The merged ranges of a sheet."""
        return self._grid(sheet).odd.merges

    def oddities(self, sheet: str) -> Oddities:
        """What is odd in a sheet."""
        return self._grid(sheet).odd

    def _grid(self, sheet: str) -> Grid:
        return next(grid for grid in self.grids if grid.name == sheet)
