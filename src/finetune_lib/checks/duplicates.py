"""Examples that stand in the data more than once: exactly, in another form, or nearly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Self

from finetune_lib.checks.answers import Answers
from finetune_lib.checks.copies import digest
from finetune_lib.checks.leaks import check
from finetune_lib.checks.near import near_duplicates
from finetune_lib.checks.rules import Rules
from finetune_lib.checks.spill import PARTITIONS, Spill
from finetune_lib.checks.survey import Survey
from finetune_lib.diagnostics import Diagnostic, diagnose, place_name
from finetune_lib.records import Example, Origin

__all__ = ["Answers", "ExactDuplicates", "check", "content_surveys", "exact_surveys", "near_duplicates"]

VERIFIED = 10_000  # repetitions that are read again and compared whole; beyond, 64-bit digests are taken at their word


def exact_surveys() -> tuple[Survey, ...]:
    """What finds exact copies."""
    return (ExactDuplicates(),)


def content_surveys() -> tuple[Survey, ...]:
    """What finds contradictions, other forms of one example, and answers that many questions share."""
    return (Answers(),)


class ExactDuplicates:
    """Each repetition of an earlier example (D801), by digests of 64 bits that are written out where they are many."""

    def __init__(self) -> None:
        self._digests = Spill(2)

    def look(self, example: Example, place: int) -> None:
        """Take up one example."""
        self._digests.add(int.from_bytes(digest(example.data, size=8), "little"), place)

    def merge(self, later: Self, offset: int) -> None:
        """Take up the survey of the part behind this one."""
        self._digests.merge(later._digests, offset)

    def findings(self, examples: Sequence[Example], rules: Rules) -> Iterator[Diagnostic]:  # noqa: ARG002
        """Each repetition with the place of the first, in the order of the data."""
        found, more = _repetitions(self._digests)
        for place, first in found:
            here, there = examples[place], examples[first]
            if here.data == there.data:
                yield diagnose("D801", here.origin, related=(there.origin,), first=place_name(there.origin))
        for _ in range(more):
            yield diagnose("D801", Origin(examples[0].origin.source), first="")


def _repetitions(digests: Spill) -> tuple[list[tuple[int, int]], int]:
    """The earliest repetitions with the places of their firsts, and how many more there are."""
    found: list[tuple[int, int]] = []
    total = 0
    for number in range(PARTITIONS):
        rows = digests.partition(number)
        firsts: dict[int, int] = {}
        repeated = [
            (place, first)
            for digest, place in zip(rows[::2], rows[1::2], strict=True)
            if (first := firsts.setdefault(digest, place)) != place
        ]
        total += len(repeated)
        found = sorted((*found, *repeated))[:VERIFIED]
    return found, total - len(found)
