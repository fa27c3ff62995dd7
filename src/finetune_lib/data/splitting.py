"""Which examples go where: by content and a seed, never by row; what belongs together stays together; pure."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from operator import attrgetter

from finetune_lib.records import Example
from finetune_lib.rows.exchange import fold_prompt
from finetune_lib.rows.messages import fields_of, items_of
from finetune_lib.texts.neighbours.clusters import Forest

Key = Callable[[Example], Hashable]
LARGEST_FORM = 3  # one nth of the data: a larger form is cut
FEW_LABELS = 20
LONGEST_LABEL = 30


@dataclass(slots=True)
class Group:
    """Examples that stay together.

    Attributes:
        places: Where they stand in the data.
        order: What decides about the group: the least hash of its questions.
        stratum: The kind of most of them.
    """

    places: list[int] = field(default_factory=list[int])
    order: str = "~"
    stratum: Hashable = None


def split_places(
    examples: Sequence[Example],
    *,
    validation: float | int,
    golden: float | int,
    seed: int,
    links: Iterable[tuple[int, int]] = (),
    forms: Sequence[tuple[int, int]] = (),
    key: Key | None = None,
    stratum: Key | None = None,
) -> tuple[list[int], list[int], list[int]]:
    """The places of the training, the validation and the golden examples.

    Args:
        examples: The data.
        validation: A share or a count.
        golden: A share or a count.
        seed: Another seed, another split.
        links: Pairs of places that stay together, as near duplicates.
        forms: Pairs that stay together where the group is no larger than what is held out, or a third of the data.
        key: Examples with an equal key stay together; None is no key.
        stratum: Each part gets its share of each stratum, as far as groups allow.

    Raises:
        ValueError: A part stays empty, or nothing is left for training.
    """
    sizes = {"golden": _size(golden, len(examples)), "validation": _size(validation, len(examples))}
    wanted = sum(sizes.values())
    if wanted >= len(examples) > 0:
        raise ValueError(f"golden and validation take {wanted} of {len(examples)} examples: none is left")
    most = max(wanted, len(examples) // LARGEST_FORM)
    groups = _groups(examples, seed, links, (forms, most), key, stratum)
    taken = _taken(groups, sizes, len(examples))
    _require(taken, sizes, groups)
    held = {place for part in taken.values() for place in part}
    rest = [place for place in range(len(examples)) if place not in held]
    if wanted and not rest:
        raise ValueError(
            "golden and validation take every group, as what belongs together stays together: none is left"
        )
    return rest, taken["validation"], taken["golden"]


def fold_places(
    examples: Sequence[Example],
    *,
    folds: int,
    seed: int,
    links: Iterable[tuple[int, int]] = (),
    forms: Sequence[tuple[int, int]] = (),
    key: Key | None = None,
    stratum: Key | None = None,
) -> list[list[int]]:
    """The places of each fold: whole groups, each fold with its share of each stratum; arguments as `split_places`.

    Raises:
        ValueError: There are fewer groups than folds.
    """
    groups = _groups(examples, seed, links, (forms, len(examples) // folds), key, stratum)
    if len(groups) < folds:
        raise ValueError(
            f"{folds} folds need as many groups: what belongs together stays in one fold, and the {len(examples)} "
            f"examples form {len(groups)}. Ask for fewer folds, or add examples that differ."
        )
    dealt: list[list[int]] = [[] for _ in range(folds)]
    held = Counter[tuple[int, Hashable]]()
    for group in sorted(groups, key=lambda group: -len(group.places)):
        fold = min(range(folds), key=lambda fold: (held[fold, group.stratum], len(dealt[fold])))
        dealt[fold] += group.places
        held[fold, group.stratum] += len(group.places)
    return [sorted(places) for places in dealt]


def families(
    examples: Sequence[Example], *, links: Iterable[tuple[int, int]] = (), key: Key | None = None
) -> list[list[int]]:
    """The places of rows of which one tells the other, in groups of at least two; arguments as `split_places`."""
    groups = _groups(examples, 0, links, ((), 0), key, None)
    return [group.places for group in groups if len(group.places) > 1]


def _size(share: float | int, total: int) -> int:
    if not _is_number(share) or not share >= 0 or (isinstance(share, float) and share >= 1):
        raise ValueError(f"a part is a share below 1.0, as 0.1, or a count of examples, as 20, not {share!r}")
    return share if isinstance(share, int) else max(1, round(share * total)) if share else 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _groups(
    examples: Sequence[Example],
    seed: int,
    links: Iterable[tuple[int, int]],
    forms: tuple[Sequence[tuple[int, int]], int],
    key: Key | None,
    stratum: Key | None,
) -> list[Group]:
    """What stays together: one question, one family, one key, and what is linked; in the order of their hashes."""
    joined = Forest(len(examples))
    firsts: dict[Hashable, int] = {}
    orders: list[str] = []
    for place, example in enumerate(examples):
        orders.append(_question(example, seed))
        for mark in _marks(example, orders[-1], key):
            joined.unite(firsts.setdefault(mark, place), place)
    for one, other in links:
        joined.unite(one, other)
    _join_forms(joined, *forms, len(examples))
    return sorted(_gathered(examples, joined, orders, stratum), key=lambda group: group.order)


def _join_forms(joined: Forest, forms: Sequence[tuple[int, int]], most: int, n: int) -> None:
    """Join what has one form, unless it would be more than `most`: then its groups stay apart."""
    whole = Forest(n)
    for place in range(n) if forms else ():
        whole.unite(joined.root(place), place)
    for one, other in forms:
        whole.unite(one, other)
    sizes = Counter(map(whole.root, range(n))) if forms else Counter[int]()
    for one, other in forms:
        if sizes[whole.root(one)] <= most:
            joined.unite(one, other)


def _marks(example: Example, question: str, key: Key | None) -> Iterator[Hashable]:
    """What an example shares with those that it stays together with."""
    yield "question", question
    yield "folded", fold_prompt(example) or question
    if example.family:
        yield "family", example.family
    value = key(example) if key else None
    if value is not None:
        yield "key", value


def _gathered(
    examples: Sequence[Example], joined: Forest, orders: Sequence[str], stratum: Key | None
) -> Iterable[Group]:
    groups: defaultdict[int, Group] = defaultdict(Group)
    kinds: defaultdict[int, Counter[Hashable]] = defaultdict(Counter)
    for place, example in enumerate(examples):
        root = joined.root(place)
        groups[root].places.append(place)
        groups[root].order = min(groups[root].order, orders[place])
        kinds[root][stratum(example) if stratum else None] += 1
    for root, group in groups.items():
        group.stratum = kinds[root].most_common(1)[0][0]
    return groups.values()


def _question(example: Example, seed: int) -> str:
    asked = [m for m in items_of(example.data.get("messages")) if fields_of(m).get("role") == "user"]
    question = asked or example.data.get("prompt") or example.data.get("input") or example.data
    text = json.dumps(question, sort_keys=True, default=repr)
    return hashlib.sha256(f"{seed}\n{text}".encode()).hexdigest()


def _taken(groups: Sequence[Group], sizes: Mapping[str, int], total: int) -> dict[str, list[int]]:
    """Whole groups for each held-out part: first each stratum's share, then whatever fills the rest."""
    members = Counter[Hashable]()
    for group in groups:
        members[group.stratum] += len(group.places)
    free = list(groups)
    taken: dict[str, list[int]] = {}
    for part, size in sizes.items():
        quotas = _quotas(members, size, total)
        chosen, free = _take(free, quotas)
        more, free = _take(free, {None: size - sum(map(len, chosen))}, any_stratum=True)
        places = [place for group in (*chosen, *more) for place in group]
        taken[part] = places + _overfill(free, size - len(places))
    return taken


def _overfill(free: list[Group], missing: int) -> list[int]:
    """The smallest group that is left, where a part is still short and something stays for training."""
    if missing <= 0 or len(free) < 2:
        return []
    smallest = min(free, key=lambda group: (len(group.places), group.order))
    free.remove(smallest)
    return smallest.places


def _quotas(members: Mapping[Hashable, int], size: int, total: int) -> dict[Hashable, int]:
    """A part's size shared out over the strata: whole numbers by the largest remainders."""
    exact = {stratum: Fraction(size * count, max(1, total)) for stratum, count in members.items()}
    quotas = {stratum: int(share) for stratum, share in exact.items()}
    by_rest = sorted(exact, key=lambda stratum: (quotas[stratum] - exact[stratum], repr(stratum)))
    for stratum in by_rest[: size - sum(quotas.values())]:
        quotas[stratum] += 1
    return quotas


def _take(
    groups: Iterable[Group], quotas: dict[Hashable, int], *, any_stratum: bool = False
) -> tuple[list[list[int]], list[Group]]:
    """The groups that still fit into their stratum's quota, and those that are left."""
    chosen: list[list[int]] = []
    left: list[Group] = []
    for group in groups:
        stratum = None if any_stratum else group.stratum
        if len(group.places) <= quotas.get(stratum, 0):
            quotas[stratum] -= len(group.places)
            chosen.append(group.places)
        else:
            left.append(group)
    return chosen, left


def _require(taken: Mapping[str, Sequence[int]], sizes: Mapping[str, int], groups: Sequence[Group]) -> None:
    for part, size in sizes.items():
        if size and not taken[part]:
            largest = max(len(group.places) for group in groups)
            raise ValueError(
                f"no {part} set of {size} can be taken: what belongs together stays together, and the "
                f"{sum(len(group.places) for group in groups)} examples form {len(groups)} groups, the largest of "
                f"{largest}. Ask for a larger part, or pass near=None to keep only equal questions together."
            )


def label_of(example: Example) -> str:
    """The answer, as the label of a classification."""
    return example.answer.strip().casefold()


def usual_stratum(examples: Sequence[Example]) -> Key | None:
    """What to stratify by unasked: the category where there are some, else the label where there are few."""
    if any(example.category for example in examples):
        return attrgetter("category")
    labels: set[str] = set()
    for example in examples:
        label = _safe_label(example)
        labels.add(label)
        if len(labels) > FEW_LABELS or len(label) > LONGEST_LABEL:
            return None
    return _safe_label if 1 < len(labels) <= len(examples) / 5 else None


def _safe_label(example: Example) -> str:
    """The label; a malformed row has none."""
    try:
        return label_of(example)
    except (TypeError, ValueError, KeyError, AttributeError):
        return ""
