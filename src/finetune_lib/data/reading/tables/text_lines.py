"""The lines of a text table: decoded piece by piece as they are asked for, so that a large file is never in memory."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import islice

from finetune_lib.data.reading.bytes.blob import Blob

PIECE = 1 << 17
MARK = "\ufeff"


class Lines:
    """Lines with their ends, counted from 0; kept is only where each piece of the text begins.

    Attributes:
        undecoded: Whether some of those that were read are not in the encoding that all others are in.
    """

    def __init__(self, blob: Blob) -> None:
        self.undecoded = False
        self._blob = blob
        self._bytes = array("Q", [0])  # the first byte of each piece …
        self._lines = array("Q", [0])  # … and its first line
        self._last: tuple[int, Sequence[str]] = (-1, ())

    def since(self, line: int) -> Iterator[str]:
        """The lines from one on."""
        piece = bisect_right(self._lines, line) - 1
        skipped = line - self._lines[piece]
        while lines := self._piece(piece):
            yield from lines[skipped:] if skipped else lines
            skipped = max(0, skipped - len(lines))
            piece += 1

    def between(self, start: int, stop: int) -> Sequence[str]:
        """The lines from one up to another."""
        return list(islice(self.since(start), stop - start))

    def _piece(self, number: int) -> Sequence[str]:
        if number != self._last[0]:
            raw = self._raw(self._bytes[number])
            lines = self._decoded(raw)
            if raw and number + 1 == len(self._bytes):
                self._bytes.append(self._bytes[number] + len(raw))
                self._lines.append(self._lines[number] + len(lines))
            self._last = number, lines
        return self._last[1]

    def _raw(self, start: int) -> bytes:
        """Whole lines, as many as a piece holds, but one at least."""
        size = PIECE
        while start + size < self._blob.size:
            raw = self._blob.read(start, start + size)
            if end := raw.rfind(b"\n") + 1:
                return raw[:end]
            size *= 2
        return self._blob.read(start, self._blob.size)

    def _decoded(self, raw: bytes) -> Sequence[str]:
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = raw.decode(errors="surrogateescape")
            self.undecoded = True
        lines = list(StringIO(text, newline=""))
        # in the middle a mark stands where files were joined, before the second one's header
        return [line.removeprefix(MARK) for line in lines] if MARK in text else lines
