"""Finding the texts that fit a question: by words (BM25) or by meaning (embeddings).

Chinese, Japanese, Korean and Thai words do not stand apart, so their runs are read as pairs of neighbouring
characters; all texts are folded first, so that 退貨 finds 退货.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from threading import Lock
from typing import Any, Generic, TypeVar

from finetune_lib.extras import require
from finetune_lib.texts import fold
from finetune_lib.texts.folding import CJK

T = TypeVar("T")
UNSPACED = f"{CJK}\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\uac00-\ud7a3"
RUNS = re.compile(rf"([{UNSPACED}]+)|[^\s{UNSPACED}]+")
FEATURE = "Retrieval"


def tokens(text: str) -> list[str]:
    """What of a text is compared: words, and pairs of characters where words do not stand apart.

    Example:
        >>> tokens("退貨期限是 7 days"), tokens("茶")
        (['退货', '货期', '期限', '限是', '7', 'days'], ['茶'])
    """
    found: list[str] = []
    for run in RUNS.finditer(fold(text)):
        if run[1] and len(run[1]) > 1:
            found += [run[1][at : at + 2] for at in range(len(run[1]) - 1)]
        else:
            found.append(run[0])
    return found


class ByWords:
    """BM25 over texts (the package `bm25s`): built in seconds for 10,000 texts, asked in a millisecond.

    Raises:
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        bm25s = require("bm25s", extra="eval", feature=FEATURE)
        logging.getLogger("bm25s").setLevel(logging.WARNING)  # it tells of each index that it builds
        self._index: Any = bm25s.BM25()
        self._numpy: Any = require("numpy", extra="eval", feature=FEATURE)
        found = [tokens(text) for text in texts]
        self._known = {token for text in found for token in text}
        if self._known:
            self._index.index(found, show_progress=False)

    def nearest(self, text: str, k: int) -> list[int]:
        """The places of at most `k` texts that share words with this one, the best first."""
        asked = [token for token in tokens(text) if token in self._known]
        if not asked:
            return []
        scores = self._index.get_scores(asked)
        return [place for place in best(self._numpy, scores, k) if scores[place] > 0]


class ByMeaning:
    """Texts by their vectors: the nearest have the largest cosine.

    Raises:
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.
    """

    def __init__(self, vectors: Sequence[Sequence[float]]) -> None:
        self._numpy: Any = require("numpy", extra="eval", feature=FEATURE)
        self._vectors: Any = self._unit(self._numpy.asarray(vectors, dtype="float32"))

    def nearest(self, vector: Sequence[float], k: int) -> list[int]:
        """The places of `k` texts, the best first."""
        return best(self._numpy, self._vectors @ self._unit(self._numpy.asarray([vector], dtype="float32"))[0], k)

    def _unit(self, vectors: Any) -> Any:
        lengths = self._numpy.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / self._numpy.where(lengths == 0, 1, lengths)


def best(numpy: Any, scores: Any, k: int) -> list[int]:
    """The places of the `k` largest scores, the largest first, the first of equal ones first."""
    least = numpy.partition(scores, -k)[-k] if 0 < k < len(scores) else -numpy.inf
    places = numpy.flatnonzero(scores >= least)
    ordered = places[numpy.argsort(-scores[places], kind="stable")]
    return [int(place) for place in ordered[:k]]


class Once(Generic[T]):
    """A value that is made when it is first needed, once, whatever the number of threads."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make, self._lock = make, Lock()

    @cached_property
    def _value(self) -> T:
        return self._make()

    def __call__(self) -> T:
        """The value."""
        with self._lock:
            return self._value

    @property
    def made(self) -> bool:
        """Whether it is there already."""
        return "_value" in self.__dict__
