"""The seam: an augmenter is anything that can be called with an example and gives more rows like it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import AsyncIterable, Awaitable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from finetune_lib.records import Example
from finetune_lib.rows.identity import content_hash
from finetune_lib.shown import Shown

SEED: ContextVar[int] = ContextVar("seed", default=0)


@dataclass(frozen=True, slots=True)
class Child(Shown):
    """A row that an augmenter made, with a word on what was done.

    Attributes:
        data: The row's JSON object.
        detail: What stands behind the augmenter's name in the row's lineage, as a style or the kinds of noise.
    """

    data: Mapping[str, Any]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Missing(Shown):
    """Children that were to be made and were not.

    Attributes:
        reason: Why; equal reasons are counted together.
        count: How many.
    """

    reason: str
    count: int = 1


Made: TypeAlias = Example | Mapping[str, Any] | Child | Missing
"""What an augmenter may give: a row as an `Example` or as its JSON object, a `Child`, or a `Missing`."""


class Augmenter(Protocol):
    """Gives the children of one example: a plain function, an async one, or an object with `__call__`.

    It may have a `name`, and a `gate` that its children must pass (see `finetune_lib.data.augmenters.gate`).
    """

    def __call__(self, example: Example, /) -> Iterable[Made] | AsyncIterable[Made] | Awaitable[Iterable[Made]]:
        """The children of `example`; an exception counts as a failure of this example alone."""
        ...


def randomness(name: str, example: Example) -> random.Random:
    """The generator of one augmenter for one example: by the run's seed, the name and the content, nothing else."""
    key = f"{SEED.get()}\n{name}\n{content_hash(example.data)}"
    return random.Random(hashlib.sha256(key.encode()).digest())  # noqa: S311 - no secret is made of it
