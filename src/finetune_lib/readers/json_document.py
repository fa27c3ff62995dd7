"""Rows from JSON that is not one object a line: a list, objects spread over lines, one object around the rows.

Each row knows its physical line. What is broken is one finding at its line, and reading goes on with the next row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

from finetune_lib.diagnostics import Diagnostic, Severity, diagnose
from finetune_lib.readers.json_causes import COMMENT, fault_at, fault_of, finding, not_an_object
from finetune_lib.readers.json_scanning import TOKEN, Fault, Level, Stop
from finetune_lib.readers.json_shape import SECOND_AT_MARGIN, content_start, shape_of
from finetune_lib.readers.json_wrapping import WRAPPERS, Nothing, Row, Sideways, Wrapped, holding, unwrapped_row
from finetune_lib.readers.strict_json import decode_at, parse, strict
from finetune_lib.records import Example, Origin

Found = Example | Diagnostic
Next = tuple[int, bool]
SPACES = re.compile(r"\s*")
FIRST_KEY = re.compile(r"\{\s*[\"'“”‘’]?([^\"'“”‘’\s:]+)")
ELEMENT_OR_END = re.compile(r"[{\]]")
LENIENT = json.JSONDecoder()
LOOSE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)


def read_document(text: str, *, source: str, strict_lines: bool = False) -> Iterator[Found]:
    """The rows of a JSON text in any shape but one object a line, and a finding for each that is broken.

    Args:
        text: All of it.
        source: The file's name.
        strict_lines: Whether the file says by its name that it is JSONL; its shape is an error then, not a note.
    """
    document = _Document(text, source, "error" if strict_lines else "info")
    empty = True
    for found in _everything(document):
        empty = empty and isinstance(found, Diagnostic) and found.code in ("J209", "J217")
        yield found
    if empty:
        yield diagnose("E101", Origin(source))


@dataclass(frozen=True, slots=True)
class BrokenElement(Diagnostic):
    """The finding of a row that cannot be read.

    Attributes:
        text: The row as it stands, over all its lines, for a repair.
    """

    text: str = ""


@dataclass(slots=True)
class _Document:
    """The text, what was counted in it so far, and how much its shape weighs."""

    text: str
    source: str
    severity: Severity
    rows: int = 0
    reported: int = 0
    counted: int = 0
    lines: int = 1
    notes: set[str] = field(default_factory=set[str])

    def origin(self, position: int, *, row: int | None = None) -> Origin:
        """The physical line of a place."""
        if position < self.counted:
            self.counted, self.lines = 0, 1
        self.lines += self.text.count("\n", self.counted, position)
        self.counted = position
        return Origin(self.source, row, self.lines)

    def row(self, position: int) -> Origin:
        """The origin of the next row."""
        self.rows += 1
        return self.origin(position, row=self.rows)

    def note(self, code: str, position: int, **args: Any) -> Iterator[Diagnostic]:
        """What is said once about the shape of the whole file."""
        if code not in self.notes:
            self.notes.add(code)
            yield diagnose(code, self.origin(position), severity=self.severity, **args)

    def broken(self, fault: Fault, *, row: int | None = None) -> Diagnostic:
        """The finding of a fault."""
        self.reported += 1
        return finding(self.text, fault, self.origin(fault.start, row=row))

    def skip(self, position: int) -> int:
        """The next place that is no space."""
        match = SPACES.match(self.text, position)
        return match.end() if match else position

    def at(self, position: int) -> str:
        """The character there, empty at the end."""
        return self.text[position : position + 1]


def _everything(document: _Document) -> Iterator[Found]:
    text = document.text
    start = content_start(text)
    yield from _comments(document, start)
    if text.startswith('"', start):
        yield from _encoded(document, start)
    elif text.startswith(("[", "{"), start):
        yield from _values(document, start)
    elif start < len(text) and (fault := fault_of(text, start=start)):
        yield document.broken(fault)


def _comments(document: _Document, start: int) -> Iterator[Found]:
    position = document.skip(0)
    while position < start:
        if COMMENT.match(document.text, position):
            yield document.broken(Fault("J213", position, 2))
        end = document.text.find("\n", position, start)
        position = document.skip(end) if end >= 0 else start


def _encoded(document: _Document, start: int) -> Iterator[Found]:
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
    filled = [line for line in text.splitlines() if line.strip()]
    for row, line in enumerate(filled, start=1):
        origin = Origin(source, row, 1)
        value, problem = parse(line, origin)
        yield problem or _row(value, origin)


def _row(value: Any, origin: Origin) -> Found:
    if not isinstance(value, dict):
        return not_an_object(value, origin)
    return Example(unwrapped_row(cast("dict[str, Any]", value)), origin)


def _values(document: _Document, start: int) -> Iterator[Found]:
    """One list or object after the other."""
    text, position = document.text, start
    alone = text[position] == "{" and _lone_object(document, position)
    if alone:
        yield from _object(document, position)
        return
    while document.at(position) in ("[", "{"):
        if text[position] == "[":
            yield from document.note("J209", position)
            position = yield from _list(document, position)
        else:
            position = yield from _next_object(document, position)
        position = document.skip(position)
        if document.at(position) == "," and (after := document.skip(position + 1)) < len(text):
            yield document.broken(Fault("J205", position))
            position = after
    if position < len(text):
        yield document.broken(_fault_behind(document, position))


def _fault_behind(document: _Document, position: int) -> Fault:
    """What stands behind the last value."""
    last = TOKEN.match(document.text, len(document.text[:position].rstrip()) - 1)
    return fault_at(Stop(document.text, position, "end", (), last, 0))


def _lone_object(document: _Document, position: int) -> bool:
    """Whether the object there is all that there is."""
    try:
        _, end = decode_at(document.text, position)
    except (RecursionError, ValueError):
        return not SECOND_AT_MARGIN.search(document.text, position)
    return document.skip(end) == len(document.text)


def _next_object(document: _Document, position: int) -> Generator[Found, None, int]:
    """One of several objects; what its shape is called is said once."""
    end, at_start = yield from _element(document, position)
    if "\n" in document.text[position:end].rstrip():
        yield from document.note("J210", position)
    elif not at_start and (following := _next_on_line(document, end)):
        yield from document.note("J211", following, column=_column(document.text, following))
    return end


def _next_on_line(document: _Document, end: int) -> int | None:
    following = document.skip(end)
    same_line = "\n" not in document.text[end:following]
    return following if same_line and document.at(following) == "{" else None


def _column(text: str, position: int) -> int:
    return position - text.rfind("\n", 0, position)


def _list(document: _Document, start: int) -> Generator[Found, None, int]:
    """The elements of a list, and where it ends."""
    position, ended = document.skip(start + 1), False
    if document.at(position) == "]":
        return position + 1
    while not ended and position < len(document.text):
        position, at_start = yield from _element(document, position)
        if not at_start:
            position, ended = yield from _separator(document, start, position)
    return position


def _separator(document: _Document, start: int, end: int) -> Generator[Found, None, Next]:
    """Behind an element: the next one's place and False, or the place behind the list's end and True."""
    position = document.skip(end)
    mark = document.at(position)
    if mark == "]":
        return position + 1, True
    following = document.skip(position + 1)
    if not mark or (mark == "," and following == len(document.text)):
        yield document.broken(Fault("J219", len(document.text.rstrip()) - 1, args={"missing": "]"}))
        return len(document.text), True
    if mark != ",":
        return (yield from _foreign(document, start, end, position))
    if document.at(following) != "]":
        return following, False
    yield replace(document.broken(Fault("J204", position)), related=(document.origin(following),))
    return following + 1, True


def _foreign(document: _Document, start: int, end: int, position: int) -> Generator[Found, None, Next]:
    """Something else than a comma or the end stands behind an element."""
    text = document.text
    last = TOKEN.match(text, end - 1) if text[end - 1] in "}]" else None
    yield document.broken(fault_at(Stop(text, position, "comma", (Level("[", start),), last, start)))
    if text[position] in '{["':
        return position, False
    following = ELEMENT_OR_END.search(text, position)
    if following is None:
        return len(text), True
    return following.start() + (following.group() == "]"), following.group() == "]"


def _element(document: _Document, position: int) -> Generator[Found, None, Next]:
    """One row or why it is none.

    Returns:
        Where it ends, and False; or where the next element begins, and True.
    """
    try:
        value, end = decode_at(document.text, position)
    except (RecursionError, ValueError):
        origin = document.row(position)
        fault = fault_of(document.text, start=position, alone=False) or Fault("J201", position, args={"found": "…"})
        end, at_start = _resume(document.text, position, fault)
        yield _with_text(document.broken(fault, row=origin.row), document.text[position:end].rstrip(" \t\r\n,"))
        return end, at_start
    yield _row(value, document.row(position))
    return end, False


def _with_text(found: Diagnostic, text: str) -> BrokenElement:
    whole = (found.code, found.origin, found.path, found.args, found.severity, found.related, found.quote)
    return BrokenElement(*whole, text)


def _resume(text: str, start: int, fault: Fault) -> Next:
    """Where to go on behind a broken element; see `_element`."""
    try:
        return LENIENT.raw_decode(text, start)[1], False
    except (RecursionError, ValueError):
        pass
    if following := _next_start(text, start, fault):
        return following, True
    return _loose_end(text, start) or len(text), False


def _next_start(text: str, start: int, fault: Fault) -> int | None:
    """Where the next element begins: on a line of its own with the same indent, or with the same first key."""
    key = FIRST_KEY.match(text, start)
    name = rf"\s*[\"'“”‘’]?{re.escape(key[1])}" if key else ""
    indent = text[text.rfind("\n", 0, start) + 1 : start]
    if not indent.strip():
        named = re.compile(rf"\n{indent}(?=\{{{name})").search(text, start)
        found = named or re.compile(rf"\n{indent}(?=\{{)").search(text, max(start, fault.start))
        return found.end() if found else None
    found = re.compile(rf"\}}\s*,?\s*(?=\{{{name})").search(text, start) if key else None
    return found.end() if found else None


def _loose_end(text: str, start: int) -> int | None:
    """Where the brackets of an element are all closed, whatever else is wrong inside."""
    depth = 0
    for token in LOOSE.finditer(text, start):
        mark = token.group()
        depth += (mark in "{[") - (mark in "}]")
        if depth <= 0 and mark in "}]":
            return token.end() if depth == 0 else token.start()
    return None


def _object(document: _Document, start: int) -> Iterator[Found]:
    """The only object of a file."""
    try:
        value, _ = decode_at(document.text, start)
    except (RecursionError, ValueError):
        yield from _broken_object(document, start)
        return
    held = holding(cast("dict[str, Any]", value))
    if isinstance(held, Wrapped):
        yield from _wrapped(document, start, held)
    elif isinstance(held, Row):
        if "\n" in document.text[start:].strip():
            yield from document.note("J210", start)
        yield _row(value, document.row(start))
    elif isinstance(held, Sideways):
        yield from document.note("J236", start)
        for row in held.rows:
            yield Example(row, document.row(start))
    elif not isinstance(held, Nothing):
        yield diagnose("J222", document.origin(start))


def _wrapped(document: _Document, start: int, held: Wrapped) -> Iterator[Found]:
    yield from document.note("J217", start, key=held.key)
    if held.others:
        others = ", ".join(repr(key) for key in held.others)
        yield diagnose("J235", document.origin(start), key=held.key, others=others)
    if (place := _list_place(document, start, (held.key,))) is not None:
        yield from _list(document, place[1])


def _broken_object(document: _Document, start: int) -> Iterator[Found]:
    """An object with a breach: if it stands in a list of rows, the others are read."""
    fault = fault_of(document.text, start=start) or Fault("J201", start, args={"found": "{"})
    place = _list_place(document, start, WRAPPERS)
    if place is None or fault.start < place[1]:
        yield document.broken(fault, row=1)
        return
    yield from document.note("J217", start, key=place[0])
    yield from _list(document, place[1])
    if not document.reported:
        yield document.broken(fault)


def _list_place(document: _Document, start: int, keys: tuple[str, ...]) -> tuple[str, int] | None:
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
