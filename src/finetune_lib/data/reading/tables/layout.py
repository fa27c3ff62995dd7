"""Where a table's header stands, what is above it, and what its columns are; or why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from finetune_lib.data.diagnostics import Diagnostic, Severity, diagnose
from finetune_lib.data.reading.options import ReadError, unreadable
from finetune_lib.data.reading.tables.cells import Row, is_blank
from finetune_lib.data.reading.tables.headers import (
    AFFIXED,
    CANONICAL,
    FIELDS,
    JSON_FIELDS,
    PAIR,
    SHAPES,
    TOLD,
    Header,
    folded,
    meant,
    plain,
    recognise,
)
from finetune_lib.records import Origin

HEAD = 20
SHOWN = 60
BESIDE = frozenset({"system", "category", "context"})


@dataclass(frozen=True, slots=True)
class Layout:
    """A table's header and what stands above it.

    Attributes:
        header: The columns and their fields.
        row: The row that the header is.
        above: The filled rows above it.
    """

    header: Header
    row: Row
    above: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Width:
    """How many cells the rows of a table may have.

    Attributes:
        least: The number of columns up to the last with a name.
        most: The number of all columns of the header.
    """

    least: int
    most: int

    @classmethod
    def of(cls, header: Header) -> Width:
        """The width that a header asks for."""
        named = (place for place, name in enumerate(header.names, start=1) if name)
        return cls(max(named, default=0), len(header.names))

    def fits(self, cells: Sequence[object]) -> bool:
        """Whether a row has as many cells; more are in order where the rest is empty."""
        return len(cells) >= self.least and (len(cells) <= self.most or all(map(is_blank, cells[self.most :])))


def find_layout(rows: Sequence[Row], columns: Mapping[str, str] | None) -> Layout | None:
    """The first of the filled rows at a table's head whose names make examples; certain names before likely ones."""
    likely: Layout | None = None
    for index, row in enumerate(rows):
        header = recognise([str(cell) for cell in row.cells], columns)
        if not header.complete or not set(columns or {}) <= header.places.keys():
            continue
        if not _believable(rows[:index], row, header) or (likely and likely.row.filled >= row.filled):
            continue
        layout = Layout(_narrowed(header, rows[index + 1 :], columns), row, rows[:index])
        if header.worst <= AFFIXED:
            return layout
        likely = likely or layout
    return likely


def _believable(above: Sequence[Row], row: Row, header: Header) -> bool:
    """Titles have fewer cells than the header below them; a row of data may hold the words of a header by chance."""
    if not above or all(title.filled == 1 for title in above):
        return True
    return header.worst <= AFFIXED and sum(title.filled >= row.filled for title in above) <= 1


def _narrowed(header: Header, below: Sequence[Row], columns: Mapping[str, str] | None) -> Header:
    """Without fields that the table's shape does not use; a column `messages` of plain texts is no conversation."""
    conversation = next((name for name in ("messages", "conversations") if name in header.places), None)
    place = header.places.get(conversation or "", 0)
    cells = [row.cells[place] for row in below if place < len(row.cells) and not is_blank(row.cells[place])]
    if conversation and cells and isinstance(cells[0], str) and cells[0].lstrip()[:1] not in ("[", "{"):
        pairs = [name for name in FIELDS if name not in JSON_FIELDS]
        header = recognise(header.names, columns, fields=pairs)
    shape = next((shape for shape in SHAPES if shape <= header.places.keys() | header.rivals.keys()), PAIR)
    used = shape | (BESIDE if shape.isdisjoint(JSON_FIELDS) else {"system", "category", "tools"})
    return replace(
        header,
        places={name: place for name, place in header.places.items() if name in used},
        rivals={name: places for name, places in header.rivals.items() if name in used},
    )


def check_columns(columns: Mapping[str, str] | None) -> None:
    """Refuse an unknown field in `columns=`.

    Raises:
        ValueError: There is one.
    """
    if unknown := set(columns or {}) - set(TOLD):
        raise ValueError(f"columns= maps {', '.join(TOLD)} to columns of the table, not {', '.join(sorted(unknown))}")


def no_layout(rows: Sequence[Row], columns: Mapping[str, str] | None) -> ReadError:
    """Why no row of the head is a header: names that are not there, twice there, or not known."""
    headers = [recognise([str(cell) for cell in row.cells], columns) for row in rows]
    sure = [sum(header.ranks[name] <= AFFIXED for name in header.places) for header in headers]
    best = max(range(len(rows)), key=lambda index: (sure[index], min(rows[index].filled, 2), -index))
    row, header = rows[best], headers[best]
    listed = ", ".join(name for name in header.names if name) or "-"
    for name, column in (columns or {}).items():
        count = [folded(name) for name in header.names].count(folded(column))
        if count > 1:
            return unreadable("T262", line=row.line, column=column)
        if not count:
            return unreadable("T265", line=row.line, column=column, field=name, columns=listed)
    return unreadable("T253", line=row.line or 1, columns=listed, **_suggestion(header))


def _suggestion(header: Header) -> Mapping[str, str]:
    """The likeliest columns for prompt and completion: misspelled ones, else the first that are free."""
    found = {name: header.names[place] for name, place in header.places.items() if name in PAIR}
    free = [name for name in header.names if name and name not in found.values()]
    for name in free:
        field = meant(name, [field for field in ("prompt", "completion") if field not in found])
        if field:
            found[field] = name
    rest = iter([name for name in free if name not in found.values()])
    return {"first": found.get("prompt") or next(rest, "…"), "second": found.get("completion") or next(rest, "…")}


def refuse_rivals(layout: Layout) -> None:
    """Refuse a header where two columns fit one of the fields that make the example.

    Raises:
        ReadError: T262 where they have the same name, T266 where they have not.
    """
    for name, places in layout.header.rivals.items():
        if name not in BESIDE:
            raise unreadable(_rival_code(layout, places), line=layout.row.line, **_rivals(layout, name, places))


def _rival_code(layout: Layout, places: Sequence[int]) -> str:
    return "T262" if len({folded(layout.header.names[place]) for place in places}) == 1 else "T266"


def _rivals(layout: Layout, name: str, places: Sequence[int]) -> Mapping[str, Any]:
    names = [layout.header.names[place] for place in places]
    return {"field": name, "columns": ", ".join(names), "column": names[0]}


def header_notes(source: str, layout: Layout) -> Iterator[Diagnostic]:
    """What was made of the header: rows skipped above it, names that were mapped, columns that are not used."""
    if layout.above:
        yield _skipped(source, layout)
    header = layout.header
    if any(rank > CANONICAL for name, rank in header.ranks.items() if name in header.places):
        taken = ", ".join(f"{name} = {header.names[place]}" for name, place in header.places.items())
        yield diagnose("T251", _origin(source, layout.row), mapping=taken)
    for name, places in header.rivals.items():
        origin = _origin(source, layout.row, places[0])
        yield diagnose(_rival_code(layout, places), origin, severity="warning", **_rivals(layout, name, places))
    taken_or_told = {*header.places.values(), *(place for places in header.rivals.values() for place in places)}
    free = [name for name in ("category", "system") if name not in header.places]
    for place, name in enumerate(header.names):
        if name and place not in taken_or_told:
            field = meant(name, free) or "…"
            yield diagnose("T261", _origin(source, layout.row, place), column=name, field=field)


def _skipped(source: str, layout: Layout) -> Diagnostic:
    """Rows that are as full as the header may be data: a warning; titles are a note."""
    full = any(row.filled >= layout.row.filled for row in layout.above)
    severity: Severity = "warning" if full else "info"
    texts = [plain(str(cell)) for row in layout.above for cell in row.cells if not is_blank(cell)]
    shown = " / ".join(texts)
    cut = shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…"
    origin = _origin(source, layout.above[0])
    return diagnose("T258", origin, severity=severity, count=len(layout.above), text=" ".join(cut.split()))


def _origin(source: str, row: Row, column: int | None = None) -> Origin:
    """The place of a header's cell; of the row's first filled cell where none is named."""
    if column is None:
        column = next((place for place, cell in enumerate(row.cells) if not is_blank(cell)), 0)
    return Origin(source, line=row.line, cells={"": row.address(column)} if row.sheet is not None else {})
