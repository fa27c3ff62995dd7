"""Noise: the slips that people make when they type, in the user's turns."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, NamedTuple

from finetune_lib.data.augmenters.augmenter import Child, Missing, randomness
from finetune_lib.data.augmenters.gate import SLIPPED, Gate
from finetune_lib.data.augmenters.slips import KINDS, Kind, Spot, spots
from finetune_lib.records import Example
from finetune_lib.rows.turns import Turn, retold, user_turns
from finetune_lib.shown import Shown


class _Place(NamedTuple):
    """A spot in one of the turns."""

    turn: int
    spot: Spot


@dataclass(frozen=True)
class Noise(Shown):
    """Typing slips in what the user says: at least one, and never in digits, names in capitals, addresses or code.

    The homophone slips keep to the script of a text: those of 注音 to Traditional, those of 拼音 to Simplified
    Chinese. They come from small tables that were read word for word.

    Attributes:
        kinds: `width` (，and ,), `punctuation` (left out or doubled), `spacing`, `zhuyin` and `pinyin`
            (homophones, 注音文), `typos` (English).
        rate: The share of the places where a slip could be that get one.
        n: Children of each example.

    Example:
        >>> import finetune_lib as ft
        >>> example = ft.Example({"messages": [{"role": "user", "content": "應該在哪裡退貨？"}]})
        >>> [child.data["messages"][0]["content"] for child in ft.Noise(kinds=["punctuation"])(example)]
        ['應該在哪裡退貨']
    """

    kinds: Sequence[Kind] = tuple(KINDS)
    _: KW_ONLY
    rate: float = 0.1
    n: int = 1

    name: ClassVar[str] = "noise"
    gate: ClassVar[Gate] = SLIPPED

    def __post_init__(self) -> None:
        if isinstance(self.kinds, str) or not self.kinds or not set(self.kinds) <= set(KINDS):
            raise ValueError(f"Noise takes a list of these kinds: {', '.join(KINDS)}")
        if not 0 < self.rate <= 1 or self.n < 1:
            raise ValueError("Noise takes a rate above 0 and up to 1, and n of at least 1")

    def __call__(self, example: Example, /) -> Iterator[Child | Missing]:
        """The noisy versions of one example."""
        told = user_turns(example.data)
        places = [_Place(i, spot) for i, turn in enumerate(told) for spot in spots(turn.text, self.kinds)]
        if not places:
            yield Missing("the user's text has no place for such a slip", self.n)
            return
        chance = randomness(self.name, example)
        for _ in range(self.n):
            chosen = self._chosen(places, chance)
            detail = "+".join(kind for kind in KINDS if any(place.spot.kind == kind for place in chosen))
            yield Child(retold(example.data, told, _slipped(told, chosen, chance)), detail)

    def _chosen(self, places: Sequence[_Place], chance: random.Random) -> list[_Place]:
        """Each place by the rate, one where that gives none; of two that overlap, the first."""
        drawn = [place for place in places if chance.random() < self.rate] or [chance.choice(places)]
        apart: list[_Place] = []
        for place in sorted(drawn, key=lambda place: (place.turn, place.spot.start, place.spot.end)):
            if not apart or apart[-1].turn != place.turn or apart[-1].spot.end <= place.spot.start:
                apart.append(place)
        return apart


def _slipped(told: Sequence[Turn], chosen: Sequence[_Place], chance: random.Random) -> list[str]:
    texts = [turn.text for turn in told]
    for turn, spot in reversed(chosen):
        text = texts[turn]
        texts[turn] = text[: spot.start] + spot.write(text[spot.start : spot.end], chance) + text[spot.end :]
    return texts
