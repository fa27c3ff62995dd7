"""From bytes of JSONL to records, in one pass and with bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from finetune_lib.diagnostics import Diagnostic, diagnose
from finetune_lib.readers.blob import Blob
from finetune_lib.readers.encodings import undecodable
from finetune_lib.readers.json_causes import JOINABLE, causes, not_an_object
from finetune_lib.readers.strict_json import parse, parse_record
from finetune_lib.records import Example, Origin

PIECE = 1 << 20
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
    """Everything between two bytes of a blob; `line` and `row` number the first line there."""
    offset = start
    lines = _Lines(blob, start, blob.size if stop is None else stop)
    for raw in lines:
        stop = offset + len(raw)
        try:
            value, plain = parse_record(raw)
        except ValueError:
            value, plain = None, False
        if type(value) is dict:
            marked = b"<|" in raw or b"\\u" in raw
            yield Record(cast("dict[str, Any]", value), line, row, offset, stop, marked, plain)
        else:
            found, count, stop = _odd(raw, lines, Origin(source, row, line), offset)
            yield found
            line += count - 1
            row -= not raw.strip()
        offset, line, row = stop, line + 1, row + 1


class _Lines(Iterator[bytes]):
    """The lines of a part of a blob with their ends, read in pieces; lines can be put back."""

    def __init__(self, blob: Blob, start: int, stop: int) -> None:
        self._pieces = _pieces(blob, start, stop)
        self._ready: list[bytes] = []

    def __next__(self) -> bytes:
        while not self._ready:
            self._ready = next(self._pieces)
        return self._ready.pop()

    def put_back(self, lines: Sequence[bytes]) -> None:
        """Give these lines once more."""
        self._ready.extend(reversed(lines))


def _pieces(blob: Blob, start: int, stop: int) -> Iterator[list[bytes]]:
    """The lines of one piece after the other, the last one first."""
    rest = b""
    for position in range(start, stop, PIECE):
        content = rest + blob.read(position, min(position + PIECE, stop))
        whole, end, rest = content.rpartition(b"\n")
        if end:
            lines = _split(whole)
            lines.reverse()
            yield lines
    if rest:
        yield [rest]


def _split(whole: bytes) -> list[bytes]:
    """Lines with their line feeds; the fast way splits at carriage returns too, so it is for text without."""
    if b"\r" in whole:
        return [line + b"\n" for line in whole.split(b"\n")]
    return (whole + b"\n").splitlines(keepends=True)


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
    following = list(islice(lines, LONGEST_RECORD))
    texts = [text, *(line.decode("utf-8", "replace") for line in following)]
    found = causes(texts, origin)
    count = len(found)
    lines.put_back(following[count - 1 :])
    stop = offset + len(text.encode()) + sum(map(len, following[: count - 1]))
    return Unread(found, "".join(texts[:count]), stop), count, stop
