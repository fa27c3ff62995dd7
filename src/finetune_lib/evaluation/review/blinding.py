"""Which answer lies in which slot, under which opaque id, and on which side: by a secret that no page holds.

The page knows two slots for each item. Which candidate lies in the first one follows from an HMAC of the item
and the secret. The sides are laid out here as well, because only here each candidate can be put on the left
exactly as often as on the right; a page holds several such layouts, and every rater works through one of them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from finetune_lib.evaluation.review.items import Beside, attention_items

LAYOUTS = 24
CORE_SHARE, CORE_LEAST = 0.25, 20
REPEATS_FROM = 10  # items: below, a repeated one would be remembered


@dataclass(frozen=True, slots=True)
class Hidden:
    """An item as the page knows it: an opaque id and two slots.

    Attributes:
        id: Tells nothing of the case.
        item: What is shown.
        slots: The candidate of the first and of the second slot; never on the page.
    """

    id: str
    item: Beside
    slots: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Layout:
    """The sides of one rater.

    Attributes:
        sides: For each item the slot on the left, `0` or `1`.
        repeats: Places of the items that are shown a second time with the sides swapped.
    """

    sides: str
    repeats: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Concealed:
    """All that a page may know of a set of items, and what its key is made of.

    Attributes:
        name: The hash of the set.
        hidden: The items; the first `core` of them are those that every rater sees first.
        core: Their number.
        layouts: The sides, one of them for each rater.
        identical: The items that are not shown.
    """

    name: str
    hidden: tuple[Hidden, ...]
    core: int
    layouts: tuple[Layout, ...]
    identical: tuple[Beside, ...]


def conceal(items: Sequence[Beside], *, secret: bytes, seed: int, repeat_share: float, attention: int) -> Concealed:
    """Hide who is who. The same items, seed and secret give the same again.

    Raises:
        ValueError: There are too few items for those on which one answer is broken.
    """
    asked = [item for item in items if not item.identical]
    extra = attention_items(asked, attention, drawn=_drawing(secret, f"attention {seed}"))
    name = _set_hash([*items, *extra], seed, secret)
    hidden = tuple(sorted((_hidden(item, name, secret) for item in [*asked, *extra]), key=lambda one: one.id))
    core = min(len(hidden), max(CORE_LEAST, round(CORE_SHARE * len(hidden))))
    repeats = round(repeat_share * len(hidden)) if len(hidden) >= REPEATS_FROM else 0
    drawn = [_drawing(secret, f"layout {name} {number}") for number in range(LAYOUTS)]
    layouts = tuple(_layout(hidden, core, repeats, one) for one in drawn)
    return Concealed(name, hidden, core, layouts, tuple(item for item in items if item.identical))


def _set_hash(items: Iterable[Beside], seed: int, secret: bytes) -> str:
    """Names a set of items, so that votes on different ones are never mixed. Who lacks the secret learns nothing."""
    content = sorted(
        [
            item.case_id,
            item.turns,
            sorted(item.answers.items()),
            item.expected,
            item.context,
            sorted(item.sources.items()),
        ]
        for item in items
    )
    return _digest(secret, "set", json.dumps([seed, content]))[:24]


def _hidden(item: Beside, name: str, secret: bytes) -> Hidden:
    key = json.dumps([name, item.case_id, item.candidates])
    first, second = item.pair
    swapped = int(_digest(secret, "slot", key), 16) % 2
    return Hidden(_digest(secret, "item", key)[:12], item, (second, first) if swapped else (first, second))


def _drawing(secret: bytes, purpose: str) -> random.Random:
    """Random numbers from the secret: whoever could draw them again would know the sides of the candidates."""
    return random.Random(_digest(secret, "drawing", purpose))  # noqa: S311 - as hard to guess as its seed


def _layout(items: Sequence[Hidden], core: int, repeats: int, drawn: random.Random) -> Layout:
    """Both candidates are on the left equally often, give or take one: in all, in each pair, and in its core.

    Sides alternate along a random row in which each pair stands together, its part of the core first.
    """
    row = list(range(len(items)))
    drawn.shuffle(row)
    row.sort(key=lambda place: (items[place].item.candidates, place >= core))
    start = drawn.randrange(2)
    first_left = {place: (start + number) % 2 == 0 for number, place in enumerate(row)}
    left = [one.item.candidates[0 if first_left[place] else 1] for place, one in enumerate(items)]
    sides = "".join(str(one.slots.index(name)) for one, name in zip(items, left, strict=True))
    return Layout(sides, tuple(sorted(_repeats(first_left, core, repeats, drawn))))


def _repeats(first_left: Mapping[int, bool], core: int, number: int, drawn: random.Random) -> list[int]:
    """Of the core, which everybody sees, as many from either kind, so that the second showing keeps the balance."""
    places = list(range(core))
    drawn.shuffle(places)
    kinds = [[p for p in places if first_left[p] is kind] for kind in (True, False)]
    mixed = [place for pair in zip(*kinds, strict=False) for place in pair]
    return mixed[:number]


def _digest(secret: bytes, purpose: str, text: str) -> str:
    return hmac.new(secret, f"{purpose}\n{text}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()
