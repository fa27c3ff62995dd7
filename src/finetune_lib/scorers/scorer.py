"""The seam: a scorer is anything that can be called with an answer and its case."""

from __future__ import annotations

from typing import Protocol

from finetune_lib.records import Case


class Scorer(Protocol):
    """Scores one answer: a plain function or an object with `__call__`; it may have a `name`."""

    def __call__(self, answer: str, case: Case, /) -> float:
        """A score from 0 (wrong) to 1 (right); True and False count as 1 and 0."""
        ...
