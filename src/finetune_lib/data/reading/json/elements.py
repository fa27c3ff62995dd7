"""The rows of a JSON list, one after the other: each with its line, and a broken one without those behind it."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

from finetune_lib.data.diagnostics import Diagnostic, Severity, diagnose
from finetune_lib.data.reading.json.causes import finding, not_an_object
from finetune_lib.data.reading.json.questions import COMMENT, fault_at, fault_of
from finetune_lib.data.reading.json.scanning import SPACES, TOKEN, Fault, Level, Stop
from finetune_lib.data.reading.json.strict import decode_at
from finetune_lib.data.reading.json.wrapping import unwrapped_row
from finetune_lib.records import Example, Origin

Found = Example | Diagnostic
Next = tuple[int, bool]

WINDOW = 1 << 18
FIRST_KEY = re.compile(r"\{\s*[\"'“”‘’]?([^\"'“”‘’\s:]+)")
BEGINS_VALUE = re.compile(r"[{\[\"\-\d'“‘]|true|false|null|None|True|False")
ELEMENT_OR_END = re.compile(r"[{\]]")
LOOSE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
LENIENT = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class BrokenElement(Diagnostic):
    """The finding of a row that cannot be read.

    Attributes:
        text: The row as it stands, over all its lines, for a repair.
    """

    text: str = ""


@dataclass(slots=True)
class Document:
    """A JSON text that is being read, and what was counted in it so far.

    Attributes:
        text: All of it.
        source: The file's name.
        severity: What it weighs that the file is not one object a line.
        rows: How many rows there were, broken ones included.
        reported: How many errors there were.
    """

    text: str
    source: str
    severity: Severity
    rows: int = 0
    reported: int = 0
    _counted: int = 0
    _lines: int = 1
    _window: str = ""
    _begin: int = 0
    _notes: set[str] = field(default_factory=set[str])

    def origin(self, position: int, *, row: int | None = None) -> Origin:
        """The physical line of a place."""
        if position < self._counted:
            self._lines -= self.text.count("\n", position, self._counted)
        else:
            self._lines += self.text.count("\n", self._counted, position)
        self._counted = position
        return Origin(self.source, row, self._lines)

    def row(self, position: int) -> Origin:
        """The origin of the next row."""
        self.rows += 1
        return self.origin(position, row=self.rows)

    def note(self, code: str, position: int, **args: Any) -> Iterator[Diagnostic]:
        """What is said once about the shape of the whole file."""
        if code not in self._notes:
            self._notes.add(code)
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

    def decode(self, position: int) -> tuple[Any, int]:
        """The value that begins there and where it ends.

        Decoded in a part of the text, as a failure costs as much as there is text before it.

        Raises:
            ValueError: It is not strict JSON, or reaches out of that part.
            RecursionError: It has too many levels.
        """
        if not 0 <= position - self._begin < WINDOW // 2:
            self._begin, self._window = position, self.text[position : position + WINDOW]
        value, end = decode_at(self._window, position - self._begin)
        if end == len(self._window) and self._begin + end < len(self.text):
            raise ValueError("the value may reach further")
        return value, self._begin + end


def elements(document: Document, start: int) -> Generator[Found, None, int]:
    """The elements of the list that begins there; returns where it ends."""
    position, ended = document.skip(start + 1), document.at(document.skip(start + 1)) == "]"
    if ended:
        return position + 1
    while not ended and position < len(document.text):
        if BEGINS_VALUE.match(document.text, position):
            position, at_next = yield from element(document, position)
        else:
            position, at_next = yield from _no_element(document, start, position)
        if not at_next:
            position, ended = yield from _separator(document, start, position)
    return position


def element(document: Document, position: int) -> Generator[Found, None, Next]:
    """One row, or why it is none.

    Returns:
        Where it ends, and False; or where the next row begins, and True.
    """
    try:
        value, end = document.decode(position)
    except (RecursionError, ValueError):
        fault = fault_of(document.text, start=position, alone=False)
        if fault is not None:
            return (yield from _broken(document, position, fault))
        value, end = decode_at(document.text, position)
    yield row_of(value, document.row(position))
    return end, False


def row_of(value: Any, origin: Origin) -> Found:
    """The example, or what stands there instead."""
    if not isinstance(value, dict):
        return not_an_object(value, origin)
    return Example(unwrapped_row(cast("dict[str, Any]", value)), origin)


def _broken(document: Document, start: int, fault: Fault) -> Generator[Found, None, Next]:
    origin = document.row(start)
    end, at_next = _resume(document, start, fault)
    found = document.broken(fault, row=origin.row)
    whole = (found.code, found.origin, found.path, found.args, found.severity, found.related, found.quote)
    yield BrokenElement(*whole, document.text[start:end].rstrip(" \t\r\n,"))
    return end, at_next


def _separator(document: Document, start: int, end: int) -> Generator[Found, None, Next]:
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
    if document.at(following) not in ("]", ","):
        return following, False
    yield replace(document.broken(Fault("J204", position)), related=(document.origin(following),))
    if document.at(following) == "]":
        return following + 1, True
    return document.skip(following + 1), False


def _foreign(document: Document, start: int, end: int, position: int) -> Generator[Found, None, Next]:
    """Something else than a comma or the end stands behind an element."""
    text = document.text
    last = TOKEN.match(text, end - 1) if text[end - 1] in "}]" else None
    fault = fault_at(Stop(text, position, "comma", (Level("[", start),), last, start))
    yield document.broken(fault)
    if text[position] in '{["':
        return position, False
    return _next_value(text, position, fault)


def _no_element(document: Document, start: int, position: int) -> Generator[Found, None, Next]:
    """Something that is no value stands where an element belongs: a comment, dots, words."""
    fault = fault_at(Stop(document.text, position, "value", (Level("[", start),), None, start))
    yield document.broken(fault)
    following, ended = _next_value(document.text, position, fault)
    return (following - 1, False) if ended else (following, True)


def _next_value(text: str, position: int, fault: Fault) -> Next:
    """Where the next element begins and False, or the place behind the list's end and True."""
    begin = max(position + 1, fault.start)
    if fault.code == "J213" and COMMENT.match(text, position):
        end = text.find("*/" if text.startswith("/*", position) else "\n", position)
        begin = end if end >= 0 else len(text)
    following = ELEMENT_OR_END.search(text, begin)
    if following is None:
        return len(text), True
    ended = following.group() == "]"
    return following.start() + ended, ended


def _resume(document: Document, start: int, fault: Fault) -> Next:
    """Where to go on behind a broken element; see `element`."""
    text = document.text
    if fault.code in ("J214", "J215"):
        try:
            return LENIENT.raw_decode(text, start)[1], False
        except (RecursionError, ValueError):
            pass
    if following := _next_start(text, start, fault):
        return following, True
    end = _loose_end(text, start)
    return (end, False) if end else (len(text), True)


def _next_start(text: str, start: int, fault: Fault) -> int | None:
    """Where the next element begins: on a line of its own with the same indent, or with the same first key."""
    key = FIRST_KEY.match(text, start)
    name = rf"\s*[\"'“”‘’]?{re.escape(key[1])}" if key else ""
    margin = max(text.rfind("\n", 0, start) + 1, start - 100)
    indent = text[margin:start]
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
