"""Rows of other projects' formats: read as what they mean, and told once for each format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.data.formats import UNSAYABLE_DIALECTS
from finetune_lib.records import Example, Origin


class ForeignRows:
    """The survey that notes the first row of each foreign format."""

    def __init__(self) -> None:
        self._firsts: dict[str, int] = {}
        self._left_out: Counter[str] = Counter()

    def look(self, example: Example, place: int) -> None:
        """Take up one example."""
        if example.dialect:
            self._firsts.setdefault(example.dialect, place)
            self._left_out.update(example.left_out)

    def take_plain(self, number: int, places: Sequence[int]) -> None:
        """Plain chats are in OpenAI's own format."""

    def merge(self, later: ForeignRows, offset: int) -> None:
        """Take up the part behind this one."""
        for dialect, place in later._firsts.items():
            self._firsts.setdefault(dialect, place + offset)
        self._left_out.update(later._left_out)

    def findings(self, examples: Sequence[Example], rules: Rules) -> Iterator[Diagnostic]:  # noqa: ARG002
        """One note for each format that was translated."""
        for dialect, place in self._firsts.items():
            if dialect not in UNSAYABLE_DIALECTS:
                yield diagnose("S303", Origin(examples[place].origin.source), dialect=dialect)
        if self._left_out:
            origin = Origin(examples[next(iter(self._firsts.values()))].origin.source)
            yield diagnose("S328", origin, fields=", ".join(self._left_out))
