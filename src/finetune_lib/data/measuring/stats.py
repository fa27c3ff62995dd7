"""Tokens of a data set, exact where the tokenizer is known: the numbers, their tables and a histogram."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

from finetune_lib.data.checks import limits
from finetune_lib.data.checks.certainty import Doubts
from finetune_lib.data.checks.quality.growth import GrowthSurvey
from finetune_lib.data.diagnostics import Diagnostic
from finetune_lib.pages.markup import Markup, table, tag
from finetune_lib.pages.style import style
from finetune_lib.pages.terminal import table as text_table
from finetune_lib.pages.unseen import visible
from finetune_lib.pages.wording import Words, chosen, words
from finetune_lib.records import Example
from finetune_lib.rows.facts import Facts
from finetune_lib.rows.messages import is_object, trained
from finetune_lib.shown import Shown
from finetune_lib.texts.languages import Language
from finetune_lib.tokens import Counter as TokenCounter
from finetune_lib.tokens import counter_for

BINS = 12
BAR = 40
Table = tuple[list[str], list[list[str]]]


@dataclass(frozen=True, slots=True)
class Distribution(Shown):
    """How a number is distributed over the examples.

    Attributes:
        total: The sum.
        least: The smallest.
        median: The one in the middle.
        p95: 95 of 100 are at most this.
        most: The largest.
        bins: The histogram: of each bin its upper border and how many fall into it.
    """

    total: int
    least: int
    median: float
    p95: float
    most: int
    bins: tuple[tuple[int, int], ...] = ()

    @property
    def mean(self) -> float:
        """The average."""
        return self.total / max(1, sum(count for _, count in self.bins))


def distribution(numbers: Sequence[int]) -> Distribution:
    """The distribution of some numbers; all zero where there are none."""
    if not numbers:
        return Distribution(0, 0, 0, 0, 0)
    cuts = quantiles(numbers, n=20, method="inclusive") if len(numbers) > 1 else [float(numbers[0])] * 19
    return Distribution(sum(numbers), min(numbers), cuts[9], cuts[18], max(numbers), _bins(numbers))


def _bins(numbers: Sequence[int]) -> tuple[tuple[int, int], ...]:
    low, high = min(numbers), max(numbers)
    width = max(1, -(-(high - low + 1) // BINS))
    counts = Counter((number - low) // width for number in numbers)
    return tuple((low + (place + 1) * width - 1, counts[place]) for place in range((high - low) // width + 1))


@dataclass(frozen=True, slots=True)
class Stats(Shown):
    """Tokens and turns of a data set; printing it draws the histogram.

    Attributes:
        examples: How many examples.
        tokens: Tokens of an example as it is trained on.
        trained: Tokens of an example that are learned: its assistant turns, without those of weight 0.
        messages: Messages of an example.
        by_role: Tokens of the texts of each role.
        by_category: Of each category its examples and tokens.
        encoding: What counted the tokens.
        exact: False where numbers are estimates; `estimate` says which.
        lacks: What the data lacks for its purpose, as `validate` notes it too (Q930 to Q933).
    """

    examples: int
    tokens: Distribution
    trained: Distribution
    messages: Distribution
    by_role: Mapping[str, int]
    by_category: Mapping[str, tuple[int, int]]
    encoding: str
    exact: bool
    lacks: tuple[Diagnostic, ...] = ()

    def __str__(self) -> str:
        return self.text()

    def text(self, *, lang: Language | None = None) -> str:
        """Tables and histogram for a terminal, in `en`, `zh-Hant` or `zh-Hans`; by default that of the locale."""
        said = words(chosen(lang))
        numbers, *others = (text_table(header, rows) for header, rows in _tables(self, said))
        histogram = "\n".join(_text_bars(self.tokens))
        lacks = "\n".join(f"{visible(lack.message)} ({lack.code})\n  {lack.hint}" for lack in self.lacks)
        return "\n\n".join(block for block in (_title(self, said), numbers, histogram, *others, lacks) if block)

    def _repr_html_(self) -> str:
        language = chosen(None)
        said = words(language)
        numbers, *others = (table(header, rows) for header, rows in _tables(self, said))
        bars = ([name, Markup(f"{_bar(filled)}{n:,}")] for name, n, filled in _bars(self.tokens))
        histogram = [table([said["tokens"], said["example_count"]], bars)] if self.examples else []
        title = tag("p", _title(self, said))
        lacks = [tag("p", f"{lack.message} ({lack.code})", tag("br"), lack.hint) for lack in self.lacks]
        return tag("div", style(), title, numbers, *histogram, *others, *lacks, class_="ftl", lang=language)


def stats(examples: Iterable[Example], *, model: str | None) -> Stats:
    """Count the tokens of all examples."""
    found = _Gathered(counter_for(model))
    for example in examples:
        found.add(example)
    return found.stats()


@dataclass
class _Gathered:
    """Counts of the examples so far."""

    counter: TokenCounter
    tokens: array[int] = field(default_factory=lambda: array("q"))
    trained: array[int] = field(default_factory=lambda: array("q"))
    messages: array[int] = field(default_factory=lambda: array("q"))
    roles: Counter[str] = field(default_factory=Counter[str])
    categories: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    growth: GrowthSurvey = field(default_factory=GrowthSurvey)
    source: str = ""
    doubts: Doubts = field(init=False)

    def __post_init__(self) -> None:
        """What is not sure is counted with the same counter."""
        self.doubts = Doubts(self.counter)

    def add(self, example: Example) -> None:
        """Count one example."""
        self.doubts.look(example)
        self.growth.look(Facts(example), len(self.tokens))
        self.source = self.source or example.origin.source
        counts = [(turn, self.counter.text(turn), learned) for turn, learned in turns_of(example)]
        for turn, count, _ in counts:
            self.roles[str(turn.get("role"))] += count
        self.tokens.append(tokens_of(example, self.counter))
        self.trained.append(sum(count for _, count, learned in counts if learned))
        self.messages.append(len(counts))
        if example.category:
            number, total = self.categories.get(example.category, (0, 0))
            self.categories[example.category] = (number + 1, total + self.tokens[-1])

    def stats(self) -> Stats:
        """What was counted."""
        return Stats(
            examples=len(self.tokens),
            tokens=distribution(self.tokens),
            trained=distribution(self.trained),
            messages=distribution(self.messages),
            by_role=dict(self.roles),
            by_category=self.categories,
            encoding=self.counter.encoding,
            exact=self.doubts.exact,
            lacks=tuple(self.growth.lacks(self.source)),
        )


def tokens_of(example: Example, counter: TokenCounter) -> int:
    """Tokens of an example; of a malformed one none are counted."""
    try:
        return limits.tokens(example, counter)
    except (KeyError, TypeError, AttributeError):
        return 0


def turns_of(example: Example) -> list[tuple[Mapping[str, Any], bool]]:
    """The messages of a row, as far as they are some, and whether they are learned; a malformed one has none."""
    try:
        return [(turn, learned) for turn, learned in trained(example.data) if is_object(turn)]
    except (KeyError, TypeError):
        return []


def _text_bars(found: Distribution) -> Iterator[str]:
    bars = list(_bars(found))
    wide = max((len(name) for name, _, _ in bars), default=0)
    yield from (f"{name:>{wide}} {'█' * filled or '▏' * bool(count)} {count:,}" for name, count, filled in bars)


def _bar(filled: int) -> Markup:
    return tag("span", tag("span", style=f"width:{filled / BAR:.1%}"), class_="bar")


def _title(stats: Stats, said: Words) -> str:
    how = stats.encoding if stats.exact else said["estimated"]
    return said["stats"].format(
        examples=stats.examples, tokens=stats.tokens.total, how=how, learned=stats.trained.total
    )


def _tables(stats: Stats, said: Words) -> Iterator[Table]:
    """Per example, then by role and by category where there are any."""
    header = [said[name] for name in ("per_example", "median", "mean", "p95", "largest", "total")]
    named = {"token_count": stats.tokens, "learned": stats.trained, "messages": stats.messages}
    yield header, [[said[name], *_numbers(found)] for name, found in named.items()]
    if stats.by_role:
        yield [said["role"], said["token_count"]], [[visible(name), f"{n:,}"] for name, n in stats.by_role.items()]
    if stats.by_category:
        rows = [[visible(name), f"{n:,}", f"{total:,}"] for name, (n, total) in sorted(stats.by_category.items())]
        yield [said["category_name"], said["example_count"], said["token_count"]], rows


def _numbers(found: Distribution) -> Iterator[str]:
    yield from (f"{number:,.0f}" for number in (found.median, found.mean, found.p95, found.most, found.total))


def _bars(found: Distribution) -> Iterator[tuple[str, int, int]]:
    """Of each bin its borders, its count, and how far its bar reaches."""
    highest = max((count for _, count in found.bins), default=0)
    low = found.least
    for border, count in found.bins:
        yield f"{low:,}–{border:,}" if border > low else f"{low:,}", count, round(BAR * count / highest)
        low = border + 1
