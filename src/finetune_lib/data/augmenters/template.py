"""Template: rows from a sentence with places and the words that may stand in them."""

from __future__ import annotations

import math
import random
import string
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeAlias

from finetune_lib.records import Example, Origin
from finetune_lib.rows.identity import content_hash
from finetune_lib.shown import Shown

Table: TypeAlias = Sequence[str] | Mapping[str, str]
# Beyond it, a whole product is more likely a slip than a wish.
MOST = 1_000_000


@dataclass(frozen=True)
class Template(Shown):
    """Rows from a sentence with `{places}` and a table of words for each of them.

    A table is a list of words, or a mapping from words to what the answer says for them. Where one table is a
    mapping, it gives the answer; else `answer` is a template of its own, in which a place stands for what the
    mapping says (or the word itself, from a list), and `{place.word}` for the word.

    Each row remembers its words: `origin.cells` names their places in the tables, as `movie[2] sentiment[1]`.

    Attributes:
        text: What the user says; braces that are no place are doubled, as `{{`.
        tables: The words for each place.
        answer: What the assistant says.
        system: The system message of every row.
        n: Rows, drawn by the seed without repetition; by default the whole product of the tables.
        category: The category of every row.

    Example:
        >>> import finetune_lib as ft
        >>> words = {"movie": ["少年Pi", "一一"], "sentiment": {"好看": "正面", "難看": "負面"}}
        >>> rows = ft.Template("這部{movie}很{sentiment}。", tables=words).examples()
        >>> len(rows), rows[1].prompt, rows[1].answer
        (4, '這部少年Pi很難看。', '負面')
    """

    text: str
    _: KW_ONLY
    tables: Mapping[str, Table]
    answer: str | None = None
    system: str | None = None
    n: int | None = None
    category: str | None = None

    name: ClassVar[str] = "template"

    def __post_init__(self) -> None:
        asked, answered = _places(self.text), _places(self.answer or "")
        for name, table in self.tables.items():
            if isinstance(table, str) or not table:
                raise ValueError(f"the table {name!r} needs a list of words or a mapping, with at least one word")
            if name not in asked:
                raise ValueError(f"the text has no place {{{name}}}: its rows would be the same for each word")
        known = {*self.tables, *(f"{name}.word" for name in self.tables)}
        if unknown := sorted((asked - {*self.tables}) | (answered - known)):
            raise ValueError(f"no table for {{{unknown[0]}}}; there are {', '.join(self.tables) or 'none'}")
        if self.n is not None and self.n < 1:
            raise ValueError(f"n is at least 1, not {self.n}")
        if self.answer is None and len(self._mappings) != 1:
            raise ValueError(f"say the answer by answer=…: {len(self._mappings)} tables say one, not 1")

    @property
    def _mappings(self) -> dict[str, Mapping[str, str]]:
        return {name: table for name, table in self.tables.items() if isinstance(table, Mapping)}

    @cached_property
    def _words(self) -> Mapping[str, tuple[str, ...]]:
        return {name: tuple(dict.fromkeys(table)) for name, table in self.tables.items()}

    @property
    def id(self) -> str:
        """What its rows name as their parent in their lineage."""
        return content_hash({"text": self.text, "answer": self.answer})

    @property
    def rows(self) -> int:
        """How many rows it makes."""
        total = math.prod(map(len, self._words.values()))
        return total if self.n is None else min(self.n, total)

    def examples(self, *, seed: int = 0) -> tuple[Example, ...]:
        """The rows; the same ones in the same order for the same seed.

        Raises:
            ValueError: The whole product would be too large.
        """
        return tuple(map(self._example, self._numbers(seed)))

    def _numbers(self, seed: int) -> Sequence[int]:
        total = math.prod(map(len, self._words.values()))
        if self.rows > MOST:
            raise ValueError(f"the tables make {self.rows:,} rows: say by n=… how many are to be drawn")
        if self.n is None or self.n >= total:
            return range(total)
        drawn = random.Random(f"{seed}\n{self.text}")  # noqa: S311 - no secret is made of it
        if total <= sys.maxsize:
            return sorted(drawn.sample(range(total), self.n))
        numbers: set[int] = set()
        while len(numbers) < self.n:
            numbers.add(drawn.randrange(total))
        return sorted(numbers)

    def _example(self, number: int) -> Example:
        """A row by its number in the product; the last table counts fastest."""
        places = self._cells(number)
        words = {name: self._words[name][place] for name, place in places.items()}
        spoken = [("system", self.system), ("user", _filled(self.text, words)), ("assistant", self._answer(words))]
        messages = [{"role": role, "content": text} for role, text in spoken if text is not None]
        cells = {f"/messages/{len(messages) - 2}/content": " ".join(f"{name}[{i}]" for name, i in places.items())}
        return Example({"messages": messages}, Origin(self.text, row=number + 1, cells=cells), self.category)

    def _cells(self, number: int) -> dict[str, int]:
        places: dict[str, int] = {}
        for name in reversed(list(self._words)):
            number, places[name] = divmod(number, len(self._words[name]))
        return dict(reversed(places.items()))

    def _answer(self, words: Mapping[str, str]) -> str:
        said = {**words, **{name: table[words[name]] for name, table in self._mappings.items()}}
        if self.answer is None:
            return said[next(iter(self._mappings))]
        return _filled(self.answer, {**said, **{f"{name}.word": word for name, word in words.items()}})


def _parsed(template: str) -> Iterator[tuple[str, str | None]]:
    for literal, place, form, conversion in string.Formatter().parse(template):
        if form or conversion:
            raise ValueError(f"{{{place}}} takes no format behind its name")
        yield literal, place


def _places(template: str) -> set[str]:
    return {place for _, place in _parsed(template) if place is not None}


def _filled(template: str, words: Mapping[str, Any]) -> str:
    return "".join(literal + (words[place] if place is not None else "") for literal, place in _parsed(template))
