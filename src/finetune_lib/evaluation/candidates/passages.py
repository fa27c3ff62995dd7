"""The passages of a corpus: training examples, texts, or files of text and Markdown, cut to a length."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from os import PathLike
from pathlib import Path

from finetune_lib.data.reading.bytes.opening import open_data
from finetune_lib.errors import DataError
from finetune_lib.records import Example
from finetune_lib.texts import fold
from finetune_lib.tokens import counter_for

Counting = Callable[[str], int]
Corpus = str | PathLike[str] | Sequence[Example] | Sequence[str] | Sequence[PathLike[str]]
ENDINGS = (".txt", ".md", ".markdown")
HEADING = re.compile(r"^#{1,6}\s+\S", re.MULTILINE)
PARAGRAPH = re.compile(r"\n\s*\n")
SENTENCE = re.compile(r"(?<=[。！？!?；;\n])|(?<=\.)\s")
PIECE = 200  # characters where not even a sentence fits


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a corpus.

    Attributes:
        text: What the model is shown.
        asks: The folded question of an example; empty for a text.
    """

    text: str
    asks: str = ""


def passages_of(corpus: Corpus, *, tokens: int) -> list[Passage]:
    """The passages of a corpus, in its order.

    Args:
        corpus: Examples, texts, one file or folder, or several files; folders are searched for text and Markdown.
        tokens: How long a passage of a text may be; an example stays whole.

    Raises:
        DataError: There is no passage in it.
        ReadError: A file cannot be read.
    """
    items = [corpus] if isinstance(corpus, str | PathLike) else corpus
    single = isinstance(corpus, str)
    found = [passage for item in items for passage in _of(item, tokens, path=single)]
    if not found:
        raise DataError(f"the corpus holds no text; a folder is searched for {', '.join(ENDINGS)}")
    return found


def _of(item: Example | str | PathLike[str], tokens: int, *, path: bool) -> Iterator[Passage]:
    if isinstance(item, Example):
        text = "\n".join(part for part in (item.prompt, item.answer) if part)
        yield from (Passage(text, fold(item.prompt)) for _ in range(bool(text)))
    elif isinstance(item, str) and not path:
        yield from map(Passage, cut(item, tokens=tokens))
    else:
        yield from _of_files(Path(item), tokens)


def _of_files(path: Path, tokens: int) -> Iterator[Passage]:
    files: Iterable[Path] = [path]
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in ENDINGS and file.is_file())
    for file in files:
        blob = open_data(file).blob
        text = blob.read(0, blob.size).decode("utf-8", "replace")
        yield from (Passage(f"{file.name}\n{piece}") for piece in cut(text, tokens=tokens))


def cut(text: str, *, tokens: int) -> Iterator[str]:
    """Pieces of at most so many tokens: at headings of Markdown, else between paragraphs, sentences, characters.

    A piece inside a section begins with the section's heading.
    """
    count = counter_for(None).count
    starts = [0, *(match.start() for match in HEADING.finditer(text) if match.start()), len(text)]
    for start, stop in pairwise(starts):
        section = text[start:stop].strip()
        heading = section.partition("\n")[0] if HEADING.match(section) else ""
        for number, piece in enumerate(_packed(_small(section, tokens, count), tokens, count)):
            yield f"{heading}\n{piece}" if heading and number else piece


def _small(text: str, tokens: int, count: Counting) -> Iterator[str]:
    """Paragraphs; sentences of those that are too long; characters of those that still are."""
    for paragraph in PARAGRAPH.split(text):
        if count(paragraph) <= tokens:
            yield f"{paragraph}\n\n"
            continue
        for sentence in SENTENCE.split(paragraph):
            if count(sentence) <= tokens:
                yield sentence
            else:
                yield from (sentence[at : at + PIECE] for at in range(0, len(sentence), PIECE))


def _packed(pieces: Iterable[str], tokens: int, count: Counting) -> Iterator[str]:
    """As many pieces together as fit."""
    held, size = "", 0
    for piece in pieces:
        more = count(piece)
        if held.strip() and size + more > tokens:
            yield held.strip()
            held, size = "", 0
        held, size = held + piece, size + more
    if held.strip():
        yield held.strip()
