"""Text in another encoding, turned into UTF-8 piece by piece."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain

from finetune_lib.data.reading.bytes.encodings import EXAMINED, is_foreign
from finetune_lib.data.reading.bytes.likelihood import uncommon
from finetune_lib.data.reading.bytes.spooling import whole_lines

SUSPECT = 0.2  # a line of common Chinese text has a smaller share of uncommon characters
MARK = "\ufeff"
ODD_ENDS = {b"\r": "CR", b"\r\r\n": "CR CR LF"}  # of old Macs; of Windows files that were written as text twice


class NotInEncodingError(Exception):
    """Bytes that are not in the encoding they were said to be in.

    Attributes:
        line: The physical line, from 1.
        column: The character of the line, from 1.
        raw: The line's bytes, as far as they are at hand.
        byte: The first byte that does not fit.
    """

    def __init__(self, error: UnicodeDecodeError, encoding: str, before: int) -> None:
        good = error.object[: error.start].decode(encoding, "ignore")
        start = error.object.rfind(b"\n", 0, error.start) + 1
        end = error.object.find(b"\n", error.start)
        super().__init__(str(error))
        self.line = before + good.count("\n") + 1
        self.column = len(good) - good.rfind("\n")
        self.raw = error.object[start : end if end >= 0 else None][:EXAMINED]
        self.byte = error.object[error.start]


def transcoded(parts: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Text of a legacy encoding as UTF-8; lines that are not in it keep their bytes, for the reader to report."""
    for part in whole_lines(parts):
        if part.isascii():
            yield part
        else:
            yield b"\n".join(_line(line, encoding) for line in part.split(b"\n"))


def kept_as_is(line: bytes, encoding: str) -> bool:
    """Whether a line is not in the encoding of its file."""
    return _line(line, encoding) is line


def _line(line: bytes, encoding: str) -> bytes:
    if line.isascii():
        return line
    try:
        text = line.decode(encoding)
    except UnicodeDecodeError:
        return line
    wide = len(line) - len(text)  # characters of two bytes
    if uncommon(text) > SUSPECT * wide and is_foreign(line, text, encoding):
        return line
    return text.encode()


def decoded(parts: Iterable[bytes], encoding: str, *, errors: str = "strict") -> Iterator[bytes]:
    """Text of any encoding as UTF-8, a byte-order mark at the start cut.

    Raises:
        NotInEncodingError: The bytes are not in it.
        UnicodeError: They are not, and the codec does not tell where.
    """
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    lines, mark = 0, MARK
    for part, final in chain(((part, False) for part in parts), [(b"", True)]):
        try:
            text = decoder.decode(part, final)
        except UnicodeDecodeError as error:
            raise NotInEncodingError(error, encoding, lines) from error
        lines += text.count("\n")
        yield text.removeprefix(mark).encode("utf-8", "surrogatepass")
        mark = "" if text else mark


def odd_ends(head: bytes) -> bytes | None:
    """What the lines end in, where that is neither a line feed nor a carriage return with one."""
    if b"\n" not in head:
        return b"\r" if b"\r" in head else None
    return b"\r\r\n" if b"\r\r\n" in head else None


def with_line_feeds(parts: Iterable[bytes], ends: bytes) -> Iterator[bytes]:
    """The same lines, ended with a line feed."""
    for part in whole_lines(parts):
        yield part.replace(ends, b"\n")
