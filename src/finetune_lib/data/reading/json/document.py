"""Rows from JSON that is not one object a line: a list, objects spread over lines, one object around the rows.

Each row knows its physical line. What is broken is one finding at its line, and reading goes on with the next row.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any, cast

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.data.reading.json.elements import BrokenElement, Document, Found, element, elements, row_of
from finetune_lib.data.reading.json.questions import COMMENT, ODD, fault_at, fault_of
from finetune_lib.data.reading.json.scanning import TOKEN, Fault, Stop
from finetune_lib.data.reading.json.shape import SECOND_AT_MARGIN, content_start, shape_of
from finetune_lib.data.reading.json.strict import decode_at, parse, strict
from finetune_lib.data.reading.json.wrapping import WRAPPERS, Sideways, Wrapped, holding
from finetune_lib.records import Example, Origin

__all__ = ["BrokenElement", "read_document", "shape_of"]


def read_document(text: str, *, source: str, strict_lines: bool = False) -> Iterator[Example | Diagnostic]:
    """The rows of a JSON text in any shape but one object a line, and a finding for each that is broken.

    Args:
        text: All of it.
        source: The file's name.
        strict_lines: Whether the file says by its name that it is JSONL; its shape is an error then, not a note.
    """
    document = Document(text, source, "error" if strict_lines else "info")
    empty = True
    for found in _everything(document):
        empty = empty and isinstance(found, Diagnostic) and found.code in ("J209", "J217")
        yield found
    if empty:
        yield diagnose("E101", Origin(source))


def _everything(document: Document) -> Iterator[Found]:
    text = document.text
    start = content_start(text)
    yield from _before(document, start)
    if text.startswith('"', start):
        yield from _encoded(document, start)
    elif text.startswith(("[", "{"), start):
        yield from _values(document, start)
    elif start < len(text) and (fault := fault_of(text, start=start)):
        yield document.broken(fault)


def _before(document: Document, start: int) -> Iterator[Found]:
    """Comments and invisible characters before the first value; a byte-order mark is none of them."""
    position = document.skip(1 if document.text.startswith("\ufeff") else 0)
    while position < start:
        if COMMENT.match(document.text, position):
            yield document.broken(Fault("J213", position, 2))
            end = document.text.find("\n", position, start)
            position = end if end >= 0 else start
        elif ODD.match(document.text, position):
            character = f"U+{ord(document.at(position)):04X}"
            yield document.broken(Fault("J224", position, args={"character": character}))
        position = document.skip(position + 1)


def _encoded(document: Document, start: int) -> Iterator[Found]:
    """The rows of a JSON text that is itself written as one JSON text; all have the line of the outer one."""
    try:
        inner = strict(document.text[start:].strip())
    except (RecursionError, ValueError):
        inner = None
    if not isinstance(inner, str):
        fault = fault_of(document.text, start=start)
        if fault:
            yield document.broken(fault)
        return
    origin = document.origin(start)
    yield diagnose("J216", origin, severity=document.severity, column=1)
    for found in _inside(inner, document.source):
        yield replace(found, origin=replace(found.origin, line=origin.line))


def _inside(text: str, source: str) -> Iterator[Found]:
    if shape_of(text, whole=True) not in ("lines", "encoded"):
        yield from read_document(text, source=source)
        return
    filled = [line for line in text.split("\n") if line.strip()]
    for row, line in enumerate(filled, start=1):
        origin = Origin(source, row, 1)
        value, problem = parse(line, origin)
        yield problem or row_of(value, origin)


def _values(document: Document, start: int) -> Iterator[Found]:
    """One list or object after the other."""
    text, position = document.text, start
    if text[position] == "{" and _is_alone(document, position):
        yield from _object(document, position)
        return
    while document.at(position) in ("[", "{"):
        if text[position] == "[":
            yield from document.note("J209", position)
            position = yield from elements(document, position)
        else:
            position = yield from _next_object(document, position)
        position = document.skip(position)
        if document.at(position) == "," and (after := document.skip(position + 1)) < len(text):
            yield document.broken(Fault("J205", position))
            position = after
    if position < len(text):
        last = TOKEN.match(text, len(text[:position].rstrip()) - 1)
        yield document.broken(fault_at(Stop(text, position, "end", (), last, 0)))


def _is_alone(document: Document, position: int) -> bool:
    """Whether the object there is all that there is."""
    try:
        _, end = decode_at(document.text, position)
    except (RecursionError, ValueError):
        return not SECOND_AT_MARGIN.search(document.text, position)
    return document.skip(end) == len(document.text)


def _next_object(document: Document, position: int) -> Generator[Found, None, int]:
    """One of several objects; what their shape is called is said once."""
    end, at_next = yield from element(document, position)
    if "\n" in document.text[position:end].rstrip():
        yield from document.note("J210", position)
    elif not at_next:
        following = document.skip(end)
        if document.at(following) == "{" and "\n" not in document.text[end:following]:
            column = following - document.text.rfind("\n", 0, following)
            yield from document.note("J211", following, column=column)
    return end


def _object(document: Document, start: int) -> Iterator[Found]:
    """The only object of a file."""
    try:
        value, _ = decode_at(document.text, start)
    except (RecursionError, ValueError):
        yield from _broken_object(document, start)
        return
    held = holding(cast("dict[str, Any]", value))
    if isinstance(held, Wrapped):
        yield from _wrapped(document, start, held)
    elif held == "row":
        if "\n" in document.text[start:].strip():
            yield from document.note("J210", start)
        yield row_of(value, document.row(start))
    elif isinstance(held, Sideways):
        yield from document.note("J236", start)
        for row in held.rows:
            yield Example(row, document.row(start))
    elif held == "unknown":
        yield diagnose("J222", document.origin(start))


def _wrapped(document: Document, start: int, held: Wrapped) -> Iterator[Found]:
    yield from document.note("J217", start, key=held.key)
    if held.others:
        others = ", ".join(repr(key) for key in held.others)
        yield diagnose("J235", document.origin(start), key=held.key, others=others)
    if (place := _list_place(document, start, (held.key,))) is not None:
        yield from elements(document, place[1])


def _broken_object(document: Document, start: int) -> Iterator[Found]:
    """An object with a breach: if it stands in a list of rows, the others are read."""
    fault = fault_of(document.text, start=start) or Fault("J201", start, args={"found": "{"})
    place = _list_place(document, start, WRAPPERS)
    if place is None or fault.start < place[1]:
        yield document.broken(fault, row=1)
        return
    yield from document.note("J217", start, key=place[0])
    yield from elements(document, place[1])
    if not document.reported:
        yield document.broken(fault)


def _list_place(document: Document, start: int, keys: tuple[str, ...]) -> tuple[str, int] | None:
    """The key of the object's first list under one of these keys, and where that list begins."""
    position = document.skip(start + 1)
    try:
        while document.at(position) == '"':
            key, end = decode_at(document.text, position)
            position = document.skip(document.skip(end) + 1)
            if key in keys and document.at(position) == "[":
                return key, position
            _, end = decode_at(document.text, position)
            position = document.skip(document.skip(end) + 1)
    except (RecursionError, ValueError):
        pass
    return None
