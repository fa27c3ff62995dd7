"""The one door for files: unpacked, told apart by content, and in UTF-8 from here on.

What a reader gets is a `Blob` of UTF-8 without a byte-order mark, and notes on what was interpreted for it. Single
lines that are in no encoding that fits the rest keep their bytes; whoever reads them calls `encodings.undecodable`.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.data.reading.bytes.blob import Blob, FileBlob, MemoryBlob
from finetune_lib.data.reading.bytes.encodings import WIDE, codec, contrasted, detect, is_utf8, name, preview, reads
from finetune_lib.data.reading.bytes.kinds import (
    Kind,
    disagreement,
    kind_of,
    looks_binary,
    looks_like_json,
    offered_as_workbook,
)
from finetune_lib.data.reading.bytes.spooling import IN_MEMORY, gathered, pieces, without_start
from finetune_lib.data.reading.bytes.transcoding import (
    ODD_ENDS,
    NotInEncodingError,
    decoded,
    kept_as_is,
    odd_ends,
    transcoded,
    with_line_feeds,
)
from finetune_lib.data.reading.bytes.unpacking import compression_of, unpacked
from finetune_lib.data.reading.options import ReadError, about, sourced, unreadable
from finetune_lib.records import NOWHERE, Origin

__all__ = ["Opened", "in_utf8", "looks_like_json", "open_data"]

HEAD, TAIL = 4 << 20, 1 << 20  # what the encoding of a big file is decided by
BEGINNING = 1 << 16
LONGEST_LINE = 16 << 20  # some ten times the text that any context window holds
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that can be read.

    Attributes:
        blob: UTF-8 without a byte-order mark; of a workbook that is no page or XML, and of Parquet, the file's bytes.
        problems: What was interpreted, as the encoding.
        kind: What it is by its content.
    """

    blob: Blob
    problems: tuple[Diagnostic, ...]
    kind: Kind


def open_data(path: Path, *, encoding: str | None = None) -> Opened:
    """Open a file of any kind that can hold examples.

    Args:
        path: The file.
        encoding: The encoding of its text, where it is known; otherwise it is found out.

    Raises:
        ReadError: It is missing, empty, another kind of file, damaged, or its encoding cannot be told.
        MissingExtraError: Zstandard without the `zst` extra.
    """
    with about(path):
        told = None if encoding is None else _codec(encoding)
        large = path.is_file() and path.stat().st_size > IN_MEMORY
        blob: Blob = FileBlob.of(path) if large else MemoryBlob(path.read_bytes())
        compression = compression_of(blob)
        if compression:
            blob = unpacked(blob, compression)
        kind, notes, page = kind_of(blob), list[Diagnostic](), None
        if kind == "text":
            blob, notes = _text(blob, told)
            page = offered_as_workbook(blob, path, beginning=BEGINNING)
            kind = "workbook" if page else "text"
        if found := page or disagreement(path, kind, compression):
            notes.insert(0, diagnose("E110", NOWHERE, ending=path.suffix, found=found))
    return Opened(blob, tuple(sourced(note, path.name) for note in notes), kind)


def _codec(encoding: str) -> str:
    try:
        return codec(encoding)
    except (LookupError, UnicodeError) as error:
        raise ReadError(f"{error}. Pass a text encoding, as cp950 (Big5) or gb18030 (GBK).") from error


def _text(blob: Blob, encoding: str | None) -> tuple[Blob, list[Diagnostic]]:
    """The text of a file as UTF-8 with usual line ends, and the notes on how it got there."""
    text, notes = in_utf8(blob, encoding)
    head = text.read(0, HEAD)
    if not head.strip() and text.size == len(head):
        raise unreadable("E101")
    if looks_binary(head[:BEGINNING]):
        raise unreadable("E111", what="binary")
    if ends := odd_ends(head):
        text = gathered(with_line_feeds(pieces(text), ends))
        notes.append(diagnose("E109", NOWHERE, ends=ODD_ENDS[ends]))
    return text, [*notes, *_long_lines(text)]


def in_utf8(blob: Blob, encoding: str | None) -> tuple[Blob, list[Diagnostic]]:
    """A text in UTF-8 without a mark, and what was interpreted.

    Raises:
        ReadError: Its encoding cannot be told, or it is no text.
    """
    mark, marked = next(((m, e) for m, e in MARKS if blob.read(0, 4).startswith(m)), (b"", None))
    body = blob
    while mark and body.read(0, len(mark)) == mark:  # files put together have several
        body = without_start(body, len(mark))
    if marked in WIDE:  # such a mark is no text in any other encoding
        return _from_wide(body, marked)
    notes = [diagnose("E102", Origin(line=1))] if mark else []
    if encoding == "utf-8":
        return body, notes
    if encoding:
        return _as_told(body, encoding), notes
    text, found = _as_detected(body)
    return text, notes + found


def _as_told(body: Blob, encoding: str) -> Blob:
    """The text in the encoding that the user has named."""
    if encoding in ("utf-16", "utf-32"):  # no mark tells the order of the bytes
        found = detect(body.read(0, HEAD)).encoding or ""
        encoding = found if found.startswith(encoding) else f"{encoding}-le"
    try:
        return gathered(decoded(pieces(body), encoding))
    except NotInEncodingError as error:
        given = {"byte": error.byte, "column": error.column, "encoding": name(encoding), "readings": reads(error.raw)}
        raise unreadable("E114", line=error.line, **given) from error
    except UnicodeError as error:
        raise ReadError(f"not {encoding}: {error}. Pass the file's true encoding=.") from error


def _from_wide(body: Blob, encoding: str) -> tuple[Blob, list[Diagnostic]]:
    try:
        text = gathered(decoded(pieces(body), encoding, errors="surrogatepass"))
    except NotInEncodingError as error:
        raise unreadable("E112", line=error.line, what=name(encoding)) from error
    return text, [diagnose("E104", Origin(line=1), encoding=name(encoding))]


def _as_detected(body: Blob) -> tuple[Blob, list[Diagnostic]]:
    """The text in the encoding that the evidence shows."""
    sample = _sample(body)
    found = detect(sample)
    if found.encoding == "utf-8":
        return body, []
    if found.encoding in WIDE:
        return _from_wide(body, found.encoding)
    line, raw = _first_foreign(sample, whole=len(sample) == body.size)
    if found.encoding is None:
        if looks_binary(sample[:BEGINNING]):
            raise unreadable("E111", what="binary")
        readings, choices = contrasted(found.rivals, raw)
        raise unreadable("E115", line=line, readings=readings, choices=choices)
    shown = preview(raw.decode(found.encoding, "replace"))
    note = diagnose("E103", Origin(line=line), encoding=name(found.encoding), preview=shown)
    text = gathered(transcoded(pieces(body), found.encoding))
    return text, [note, *_utf8_among(sample, found.encoding)]


def _utf8_among(sample: bytes, encoding: str) -> Iterator[Diagnostic]:
    """Lines of a legacy file that are UTF-8: they are read as such, and told."""
    for number, line in enumerate(sample.split(b"\n"), start=1):
        if not line.isascii() and is_utf8(line) and kept_as_is(line, encoding):
            place = next(place for place, byte in enumerate(line) if byte > 127)
            given: dict[str, Any] = {"byte": line[place], "column": place + 1, "readings": reads(line)}
            yield diagnose("E114", Origin(line=number), encoding=name(encoding), severity="warning", **given)


def _sample(body: Blob) -> bytes:
    """What is in memory; of a big file, whole lines of the beginning and of the end."""
    if isinstance(body, MemoryBlob) or body.size <= HEAD + TAIL:
        return body.read(0, body.size)
    head, tail = body.read(0, HEAD), body.read(body.size - TAIL, body.size)
    return _to_a_border(head) + tail[tail.find(b"\n") + 1 if b"\n" in tail else TAIL :]


def _to_a_border(head: bytes) -> bytes:
    """Without the last line, which is cut; of one long line, without what may be half a character."""
    end = head.rfind(b"\n") + 1 or max(head.rfind(mark) for mark in (b'"', b",", b" ")) + 1
    return head[:end] if end else head


def _first_foreign(sample: bytes, *, whole: bool) -> tuple[int | None, bytes]:
    """The first line that is not UTF-8, with its number where that can be told."""
    offset = 0
    for number, line in enumerate(sample.split(b"\n"), start=1):
        if not line.isascii() and not is_utf8(line):
            return number if whole or offset + len(line) < HEAD else None, line
        offset += len(line) + 1
    return None, b""


def _long_lines(text: Blob) -> Iterator[Diagnostic]:
    """Lines too long for one example; a file of a single line is a document, not a list of lines."""
    if not isinstance(text, MemoryBlob) or text.size <= LONGEST_LINE or b"\n" not in text.content.rstrip():
        return
    content, start = text.content, 0
    while start + LONGEST_LINE < len(content):
        end = content.rfind(b"\n", start, start + LONGEST_LINE + 1)
        if end < 0:
            end = content.find(b"\n", start)
            end = len(content) if end < 0 else end
            yield diagnose("E116", Origin(line=content.count(b"\n", 0, start) + 1), megabytes=(end - start) >> 20)
        start = end + 1
