"""Tables of a web page: many applications export one and name it .xls, since Excel opens it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

from finetune_lib.data.reading.tables.cells import Mark
from finetune_lib.data.reading.tables.merges import Merge
from finetune_lib.data.reading.tables.workbooks.book import Grid
from finetune_lib.data.reading.tables.workbooks.oddities import Oddities, Place

BREAKING = frozenset({"br", "p", "div", "li"})
UNSEEN = frozenset({"script", "style", "title"})
STRIKING = frozenset({"s", "strike", "del"})
STRUCK = re.compile(r"text-decoration[^;]*line-through", re.IGNORECASE)
HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
SPACES = re.compile(r"[ \t\r\n\f]+")
AROUND_BREAKS = re.compile(r" *\n *")
WIDEST = 1_000  # a page that spans more columns or rows is not believed


def web_tables(page: str) -> Sequence[Grid]:
    """The tables of a page in order, named `Table 1`, `Table 2` …; what stands around them is left out."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return [table.grid(number) for number, table in enumerate(reader.tables, start=1)]


@dataclass(slots=True)
class _Table:
    """One table while it is read; rows and columns are counted from 0."""

    rows: list[dict[int, object]] = field(default_factory=list[dict[int, object]])
    marks: dict[Place, Mark] = field(default_factory=dict[Place, Mark])
    hidden: list[int] = field(default_factory=list[int])
    merges: list[Merge] = field(default_factory=list[Merge])
    below: set[Place] = field(default_factory=set[Place])
    place: Place | None = None
    texts: list[str] = field(default_factory=list[str])
    struck: bool = False

    def row(self, style: str) -> None:
        """Begin a row."""
        self.end_cell()
        self.rows.append({})
        if HIDDEN.search(style):
            self.hidden.append(len(self.rows) - 1)

    def cell(self, right: int, down: int, style: str) -> None:
        """Begin a cell at the next place that no cell above reaches down to."""
        self.end_cell()
        if not self.rows:
            self.row("")
        row, column = len(self.rows) - 1, 0
        while column in self.rows[row] or (row, column) in self.below:
            column += 1
        covered = [(row + y, column + x) for y in range(down) for x in range(right)]
        self.below.update(covered)
        if len(covered) > 1:
            self.merges.append(Merge(row, column, row + down - 1, column + right - 1))
        self.place, self.texts, self.struck = (row, column), [], bool(STRUCK.search(style))

    def end_cell(self) -> None:
        """Keep the text of the cell that is open."""
        if self.place is None:
            return
        text = AROUND_BREAKS.sub("\n", "".join(self.texts).replace("\u00a0", " ")).strip(" \n")
        self.rows[self.place[0]][self.place[1]] = text
        if self.struck and text:
            self.marks[self.place] = Mark("struck through")
        self.place = None

    def grid(self, number: int) -> Grid:
        """The table as a sheet."""
        width = max((max(row, default=-1) for row in self.rows), default=-1) + 1
        values = [[row.get(column, "") for column in range(width)] for row in self.rows]
        odd = Oddities(self.marks, hidden=self.hidden, merges=self.merges)
        return Grid(f"Table {number}", values, odd)


class _Reader(HTMLParser):
    """Walks through a page; a table inside a cell is a table of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[_Table] = []
        self._open: list[_Table] = []
        self._unseen = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        given = {name: value or "" for name, value in attrs}
        style = given.get("style", "")
        if tag in UNSEEN:
            self._unseen = tag
        elif tag == "table":
            self._open.append(_Table())
            self.tables.append(self._open[-1])
        elif self._open:
            self._inside(tag, given, style, self._open[-1])

    def _inside(self, tag: str, given: Mapping[str, str], style: str, table: _Table) -> None:
        if tag == "tr":
            table.row(style)
        elif tag in ("td", "th"):
            table.cell(_span(given.get("colspan", "")), _span(given.get("rowspan", "")), style)
        elif tag in BREAKING:
            table.texts.append("\n" if tag == "br" or "".join(table.texts).strip() else "")
        if tag in STRIKING or (tag not in ("tr", "td", "th") and STRUCK.search(style)):
            table.struck = True

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        if tag == self._unseen:
            self._unseen = ""
        elif self._open and tag in ("td", "th", "tr", "table"):
            self._open[-1].end_cell()
            if tag == "table":
                self._open.pop()

    def handle_data(self, data: str) -> None:
        """Text, in which line ends are spaces."""
        if self._open and self._open[-1].place is not None and not self._unseen:
            self._open[-1].texts.append(SPACES.sub(" ", data))

    def close(self) -> None:
        """The page ends, and with it what is still open."""
        super().close()
        for table in self._open:
            table.end_cell()


def _span(written: str) -> int:
    return min(int(written), WIDEST) if written.isdecimal() and int(written) else 1
