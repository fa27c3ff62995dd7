"""Bytes on their way from one form to another: read in pieces, gathered in memory or, where many, in a file."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, BinaryIO, TypeVar, cast

from finetune_lib.data.reading.bytes.blob import Blob, FileBlob, MemoryBlob
from finetune_lib.data.reading.options import ReadError

IN_MEMORY = 32 << 20
PIECE = 1 << 20
ONE_READS = Lock()
T = TypeVar("T")
NOT_IN_CHARACTERS = (b"\n", b'"', b",", b" ")  # no legacy encoding has these as the second byte of a character


@dataclass(frozen=True, slots=True, eq=False)
class TemporaryBlob:
    """Bytes in a file without a name, which nobody else can open and which goes with the blob, however that ends.

    Pickled, its bytes travel.

    Attributes:
        file: The file.
        size: How many bytes there are.
        begin: The place of the first.
    """

    file: BinaryIO
    size: int
    begin: int = 0

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` up to `stop`."""
        found: list[bytes] = []
        while start < min(stop, self.size):
            found.append(_read_at(self.file, self.begin + start, min(stop, self.size) - start))
            start += len(found[-1])
        return b"".join(found)

    def __reduce__(self) -> tuple[object, ...]:
        """Another process gathers them anew."""
        return gathered, (list(pieces(self)),)


def _read_at(file: BinaryIO, start: int, count: int) -> bytes:
    """Bytes of a file that several threads read, and forked processes, which share its position."""
    if hasattr(os, "pread"):
        return os.pread(file.fileno(), count, start)
    with ONE_READS:
        file.seek(start)
        return file.read(count)


def gathered(pieces: Iterable[bytes], *, in_memory: int | None = None) -> Blob:
    """All pieces as one blob; what is more than `in_memory` (or `IN_MEMORY`) goes to a file without a name.

    Raises:
        ReadError: There is no room for that file.
    """
    waiting = iter(pieces)
    kept: list[bytes] = []
    size = 0
    for piece in waiting:
        kept.append(piece)
        size += len(piece)
        if size > (IN_MEMORY if in_memory is None else in_memory):
            return _in_file(kept, waiting)
    return MemoryBlob(b"".join(kept))


def _in_file(kept: list[bytes], waiting: Iterator[bytes]) -> Blob:
    file = cast("BinaryIO", _tried(tempfile.TemporaryFile))
    _tried(file.writelines, kept)
    kept.clear()
    for piece in waiting:
        _tried(file.write, piece)
    _tried(file.flush)
    return TemporaryBlob(file, file.tell())


def _tried(write: Callable[..., T], *given: Any) -> T:
    """What this gives.

    Raises:
        ReadError: There is no room for a temporary file.
    """
    try:
        return write(*given)
    except OSError as error:
        folder = tempfile.tempdir or "the folder for temporary files"
        raise ReadError(
            f"a file for temporary data cannot be written: {error.strerror or error}. Make room in {folder}, "
            "or set the environment variable TMPDIR to a folder with more"
        ) from error


def without_start(blob: Blob, count: int) -> Blob:
    """The same bytes without the first few."""
    if isinstance(blob, FileBlob):
        return replace(blob, begin=blob.begin + count)
    if isinstance(blob, TemporaryBlob):
        return replace(blob, begin=blob.begin + count, size=blob.size - count)
    return MemoryBlob(blob.read(count, blob.size))


def stream(blob: Blob) -> BinaryIO:
    """The bytes as a file that can be read and sought in."""
    if isinstance(blob, FileBlob) and not blob.begin:
        return blob.path.open("rb")
    if isinstance(blob, MemoryBlob):
        return io.BytesIO(blob.content)
    return io.BufferedReader(_Stream(blob), PIECE)


class _Stream(io.RawIOBase):
    """A blob as a file."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._place = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go on from another place."""
        self._place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._blob.size}[whence]
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, as far as there is something."""
        found = self._blob.read(self._place, self._place + len(buffer))
        buffer[: len(found)] = found
        self._place += len(found)
        return len(found)


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
