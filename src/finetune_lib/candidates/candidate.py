"""The seam: a candidate is anything that can be called with a case."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from finetune_lib.records import Answer, Case


class Candidate(Protocol):
    """Answers a case: a plain function, an async one, or an object with `__call__`; it may have a `name`."""

    def __call__(self, case: Case, /) -> str | Answer | Awaitable[str | Answer]:
        """The answer to `case`; an exception counts as a failure of this case alone."""
        ...


def name_of(thing: object) -> str:
    """The name in reports: the object's own `name`, else a function's or class's name."""
    given = getattr(thing, "name", None) or getattr(thing, "__name__", None)
    return str(given or type(thing).__name__)
