"""What is odd in a sheet, whatever kind of workbook it stands in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from finetune_lib.data.reading.tables.cells import Mark
from finetune_lib.data.reading.tables.merges import Merge
from finetune_lib.data.reading.tables.shown import Form

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Oddities:
    """What is odd in one sheet; rows and columns are counted from 0.

    Attributes:
        marks: What is odd about a cell.
        shown: The text that people see in it, where that is not its value.
        texts: The formats of texts that are shown with something added.
        hidden: The hidden rows.
        hidden_columns: The hidden columns.
        far: The cell that stretches the sheet beyond what fits in memory, if one does.
        merges: The merged ranges, where nobody else tells them.
        unknown: Whether the formats of its numbers cannot be told.
    """

    marks: Mapping[Place, Mark] = field(default_factory=dict[Place, Mark])
    shown: Mapping[Place, str] = field(default_factory=dict[Place, str])
    texts: Mapping[Place, Form] = field(default_factory=dict[Place, Form])
    hidden: Sequence[int] = ()
    hidden_columns: Sequence[int] = ()
    far: str | None = None
    merges: Sequence[Merge] = ()
    unknown: bool = False

    def __bool__(self) -> bool:
        """Whether any cell is odd."""
        return bool(self.marks or self.shown or self.texts)
