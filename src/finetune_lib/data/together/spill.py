"""Rows of numbers by the million: in memory while they are few, then in a temporary file, found again by partition."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import IO

PARTITIONS = 64
HELD = 1 << 20  # numbers in memory before they are written out: 8 MB


class Spill:
    """Rows of as many 64-bit numbers each; those with the same first number come back together.

    A spill travels between processes with all its rows.

    Args:
        width: How many numbers a row has; the last one is a place.
    """

    _file: IO[bytes] | None = None

    def __init__(self, width: int) -> None:
        self.width = width
        self._buckets = _buckets()
        self._held = 0
        self._file = None
        self._stretches: list[list[tuple[int, int]]] = [[] for _ in range(PARTITIONS)]
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, *row: int) -> None:
        """Take up one row."""
        self._buckets[row[0] % PARTITIONS].extend(row)
        self._size += 1
        self._held += self.width
        if self._held >= HELD:
            self._write()

    def merge(self, later: Spill, offset: int) -> None:
        """Take up the rows of another spill, whose places begin at `offset` here."""
        last = self.width - 1
        for number in range(PARTITIONS):
            for rows in later.partition(number):
                rows[last :: self.width] = array("Q", [place + offset for place in rows[last :: self.width]])
                self._buckets[number].extend(rows)
                self._held += len(rows)
            if self._held >= HELD:
                self._write()
        self._size += len(later)

    def partition(self, number: int) -> Iterator[array[int]]:
        """All rows whose first number has this remainder, in the order they came: flattened, in pieces."""
        for start, size in self._stretches[number]:
            piece = array("Q")
            if self._file is not None:
                self._file.seek(start)
                piece.frombytes(self._file.read(size))
            yield piece
        if self._buckets[number]:
            yield self._buckets[number][:]

    def _write(self) -> None:
        self._file = file = self._file or TemporaryFile()  # noqa: SIM115 - it lives as long as the spill
        end = file.seek(0, 2)
        for stretches, bucket in zip(self._stretches, self._buckets, strict=True):
            if content := bucket.tobytes():
                file.write(content)
                stretches.append((end, len(content)))
                end += len(content)
        self._buckets = _buckets()
        self._held = 0

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()

    def __getstate__(self) -> tuple[int, list[array[int]], int]:
        return self.width, [sum(self.partition(number), array("Q")) for number in range(PARTITIONS)], self._size

    def __setstate__(self, state: tuple[int, list[array[int]], int]) -> None:
        self.__init__(state[0])
        self._buckets, self._size = state[1:]
        self._held = self._size * self.width


def _buckets() -> list[array[int]]:
    return [array("Q") for _ in range(PARTITIONS)]
