"""What training on a data set costs: exact where the tokenizer and the price are known, and saying so where not."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from finetune_lib import catalog
from finetune_lib.catalog import Price
from finetune_lib.data.checks.certainty import Doubts
from finetune_lib.data.measuring.stats import tokens_of, turns_of
from finetune_lib.records import Example
from finetune_lib.shown import Shown
from finetune_lib.tokens import Counter, counter_for

STALE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class CostEstimate(Shown):
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
        exact: False where tokens are estimated: of a model whose tokenizer is not known, of pictures whose size or
            detail is not told, of tools and calls, of a preference's rejected side. The notes say which.
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
    today: date | None,
) -> CostEstimate:
    """What training costs on a model of the catalogue, or at a price in US dollars per million tokens.

    Raises:
        ValueError: The epochs are no whole number from 1 on, or the price is negative.
    """
    if epochs != "auto" and (type(epochs) is not int or epochs < 1):
        raise ValueError(f'epochs is a whole number from 1 on, or "auto", not {epochs!r}')
    if price is not None and not 0 <= price < float("inf"):
        raise ValueError(f"price is in US dollars per million training tokens, from 0 on, not {price!r}")
    facts, counter = catalog.find(model), counter_for(model)
    limit = facts.training_limit if facts else None
    counts, answers = array("q"), array("q")
    doubts, day = Doubts(counter), today or catalog.today()
    for example in examples:
        doubts.look(example)
        counts.append(tokens_of(example, counter))
        answers.append(_answer_tokens(example, counter))
    known = facts.price if facts else None
    if price is not None:
        known = Price(training=price, input=0, output=0, source="given", checked=day)
    passes = default_epochs(len(counts)) if epochs == "auto" else epochs
    learned = sum(counts) if limit is None else sum(min(count, limit) for count in counts)
    stale = known is not None and day - known.checked > STALE
    cost = None if known is None or stale else learned * passes * known.training / 1e6
    cut = sum(count > limit for count in counts) if limit else 0
    answer = sum(answers) / max(1, len(answers))
    result = CostEstimate(model, len(counts), learned, cut, passes, cost, known, answer, doubts.exact)
    return replace(result, notes=(*_notes(result, stale=stale, limit=limit), *doubts.notes()))


def _notes(result: CostEstimate, *, stale: bool, limit: int | None) -> Iterable[str]:
    if result.cut and limit:
        yield f"{result.cut} examples are longer than {limit:,} tokens; what is beyond is neither learned nor billed"
    if stale and result.price:
        yield f"the price was read on {result.price.checked}, too long ago to be trusted: pass price="
    if result.price is None:
        yield "no price is known for this model: pass price= in US dollars per million training tokens"


def _answer_tokens(example: Example, counter: Counter) -> int:
    answers = [turn for turn, _ in turns_of(example) if turn.get("role") == "assistant"]
    return counter.text(answers[-1]) if answers else 0


def default_epochs(examples: int) -> int:
    """The epochs that `auto` stands for: three, more for few examples and fewer for many.

    Source: OpenAI's cookbook, data preparation for chat models; it gives the 10 epochs seen for 10 examples and
    the 3 for 100.
    """
    if examples * 3 < 100:
        return min(25, max(1, 100 // max(1, examples)))
    return max(1, 25_000 // examples) if examples * 3 > 25_000 else 3
