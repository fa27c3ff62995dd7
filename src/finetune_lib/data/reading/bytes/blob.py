"""The bytes of a data set, in UTF-8: in memory where they are few, in their file where they are many."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from finetune_lib.data.reading.options import ReadError


class Blob(Protocol):
    """Bytes that can be read in pieces, by several processes at once."""

    @property
    def size(self) -> int:
        """How many bytes there are."""
        ...

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` up to `stop`."""
        ...


@dataclass(frozen=True, slots=True)
class MemoryBlob:
    """Bytes in memory."""

    content: bytes

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self.content)

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` up to `stop`."""
        return self.content[start:stop]


@dataclass(frozen=True, slots=True)
class FileBlob:
    """Bytes that stay in their file: read with seek, not mapped, so that they never count as this process's memory.

    Attributes:
        path: The file.
        begin: Where the data begins, behind a byte-order mark.
        end: The file's size when it was opened.
        modified: When it was last written, in nanoseconds; a file that changes meanwhile is refused.
    """

    path: Path
    begin: int
    end: int
    modified: int

    @classmethod
    def of(cls, path: Path, *, begin: int = 0) -> FileBlob:
        """The blob of a file as it is now."""
        stat = path.stat()
        return cls(path, begin, stat.st_size, stat.st_mtime_ns)

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self.end - self.begin

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` up to `stop`.

        Raises:
            ReadError: The file has changed since it was loaded.
        """
        with self.path.open("rb", buffering=0) as file:
            stat = os.fstat(file.fileno())
            if (stat.st_size, stat.st_mtime_ns) != (self.end, self.modified):
                raise ReadError(f"{self.path} has changed since it was loaded. Load it again.", path=self.path)
            file.seek(self.begin + start)
            pieces: list[bytes] = []
            missing = min(stop, self.size) - start
            while missing > 0 and (piece := file.read(missing)):
                pieces.append(piece)
                missing -= len(piece)
            return b"".join(pieces)
