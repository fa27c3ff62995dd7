"""From the rows of a table to examples: its header, the conversations it may hold, and what is said of both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, dropwhile, islice

from finetune_lib.data.diagnostics import Diagnostic, diagnose, is_error
from finetune_lib.data.formats.legacy_pairs import TRIED, separators_in, undo_separators
from finetune_lib.data.reading.meaning import Meaning
from finetune_lib.data.reading.options import Options, Reading, unreadable
from finetune_lib.data.reading.tables.body import Body, Item, Making, PlainTexts
from finetune_lib.data.reading.tables.cells import Row, letters
from finetune_lib.data.reading.tables.conversations import Head, recognise_conversations
from finetune_lib.data.reading.tables.headers import Header, recognise
from finetune_lib.data.reading.tables.layout import (
    HEAD,
    Layout,
    check_columns,
    damaged,
    find_layout,
    graded_columns,
    header_notes,
    likely_header,
    no_layout,
    place_of_header,
    refuse_rivals,
)
from finetune_lib.data.reading.tables.merges import Merges
from finetune_lib.data.reading.tables.pairs import Pairs
from finetune_lib.data.reading.tables.places import Places
from finetune_lib.data.reading.tables.plain_rows import PlainRows
from finetune_lib.data.reading.tables.spooled import Spooled, spooled
from finetune_lib.records import Example

EVIDENCE = 200  # filled rows that are looked at before the first is read
DECIDED = ({"prompt", "completion"}, {"prompt", "chosen", "rejected"}, {"messages"}, {"conversations"})


def read_table(
    source: str,
    items: Iterable[Item],
    options: Options,
    *,
    merges: Merges | None = None,
    meaning: Meaning | None = None,
) -> Reading:
    """Read a table whose rows are given, with a finding in the place of each row that its file broke.

    Args:
        source: The file's name.
        items: The rows, the header among the first of them.
        options: What the user says of columns, speakers and conversations.
        merges: The merged cells of a workbook.
        meaning: What makes the wished examples; None leaves them as the rows have them.
    """
    check_columns(options.columns)
    merges = merges or Merges()
    rows = iter(items)
    head = list(_head(rows))
    filled = [merges.named(row) for row in head if isinstance(row, Row) and row.filled]
    if not filled:
        raise unreadable("E101")
    layout, making, notes = _understood(source, head, filled, options)
    first = next((place for place, name in enumerate(layout.header.names) if name), 0)
    places = Places(source, layout.row.sheet, {"": letters(first), **making.paths})
    plain = PlainRows.of(layout.header, making, meaning, places, merges)
    body = Body(source, layout, merges, making, places, plain and plain.taken)
    problems: list[Diagnostic] = []
    found = _examples(body.read(_below(layout, chain(head, rows), merges)), problems)
    examples, separators = wished_examples(found, meaning, places, seen=plain.places if plain else places)
    if not examples and not any(map(is_error, problems)):
        raise unreadable("E101", line=layout.row.line)
    return Reading(examples, (*notes, *problems, *separators))


def _examples(
    found: Iterable[Example | PlainTexts | Diagnostic], problems: list[Diagnostic]
) -> Iterator[Example | PlainTexts]:
    """The examples alone; what was found beside them is taken up in `problems`."""
    for item in found:
        if isinstance(item, Diagnostic):
            problems.append(item)
        else:
            yield item


def wished_examples(
    found: Iterator[Example | PlainTexts], meaning: Meaning | None, stored: Places, *, seen: Places | None = None
) -> tuple[Spooled, Sequence[Diagnostic]]:
    """The wished examples, and what is said of separators; those are looked for where the first rows have some.

    Args:
        found: The examples as the rows have them.
        meaning: What makes the wished ones.
        stored: Where the rows stand.
        seen: The same with the paths of wished examples.
    """
    seen = seen or stored
    if meaning is None:
        return spooled(found, seen), ()
    if meaning.bare:
        head = list(islice(found, TRIED))
        found = chain(head, found)
        if separators_in(map(_as_stored, head)):
            pairs, note = undo_separators(spooled(map(_as_stored, found), stored))
            return spooled(map(meaning, pairs), stored), (note,) if note else ()
    return spooled((item if isinstance(item, PlainTexts) else meaning(item) for item in found), seen), ()


def _as_stored(item: Example | PlainTexts) -> Example:
    return item.plain.example(item) if isinstance(item, PlainTexts) else item


def _understood(
    source: str, head: Sequence[Item], filled: Sequence[Row], options: Options
) -> tuple[Layout, Making, Sequence[Diagnostic]]:
    """The header, what is made of the rows below it, and what is said of both.

    Raises:
        ReadError: The table does not tell what its columns are.
    """
    columns = options.columns
    layout = find_layout(filled[:HEAD], columns)
    likely = layout or _likely(filled, columns)
    below = [row for row in head if isinstance(row, Row) and row.filled][len(likely.above) + 1 :]
    if broken := None if layout else damaged(likely, below):
        raise broken
    if layout and any(shape <= (columns or {}).keys() for shape in DECIDED):
        refuse_rivals(layout)
        return layout, Pairs(layout.header.places), tuple(header_notes(source, layout))
    head_of_table = Head(
        likely.header,
        below,
        whole=len(filled) < EVIDENCE,
        gaps=_has_gaps(head, likely.row),
        options=options,
        origin=place_of_header(source, likely.row),
    )
    if talk := recognise_conversations(head_of_table):
        seen = replace(likely, header=Header(likely.header.names, talk.making.places))
        return seen, talk.making, (talk.note, *header_notes(source, seen))
    if layout is None or not layout.header.complete:
        raise no_layout(likely, columns, head_of_table.columns)
    return _pairs(source, layout, head_of_table)


def _pairs(source: str, layout: Layout, head: Head) -> tuple[Layout, Making, Sequence[Diagnostic]]:
    """A row an example: with an answer to learn, or for a grader."""
    refuse_rivals(layout)
    graded = graded_columns(layout.header, head.rows)
    places = {name: place for name, place in layout.header.places.items() if name != "reference_answer"}
    notes = [*header_notes(source, replace(layout, header=replace(layout.header, places={**graded, **places})))]
    if graded:
        notes.append(diagnose("T319", head.origin, columns=", ".join(graded)))
    if head.labelled and any(
        column.holds == "speakers" for column in head.columns if column.place == places["completion"]
    ):
        notes.append(diagnose("S329", head.origin, column=layout.header.names[places["completion"]]))
    return layout, Pairs(places, graded), notes


def _likely(filled: Sequence[Row], columns: Mapping[str, str] | None) -> Layout:
    """The row that is most likely the header of a table without the names of an example."""
    place = likely_header(filled, columns)
    return Layout(recognise([str(cell) for cell in filled[place].cells], columns), filled[place], filled[:place])


def _has_gaps(head: Sequence[Item], header: Row) -> bool:
    """Whether blank rows stand between the filled ones below the header."""
    rows = [item for item in head if isinstance(item, Row)]
    begin = next(place for place, row in enumerate(rows) if (row.line, row.number) == (header.line, header.number))
    filled = [place for place, row in enumerate(rows) if place > begin and not row.blank]
    return bool(filled) and filled[-1] - filled[0] >= len(filled)


def _head(rows: Iterator[Item]) -> Iterator[Item]:
    """The items up to the first filled rows, as many as show what the columns hold."""
    filled = 0
    for item in rows:
        yield item
        filled += isinstance(item, Row) and item.filled > 0
        if filled == EVIDENCE:
            return


def _below(layout: Layout, items: Iterable[Item], merges: Merges) -> Iterator[Item]:
    """What stands below the header, which may span several rows by merged cells."""
    header = (layout.row.line, layout.row.number)
    last = merges.last_row(layout.row)
    rows = iter(items)
    for item in rows:
        if isinstance(item, Diagnostic):
            yield item
        elif (item.line, item.number) == header:
            break
    yield from dropwhile(lambda item: isinstance(item, Row) and 0 < item.number <= last, rows)
