"""Lines of text from a file, numbered and decoded, and a plain word where that fails."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from finetune_lib.errors import ReadError
from finetune_lib.readers.reading import unreadable

CANDIDATES = {"cp950": "Big5", "gb18030": "GBK", "utf-16": "UTF-16"}
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
PREVIEW = 24
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
OTHER_KINDS = {
    b"PK\x03\x04": ("a zip archive or an Excel workbook", "give it its own ending, .xlsx, or unpack it"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "give it its own ending, .xls"),
    b"\x1f\x8b": ("a gzip archive", "unpack it first"),
    b"%PDF": ("a PDF", "export the data as JSONL, CSV or Excel"),
    b"version https://git-lfs": ("a Git LFS pointer", "fetch the file itself: git lfs pull"),
    b"<!doctype html": ("a web page", "download the file itself, not the page that shows it"),
    b"<html": ("a web page", "download the file itself, not the page that shows it"),
}


def lines(path: Path, encoding: str, *, wanted: str) -> Iterator[tuple[int, str]]:
    """The lines with their physical numbers from 1 and their line ends; a UTF-8 mark at the start is cut.

    Raises:
        ReadError: Empty, another kind of file, or not in this encoding; with the line and what to do.
    """
    refuse_other_kinds(path, wanted)
    if _codec(path, encoding) in {"utf-8", "utf-8-sig"}:
        return _utf8_lines(path)
    return _legacy_lines(path, encoding)


def refuse_other_kinds(path: Path, wanted: str, *, workbooks: bool = False) -> None:
    """Raise for a file that shows by its first bytes that it is something else; with `workbooks`, those pass."""
    with path.open("rb") as file:
        head = file.read(64)
    if not head:
        raise unreadable("E101", path)
    for mark, (what, remedy) in OTHER_KINDS.items():
        if head.lstrip().lower().startswith(mark.lower()) and not (workbooks and mark in WORKBOOKS):
            raise unreadable("E111", path, line=1, what=what, wanted=wanted, remedy=remedy)


def _codec(path: Path, encoding: str) -> str:
    try:
        " ".encode(encoding)
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise ReadError(
            f"{path}: {error}. Pass a text encoding, as cp950 (Big5) or gb18030 (GBK).", path=path
        ) from error


def _utf8_lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                yield number, raw.removeprefix(codecs.BOM_UTF8 if number == 1 else b"").decode()
            except UnicodeDecodeError as error:
                raise _wrong_encoding(path, number, raw, raw[error.start]) from error


def _legacy_lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    with path.open(encoding=encoding, newline="") as file:
        number = 0
        try:
            for number, line in enumerate(file, start=1):
                yield number, line
        except UnicodeError as error:
            message = f"{path}, after line {number}: not {encoding}: {error}. Pass the file's true encoding=."
            raise ReadError(message, path=path, line=number + 1) from error


def _wrong_encoding(path: Path, number: int, raw: bytes, byte: int) -> ReadError:
    """Show how the line would read in each encoding that fits it, so that a person can choose."""
    fitting = {name: text for name in CANDIDATES if (text := _preview(raw, name)) is not None}
    shown = "".join(f"; read as {CANDIDATES[name]} it says 「{text}」" for name, text in fitting.items())
    remedy = " or ".join(f'encoding="{name}"' for name in fitting) or 'encoding="…"'
    remedy = f"pass the one that reads right to Dataset.load: {remedy}; or save the file as UTF-8"
    return unreadable("E103", path, line=number, byte=byte, previews=shown, remedy=remedy)


def _preview(raw: bytes, encoding: str) -> str | None:
    if (encoding == "utf-16") != raw.startswith(UTF16_MARKS):
        return None
    try:
        text = raw[: len(raw) - len(raw) % 2].decode(encoding) if encoding == "utf-16" else raw.decode(encoding)
    except UnicodeDecodeError:
        return None
    return text.strip()[:PREVIEW]
