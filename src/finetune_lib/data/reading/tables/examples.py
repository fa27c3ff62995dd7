"""From the rows of a table to examples, and a finding for each cell that is not what it seems."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from finetune_lib.data.diagnostics import Diagnostic, diagnose, is_error
from finetune_lib.data.reading.json.strict import parse
from finetune_lib.data.reading.options import Reading, unreadable
from finetune_lib.data.reading.tables.cells import LOST, Addresses, Mark, Row, is_blank, letters, text_of
from finetune_lib.data.reading.tables.headers import JSON_FIELDS
from finetune_lib.data.reading.tables.layout import (
    HEAD,
    Layout,
    Width,
    check_columns,
    find_layout,
    header_notes,
    no_layout,
    refuse_rivals,
)
from finetune_lib.data.reading.tables.merges import Merges
from finetune_lib.data.reading.tables.odd_cells import DITTO, ONCE_A_COLUMN, marked, odd_text, of_column
from finetune_lib.data.reading.tables.unfinished import is_total
from finetune_lib.records import Example, Origin

TEXTS = ("prompt", "context", "completion", "chosen", "rejected", "system")

Item = Row | Diagnostic


def read_table(
    source: str, items: Iterable[Item], columns: Mapping[str, str] | None, *, merges: Merges | None = None
) -> Reading:
    """Read a table whose rows are given, with a finding in the place of each row that its file broke."""
    check_columns(columns)
    merges = merges or Merges()
    rows = iter(items)
    head = list(_head(rows))
    filled = [merges.named(row) for row in head if isinstance(row, Row) and row.filled]
    if not filled:
        raise unreadable("E101")
    layout = find_layout(filled, columns)
    if layout is None:
        raise no_layout(filled, columns)
    refuse_rivals(layout)
    notes = tuple(header_notes(source, layout))
    body = _Body(source, layout, merges)
    found = list(body.read(_below(layout, chain(head, rows), merges)))
    examples = tuple(item for item in found if isinstance(item, Example))
    problems = tuple(item for item in found if isinstance(item, Diagnostic))
    if not examples and not any(map(is_error, problems)):
        raise unreadable("E101", line=layout.row.line)
    return Reading(examples, (*notes, *problems))


def _head(rows: Iterator[Item]) -> Iterator[Item]:
    """The items up to the first filled rows, as many as may be titles and a header."""
    filled = 0
    for item in rows:
        yield item
        filled += isinstance(item, Row) and item.filled > 0
        if filled == HEAD:
            return


def _below(layout: Layout, items: Iterable[Item], merges: Merges) -> Iterator[Item]:
    """What stands below the header, which may span several rows by merged cells."""
    header = (layout.row.line, layout.row.number)
    last = merges.last_row(layout.row)
    below = False
    for item in items:
        if below and not (isinstance(item, Row) and 0 < item.number <= last):
            yield item
        elif isinstance(item, Row) and (item.line, item.number) == header:
            below = True
        elif isinstance(item, Diagnostic) and not below:
            yield item


@dataclass(slots=True)
class _Body:
    """The rows below the header."""

    source: str
    layout: Layout
    merges: Merges
    told: set[str] = field(default_factory=set[str])
    _places: Mapping[str, int] = field(init=False)
    _texts: Sequence[int] = field(init=False)
    _width: Width = field(init=False)
    _paths: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        """Work out once what every row needs."""
        self._places = self.layout.header.places
        self._texts = [place for name, place in self._places.items() if name in TEXTS]
        self._width = Width.of(self.layout.header)

    def read(self, items: Iterable[Item]) -> Iterator[Example | Diagnostic]:
        """Each row's findings and its example, where it gives one."""
        number = 0
        for item in items:
            if isinstance(item, Diagnostic):
                number += 1
                yield replace(item, origin=replace(item.origin, row=number))
            elif not item.blank:
                number += 1
                yield from self._row(item, self._origin(item, number))

    def _origin(self, row: Row, number: int) -> Origin:
        if row.sheet is None:
            return Origin(self.source, row=number, line=row.line)
        if not self._paths:
            first = next((place for place, name in enumerate(self.layout.header.names) if name), 0)
            self._paths[""] = letters(first)
            self._paths.update(_paths({name: letters(place) for name, place in self._places.items()}))
        return Origin(self.source, row=number, cells=Addresses(row.sheet, row.number, self._paths))

    def _row(self, row: Row, origin: Origin) -> Iterator[Example | Diagnostic]:
        if row.line is not None and not self._width.fits(row.cells):
            yield diagnose("T254", origin, found=len(row.cells), expected=self._width.most)
            return
        if self._repeats_header(row):
            yield diagnose("T272", origin)
            return
        merged = list(self.merges.findings(row, self._places, origin)) if row.sheet is not None else []
        if not merged and self._has_no_text(row):
            yield diagnose("T278", origin)
            return
        found = [*merged, *self._unnamed(row, origin), *self._odd(row, origin)]
        if is_total(row.cells):
            found.append(diagnose("T285", origin))
        yield from found
        if not any(problem.severity == "error" or problem.args.get("heading") for problem in found):
            yield from self._example(row, origin)

    def _has_no_text(self, row: Row) -> bool:
        """Whether nothing but a category is filled in, as in rows that were numbered beforehand."""
        cells = row.cells
        return all(
            place >= len(cells) or is_blank(cells[place]) for name, place in self._places.items() if name != "category"
        )

    def _repeats_header(self, row: Row) -> bool:
        names = self.layout.header.names
        return all(
            place < len(row.cells) and isinstance(row.cells[place], str) and row.cells[place].strip() == names[place]
            for place in self._places.values()
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
                yield diagnose("T274", _at(origin, row, place), column=letters(place))

    def _odd(self, row: Row, origin: Origin) -> Iterator[Diagnostic]:
        """What is odd about the cells that make the example."""
        for name, place in self._places.items() if row.marks else ():
            if (mark := row.marks.get(place)) and self._is_new(mark, place):
                yield marked(mark, name, row.cells[place], _at(origin, row, place))
        for place in self._texts:
            cell = row.cells[place] if place < len(row.cells) else ""
            if isinstance(cell, str) and place not in row.marks and (found := odd_text(cell)):
                yield of_column(found, self.layout.header.names[place], cell, _at(origin, row, place))

        label = self._places.get("category", len(row.cells))
        if label < len(row.cells) and odd_text(str(row.cells[label])) == DITTO:
            yield of_column(DITTO, self.layout.header.names[label], row.cells[label], _at(origin, row, label))

    def _is_new(self, mark: Mark, place: int) -> bool:
        """Whether a mark is to be told: some are told once a column."""
        name = f"{mark.kind} {place}"
        new = mark.kind not in ONCE_A_COLUMN or name not in self.told
        self.told.add(name)
        return new

    def _example(self, row: Row, origin: Origin) -> Iterator[Example | Diagnostic]:
        fields: dict[str, Any] = {}
        for name, place in self._places.items():
            cell = row.cells[place] if place < len(row.cells) else ""
            if row.marks.get(place) in LOST:
                continue
            if name in JSON_FIELDS:
                cell, problems = self._json(cell, _at(origin, row, place))
                yield from problems
                if any(map(is_error, problems)):
                    return
            fields[name] = cell
        yield _example(fields, origin)

    def _json(self, cell: Any, origin: Origin) -> tuple[Any, Sequence[Diagnostic]]:
        """The value of a cell that holds JSON, or Python's form of the same, as pandas writes it."""
        if not isinstance(cell, str) or is_blank(cell):
            return (None if isinstance(cell, str) else cell), ()
        value, problem = parse(cell, origin)
        if problem is None or problem.code != "J203":
            return value, (problem,) if problem else ()
        try:
            value = ast.literal_eval(cell.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None, (problem,)
        first, self.told = "T273" not in self.told, self.told | {"T273"}
        return value, (diagnose("T273", origin),) if first else ()


def _paths(columns: Mapping[str, str]) -> Mapping[str, str]:
    """The JSON paths of an example's fields, with the columns that they come from."""
    if "chosen" in columns:
        places = {"chosen": "/preferred_output/0/content", "rejected": "/non_preferred_output/0/content"}
        at = 1 if "system" in columns else 0
        places["prompt"] = f"/input/messages/{at}/content"
        return {places.get(name, f"/{name}"): column for name, column in columns.items()}
    return {f"/{name}": column for name, column in columns.items()}


def _at(origin: Origin, row: Row, place: int) -> Origin:
    """The place of one cell of a row."""
    return replace(origin, cells={"": row.address(place)}) if row.sheet is not None else origin


def _example(fields: dict[str, Any], origin: Origin) -> Example:
    """The example that the fields of a row make."""
    category = fields.pop("category", None)
    label = None if is_blank(category) else text_of(category).strip()
    if "messages" in fields or "conversations" in fields:
        return Example({name: value for name, value in fields.items() if not is_blank(value)}, origin, label)
    fields = {name: value if isinstance(value, (str, list)) else text_of(value) for name, value in fields.items()}
    context = fields.pop("context", "")
    if not is_blank(context):
        fields["prompt"] = f"{fields['prompt']}\n\n{context}"
    if "chosen" in fields and all(isinstance(fields[name], str) for name in ("prompt", "chosen", "rejected")):
        return Example(_preference(fields), origin, label)
    return Example(fields, origin, label)


def _preference(fields: Mapping[str, str]) -> Mapping[str, Any]:
    """A preference row in OpenAI's form, from texts."""
    turns = [{"role": "user", "content": fields["prompt"]}]
    if not is_blank(fields.get("system")):
        turns.insert(0, {"role": "system", "content": fields["system"]})
    return {
        "input": {"messages": turns},
        "preferred_output": [{"role": "assistant", "content": fields["chosen"]}],
        "non_preferred_output": [{"role": "assistant", "content": fields["rejected"]}],
    }
