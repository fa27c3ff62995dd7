"""From bytes of JSONL to records, in one pass and with bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.data.reading.bytes.blob import Blob
from finetune_lib.data.reading.bytes.encodings import undecodable
from finetune_lib.data.reading.json.causes import JOINABLE, causes, not_an_object
from finetune_lib.data.reading.json.plain_rows import Harmless, PlainRows, is_marked, plain_rows
from finetune_lib.data.reading.json.strict import parse, parse_record
from finetune_lib.records import Example, Origin

PIECE = 1 << 18
LONGEST_RECORD = 50


@dataclass(slots=True)
class Record:
    """One readable object of the blob and where it stands.

    Attributes:
        data: The object.
        line: Its physical line, from 1.
        row: Its number among the lines that are not blank, from 1.
        offset: Its first byte.
        stop: The first byte behind its line.
        marked: Whether its bytes hold what may be a special token or a character written as an escape.
        plain: Whether it is a plain chat.
    """

    data: dict[str, Any]
    line: int
    row: int
    offset: int
    stop: int
    marked: bool = True
    plain: bool = False

    def example(self, source: str) -> Example:
        """The example with its origin."""
        return Example(self.data, Origin(source, self.row, self.line))


@dataclass(slots=True)
class Unread:
    """Lines that give no example: blank ones, and such that cannot be read.

    Attributes:
        findings: Why; one for each line.
        text: The lines' text.
        stop: The first byte behind them.
    """

    findings: Sequence[Diagnostic]
    text: str
    stop: int


def records(
    blob: Blob, *, source: str, start: int = 0, stop: int | None = None, line: int = 1, row: int = 1
) -> Iterator[Record | Unread]:
    """Everything between two bytes of a blob, one by one; `line` and `row` number the first line there."""
    lines = _Lines(blob, start, blob.size if stop is None else stop)
    return cast("Iterator[Record | Unread]", _found(lines, source, start, line, row))


def stretches(
    blob: Blob, *, source: str, start: int = 0, stop: int | None = None, harmless: Harmless
) -> Iterator[PlainRows | Record | Unread]:
    """The same, but plain chats come together where a piece has nothing else and its texts are `harmless`."""
    return _found(_Lines(blob, start, blob.size if stop is None else stop, harmless), source, start, 1, 1)


def _found(lines: _Lines, source: str, offset: int, line: int, row: int) -> Iterator[PlainRows | Record | Unread]:
    for raw in lines:
        if isinstance(raw, PlainRows):
            raw.line, raw.row, raw.offset = line, row, offset
            yield raw
            offset, line, row = raw.stop, line + len(raw.chats), row + len(raw.chats)
            continue
        stop = offset + len(raw)
        try:
            value, plain = parse_record(raw)
        except ValueError:
            value, plain = None, False
        if type(value) is dict:
            yield Record(cast("dict[str, Any]", value), line, row, offset, stop, is_marked(raw), plain)
        else:
            found, count, stop = _odd(raw, lines, Origin(source, row, line), offset)
            yield found
            line += count - 1
            row -= not raw.strip()
        offset, line, row = stop, line + 1, row + 1


class _Lines(Iterator["bytes | PlainRows"]):
    """The lines of a part of a blob with their ends, read in pieces; lines can be put back.

    With `harmless`, a piece of nothing but plain chats comes as a whole.
    """

    def __init__(self, blob: Blob, start: int, stop: int, harmless: Harmless | None = None) -> None:
        self._pieces = _pieces(blob, start, stop)
        self._ready: list[bytes] = []
        self._harmless = harmless

    def __next__(self) -> bytes | PlainRows:
        while not self._ready:
            piece = next(self._pieces)
            if self._harmless and (rows := plain_rows(piece, self._harmless)):
                return rows
            self._ready = _split(piece)
            self._ready.reverse()
        return self._ready.pop()

    def take(self, number: int) -> list[bytes]:
        """The next lines, that many if there are."""
        while len(self._ready) < number and (piece := next(self._pieces, None)):
            self._ready = [*reversed(_split(piece)), *self._ready]
        return [self._ready.pop() for _ in range(min(number, len(self._ready)))]

    def put_back(self, lines: Sequence[bytes]) -> None:
        """Give these lines once more."""
        self._ready.extend(reversed(lines))


def _pieces(blob: Blob, start: int, stop: int) -> Iterator[bytes]:
    """The bytes in pieces of whole lines; what a piece has of one line more is read again, which is little."""
    size = PIECE
    while start < stop:
        content = blob.read(start, min(start + size, stop))
        end = len(content) if start + size >= stop else content.rfind(b"\n") + 1
        if end:
            yield content[:end]
            start, size = start + end, PIECE
        else:
            size *= 2


def _split(piece: bytes) -> list[bytes]:
    """Lines with their line feeds; the fast way splits at carriage returns too, so it is for text without."""
    if b"\r" in piece:
        lines = [line + b"\n" for line in piece.split(b"\n")]
        lines[-1] = lines[-1][:-1]
        return lines if lines[-1] else lines[:-1]
    return piece.splitlines(keepends=True)


def _odd(raw: bytes, lines: _Lines, origin: Origin, offset: int) -> tuple[Record | Unread, int, int]:
    """A line that the fast parser did not take: the record after all or why not, how many lines, and their end."""
    stop = offset + len(raw)
    if not raw.strip():
        return Unread([diagnose("J212", origin)], "", stop), 1, stop
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return Unread([undecodable(raw, origin)], raw.decode("utf-8", "replace"), stop), 1, stop
    value, problem = parse(text.rstrip("\r\n"), origin)
    if problem is None and isinstance(value, dict):
        data = cast("dict[str, Any]", value)
        return Record(data, origin.line or 1, origin.row or 1, offset, stop), 1, stop
    if problem is not None and problem.code in JOINABLE:
        return _joined(text, lines, origin, offset)
    return Unread([problem or not_an_object(value, origin)], text, stop), 1, stop


def _joined(text: str, lines: _Lines, origin: Origin, offset: int) -> tuple[Unread, int, int]:
    """A record that line breaks spread over several lines, if it is one: a finding for each of them."""
    following = lines.take(LONGEST_RECORD)
    texts = [text, *(line.decode("utf-8", "replace") for line in following)]
    found = causes(texts, origin)
    count = len(found)
    lines.put_back(following[count - 1 :])
    stop = offset + len(text.encode()) + sum(map(len, following[: count - 1]))
    return Unread(found, "".join(texts[:count]), stop), count, stop
