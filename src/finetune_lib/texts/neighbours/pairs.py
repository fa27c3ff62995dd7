"""Near pairs of texts, or of anything that has texts: the exact join where there are few, sketches where many."""

from __future__ import annotations

from array import array
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from itertools import islice
from typing import TypeVar

from finetune_lib.texts import jaccard
from finetune_lib.texts.neighbours.clusters import Pair, clusters
from finetune_lib.texts.neighbours.join import Sets, join
from finetune_lib.texts.neighbours.sketches import Sketches, join_sketches, sketch
from finetune_lib.texts.neighbours.views import Accept, View, anything, whole_text

T = TypeVar("T")
Verify = Callable[[int, int], float | None]

EXACT_LIMIT = 30_000
PART = 2_000
AHEAD = 8  # parts on their way to an executor at once
REMEMBERED = 4_096
ROUNDING = 1e-9


def near_pairs(texts: Iterable[str], *, threshold: float = 0.7, executor: Executor | None = None) -> list[Pair]:
    """Pairs of texts that are near-equal whatever their script, width, case and punctuation.

    Texts are folded and compared by their pieces (`finetune_lib.texts`); each pair that is given has at least this
    similarity, exactly. A group of many forms of one text gives one pair for each of them, with the group's first
    where that is near enough. Texts of up to five characters are near only to their equals.

    Up to 30,000 texts, and wherever `rensa` (the extra `fast`) is not installed, no group is missed; above, MinHash
    finds 98 of 100 pairs with a similarity of 0.7, and nearly all from 0.75 on.

    Args:
        texts: The texts; a sequence is read by place and not kept.
        threshold: The least similarity, above 0 up to 1.
        executor: Who reads and sketches the texts where they are many; the result is the same.

    Raises:
        ValueError: The threshold is not above 0, or it is above 1.

    Example:
        >>> near_pairs(["退貨期限是收到商品後的七天", "退货期限是收到商品后的七天。", "運費由誰負擔"])
        [Pair(a=0, b=1, similarity=1.0)]
    """
    return near_items(texts, view=View(whole_text), threshold=threshold, executor=executor)


def near_items(
    items: Iterable[T],
    *,
    view: View[T],
    threshold: float = 0.7,
    copies: bool = True,
    accept: Accept = anything,
    executor: Executor | None = None,
) -> list[Pair]:
    """Pairs of near-equal items, as `near_pairs` gives them of texts.

    Args:
        items: The items; a sequence is read by place and not kept.
        view: What of them is compared.
        threshold: The least similarity, above 0 up to 1.
        copies: Whether items that count as one are given too, with similarity 1.0.
        accept: What else must hold of two near items, by their places.
        executor: Who reads and sketches the items where they are many.

    Raises:
        ValueError: The threshold is not above 0, or it is above 1.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold is a similarity above 0 and up to 1, not {threshold!r}")
    known = items if isinstance(items, Sequence) else list(items)
    distinct = _Distinct()

    def accepted(one: int, other: int) -> bool:
        return accept(*sorted((distinct.firsts[one], distinct.firsts[other])))

    if len(known) > EXACT_LIMIT and find_spec("rensa"):
        found = _sketched(known, view, threshold, distinct, accepted, executor)
    else:
        found = _exact(known, view, threshold, distinct, accepted)
    pairs = [Pair(distinct.firsts[a], distinct.firsts[b], similarity) for a, b, similarity in found]
    pairs += [Pair(first, later, 1.0) for first, later in distinct.copies] if copies else []
    return sorted(pairs, key=lambda pair: (pair.b, pair.a))


@dataclass(slots=True)
class _Distinct:
    """Items that count as one are looked at once.

    Attributes:
        firsts: The place of the first item of each kind.
        copies: The places of a first item and of one that counts the same.
    """

    firsts: array[int] = field(default_factory=lambda: array("Q"))
    copies: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    _seen: dict[bytes, int] = field(default_factory=dict[bytes, int])

    def add(self, key: bytes, place: int) -> bool:
        """Take up an item; tells whether it is the first of its kind."""
        if not key:
            return False
        first = self._seen.setdefault(key, place)
        if first == place:
            self.firsts.append(place)
        else:
            self.copies.append((first, place))
        return first == place


def _exact(items: Iterable[T], view: View[T], threshold: float, distinct: _Distinct, accept: Accept) -> Iterator[Pair]:
    """Pairs among the distinct items, by the exact join."""
    looks = enumerate(map(view.look, items))
    sets = Sets.of(members for place, (key, members) in looks if distinct.add(key, place))

    def verify(one: int, other: int) -> float | None:
        similarity = _near(sets.named(sets.rows[one]), sets.named(sets.rows[other]), threshold)
        return similarity if similarity is not None and accept(one, other) else None

    return _stars(list(join(sets, threshold, accept)), len(sets.rows), verify)


def _sketched(
    items: Sequence[T],
    view: View[T],
    threshold: float,
    distinct: _Distinct,
    accept: Accept,
    executor: Executor | None,
) -> Iterator[Pair]:
    """Pairs among the distinct items, by their sketches; items are read once more to verify."""
    whole = Sketches()
    place = 0
    for part in _sketches(items, view, executor):
        for number, key in enumerate(part.keys):
            if distinct.add(key, place + number):
                whole.take(part, number)
        place += len(part.keys)

    @lru_cache(maxsize=REMEMBERED)
    def members(number: int) -> set[str]:
        return view.look(items[distinct.firsts[number]])[1]

    def verify(one: int, other: int) -> float | None:
        similarity = _near(members(one), members(other), threshold)
        return similarity if similarity is not None and accept(one, other) else None

    return _stars(list(join_sketches(whole, threshold, verify)), len(whole.sizes), verify)


def _sketches(items: Iterable[T], view: View[T], executor: Executor | None) -> Iterator[Sketches]:
    """The sketches of one part after the other; on an executor a few are on their way at once."""
    stream = iter(items)
    parts = iter(lambda: list(islice(stream, PART)), [])
    if executor is None:
        yield from (sketch(part, view) for part in parts)
        return
    waiting: deque[Future[Sketches]] = deque()
    for part in parts:
        waiting.append(executor.submit(sketch, part, view))
        if len(waiting) >= AHEAD:
            yield waiting.popleft().result()
    for future in waiting:
        yield future.result()


def _near(one: set[str], other: set[str], threshold: float) -> float | None:
    """The similarity of near sets; None of others."""
    similarity = jaccard(one, other)
    return similarity if similarity + ROUNDING >= threshold else None


def _stars(pairs: Sequence[Pair], n: int, verify: Verify) -> Iterator[Pair]:
    """The same groups by other pairs: each with the first of its group where both are near."""
    links: defaultdict[int, list[Pair]] = defaultdict(list)
    for pair in pairs:
        links[pair.a].append(pair)
        links[pair.b].append(pair)
    for first, *_ in clusters(pairs, n):
        reached = {first: first}
        for place in (queue := [first]):
            for pair in links[place]:
                other = pair.a + pair.b - place
                if other not in reached:
                    reached[other] = place
                    queue.append(other)
                    similarity = None if pair.a == first else verify(first, other)
                    yield pair if similarity is None else Pair(first, other, similarity)
