"""What differs between two plain texts, and whether the difference turns one against the other; pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import chain, groupby
from operator import ne
from typing import NamedTuple

from finetune_lib.data.together.vocabulary import words
from finetune_lib.data.together.wording import HAN

TOKEN = re.compile(rf"\d+(?:[.,:]\d+)*|[{HAN}]|[^\W\d_{HAN}]+|[^\w\s]")
NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
OPERATORS = frozenset("<>=+*%&|^!")  # code differs by them
ORDERED = 40  # tokens up to which another order says something else
ALIGNED = 400  # tokens, what both texts begin and end with left out, up to which they are aligned and not only counted
REPEATED, IN_PLACE = 8, 0.25  # how often a token of one text stands in the other, and the share of places that differ
NEGATIONS, AFFIRMATIONS, DENIALS = words("negations"), words("affirmations"), words("denials")
DENYING_PREFIX = re.compile(r"^(?:un|in|im|ir|il|dis|non|mis|anti|de)")
SHORTEST_STEM = 4
ANTONYMS = [pair.split("/") for pair in words("antonyms")]
OPPOSITES = {
    word: frozenset(other for pair in ANTONYMS if word in pair for other in pair if other != word)
    for word in chain.from_iterable(ANTONYMS)
}


class Difference(NamedTuple):
    """What differs between two texts.

    Attributes:
        gone: The tokens of one text that the other lacks.
        new: The other way round.
        spans: In how many places they differ.
        polar: Whether a negation comes in or goes, or a word stands for its opposite.
    """

    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    spans: int = 0
    polar: bool = False

    def __bool__(self) -> bool:
        """Whether they differ in more than wording and slips of the pen."""
        return bool(self.gone or self.new)

    @property
    def in_numbers_only(self) -> bool:
        """Whether numbers differ and nothing else."""
        return bool(self) and all(token[0].isdigit() for token in self.gone + self.new)


SAME = Difference()


def tokens(text: str) -> list[str]:
    """Chinese characters, Latin words, numbers and signs of a plain text."""
    return TOKEN.findall(text)


def difference(one: str, other: str) -> Difference:
    """What differs between two plain texts; the same both ways round, but for gone and new."""
    if one == other:
        return SAME
    if other < one:
        found = _difference(other, one)
        return found._replace(gone=found.new, new=found.gone)
    return _difference(one, other)


@lru_cache(1024)
def _difference(one: str, other: str) -> Difference:
    a, b = tokens(one), tokens(other)
    if "".join(a) == "".join(b):
        return SAME
    spans = [told for before, after in _changes(a, b) if (told := _told(before, after)) != ((), ())]
    gone = tuple(token for before, _ in spans for token in before)
    new = tuple(token for _, after in spans for token in after)
    if min(len(a), len(b)) >= ORDERED and sorted(gone) == sorted(new) and not any(map(_weighs, gone)):
        return SAME
    return Difference(gone, new, len(spans), any(_denied(*span) for span in spans) or _opposed(gone, new))


def _changes(a: Sequence[str], b: Sequence[str]) -> Iterable[tuple[Sequence[str], Sequence[str]]]:
    """The spans in which two texts differ; of long texts that differ much, what one has more often than the other."""
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest = min(len(a), len(b)) - start
    end = next((i for i in range(rest) if a[-1 - i] != b[-1 - i]), rest)
    a, b = a[start : len(a) - end], b[start : len(b) - end]
    if max(len(a), len(b)) > ALIGNED:
        return [_counted(a, b)]
    if _repeats(a, b):
        if len(a) == len(b) and sum(map(ne, a, b)) <= IN_PLACE * len(a):
            return _in_place(a, b)
        if any(counted := _counted(a, b)):  # the same words in another order are not the same
            return [counted]
    matched = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    return [(a[i:j], b[k:m]) for kind, i, j, k, m in matched if kind != "equal"]


def _counted(a: Sequence[str], b: Sequence[str]) -> tuple[list[str], list[str]]:
    """What one has more often than the other, and the other way round."""
    here, there = Counter(a), Counter(b)
    return list((here - there).elements()), list((there - here).elements())


def _repeats(a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether aligning would hold each token against many others, in time that grows with the square of them."""
    there = Counter(b)
    return sum(map(there.__getitem__, a)) > REPEATED * len(a)


def _in_place(a: Sequence[str], b: Sequence[str]) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """The spans in which two texts of one length differ, place by place."""
    for differ, run in groupby(zip(a, b, strict=True), lambda pair: pair[0] != pair[1]):
        if differ:
            before, after = zip(*run, strict=True)
            yield before, after


def _told(before: Sequence[str], after: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a change says: nothing where it is a slip of the pen, or another way to part words."""
    if "".join(before) == "".join(after) or (len(before) == len(after) == 1 and _is_slip(before[0], after[0])):
        return (), ()
    return tuple(filter(_counts, before)), tuple(filter(_counts, after))


def _counts(token: str) -> bool:
    return token[0].isalnum() or token in OPERATORS


def _weighs(token: str) -> bool:
    """Whether it matters also in a long text where a token stands."""
    return token[0].isdigit() or token in NEGATIONS or token in DENIALS


def _denied(before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether one of two spans denies: a negation that comes in, or stands for an affirmation."""
    if NEGATIONS.isdisjoint(before) == NEGATIONS.isdisjoint(after):
        return False
    affirming = before if NEGATIONS.isdisjoint(before) else after
    return len(before) != len(after) or len(before) == 1 or not AFFIRMATIONS.isdisjoint(affirming)


def _opposed(gone: Sequence[str], new: Sequence[str]) -> bool:
    if DENIALS.isdisjoint(gone) != DENIALS.isdisjoint(new):
        return True
    return _hold_opposites(set(gone), set(new))


def _hold_opposites(here: Set[str], there: Set[str]) -> bool:
    """Whether words of two sets are a known pair of opposites, or one is the other with a prefix that denies."""
    if any(not there.isdisjoint(OPPOSITES[word]) for word in OPPOSITES.keys() & here):
        return True
    return any(_unprefixed(word) in there for word in here) or any(_unprefixed(word) in here for word in there)


@lru_cache(8192)
def _unprefixed(word: str) -> str | None:
    """What a prefix denies; None of a word that has no such prefix."""
    stem = DENYING_PREFIX.sub("", word)
    return stem if stem != word and len(stem) >= SHORTEST_STEM else None


def _is_slip(x: str, y: str) -> bool:
    """Whether two Latin words are one with a typing slip: a plural s, one edit from 6 letters on, two from 9 on."""
    short = min(len(x), len(y))
    if short < SHORTEST_STEM or abs(len(x) - len(y)) > 2 or not ((x + y).isascii() and (x + y).isalpha()):
        return False
    if _hold_opposites({x}, {y}):
        return False
    return x.rstrip("s") == y.rstrip("s") or (short >= 6 and _edits(x, y) <= (2 if short >= 9 else 1))


def _edits(x: str, y: str) -> int:
    """Letters left out, added, changed or swapped (Damerau's distance of adjacent letters)."""
    before: list[int] = []
    last = list(range(len(y) + 1))
    for i, a in enumerate(x, start=1):
        row = [i]
        for j, b in enumerate(y, start=1):
            row.append(min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b)))
            if i > 1 and j > 1 and a == y[j - 2] and x[i - 2] == b:
                row[j] = min(row[j], before[j - 2] + 1)
        before, last = last, row
    return last[-1]
