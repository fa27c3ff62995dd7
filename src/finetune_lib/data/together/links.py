"""Which rows of some data belong together: found by what they share, and each verified by the relation."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from finetune_lib.data.together.keys import Shared, keys
from finetune_lib.data.together.relating import Relation, asked_again, related
from finetune_lib.data.together.rows import OWN_QUESTION, Row, content, is_label, look, size
from finetune_lib.data.together.spill import PARTITIONS, Spill
from finetune_lib.data.together.wording import is_manners
from finetune_lib.records import Case, Example
from finetune_lib.rows.messages import INSTRUCTIONS
from finetune_lib.texts.folding import fold
from finetune_lib.texts.neighbours import Pair, View, clusters, near_items
from finetune_lib.texts.neighbours.views import pieces

NEAR = 0.6  # share of common pieces from which two questions are looked at
LOOKED_AT = 200  # rows of one group that are held against a row of the other set
REMEMBERED = 8_192  # rows that are kept as they are compared
MOST_OPENINGS = 20  # dialogues in which one exchange may stand before it is boilerplate, as "one moment, please"
MOST_QUESTIONS = 50  # questions of one answer before it is a general one
COUNTED, COMMON, COMMON_LEAST = 2_000, 0.2, 50  # rows in which pieces are counted; the share that makes one common


@dataclass(slots=True)
class Links:
    """What belongs together, by pairs of places.

    Attributes:
        strict: Duplicates and variants: never on both sides of a split.
        loose: Templates: on one side while groups allow.
    """

    strict: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    loose: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    def take(self, one: int, other: int, found: Relation) -> bool:
        """Take up a pair; tells whether it is a strict one."""
        if found.tells_the_answer:
            self.strict.append((one, other))
        elif found.kind == "template":
            self.loose.append((one, other))
        return found.tells_the_answer


class Rows:
    """Rows by place, looked at when they are asked for; those of late are kept."""

    def __init__(
        self,
        items: Sequence[Example | Case | Mapping[str, Any]],
        relation: Callable[[Row, Row], Relation] = related,
    ) -> None:
        self.size = len(items)
        self._relation = relation
        self.item = lru_cache(REMEMBERED)(items.__getitem__)
        self.at: Callable[[int], Row] = lru_cache(REMEMBERED)(self._look)

    def _look(self, place: int) -> Row:
        return look(self.item(place))

    def is_copy(self, one: int, other: int) -> bool:
        """Whether two places hold the same, text or not."""
        return self._content(one) == self._content(other)

    def _content(self, place: int) -> object:
        item = self.item(place)
        return item.data if isinstance(item, Example) else item

    def are_duplicates(self, one: int, other: int) -> bool:
        """Whether one of two places may go; what differs in a digit may not, and is not looked at closely."""
        return self.at(one).digits == self.at(other).digits and self.related(one, other).kind == "duplicate"

    def related(self, one: int, other: int) -> Relation:
        """The relation of two places."""
        return self._relation(self.at(one), self.at(other))


def groups(items: Sequence[Example | Case | Mapping[str, Any] | str]) -> list[list[int]]:
    """The places of items that belong together (duplicates and variants, closed), in groups of at least two.

    Args:
        items: Examples, golden cases, rows, or plain questions.

    Example:
        >>> groups(["退貨期限是幾天？", "運費由誰負擔？", "請問退货期限是幾天呢"])
        [[0, 2]]
    """
    rows = Rows([{"prompt": item} if isinstance(item, str) else item for item in items])
    return clusters((Pair(*link, 1.0) for link in links(rows).strict), len(items))


def asking_alike(cases: Sequence[Case]) -> list[list[int]]:
    """The places of golden cases that ask the same, be it in other words, in groups of at least two.

    Under other instructions it is another question.
    """
    under: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, case in enumerate(cases):
        under[tuple(fold(said.text) for said in case.messages if said.role in INSTRUCTIONS)].append(place)
    found: list[list[int]] = []
    for places in under.values():
        rows = Rows([cases[place] for place in places], asked_again)
        joined = clusters((Pair(*link, 1.0) for link in links(rows).strict), len(places))
        found += [[places[place] for place in group] for group in joined]
    return sorted(found)


@dataclass(frozen=True, slots=True)
class Between:
    """What rows of two sets have to do with each other.

    Attributes:
        known: Of each place of the second set whose answer the first one tells, the place there and the relation; a
            greeting is never known, as everybody says it.
        of_one_form: The places of the second set that have the form of one in the first.
    """

    known: Mapping[int, tuple[int, Relation]]
    of_one_form: frozenset[int]


NOTHING_KNOWN = Between({}, frozenset())


def between(first: Sequence[Example | Case], second: Sequence[Example | Case]) -> Between:
    """Which rows of `second` are known from `first`, each verified with the row that tells it."""
    border = len(first)
    rows = Rows([*first, *second])
    found = links(rows)
    known: dict[int, tuple[int, Relation]] = {}
    for group in clusters((Pair(*link, 1.0) for link in found.strict), rows.size):
        here = group[: bisect_left(group, border)]
        for place in group[len(here) :]:
            if is_manners(rows.at(place).prompt):
                continue
            told = ((one, rows.related(one, place)) for one in here[:LOOKED_AT])
            if teller := next((one for one in told if one[1].tells_the_answer), None):
                known[place - border] = teller
    across = ((min(link), max(link)) for link in found.loose)
    forms = frozenset(later - border for earlier, later in across if earlier < border <= later)
    return Between(dict(sorted(known.items())), forms - known.keys())


def links(rows: Rows) -> Links:
    """All that belongs together, by enough pairs to join it: not every pair of a group is given."""
    found = Links()
    spill = Spill(4)
    asked: list[_Asked] = []
    for place in range(rows.size):
        row = rows.at(place)
        asked += _questions(place, row)
        for key in keys(row):
            spill.add(*key, place)
    for number in range(PARTITIONS):
        buckets: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for part in spill.partition(number):
            for digest, shared, beside, place in zip(part[::4], part[1::4], part[2::4], part[3::4], strict=True):
                buckets[digest, shared].append((beside, place))
        for (_, shared), members in buckets.items():
            if len(members) > 1:
                _bucket(Shared(shared), members, rows, found)
    _near(asked, rows, found)
    return found


def _bucket(shared: Shared, members: Sequence[tuple[int, int]], rows: Rows, found: Links) -> None:
    """Hold each row that shares something against the one that stands for it."""
    places = [place for _, place in members]
    marked = [place for beside, place in members if beside]
    match shared:
        case Shared.QUESTION:
            found.strict += [(places[0], place) for place in places[1:]]
        case Shared.FORM:
            _star(places[0], places, rows, found)
        case Shared.ANSWER:
            if 1 < len({beside for beside, _ in members}) <= MOST_QUESTIONS:
                _answer(places, rows, found)
        case Shared.EXCHANGE:
            if len({beside for beside, _ in members}) <= MOST_OPENINGS:
                dialogue = next((place for place in places if len(rows.at(place).exchanges) > 1), None)
                _star(dialogue, places, rows, found)
        case Shared.BEGINNING:
            _star(marked[0] if marked else None, places, rows, found)
        case Shared.ASKED:
            single = next((place for beside, place in members if not beside), None)
            _star(single, marked, rows, found)


def _star(hub: int | None, places: Iterable[int], rows: Rows, found: Links) -> None:
    if hub is not None:
        for place in places:
            if place != hub:
                found.take(min(hub, place), max(hub, place), rows.related(hub, place))


def _answer(places: Sequence[int], rows: Rows, found: Links) -> None:
    """Questions with one answer: each against the first that speaks of what the answer does, or of the same."""
    about = {place: content(rows.at(place).prompt) for place in places}
    special = next((place for place in places if not about[place].isdisjoint(content(rows.at(place).answer))), None)
    _star(special, places, rows, found)
    first: dict[str, int] = {}
    for place in places:
        for hub in {first.setdefault(piece, place) for piece in about[place]} - {place, special}:
            _star(hub, [place], rows, found)


class _Asked(NamedTuple):
    """A question of a row.

    Attributes:
        place: The row.
        text: What is asked, plain.
        answer: A short answer, by which a question tells another; of other rows whether they have one.
    """

    place: int
    text: str
    answer: str

    @property
    def texts(self) -> tuple[str, ...]:
        """The text, if there is one."""
        return (self.text,) if self.text else ()


def _near(asked: Sequence[_Asked], rows: Rows, found: Links) -> None:
    """Questions that are near; of dialogues also each of their questions."""
    common = common_pieces([question.text for question in asked[:: max(1, len(asked) // COUNTED)]])

    def accept(one: int, other: int) -> bool:
        here, there = sorted((asked[one].place, asked[other].place))
        return here != there and found.take(here, there, rows.related(here, there))

    view = View(attrgetter("texts"), key=attrgetter("answer"), common=common)
    near_items(asked, view=view, threshold=NEAR, copies=False, accept=accept)


def _questions(place: int, row: Row) -> Iterator[_Asked]:
    answer = row.answer if is_label(row.answer) else "text"
    yield _Asked(place, row.prompt, answer)
    if row.is_dialogue:
        own = {turn.text for turn in row.turns if turn.role == "user" and size(turn.text) >= OWN_QUESTION}
        yield from (_Asked(place, text, "text") for text in sorted(own))


def common_pieces(texts: Sequence[str]) -> frozenset[str]:
    """Pieces that so many texts have that they tell none apart, as those of an instruction in every row."""
    counts = Counter(piece for text in texts for piece in pieces((text,)))
    most = max(COMMON_LEAST, COMMON * len(texts))
    return frozenset(piece for piece, count in counts.items() if count > most)
