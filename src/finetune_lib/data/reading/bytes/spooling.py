"""Bytes on their way from one form to another: read in pieces, gathered in memory or, where many, in a file."""

from __future__ import annotations

import io
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from finetune_lib.data.reading.bytes.blob import Blob, FileBlob, MemoryBlob

IN_MEMORY = 32 << 20
PIECE = 1 << 20
NOT_IN_CHARACTERS = (b"\n", b'"', b",", b" ")  # no legacy encoding has these as the second byte of a character


class _Keeper:
    """Deletes a file when the last blob over it is gone, in the process that made the file only."""

    def __init__(self, path: Path) -> None:
        weakref.finalize(self, _delete, path, os.getpid())


def _delete(path: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked worker has a copy of the blob, not the file
        path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class TemporaryBlob:
    """Bytes in a file that goes with the blob; pickled for another process it is a plain `FileBlob`.

    Attributes:
        file: The file's content.
        keeper: What deletes the file in the end.
    """

    file: FileBlob
    keeper: object

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self.file.size

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` up to `stop`."""
        return self.file.read(start, stop)

    def __reduce__(self) -> tuple[object, ...]:
        """A worker reads the file and leaves it to its owner."""
        return FileBlob, (self.file.path, self.file.begin, self.file.end, self.file.modified)


def gathered(pieces: Iterable[bytes]) -> Blob:
    """All pieces as one blob; what is more than `IN_MEMORY` goes to a temporary file."""
    waiting = iter(pieces)
    kept: list[bytes] = []
    size = 0
    for piece in waiting:
        kept.append(piece)
        size += len(piece)
        if size > IN_MEMORY:
            return _in_file(kept, waiting)
    return MemoryBlob(b"".join(kept))


def _in_file(kept: list[bytes], waiting: Iterator[bytes]) -> Blob:
    handle, name = tempfile.mkstemp(prefix="finetune_lib-")
    keeper = _Keeper(Path(name))
    with os.fdopen(handle, "wb") as file:
        file.writelines(kept)
        kept.clear()
        file.writelines(waiting)
    return TemporaryBlob(FileBlob.of(Path(name)), keeper)


def without_start(blob: Blob, count: int) -> Blob:
    """The same bytes without the first few."""
    match blob:
        case FileBlob():
            return FileBlob(blob.path, blob.begin + count, blob.end, blob.modified)
        case TemporaryBlob():
            return TemporaryBlob(without_start(blob.file, count), blob.keeper)  # pyright: ignore[reportArgumentType]
        case _:
            return MemoryBlob(blob.read(count, blob.size))


def stream(blob: Blob) -> BinaryIO:
    """The bytes as a file that can be read and sought in."""
    match blob:
        case FileBlob() if not blob.begin:
            return blob.path.open("rb")
        case TemporaryBlob():
            return stream(blob.file)
        case _:
            return io.BytesIO(blob.read(0, blob.size))


def pieces(blob: Blob) -> Iterator[bytes]:
    """The bytes in pieces of even length, the last one aside."""
    for start in range(0, blob.size, PIECE):
        yield blob.read(start, min(start + PIECE, blob.size))


def whole_lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that end with a line; where a line is very long, at least with a character."""
    rest = b""
    for part in parts:
        rest += part
        end = rest.rfind(b"\n") + 1
        if not end and len(rest) > IN_MEMORY:
            end = max(rest.rfind(mark) for mark in NOT_IN_CHARACTERS) + 1
        if end:
            yield rest[:end]
            rest = rest[end:]
    if rest:
        yield rest
