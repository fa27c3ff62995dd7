"""The sections of documents as passages of a length that a model is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from finetune_lib.data.documents.section import Place, Section
from finetune_lib.tokens import counter_for

PARAGRAPH = re.compile(r"\n\s*\n")
SENTENCE = re.compile(r"(?<=[。！？!?；;\n])|(?<=\.)\s")
PIECE = 200  # characters where not even a sentence fits

Counting = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document.

    Attributes:
        place: Where it stands.
        text: It, at most as long as was asked for.
    """

    place: Place
    text: str

    def __str__(self) -> str:
        return f"{self.place}\n{self.text}"


def passages_in(sections: Iterable[Section], *, tokens: int = 300) -> Iterator[Passage]:
    """The passages of sections, in their order.

    Args:
        sections: What `read_documents` gives.
        tokens: How long a passage may be.
    """
    for section in sections:
        yield from (Passage(section.place, text) for text in cut(section.text, tokens=tokens))


def cut(text: str, *, tokens: int) -> Iterator[str]:
    """Pieces of at most so many tokens: between paragraphs, else between sentences, else between characters."""
    count = counter_for(None).count
    held, size = "", 0
    for piece in _small(text, tokens, count):
        more = count(piece)
        if held.strip() and size + more > tokens:
            yield held.strip()
            held, size = "", 0
        held, size = held + piece, size + more
    if held.strip():
        yield held.strip()


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
