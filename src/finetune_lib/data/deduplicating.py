"""Which examples stand in the data for the first time."""

from __future__ import annotations

from collections.abc import Sequence

from finetune_lib.data.checks.duplicates.copies import digest
from finetune_lib.records import Example
from finetune_lib.rows.exchange import fold_answer, fold_prompt
from finetune_lib.texts.neighbours import near_pairs


def first_places(examples: Sequence[Example], *, near: float | None) -> list[int]:
    """The places of the examples that no earlier one equals, or comes `near` to in question and answer."""
    seen: dict[bytes, int] = {}
    places = [place for place, example in enumerate(examples) if seen.setdefault(digest(example.data), place) == place]
    if near is None:
        return places
    texts = [f"{fold_prompt(examples[place])}\n{fold_answer(examples[place])}" for place in places]
    later = {pair.b for pair in near_pairs(texts, threshold=near)}
    return [place for number, place in enumerate(places) if number not in later]
