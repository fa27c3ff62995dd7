"""What kind of file this is by its first bytes, whatever its name says."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from finetune_lib.data.reading.bytes.blob import Blob
from finetune_lib.data.reading.bytes.spooling import stream
from finetune_lib.data.reading.options import ReadError, unreadable

Kind = Literal["text", "workbook", "parquet"]

GZIP, ZSTD, ZIP, OLE, PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1"
SIGNATURES = (
    (GZIP, "gzip"),  # inside another one
    (ZSTD, "zstd"),
    (b"%PDF", "PDF"),
    (b"{\\rtf", "RTF"),
    (b"SQLite format 3\0", "SQLite"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"ARROW1", "Arrow IPC"),
    (b"FEA1", "Feather"),
    (b"\x89HDF", "HDF5"),
    (b"\x93NUMPY", "NumPy"),
    (b"Obj\x01", "Avro"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "RAR"),
    (b"PK\x05\x06", "ZIP"),
    (b"\x7fELF", "ELF"),
)
PICKLE = re.compile(rb"\x80[\x02-\x05](?:\x95|[\]}(ccq])")
TAR_MARK, TAR_PLACE = b"ustar", 257
TEXT_KINDS = (
    (re.compile(rb"\s*version https://git-lfs"), "Git LFS"),
    (re.compile(rb"\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body|table|script)\b", re.I | re.S), "HTML"),
    (re.compile(rb"\s*<\?xml\b.{0,500}?<html\b", re.I | re.S), "HTML"),
    (re.compile(rb"\s*(?:<\?xml\b|<!doctype\b)", re.I), "XML"),
)
JSON_START = re.compile(
    rb"""\s*(?:\xef\xbb\xbf)?(?://[^\n]*\n\s*|/\*.*?\*/\s*)*(?:\{\s*["'}\xe2/]|\[\s*[\[\]{"])""", re.S
)
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
BINARY_SHARE, BINARY_SIZE = 0.1, 64
ENDINGS: dict[str, Kind] = {
    **dict.fromkeys((".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt"), "text"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), "workbook"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
}
COMPRESSED = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}
CONTENT = {"text": "text", "workbook": "Excel", "parquet": "Parquet"}
# Applications offer both as Excel files, and Excel opens them.
XML_SPREADSHEET = re.compile(rb"<(?:\w+:)?Workbook\b[^>]*urn:schemas-microsoft-com:office:spreadsheet", re.S)
EXCELS_PAGE = b"urn:schemas-microsoft-com:office:excel"
WEB_TABLE, WEB_FORM = re.compile(rb"<table\b", re.I), re.compile(rb"<(?:form|input)\b", re.I)
MANIFEST = "META-INF/manifest.xml"
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, KeyError, OSError, EOFError, RuntimeError)
OLE_STREAMS = ("Workbook", "Book")
ENCRYPTED, RIGHTS = "EncryptedPackage", ("DRMEncryptedTransform", "DRMEncryptedDataSpace", "DRMContent")
BIFF_STARTS = (b"\x09\x08\x10\x00\x00\x06\x05\x00", b"\x09\x08\x08\x00\x00\x05\x05\x00")
FILEPASS, FIRST_RECORDS = 0x2F, 20  # MS-XLS 2.4.117: it stands among the first records


def kind_of(blob: Blob) -> Kind:
    """What a file is.

    Raises:
        ReadError: It is nothing that holds examples.
    """
    head = blob.read(0, 512)
    if head.startswith(PARQUET):
        return "parquet"
    if head.startswith(ZIP):
        return _workbook_in(blob)
    if head.startswith(OLE):
        return _old_workbook(blob)
    if what := _binary(head):
        raise unreadable("E111", what=what)
    return "text"


def offered_as_workbook(text: Blob, path: Path, *, beginning: int) -> str | None:
    """Whether a text in UTF-8 is a page or XML that an application offers as a workbook, and which; None for lines.

    Raises:
        ReadError: It is another page, a pointer or another document.
    """
    head = text.read(0, beginning)
    what = next((what for pattern, what in TEXT_KINDS if pattern.match(head)), None)
    if what is None or (what == "XML" and XML_SPREADSHEET.search(head)):
        return what
    if what == "HTML" and (EXCELS_PAGE in head or ENDINGS.get(path.suffix.lower()) == "workbook"):
        whole = text.read(0, text.size)
        if WEB_TABLE.search(whole) and not WEB_FORM.search(whole):
            return what
    raise unreadable("E111", line=1, what=what)


def looks_binary(sample: bytes) -> bool:
    """Whether bytes hold so many control characters that they are no text."""
    return len(sample) >= BINARY_SIZE and len(CONTROLS.findall(sample)) > BINARY_SHARE * len(sample)


def looks_like_json(head: bytes) -> bool:
    """Whether a text begins as an object or an array of JSON, quotes of any kind allowed."""
    return JSON_START.match(head) is not None


def disagreement(path: Path, kind: Kind, compression: str | None) -> str | None:
    """What the content is, where the name says something else."""
    endings = _endings(path)
    named = COMPRESSED.get(endings[-1]) if endings else None
    if compression != named and (named or compression):
        return compression or CONTENT[kind]
    last = endings[-2:-1] if named else endings[-1:]
    said = ENDINGS.get(last[0]) if last else None
    return CONTENT[kind] if said and said != kind else None


def _endings(path: Path) -> Sequence[str]:
    return [ending.lower() for ending in path.suffixes]


def _binary(head: bytes) -> str | None:
    for signature, what in SIGNATURES:
        if head.startswith(signature):
            return what
    if PICKLE.match(head):
        return "pickle"
    return "tar" if head.startswith(TAR_MARK, TAR_PLACE) else None


def _workbook_in(blob: Blob) -> Kind:
    try:
        with stream(blob) as file, zipfile.ZipFile(file) as archive:
            what = _zipped(archive, archive.namelist())
    except ReadError:
        raise
    except BROKEN_ZIP as error:
        raise _broken_zip(blob) from error
    if what is None:
        return "workbook"
    raise unreadable("E111", what=what)


def _zipped(archive: zipfile.ZipFile, names: Sequence[str]) -> str | None:
    """What a zip archive holds; None for a workbook."""
    if any(name.startswith("xl/workbook.") for name in names):
        return None
    if "mimetype" in names and b"opendocument.spreadsheet" in archive.read("mimetype"):
        if MANIFEST in names and b"encryption-data" in archive.read(MANIFEST):
            raise unreadable("E117", what="a password")
        return None
    if any(name.startswith("word/") for name in names):
        return "DOCX"
    return "PPTX" if any(name.startswith("ppt/") for name in names) else "ZIP"


def _broken_zip(blob: Blob) -> ReadError:
    head = blob.read(0, 4096)
    if any(part in head for part in (b"[Content_Types].xml", b"_rels/", b"xl/", b"opendocument")):
        return unreadable("E112", what="XLSX")
    return unreadable("E111", what="ZIP")


def _old_workbook(blob: Blob) -> Kind:
    with stream(blob) as file:
        content = file.read()
    if any(_names(content, name) for name in RIGHTS):
        raise unreadable("E117", what="rights management")
    if _names(content, ENCRYPTED) or _has_password(content):
        raise unreadable("E117", what="a password")
    if any(_names(content, name) for name in OLE_STREAMS):
        return "workbook"
    raise unreadable("E111", what="DOC" if _names(content, "WordDocument") else "OLE2")


def _names(content: bytes, stream_name: str) -> bool:
    return stream_name.encode("utf-16-le") in content


def _has_password(content: bytes) -> bool:
    """Whether an old workbook's first records say that what follows is encrypted."""
    for start in BIFF_STARTS:
        place = content.find(start)
        for _ in range(FIRST_RECORDS if place >= 0 else 0):
            kind, length = struct.unpack_from("<HH", content.ljust(place + 4, b"\0"), place)
            if kind == FILEPASS:
                return True
            place += 4 + length
    return False
