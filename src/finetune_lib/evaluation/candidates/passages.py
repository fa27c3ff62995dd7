"""The passages of a corpus: training examples, texts, or documents, cut to a length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike

from finetune_lib.data.documents import ENDINGS, cut, passages_in, read_documents
from finetune_lib.errors import DataError
from finetune_lib.records import Example
from finetune_lib.texts import fold

Corpus = str | PathLike[str] | Sequence[Example] | Sequence[str] | Sequence[PathLike[str]]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a corpus.

    Attributes:
        text: What the model is shown; that of a document begins with the place where it stands.
        asks: The folded question of an example; empty for a text.
        link: Where a document's stands; empty for others.
    """

    text: str
    asks: str = ""
    link: str = ""


def passages_of(corpus: Corpus, *, tokens: int) -> list[Passage]:
    """The passages of a corpus, in its order.

    Args:
        corpus: Examples, texts, one file or folder, or several files; folders are searched for documents.
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
        yield from (Passage(text, asks=fold(item.prompt)) for _ in range(bool(text)))
    elif isinstance(item, str) and not path:
        yield from map(Passage, cut(item, tokens=tokens))
    else:
        found = passages_in(read_documents(item), tokens=tokens)
        yield from (Passage(str(passage), link=passage.place.link) for passage in found)
