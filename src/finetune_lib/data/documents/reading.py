"""The one door for documents: files and folders to sections, by the ending of their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path

from finetune_lib.data.documents.html import html_sections
from finetune_lib.data.documents.pdf import pdf_sections
from finetune_lib.data.documents.plain import plain_sections
from finetune_lib.data.documents.section import Section
from finetune_lib.data.documents.word import word_sections
from finetune_lib.data.reading.bytes.blob import MemoryBlob
from finetune_lib.data.reading.bytes.encodings import codec, is_utf8
from finetune_lib.data.reading.bytes.opening import in_utf8
from finetune_lib.data.reading.options import ReadError, about
from finetune_lib.errors import MissingExtraError
from finetune_lib.warned import warn

READERS = {".pdf": pdf_sections, ".docx": word_sections}
OF_TEXT = {
    ".txt": plain_sections,
    ".md": plain_sections,
    ".markdown": plain_sections,
    ".html": html_sections,
    ".htm": html_sections,
}
ENDINGS = (*READERS, *OF_TEXT)
OTHERS = frozenset({".doc", ".odt", ".rtf", ".ppt", ".pptx", ".pages", ".wps", ".epub", ".xps"})
WAY_ON = "Save it as .docx or PDF."
CHARSET = re.compile(rb"""<meta[^>]{0,200}charset=["']?\s*([\w-]+)""", re.IGNORECASE)


def read_documents(paths: str | PathLike[str] | Iterable[str | PathLike[str]]) -> Iterator[Section]:
    """The sections of documents, file by file.

    Args:
        paths: A file or a folder, or several; a folder is searched with all below it for PDF, Word (.docx), HTML,
            Markdown and text. Documents of other kinds in it are named in a warning.

    Raises:
        ReadError: A file is missing, damaged, protected, of another kind, or its pages are pictures of text.
        MissingExtraError: PDF, Word or HTML without `pip install "finetune_lib[documents]"`.
    """
    for path in [paths] if isinstance(paths, str | PathLike) else paths:
        for file in _files(Path(path)):
            yield from _sections(file)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.is_file() and not _hidden(file, path))
    if others := [str(file.relative_to(path)) for file in files if file.suffix.lower() in OTHERS]:
        warn(f"documents of {path} that are not read: {', '.join(others)}. {WAY_ON}")
    return [file for file in files if file.suffix.lower() in ENDINGS]


def _hidden(file: Path, folder: Path) -> bool:
    """Files of the system and what Word leaves while a document is open (`~$report.docx`)."""
    return any(part.startswith((".", "~$")) for part in file.relative_to(folder).parts)


def _sections(path: Path) -> list[Section]:
    ending = path.suffix.lower()
    with about(path):
        if ending in OF_TEXT:
            return list(OF_TEXT[ending](path, _text(path.read_bytes())))
        if ending not in READERS:
            raise ReadError(f"a document is one of {', '.join(ENDINGS)}. {WAY_ON}")
        path.open("rb").close()  # what cannot be opened says so in the system's words
        try:
            return list(READERS[ending](path))
        except (ReadError, MissingExtraError, OSError):
            raise
        except Exception as error:  # readers of damaged files fail in many ways
            raise ReadError(
                f"it cannot be read as {ending[1:].upper()} ({error or type(error).__name__}). {WAY_ON}"
            ) from error


def _text(raw: bytes) -> str:
    """The text of a file, in the encoding that a page declares, else by evidence."""
    declared = None if is_utf8(raw) else CHARSET.search(raw[:4096])
    try:
        encoding = codec(declared[1].decode("ascii")) if declared else None
    except (LookupError, UnicodeError):
        encoding = None
    blob, _ = in_utf8(MemoryBlob(raw), encoding)
    return blob.read(0, blob.size).decode("utf-8", "replace")
