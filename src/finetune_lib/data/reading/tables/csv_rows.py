"""Rows of a text table: quotes that break, and what can be read all the same."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import PurePath

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.data.reading.bytes.blob import Blob
from finetune_lib.data.reading.bytes.encodings import STRAYS, undecodable
from finetune_lib.data.reading.meaning import Meaning
from finetune_lib.data.reading.options import Options, Reading
from finetune_lib.data.reading.tables.cells import Row, is_blank
from finetune_lib.data.reading.tables.dialect import SAMPLE, Dialect, declared, guess
from finetune_lib.data.reading.tables.examples import read_table
from finetune_lib.data.reading.tables.layout import Layout, Width
from finetune_lib.data.reading.tables.text_lines import MARK, Lines
from finetune_lib.records import Origin

LONGEST_TRIAL = 50
LIKE_ROWS = 3
SPLIT_NUMBER = re.compile(r"(?:.*\D)?\d{1,3}\0\d{3}(?!\d).*", re.DOTALL)
QUOTED = re.compile(r'"(?:[^"]++|"")*+"')


def read_csv(blob: Blob, options: Options, *, source: str, meaning: Meaning | None = None) -> Reading:
    """Read a table of text, its cells parted by commas, semicolons, tabs or bars; everything stays text.

    Args:
        blob: The file's text as `open_data` gives it.
        options: Names of columns.
        source: The file's name; its ending says how cells are usually parted.
        meaning: What is made of the rows.
    """
    lines = Lines(blob)
    start, dialect, layout = _parted(lines, source, options)
    guessed = diagnose("T252", Origin(source, line=start + 1), delimiter=dialect.delimiter)
    notes = (guessed,) if dialect.delimiter != _usual(source) else ()
    head = lines.between(start, start + SAMPLE)
    fits = Width.of(layout.header).fits if layout else _any
    text = _Text(source, lines, dialect, fits, _optional(head, dialect, layout), *_header(head, dialect, layout))
    reading = read_table(source, text.items(start), options, meaning=meaning)
    return Reading(reading.examples, (*notes, *reading.problems))


def first_rows(blob: Blob, *, source: str) -> Iterator[list[str]]:
    """The first rows of a table of text as they stand there, whatever they hold."""
    lines = Lines(blob)
    start, dialect, _ = _parted(lines, source, Options())
    return dialect.reader(iter(lines.between(start, start + SAMPLE)), strict=False)


def _parted(lines: Lines, source: str, options: Options) -> tuple[int, Dialect, Layout | None]:
    """The line, from 0, that the table begins on, how its cells are parted, and its header where that is known."""
    given = next(map(declared, lines.between(0, 1)), None)
    start = 1 if given else 0
    return start, *guess(lines.between(start, start + SAMPLE), _usual(source), options.columns, given=given)


def _usual(source: str) -> str:
    """What the ending of a file's name says of its cells."""
    return "\t" if ".tsv" in map(str.lower, PurePath(source).suffixes) else ","


def _optional(lines: Sequence[str], dialect: Dialect, layout: Layout | None) -> int | None:
    """The last column, counted from 0, where most rows leave it empty."""
    last = len(layout.header.names) - 1 if layout else 0
    rows = [cells for cells in dialect.reader(iter(lines), strict=False) if len(cells) == last + 1]
    empty = sum(is_blank(cells[last]) for cells in rows)
    return last if last and 2 * empty >= len(rows) else None


def _header(lines: Sequence[str], dialect: Dialect, layout: Layout | None) -> tuple[str, Sequence[str]]:
    """The header as it is written, and its cells; none where it is not known, or no line by itself."""
    names: Sequence[str] = layout.row.cells if layout else ()
    alike = (line for line in lines if names and next(dialect.reader(iter([line]), strict=False), None) == names)
    line = next(alike, "").rstrip("\r\n")
    return line, names if line else ()


@dataclass(slots=True)
class _Text:
    """The lines of a table, and what its rows are like.

    Attributes:
        source: The file's name.
        lines: Its lines.
        dialect: How cells are parted.
        fits: Whether rows of so many cells are in order.
        optional: The last column, where it is mostly empty.
        header: The header as it is written.
        names: Its cells.
    """

    source: str
    lines: Lines
    dialect: Dialect
    fits: Callable[[Sequence[str]], bool]
    optional: int | None = None
    header: str = ""
    names: Sequence[str] = ()

    def items(self, start: int) -> Iterator[Row | Diagnostic]:
        """The rows from a line on, counted from 0, and a finding for each that a quote breaks."""
        name = self.names[-1] if self.names else None
        while True:
            begin = start
            for cells, stop in _strict(self.dialect.reader(self.lines.since(start)), start):
                if (cells is None or (cells and cells[-1] == name)) and (two := self._joined(cells, begin, stop)):
                    yield from two
                    if cells is None:
                        start = stop
                        break
                elif cells is None or (stop - begin > 1 and not self.fits(cells)):
                    start, item = self._mended(begin, stop, cells)
                    yield item
                    break
                else:
                    if stop - begin > LIKE_ROWS + 1:
                        yield from self._swallowed(begin, stop)
                    doubted = self.lines.undecoded or len(cells) - 1 == self.optional
                    yield self._row(cells, begin, stop) if doubted else Row(cells, begin + 1)
                begin = stop
            else:
                return

    def _joined(self, cells: Sequence[str] | None, begin: int, stop: int) -> Sequence[Row | Diagnostic]:
        """The last row of one file and the header of the next one, where no end of a line parts them; else none.

        A mark between them proves it; without one, both together must not be a row of the table.
        """
        if not self.header or stop - begin > LONGEST_TRIAL:
            return ()
        whole = "".join(self.lines.between(begin, stop)).rstrip("\r\n")
        if not whole.endswith(self.header) or len(whole) == len(self.header):
            return ()
        text = whole.removesuffix(self.header)
        before = text.rstrip(MARK)
        rows = [row for row, _ in _strict(self.dialect.reader(iter(StringIO(before, newline=""))), begin)]
        row = rows[0] if len(rows) == 1 else None
        proved = before != text or cells is None or not self.fits(cells)
        if row is None or not self.fits(row) or not proved:
            return ()
        return self._row(row, begin, stop), Row([*self.names], stop)

    def _row(self, cells: list[str], begin: int, stop: int) -> Row | Diagnostic:
        """A row; or, where some of its bytes are in another encoding than the file, what they are."""
        if self.lines.undecoded and any(map(STRAYS.search, cells)):
            raw = "".join(self.lines.between(begin, stop))
            return undecodable(raw.encode("utf-8", "surrogateescape"), Origin(self.source, line=begin + 1))
        if len(cells) - 1 == self.optional and self._is_split(cells, begin, stop):
            return diagnose("T318", Origin(self.source, line=begin + 1), text=self.dialect.delimiter.join(cells[-2:]))
        return Row(cells, line=begin + 1)

    def _is_split(self, cells: Sequence[str], begin: int, stop: int) -> bool:
        """Whether an unquoted comma has parted a number of thousands into the last two cells."""
        if self.dialect.delimiter != "," or not SPLIT_NUMBER.fullmatch("\0".join(cells[-2:])):
            return False
        return not any('"' in line for line in self.lines.between(begin, stop))

    def _mended(self, begin: int, stop: int, cells: list[str] | None) -> tuple[int, Row | Diagnostic]:
        """Where to read on behind a broken row, and what it is: the rows that a quote swallowed are read again."""
        resume = next((line for line in range(begin + 1, stop) if self._starts_row(line)), stop)
        if cells is not None and resume != begin + 1:
            return stop, self._row(cells, begin, stop)  # too many cells, and no quote is to blame
        line, closed = self._opening(begin, resume)
        code = "T268" if closed and resume == begin + 1 else "T267"
        return resume, diagnose(code, Origin(self.source, line=line), last=resume)

    def _starts_row(self, line: int) -> bool:
        """Whether a sound row of the right width begins on a line, with a partner for each of its quotes."""
        trial = self.dialect.reader(islice(self.lines.since(line), LONGEST_TRIAL))
        cells, stop = next(_strict(trial, line), (None, line))
        quotes = sum(text.count('"') for text in self.lines.between(line, stop))
        return bool(cells) and self.fits(cells) and quotes % 2 == 0

    def _opening(self, begin: int, stop: int) -> tuple[int, bool]:
        """The line, from 1, of the quote that breaks a row; and whether another quote closes it."""
        text = "".join(self.lines.between(begin, stop))
        position = 0
        while position < len(text):
            if text[position] == '"':
                match = QUOTED.match(text, position)
                end = match.end() if match else len(text)
                if match is None or text[end : end + 1] not in (self.dialect.delimiter, "\r", "\n", ""):
                    return begin + 1 + text.count("\n", 0, position), match is not None
                position = end
            position = min(p for p in (_behind(text, self.dialect.delimiter, position), _behind(text, "\n", position)))
        return begin + 1, False

    def _swallowed(self, begin: int, stop: int) -> Iterator[Diagnostic]:
        """A quoted cell over several lines that all look like rows was perhaps never meant to be one."""
        inner = range(begin + 1, stop - 1)
        if len(inner) >= LIKE_ROWS and all(map(self._starts_row, inner)):
            yield diagnose("T269", Origin(self.source, line=begin + 1), count=stop - begin, last=stop)


def _any(_: Sequence[str]) -> bool:
    """Every width is in order where none is known."""
    return True


def _behind(text: str, mark: str, position: int) -> int:
    """The place behind the next mark; the end where there is none."""
    found = text.find(mark, position)
    return len(text) if found < 0 else found + 1


def _strict(reader: Iterator[list[str]], start: int) -> Iterator[tuple[list[str] | None, int]]:
    """The rows, each with the line behind it; None for the first that is broken, and nothing behind that."""
    try:
        for cells in reader:
            yield cells, start + reader.line_num  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    except csv.Error:
        yield None, start + reader.line_num  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
