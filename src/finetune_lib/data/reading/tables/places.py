"""Where the rows of a table stand, for a million rows as for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from finetune_lib.data.reading.tables.cells import Addresses
from finetune_lib.records import Origin


@dataclass(frozen=True, slots=True)
class Places:
    """The file of a table, and what its numbers count.

    Attributes:
        source: The file's name.
        sheet: The sheet, of a workbook.
        columns: From the JSON paths of an example to the letters of the columns that its cells stand in.
    """

    source: str
    sheet: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict[str, str])

    def origin(self, number: int, row: int) -> Origin:
        """The origin of an example by its line in the text, or its row in the sheet, and its row of data."""
        if self.sheet is None:
            return Origin(self.source, row or None, number or None)
        return Origin(self.source, row or None, cells=Addresses(self.sheet, number, self.columns))
