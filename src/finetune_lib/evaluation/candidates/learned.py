"""What the small candidates learn from: the questions of examples as vectors, and their answers as labels."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

from finetune_lib.concurrency import in_thread
from finetune_lib.extras import require
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking import current_session
from finetune_lib.records import Example
from finetune_lib.texts import fold, shingles

T = TypeVar("T")
FEATURE = "Learning from examples"


class Space(Protocol):
    """Texts as vectors of length 1."""

    @property
    def matrix(self) -> Any:
        """One row a text that was learned."""
        ...

    async def of(self, text: str) -> Any:
        """The vector of another text."""
        ...


@dataclass(frozen=True, slots=True)
class Learned:
    """Examples with an answer, by place.

    Attributes:
        asked: Their questions, folded.
        answers: Their answers, as they are given.
        labels: The same, folded: one label may be written in several ways.
        space: The questions as vectors.
    """

    asked: tuple[str, ...]
    answers: tuple[str, ...]
    labels: tuple[str, ...]
    space: Space

    def written(self, label: str) -> str:
        """A label as it is written most often."""
        return Counter(a for a, one in zip(self.answers, self.labels, strict=True) if one == label).most_common(1)[0][0]


async def learned(examples: Sequence[Example], embeddings: str | None, platform: Platform | None) -> Learned:
    """The examples that have question and answer.

    Raises:
        PlatformError: The platform did not embed the texts.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.
    """
    pairs = answered(examples)
    texts, answers = [question for question, _ in pairs], tuple(answer for _, answer in pairs)
    space = await in_thread(Pieces, texts) if embeddings is None else await embedded(texts, embeddings, platform)
    return Learned(tuple(map(fold, texts)), answers, tuple(map(fold, answers)), space)


def answered(examples: Sequence[Example]) -> list[tuple[str, str]]:
    """Question and answer of each example that has both."""
    pairs = [(example.prompt.strip(), example.answer.strip()) for example in examples]
    return [(question, answer) for question, answer in pairs if question and answer]


class Pieces:
    """Texts by their pieces (words, and characters next to each other; of Chinese characters and pairs), TF-IDF.

    Raises:
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._numpy = require("numpy", extra="eval", feature=FEATURE)
        sparse = require("scipy.sparse", extra="eval", feature=FEATURE)
        found = [shingles(fold(text)) for text in texts]
        counts = Counter(piece for pieces in found for piece in pieces)
        self._places = {piece: place for place, piece in enumerate(sorted(counts))}
        weights = [math.log((1 + len(texts)) / (1 + counts[piece])) + 1 for piece in self._places]
        self._weights = self._numpy.array(weights)
        rows = [sorted(map(self._places.__getitem__, pieces)) for pieces in found]
        columns = self._numpy.array([place for row in rows for place in row], dtype=int)
        starts = self._numpy.cumsum([0, *map(len, rows)])
        lengths = [self._numpy.linalg.norm(self._weights[row]) or 1.0 for row in rows]
        values = self._weights[columns] / self._numpy.repeat(lengths, self._numpy.diff(starts))
        self.matrix = sparse.csr_matrix((values, columns, starts), shape=(len(texts), len(weights)))

    async def of(self, text: str) -> Any:
        """The vector of another text; of pieces that nobody has, nothing."""
        vector = self._numpy.zeros(len(self._weights))
        known = [self._places[piece] for piece in shingles(fold(text)) if piece in self._places]
        vector[known] = self._weights[known]
        return vector / (self._numpy.linalg.norm(vector) or 1.0)


@dataclass(frozen=True, slots=True)
class Meanings:
    """Texts by what an embedding model makes of them."""

    matrix: Any
    model: str
    platform: Platform | None

    async def of(self, text: str) -> Any:
        """The vector of another text."""
        return (await _vectors([text], self.model, self.platform))[0]


async def embedded(texts: Sequence[str], model: str, platform: Platform | None) -> Meanings:
    """The texts as a model sees them; what was embedded before is kept, and not paid again."""
    return Meanings(await _vectors(texts, model, platform), model, platform)


async def _vectors(texts: Sequence[str], model: str, platform: Platform | None) -> Any:
    numpy = require("numpy", extra="eval", feature=FEATURE)
    async with current_session() as session:
        found = numpy.asarray(
            await session.embed(model, [text or " " for text in texts], platform=platform), dtype=float
        )
    lengths = numpy.linalg.norm(found, axis=1, keepdims=True)
    return found / numpy.where(lengths == 0, 1, lengths)


class Made(Generic[T]):
    """A value that whoever needs it first makes, while the others wait."""

    def __init__(self) -> None:
        self._value: T | None = None
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    async def __call__(self, make: Callable[[], Awaitable[T]]) -> T:
        """The value."""
        async with self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            if self._value is None:
                self._value = await make()
        return self._value
