"""Which examples stand in the data for the first time, and what became of the others; pure."""

from __future__ import annotations

from collections.abc import Sequence

from finetune_lib.data.checks.duplicates.copies import digest
from finetune_lib.data.together.duplicates import Marks
from finetune_lib.records import Example, Origin
from finetune_lib.rows.facts import Facts


def left_out(examples: Sequence[Example], *, near: bool) -> tuple[dict[int, Origin], int]:
    """The places of the examples that may go, each with where the kept one stands; and how many are exact copies.

    Args:
        examples: The data.
        near: Also those that are the same but for wording (`finetune_lib.relation` says `duplicate`).
    """
    marks = Marks()
    firsts: dict[bytes, int] = {}
    copies: dict[int, int] = {}
    for place, example in enumerate(examples):
        if (first := firsts.setdefault(digest(example.data), place)) != place:
            copies[place] = first
        if near:
            marks.look(Facts(example), place)
    kept = marks.left_out(examples)
    partners = kept | {place: kept.get(first, first) for place, first in copies.items()}
    return {place: examples[partner].origin for place, partner in partners.items()}, len(copies)
