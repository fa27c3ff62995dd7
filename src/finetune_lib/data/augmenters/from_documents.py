"""Training rows from documents: their passages, and what a model asks and answers about each."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import Any, TypedDict

from finetune_lib.concurrency import in_thread
from finetune_lib.data.augmenters.augmenting import Augmented, OnProgress, augmented_async
from finetune_lib.data.augmenters.questions import Questions
from finetune_lib.data.documents import ENDINGS, Passage, passages_in, read_documents
from finetune_lib.errors import DataError
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking import Price
from finetune_lib.records import Example, Origin

Paths = str | PathLike[str] | Iterable[str | PathLike[str]]


class DocumentsOptions(TypedDict, total=False):
    """What rows are made, and how the model is asked: where, within which limits, kept where."""

    n: int
    unanswered: float
    unknown: str | None
    system: str | None
    passage_tokens: int
    price: Price | None
    platform: Platform | None
    concurrency: int
    budget: float | None
    max_calls: int | None
    seed: int
    cache: str | PathLike[str] | None
    on_progress: OnProgress | None
    progress: bool


async def asked_of_documents(
    paths: Paths,
    *,
    model: str,
    n: int = 3,
    unanswered: float = 0.1,
    unknown: str | None = None,
    system: str | None = None,
    passage_tokens: int = 600,
    price: Price | None = None,
    **options: Any,
) -> Augmented:
    """The passages as parents, the rows about them as children; the other options are those of `augmented_async`.

    Raises:
        DataError: The documents hold no text.
    """
    passages = await in_thread(lambda: list(passages_in(read_documents(paths), tokens=passage_tokens)))
    if not passages:
        raise DataError(f"the documents hold no text; a folder is searched for {', '.join(ENDINGS)}")
    texts = [str(passage) for passage in passages]
    augmenter = Questions(
        model=model, price=price, n=n, unanswered=unanswered, unknown=unknown, system=system, passages=texts
    )
    return await augmented_async([_parent(passage) for passage in passages], [augmenter], **options)


def _parent(passage: Passage) -> Example:
    place = passage.place
    data = {"messages": [{"role": "user", "content": passage.text}]}
    return Example(data, Origin(source=str(place)), category=place.path.name)
