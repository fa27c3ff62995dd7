"""Bytes on their way from one form to another: read in pieces, gathered in memory or, where many, in a file."""

from __future__ import annotations

import io
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
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
class TemporaryBlob(FileBlob):
    """Bytes in a file that goes with the blob; pickled for another process it is a plain `FileBlob`.

    Attributes:
        keeper: What deletes the file in the end.
    """

    keeper: object

    def __reduce__(self) -> tuple[object, ...]:
        """A worker reads the file and leaves it to its owner."""
        return FileBlob, (self.path, self.begin, self.end, self.modified)


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
    path = Path(name)
    keeper = _Keeper(path)
    with os.fdopen(handle, "wb") as file:
        file.writelines(kept)
        kept.clear()
        file.writelines(waiting)
    stat = path.stat()
    return TemporaryBlob(path, 0, stat.st_size, stat.st_mtime_ns, keeper)


def without_start(blob: Blob, count: int) -> Blob:
    """The same bytes without the first few."""
    if isinstance(blob, FileBlob):
        return replace(blob, begin=blob.begin + count)
    return MemoryBlob(blob.read(count, blob.size))


def stream(blob: Blob) -> BinaryIO:
    """The bytes as a file that can be read and sought in."""
    if isinstance(blob, FileBlob) and not blob.begin:
        return blob.path.open("rb")
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
