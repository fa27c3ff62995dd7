"""Where a table's header stands, what is above it, and what its columns are; or why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from finetune_lib.data.diagnostics import Diagnostic, Severity, diagnose
from finetune_lib.data.reading.options import ReadError, unreadable
from finetune_lib.data.reading.tables.cells import Row, is_blank
from finetune_lib.data.reading.tables.evidence import Column, json_in
from finetune_lib.data.reading.tables.headers import (
    AFFIXED,
    CANONICAL,
    FIELDS,
    GRADED,
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
from finetune_lib.data.reading.tables.proposing import likely_pair
from finetune_lib.records import Origin
from finetune_lib.rows.messages import fields_of, items_of

HEAD = 20
SHOWN = 60
PARTING = (",", ";", "\t", "|")
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
        if not _believable(rows, index, header) or (likely and likely.row.filled >= row.filled):
            continue
        layout = Layout(_narrowed(header, rows[index + 1 :], columns), row, rows[:index])
        if header.worst <= AFFIXED:
            return layout
        likely = likely or layout
    return likely


def _believable(rows: Sequence[Row], index: int, header: Header) -> bool:
    """Titles have fewer cells than the header below them; a row of data may hold the words of a header by chance."""
    above, row = rows[:index], rows[index]
    if not above or all(title.filled == 1 for title in above):
        return True
    as_wide = sum(title.filled >= row.filled for title in above)
    return header.worst <= AFFIXED and as_wide <= 1 and not (as_wide and _is_data(rows, row, header))


def _is_data(rows: Sequence[Row], row: Row, header: Header) -> bool:
    """Whether a name is a usual value of its column, as the speaker `user`; a header that is told again is none."""
    others = [other.cells for other in rows if list(other.cells) != list(row.cells)]
    return any(
        sum(place < len(cells) and folded(str(cells[place])) == folded(header.names[place]) for cells in others) > 1
        for place in header.places.values()
    )


def _narrowed(header: Header, below: Sequence[Row], columns: Mapping[str, str] | None) -> Header:
    """Without fields that the table's shape does not use; a column `messages` of plain texts is no conversation."""
    conversation = next((name for name in ("messages", "conversations") if name in header.places), None)
    place = header.places.get(conversation or "", 0)
    cells = [row.cells[place] for row in below if place < len(row.cells) and not is_blank(row.cells[place])]
    if conversation and cells and isinstance(cells[0], str) and cells[0].lstrip()[:1] not in ("[", "{"):
        pairs = [name for name in FIELDS if name not in JSON_FIELDS]
        header = recognise(header.names, columns, fields=pairs)
    graded = SHAPES[-1:] if "reference_answer" in (columns or {}) else ()
    found = header.places.keys() | header.rivals.keys()
    shape = next((shape for shape in (*graded, *SHAPES) if shape <= found), PAIR)
    used = shape | (BESIDE if shape.isdisjoint(JSON_FIELDS) else {"system", "category", "tools"})
    return replace(
        header,
        places={name: place for name, place in header.places.items() if name in used},
        rivals={name: places for name, places in header.rivals.items() if name in used},
    )


def graded_columns(header: Header, below: Sequence[Row]) -> Mapping[str, int]:
    """The columns that go along with rows for reinforcement, by the names that its grader reads them by.

    A row is one where it has the right answer for a grader and no answer to learn, or where its messages end with a
    question; then all columns beside it may be read by the grader. Of other tables it is none.

    Args:
        header: The header.
        below: The first rows below it.
    """
    right = header.places.get("reference_answer")
    if right is None and not _ends_with_questions(header, below):
        return {}
    used = {place for name, place in header.places.items() if name != "reference_answer"}
    names = {place: name for place, name in enumerate(header.names) if name and place not in used}
    if right is not None and folded(names[right]) not in GRADED:
        names[right] = "reference_answer"
    return {name: place for place, name in names.items()}


def _ends_with_questions(header: Header, below: Sequence[Row]) -> bool:
    """Whether the table has messages and each of the first conversations ends with its question."""
    place = header.places.get("messages")
    cells = [row.cells[place] for row in below[:HEAD] if place is not None and place < len(row.cells)]
    turns = [items_of(json_in(cell) if isinstance(cell, str) else cell) for cell in cells if not is_blank(cell)]
    return bool(turns) and all(turn and fields_of(turn[-1]).get("role") == "user" for turn in turns)


def check_columns(columns: Mapping[str, str] | None) -> None:
    """Refuse an unknown field in `columns=`.

    Raises:
        ValueError: There is one.
    """
    if unknown := set(columns or {}) - set(TOLD):
        raise ValueError(f"columns= maps {', '.join(TOLD)} to columns of the table, not {', '.join(sorted(unknown))}")


def likely_header(rows: Sequence[Row], columns: Mapping[str, str] | None) -> int:
    """The place of the row that is most likely the header, where none has the names of an example.

    It is the one with the most names that the user told; where none has any, the first that is nearly as full as the
    fullest: titles above it fill a cell or two.
    """
    told = {folded(column) for column in (columns or {}).values()}
    known = [len(told & {folded(str(cell)) for cell in row.cells}) for row in rows[:HEAD]]
    if any(known):
        return known.index(max(known))
    fullest = max(row.filled for row in rows[: 2 * HEAD])
    return next(place for place, row in enumerate(rows) if row.filled >= min(fullest, max(2, fullest - 1)))


def no_layout(layout: Layout, columns: Mapping[str, str] | None, held: Sequence[Column]) -> ReadError:
    """Why the likely header is none: names that are not there, twice there, or not known; with the pair that shows.

    Args:
        layout: The likely header.
        columns: What the user says.
        held: What its columns hold.
    """
    header, line = layout.header, layout.row.line
    listed = ", ".join(name for name in header.names if name) or "-"
    for name, column in (columns or {}).items():
        count = [folded(name) for name in header.names].count(folded(column))
        if count > 1:
            return unreadable("T262", line=line, column=column)
        if not count:
            return unreadable("T265", line=line, column=column, field=name, columns=listed)
    known = {name: place for name, place in header.places.items() if name in PAIR and header.ranks[name] <= AFFIXED}
    pair = likely_pair(held, known) or (_misspelt(header, known) if len(known) == 1 else None)
    first, second = map(repr, pair) if pair else ("…", "…")
    told = tuple(column.told for column in held if column.name or column.values) or "-"
    return unreadable("T253", line=line or 1, columns=told, first=first, second=second)


def _misspelt(header: Header, known: Mapping[str, int]) -> tuple[str, str] | None:
    """The names of question and answer where one is certain and the other nearly spelt like one."""
    (missing,) = PAIR - known.keys()
    found = next((place for place, name in enumerate(header.names) if meant(name, [missing])), None)
    if found is None or found in known.values():
        return None
    places = {**known, missing: found}
    return header.names[places["prompt"]], header.names[places["completion"]]


def damaged(layout: Layout, below: Sequence[Row]) -> ReadError | None:
    """The error for a table that another program has put into cells: lines of JSON, or whole lines as one cell."""
    first = next((str(cell).strip() for cell in layout.row.cells if not is_blank(cell)), "")
    line = layout.row.line
    if first.startswith(("{", "[{")) and '"' in first:
        return unreadable("T311", line=line, text=first[:SHOWN])
    single = layout.row.filled == 1 and all(row.filled == 1 for row in below)
    for mark in PARTING if single and below else ():
        count = first.count(mark)
        if count and sum(str(row.cells[0]).count(mark) >= count for row in below) > 0.8 * len(below):
            return unreadable("T312", line=line, text=first[:SHOWN])
    return None


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
    ranked = {name: place for name, place in header.places.items() if name in header.ranks}
    if any(header.ranks[name] > CANONICAL for name in ranked):
        taken = ", ".join(f"{name} = {header.names[place]}" for name, place in ranked.items())
        yield diagnose("T251", place_of_header(source, layout.row), mapping=taken)
    for name, places in header.rivals.items():
        origin = place_of_header(source, layout.row, places[0])
        yield diagnose(_rival_code(layout, places), origin, severity="warning", **_rivals(layout, name, places))
    taken_or_told = {*header.places.values(), *(place for places in header.rivals.values() for place in places)}
    free = [name for name in ("category", "system") if name not in header.places]
    for place, name in enumerate(header.names):
        if name and place not in taken_or_told:
            field = meant(name, free) or "…"
            yield diagnose("T261", place_of_header(source, layout.row, place), column=name, field=field)


def _skipped(source: str, layout: Layout) -> Diagnostic:
    """Rows that are as full as the header may be data: a warning; titles are a note."""
    full = any(row.filled >= layout.row.filled for row in layout.above)
    severity: Severity = "warning" if full else "info"
    texts = [plain(str(cell)) for row in layout.above for cell in row.cells if not is_blank(cell)]
    shown = " / ".join(texts)
    cut = shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…"
    origin = place_of_header(source, layout.above[0])
    return diagnose("T258", origin, severity=severity, count=len(layout.above), text=" ".join(cut.split()))


def place_of_header(source: str, row: Row, column: int | None = None) -> Origin:
    """The place of a header's cell; of the row's first filled cell where none is named."""
    if column is None:
        column = next((place for place, cell in enumerate(row.cells) if not is_blank(cell)), 0)
    return Origin(source, line=row.line, cells={"": row.address(column)} if row.sheet is not None else {})
