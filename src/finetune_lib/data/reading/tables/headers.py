"""Which column of a table holds which field of an example: by its name, in English and Chinese, or as told."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any

from finetune_lib.files import packaged_text

FIELDS = (
    "messages", "conversations", "chosen", "rejected", "prompt", "completion", "system", "category", "context", "tools",
)  # fmt: skip
TOLD = (
    "prompt", "completion", "system", "category", "chosen", "rejected", "messages", "conversations", "tools",
    "reference_answer", "role", "content",
)  # fmt: skip
GRADED = frozenset({"reference_answer", "ground_truth"})  # what reads them is a grader, in the words of its makers
JSON_FIELDS = frozenset({"messages", "conversations", "tools"})
PAIR = frozenset({"prompt", "completion"})
SHAPES = (
    frozenset({"messages"}),
    frozenset({"conversations"}),
    frozenset({"prompt", "chosen", "rejected"}),
    PAIR,
    frozenset({"prompt", "reference_answer"}),
)
CANONICAL, STRONG, AFFIXED, WEAK, LAST = range(5)
LONGEST_NAME = 60
REMARK = re.compile(r"[(\[【〔][^)\]】〕]*[)\]】〕]\s*$")
MARKS = re.compile(r"[\W_]+")
PARTS = re.compile(r"\s*[/|\n]\s*|(?<=[^\x00-\x7f])\s+(?=[a-z])|(?<=[a-z])\s+(?=[^\x00-\x7f])")


@dataclass(frozen=True, slots=True)
class Header:
    """The names of a table's columns, and what each is taken for.

    Attributes:
        names: As they stand in the table, without spaces around them.
        places: From a field to its column.
        rivals: From a field to the columns that fit it equally well; none of them was taken.
        ranks: How well a column's name fits its field.
    """

    names: Sequence[str]
    places: Mapping[str, int] = field(default_factory=dict[str, int])
    rivals: Mapping[str, Sequence[int]] = field(default_factory=dict[str, Sequence[int]])
    ranks: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def complete(self) -> bool:
        """Whether the columns make examples, once a choice between rivals is made."""
        found = self.places.keys() | self.rivals.keys()
        return any(shape <= found for shape in SHAPES)

    @property
    def worst(self) -> int:
        """How well the least certain of the fields fits that make the example."""
        return max((rank for name, rank in self.ranks.items() if name not in ("category", "context")), default=WEAK)


def plain(name: str) -> str:
    """A column's name without spaces around it, ideographic ones and byte-order marks too."""
    return name.strip(" \t\r\n\v\f\u00a0\u3000\u200b\ufeff")


def folded(name: str) -> str:
    """A name as it is compared with another: width, case and the spaces around it do not count."""
    return unicodedata.normalize("NFKC", plain(name)).casefold()


def recognise(
    names: Sequence[str], columns: Mapping[str, str] | None = None, *, fields: Sequence[str] = FIELDS
) -> Header:
    """Take columns for fields: first as `columns` says, then by name, the most certain first."""
    names = [plain(name) for name in names]
    told = {
        name: [place for place, text in enumerate(names) if folded(text) == folded(column)]
        for name, column in (columns or {}).items()
    }
    places = {name: found[0] for name, found in told.items() if len(found) == 1}
    chosen = _Choice(names, dict(places), {}, dict.fromkeys(places, CANONICAL))
    for rank in range(LAST + 1):
        for name in fields:
            if name not in told:
                chosen.settle(name, rank)
    chosen.answer_of_a_grader()
    chosen.label_of_texts()
    return Header(tuple(names), chosen.places, chosen.rivals, chosen.ranks)


def meant(name: str, fields: Sequence[str]) -> str | None:
    """The field among these that a misspelled name may stand for."""
    words = {word: owner for owner in fields for word in _vocabulary()[owner] if len(word) > 2}
    close = get_close_matches(MARKS.sub("", folded(name)), words, n=1, cutoff=0.75)
    return words[close[0]] if close else None


@dataclass(slots=True)
class _Choice:
    """The fields settled so far."""

    names: Sequence[str]
    places: dict[str, int]
    rivals: dict[str, Sequence[int]]
    ranks: dict[str, int]

    def settle(self, name: str, rank: int) -> None:
        """Take the one column that fits a field so well; several are rivals."""
        if name in self.places or name in self.rivals or (name == "context" and "prompt" not in self.places):
            return
        taken = {*self.places.values(), *(place for group in self.rivals.values() for place in group)}
        ranks = range(rank + 1) if name == "context" else (rank,)
        fitting = [
            place for place, text in enumerate(self.names) if place not in taken and _fits(text).get(name) in ranks
        ]
        if len(fitting) == 1:
            self.places[name], self.ranks[name] = fitting[0], rank
        elif fitting:
            self.rivals[name], self.ranks[name] = fitting, rank

    def answer_of_a_grader(self) -> None:
        """Beside a question without an answer of its own, the right answer is what a grader compares with."""
        found = [place for place, name in enumerate(self.names) if folded(name) in GRADED]
        if len(found) == 1 and not {"completion", "reference_answer"} & {*self.places, *self.rivals}:
            self.places["reference_answer"], self.ranks["reference_answer"] = found[0], CANONICAL

    def label_of_texts(self) -> None:
        """A table of texts and categories without answers teaches to classify: the category is the answer."""
        texts = self.ranks.get("prompt") == WEAK
        answers = {"completion", "reference_answer"} & {*self.places, *self.rivals}
        if texts and "category" in self.places and not answers:
            self.places["completion"] = self.places.pop("category")
            self.ranks["completion"] = WEAK


@lru_cache(maxsize=4096)
def _fits(name: str) -> Mapping[str, int]:
    """The fields that a name fits, each with its rank; of two languages in one cell, both must agree."""
    if len(name) > LONGEST_NAME or folded(name) in GRADED:
        return {}
    text = folded(name)
    whole = _ranks(text) or _ranks(REMARK.sub("", text))
    parts = [_ranks(part) for part in PARTS.split(text) if part]
    if whole or len(parts) < 2:
        return whole
    shared = set(parts[0]).intersection(*parts[1:])
    return {field: max(part[field] for part in parts) for field in shared}


def _ranks(text: str) -> Mapping[str, int]:
    word = MARKS.sub("", text)
    return {name: rank for name, words in _vocabulary().items() if (rank := _rank(word, words)) is not None}


def _rank(word: str, words: Mapping[str, int]) -> int | None:
    found = words.get(word, words.get(word.removesuffix("s")))
    if found is not None or not word:
        return found
    affixed = (words.get(core) for core in _cores(word))
    return AFFIXED if STRONG in affixed or words.get(word) == CANONICAL else None


def _cores(word: str) -> Iterator[str]:
    """A word without one prefix, one suffix, or both."""
    prefixes, suffixes = _table()["prefixes"], _table()["suffixes"]
    starts = [word, *(word.removeprefix(prefix) for prefix in prefixes if word.startswith(prefix))]
    for start in starts:
        yield start
        yield from (start.removesuffix(suffix) for suffix in suffixes if start.endswith(suffix))


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(packaged_text("finetune_lib.data.reading.tables", "headers.toml"))


@cache
def _vocabulary() -> Mapping[str, Mapping[str, int]]:
    """Each field's names, folded, with their ranks."""
    return {name: _words(name, _table()[name]) for name in FIELDS}


def _words(name: str, lists: Mapping[str, Sequence[str]]) -> Mapping[str, int]:
    weak = LAST if name == "category" else WEAK
    ranks = {"weak": weak, "fallback": AFFIXED, "strong": STRONG}
    words = {MARKS.sub("", folded(word)): rank for kind, rank in ranks.items() for word in lists.get(kind, ())}
    return {**words, name: CANONICAL}
