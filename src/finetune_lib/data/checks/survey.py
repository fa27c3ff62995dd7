"""What a family of checks gathers over all examples, in parts that other processes can look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, Self

from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic
from finetune_lib.records import Example
from finetune_lib.rows.facts import Facts


class _Gathering(Protocol):
    """Merges with the survey of the part behind it, and tells at last what it found.

    Surveys travel between processes (pickle) and keep their memory bounded: digests and counts, never examples.
    """

    def merge(self, later: Self, offset: int) -> None:
        """Take up the survey of the part behind this one, whose places begin at `offset` here."""
        ...

    def findings(self, examples: Sequence[Example], rules: Rules) -> Iterator[Diagnostic]:
        """What was found; `examples` gives those it names once more, to verify and to quote."""
        ...


class Survey(_Gathering, Protocol):
    """A survey of what examples say: it looks at the facts of each once."""

    def look(self, facts: Facts, place: int) -> None:
        """Take up one example; `place` is its index in this part, from 0."""
        ...


class FormSurvey(_Gathering, Protocol):
    """A survey of the form of rows: of plain chats (`plain_chat.is_plain`) it is only told how many there are."""

    def look(self, example: Example, place: int) -> None:
        """Take up one example that is no plain chat."""
        ...

    def take_plain(self, number: int, places: Sequence[int]) -> None:
        """Take up so many plain chats; `places` are the indexes of the first ones in this part."""
        ...
