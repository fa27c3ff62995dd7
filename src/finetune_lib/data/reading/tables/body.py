"""The rows below a table's header: a finding for each cell that is not what it seems, and what the others make."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from finetune_lib.data.diagnostics import Diagnostic, diagnose, is_error
from finetune_lib.data.reading.tables.cells import Mark, Row, is_blank, letters
from finetune_lib.data.reading.tables.layout import Layout, Width
from finetune_lib.data.reading.tables.merges import Merges
from finetune_lib.data.reading.tables.odd_cells import DITTO, ONCE_A_COLUMN, marked, odd_text, of_column
from finetune_lib.data.reading.tables.places import Places
from finetune_lib.data.reading.tables.unfinished import is_total
from finetune_lib.records import Example, Origin

Item = Row | Diagnostic


class Plain(Protocol):
    """What becomes of rows in which nothing is odd."""

    def line(self, found: PlainTexts) -> bytes:
        """The wished example as it is spooled."""
        ...

    def example(self, found: PlainTexts) -> Example:
        """The example as the row has it."""
        ...

    def wished(self, found: PlainTexts) -> Example:
        """The wished example."""
        ...


class PlainTexts(NamedTuple):
    """A row in which nothing is odd.

    Attributes:
        plain: What becomes of it.
        texts: What is learned of it.
        category: Its category; empty where it has none.
        number: The line it begins on, or its row in the sheet.
        row: Its number among the rows of data.
    """

    plain: Plain
    texts: tuple[str, ...]
    category: str
    number: int
    row: int


UNLEARNED = frozenset({"conversation", "turn"})
NOT_TEXTS = UNLEARNED | {"category", "role"}


class Making(Protocol):
    """How the rows of a table become examples: one each, or several together.

    Attributes:
        places: From what a row is read for to its column.
        texts: The columns that are learned.
        paths: From an example's JSON paths to the letters of the columns that they are read from.
    """

    places: Mapping[str, int]
    texts: Sequence[int]
    paths: Mapping[str, str]

    @abstractmethod
    def of_row(self, row: Row, origin: Origin) -> Iterator[Example | Diagnostic]:
        """What one sound row gives."""

    def blank(self) -> None:
        """Take up a row without anything in it."""

    def lost(self, row: Row | None = None) -> None:
        """Take up a row that could not be read, or of which some cells could not."""

    def end(self) -> Iterator[Example | Diagnostic]:
        """What all rows give together."""
        return iter(())


@dataclass(slots=True)
class Body:
    """The rows below the header.

    Attributes:
        source: The file's name.
        layout: The header.
        merges: The merged cells of a workbook.
        making: How rows become examples.
        places: Where the rows stand.
        plain: What knows the rows in which nothing is odd, where such a table may have any.
    """

    source: str
    layout: Layout
    merges: Merges
    making: Making
    places: Places
    plain: Callable[[Row, int], PlainTexts | None] | None = None
    told: set[str] = field(default_factory=set[str])
    _width: Width = field(init=False)
    _filled: Mapping[str, int] = field(init=False)
    _judged: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        """Work out once what every row needs."""
        self._width = Width.of(self.layout.header)
        places = self.making.places
        self._filled = {name: place for name, place in places.items() if name != "conversation"}
        self._judged = {name: place for name, place in places.items() if name not in UNLEARNED}

    def read(self, items: Iterable[Item]) -> Iterator[Example | PlainTexts | Diagnostic]:
        """Each row's findings and its example, where it gives one."""
        number = 0
        for item in items:
            if self.plain and isinstance(item, Row) and (found := self.plain(item, number + 1)):
                number += 1
                yield found
            elif isinstance(item, Diagnostic):
                number += 1
                self.making.lost()
                yield replace(item, origin=replace(item.origin, row=number))
            elif item.blank:
                self.making.blank()
            else:
                number += 1
                yield from self._row(item, self.places.origin(item.place, number))
        yield from self.making.end()

    def _row(self, row: Row, origin: Origin) -> Iterator[Example | Diagnostic]:
        if row.line is not None and not self._width.fits(row.cells):
            self.making.lost(row)
            yield diagnose("T254", origin, found=len(row.cells), expected=self._width.most)
            return
        if self._repeats_header(row):
            yield diagnose("T272", origin)
            return
        merged = list(self.merges.findings(row, self._filled, origin)) if row.sheet is not None else []
        if not merged and self._has_no_text(row):
            yield diagnose("T278", origin)
            return
        found = [*merged, *self._unnamed(row, origin), *self._odd(row, origin)]
        if is_total(row.cells):
            found.append(diagnose("T285", origin))
        yield from found
        if any(map(is_error, found)):
            self.making.lost(row)
        elif not any(problem.args.get("heading") for problem in found):
            yield from self.making.of_row(row, origin)

    def _has_no_text(self, row: Row) -> bool:
        """Whether nothing but a category is filled in, as in rows that were numbered beforehand."""
        cells = row.cells
        return all(
            place >= len(cells) or is_blank(cells[place])
            for name, place in self.making.places.items()
            if name not in NOT_TEXTS
        )

    def _repeats_header(self, row: Row) -> bool:
        names = self.layout.header.names
        return all(
            place < len(row.cells) and isinstance(row.cells[place], str) and row.cells[place].strip() == names[place]
            for place in self.making.places.values()
        )

    def _unnamed(self, row: Row, origin: Origin) -> Iterator[Diagnostic]:
        """Tell once of each column that holds something and has no name."""
        names = self.layout.header.names
        if self._width.least == len(row.cells) and all(names):
            return
        for place, cell in enumerate(row.cells):
            unnamed = place >= len(names) or not names[place]
            if unnamed and not is_blank(cell) and letters(place) not in self.told:
                self.told.add(letters(place))
                yield diagnose("T274", at_cell(origin, row, place), column=letters(place))

    def _odd(self, row: Row, origin: Origin) -> Iterator[Diagnostic]:
        """What is odd about the cells that make the example."""
        for name, place in self._judged.items() if row.marks else ():
            if (mark := row.marks.get(place)) and self._is_new(mark, place):
                yield marked(mark, name, row.cells[place], at_cell(origin, row, place))
        for place in self.making.texts:
            cell = row.cells[place] if place < len(row.cells) else ""
            if isinstance(cell, str) and place not in row.marks and (found := odd_text(cell)):
                yield of_column(found, self.layout.header.names[place], cell, at_cell(origin, row, place))

        label = self.making.places.get("category", len(row.cells))
        if label < len(row.cells) and odd_text(str(row.cells[label])) == DITTO:
            yield of_column(DITTO, self.layout.header.names[label], row.cells[label], at_cell(origin, row, label))

    def _is_new(self, mark: Mark, place: int) -> bool:
        """Whether a mark is to be told: some are told once a column."""
        name = f"{mark.kind} {place}"
        new = mark.kind not in ONCE_A_COLUMN or name not in self.told
        self.told.add(name)
        return new


def at_cell(origin: Origin, row: Row, place: int) -> Origin:
    """The place of one cell of a row."""
    return replace(origin, cells={"": row.address(place)}) if row.sheet is not None else origin
