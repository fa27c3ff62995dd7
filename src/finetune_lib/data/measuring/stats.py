"""Tokens of a data set, and what training on it costs: exact where the tokenizer is known, and saying so where not."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from statistics import quantiles
from typing import Any, Literal

from finetune_lib import catalog
from finetune_lib.catalog import Price
from finetune_lib.data.checks import limits
from finetune_lib.data.checks.rules import Rules
from finetune_lib.records import Example, conversation
from finetune_lib.tokens import Counter as TokenCounter
from finetune_lib.tokens import counter_for

STALE = timedelta(days=365)
BINS = 12


@dataclass(frozen=True, slots=True)
class Distribution:
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
class Stats:
    """Tokens and turns of a data set; printing it draws the histogram.

    Attributes:
        examples: How many examples.
        tokens: Tokens of an example as it is trained on.
        trained: Tokens of an example that are learned: its assistant turns, without those of weight 0.
        messages: Messages of an example.
        by_role: Tokens of the texts of each role.
        by_category: Of each category its examples and tokens.
        encoding: What counted the tokens.
        exact: False where the numbers are estimates.
    """

    examples: int
    tokens: Distribution
    trained: Distribution
    messages: Distribution
    by_role: Mapping[str, int]
    by_category: Mapping[str, tuple[int, int]]
    encoding: str
    exact: bool

    def __str__(self) -> str:
        from finetune_lib.data.measuring.stats_more import stats_text

        return stats_text(self)

    def _repr_html_(self) -> str:
        from finetune_lib.data.measuring.stats_more import stats_html

        return stats_html(self)


def stats(examples: Iterable[Example], *, model: str | None) -> Stats:
    """Count the tokens of all examples."""
    found = _Gathered(counter_for(model), Rules(model=model))
    for example in examples:
        found.add(example)
    return found.stats()


@dataclass
class _Gathered:
    """Counts of the examples so far."""

    counter: TokenCounter
    rules: Rules
    tokens: array[int] = field(default_factory=lambda: array("q"))
    trained: array[int] = field(default_factory=lambda: array("q"))
    messages: array[int] = field(default_factory=lambda: array("q"))
    roles: Counter[str] = field(default_factory=Counter[str])
    categories: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    def add(self, example: Example) -> None:
        """Count one example."""
        counts = [(turn, self.counter.text(turn)) for turn in _turns(example)]
        for turn, count in counts:
            self.roles[str(turn.get("role"))] += count
        self.tokens.append(_tokens(example, self.rules))
        self.trained.append(sum(count for turn, count in counts if _learned(turn)))
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
            exact=self.counter.exact,
        )


def _tokens(example: Example, rules: Rules) -> int:
    """Tokens of an example; of a malformed one none are counted."""
    try:
        return limits.tokens(example, rules)
    except (KeyError, TypeError, AttributeError):
        return 0


def _turns(example: Example) -> list[Mapping[str, Any]]:
    """The messages of a row, as far as they are some; a malformed one has none."""
    try:
        return [turn for turn in conversation(example.data) if _is_turn(turn)]
    except (KeyError, TypeError):
        return []


def _is_turn(turn: object) -> bool:
    return isinstance(turn, Mapping)


def _learned(turn: Mapping[str, Any]) -> bool:
    return turn.get("role") == "assistant" and turn.get("weight") != 0


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What a training run costs, before anything is uploaded; printing it shows the sum.

    Source of the rule: OpenAI's guide and cookbook: tokens of the file, each example up to the limit of the
    model, times epochs. Validation examples are not billed there.

    Attributes:
        model: The base model.
        examples: How many examples.
        tokens: Tokens of one epoch, each example cut at the model's limit.
        cut: Examples that are longer than the limit.
        epochs: How often the data is gone through.
        cost: US dollars; None where no price is known or it is too old to be trusted.
        price: The price behind it; None where none is known.
        answer_tokens: The mean length of an answer in the data.
        exact: False where the tokens are estimated.
        notes: What to know about the number.
    """

    model: str
    examples: int
    tokens: int
    cut: int
    epochs: int
    cost: float | None
    price: Price | None
    answer_tokens: float
    exact: bool
    notes: tuple[str, ...] = ()

    @property
    def billed_tokens(self) -> int:
        """Tokens of all epochs."""
        return self.tokens * self.epochs

    def break_even(self, *, prompt: int | str, tuned_prompt: int | str = 0, answer: float | None = None) -> int | None:
        """How many calls it takes until the shorter prompt of the tuned model has paid for its training.

        Args:
            prompt: The instructions that the base model needs today on each call: their tokens, or the text.
            tuned_prompt: The instructions that the tuned model still needs.
            answer: Tokens of an answer; by default the mean of the data.

        Returns:
            The number of calls; None where a call of the tuned model is not cheaper, or a price is not known.
        """
        if self.cost is None or self.price is None or self.price.base_input is None:
            return None
        count = counter_for(self.model).count
        before, after = (count(text) if isinstance(text, str) else text for text in (prompt, tuned_prompt))
        spoken = self.answer_tokens if answer is None else answer
        base = before * self.price.base_input + spoken * (self.price.base_output or 0)
        tuned = after * self.price.input + spoken * self.price.output
        return None if tuned >= base else -int(-self.cost * 1e6 // (base - tuned))

    def __str__(self) -> str:
        about = "" if self.exact else "about "
        cost = _dollars(self.cost, about)
        lines = [
            f"{self.model}: {cost}",
            f"  {about}{self.tokens:,} tokens × {self.epochs} epochs = {self.billed_tokens:,} billed tokens",
        ]
        if self.price:
            lines.append(
                f"  ${self.price.training:,.2f} per million tokens ({self.price.source}, {self.price.checked})"
            )
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])


def _dollars(cost: float | None, about: str) -> str:
    if cost is None:
        return "price not known"
    return "less than $0.01" if 0 < cost < 0.01 else f"{about}${cost:,.2f}"


def estimate(
    examples: Iterable[Example],
    *,
    model: str,
    epochs: int | Literal["auto"],
    price: float | None,
    today: date,
) -> CostEstimate:
    """What training costs on a model of the catalogue, or at a price in US dollars per million tokens."""
    facts, counter, rules = catalog.find(model), counter_for(model), Rules(model=model)
    limit = facts.training_limit if facts else None
    counts, answers = array("q"), array("q")
    for example in examples:
        counts.append(_tokens(example, rules))
        answers.append(_answer_tokens(example, counter))
    known = facts.price if facts else None
    if price is not None:
        known = Price(training=price, input=0, output=0, source="given", checked=today)
    passes = default_epochs(len(counts)) if epochs == "auto" else epochs
    learned = sum(counts) if limit is None else sum(min(count, limit) for count in counts)
    stale = known is not None and today - known.checked > STALE
    cost = None if known is None or stale else learned * passes * known.training / 1e6
    cut = sum(count > limit for count in counts) if limit else 0
    result = CostEstimate(model, len(counts), learned, cut, passes, cost, known, _mean(answers), counter.exact)
    return replace(result, notes=tuple(_notes(result, stale=stale, limit=limit)))


def _notes(result: CostEstimate, *, stale: bool, limit: int | None) -> Iterable[str]:
    if result.cut and limit:
        yield f"{result.cut} examples are longer than {limit:,} tokens; what is beyond is neither learned nor billed"
    if stale and result.price:
        yield f"the price was read on {result.price.checked}, too long ago to be trusted: pass price="
    if result.price is None:
        yield "no price is known for this model: pass price= in US dollars per million training tokens"


def _answer_tokens(example: Example, counter: TokenCounter) -> int:
    answers = [turn for turn in _turns(example) if turn.get("role") == "assistant"]
    return counter.text(answers[-1]) if answers else 0


def _mean(numbers: Sequence[int]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0


def default_epochs(examples: int) -> int:
    """The epochs that `auto` stands for: three, more for few examples and fewer for many.

    Source: OpenAI's cookbook, data preparation for chat models; it gives the 10 epochs seen for 10 examples and
    the 3 for 100.
    """
    if examples * 3 < 100:
        return min(25, max(1, 100 // max(1, examples)))
    return max(1, 25_000 // examples) if examples * 3 > 25_000 else 3
