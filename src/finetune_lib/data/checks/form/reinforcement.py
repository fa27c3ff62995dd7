"""Fields beside the messages of reinforcement rows: what the grader reads must stand in every row.

Source: OpenAI's graders, whose templates read `{{item.field}}` of the row; microsoft/azure-skills validate_rft.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.records import Example

WIRE_KEYS = frozenset({"messages", "tools", "parallel_tool_calls", "functions"})
KEPT_SHAPES = 1000
KEPT_PLACES = 100


def check_fields(example: Example, rules: Rules) -> Iterator[Diagnostic]:
    """The fields that the grader reads and the row lacks."""
    for name in sorted(rules.grader_fields):
        if example.data.get(name) is None:
            yield diagnose("P607", example.origin, f"/{name}", name=name)


class UnevenFields:
    """Counts which fields the rows have: one that most have should stand in all."""

    def __init__(self) -> None:
        self.shapes: Counter[frozenset[str]] = Counter()
        self.places: dict[frozenset[str], list[int]] = {}

    def look(self, example: Example, place: int) -> None:
        """Take up one example; a field that holds null counts as missing, as for the grader."""
        held = (str(name) for name, value in example.data.items() if value is not None)
        self._count(frozenset(held) - WIRE_KEYS, 1, [place])

    def take_plain(self, number: int, places: Sequence[int]) -> None:
        """Plain chats are no rows of this method."""

    def merge(self, later: UnevenFields, offset: int) -> None:
        """Take up the survey of the part behind this one."""
        for shape, number in later.shapes.items():
            self._count(shape, number, [place + offset for place in later.places[shape]])

    def _count(self, shape: frozenset[str], number: int, places: list[int]) -> None:
        if shape in self.shapes or len(self.shapes) < KEPT_SHAPES:
            self.shapes[shape] += number
            kept = self.places.setdefault(shape, [])
            kept.extend(places[: KEPT_PLACES - len(kept)])

    def findings(self, examples: Sequence[Example], rules: Rules) -> Iterator[Diagnostic]:
        """The rows that lack a field which most have; those that the grader reads are reported row by row."""
        total = sum(self.shapes.values())
        having = Counter[str]()
        for shape, number in self.shapes.items():
            having.update(dict.fromkeys(shape, number))
        common = {name for name, number in having.items() if total / 2 < number < total} - rules.grader_fields
        for shape, places in self.places.items():
            for place in places if common - shape else ():
                for name in sorted(common - shape):
                    yield diagnose("P607", examples[place].origin, f"/{name}", name=name, severity="warning")
