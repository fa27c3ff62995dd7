"""What a run has spent, and what it may spend: reserved before a call, settled by its answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from finetune_lib import catalog
from finetune_lib.platforms import Platform
from finetune_lib.platforms.platform import LOCAL, OPENAI
from finetune_lib.records import Usage
from finetune_lib.tokens import counter_for

Price = tuple[float, float]
MILLION = 1_000_000


class NotAskedError(Exception):
    """A limit of the run forbids the call; it is the reason why children are missing, not the end of the run."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run paid for.

    Attributes:
        calls: Answers that were paid in this run.
        reused: Answers that an earlier run had paid.
        prompt_tokens: Tokens that the paid calls read.
        completion_tokens: Tokens that they wrote.
        usd: Their price; None where the price of a model is unknown.
    """

    calls: int = 0
    reused: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = 0.0

    def __str__(self) -> str:
        cost = "unknown" if self.usd is None else f"${self.usd:.4f}"
        tokens = self.prompt_tokens + self.completion_tokens
        return f"{self.calls} paid calls, {self.reused} answers reused, {tokens} tokens, cost {cost}"


def price_of(model: str, given: Price | None, platform: Platform) -> Price | None:
    """What a model costs: as the caller says, nothing on one's own machine, OpenAI's by the catalogue; else unknown."""
    if given is not None or platform.name == LOCAL:
        return given or (0.0, 0.0)
    return _listed(model) if platform.name == OPENAI else None


def _listed(model: str) -> Price | None:
    facts = catalog.find(model)
    if facts is None or facts.price is None:
        return None
    if model.startswith("ft:"):
        return facts.price.input, facts.price.output
    read, written = facts.price.base_input, facts.price.base_output
    return None if read is None or written is None else (read, written)


def cost(usage: Usage, price: Price) -> float:
    """US dollars, with `price` for a million tokens read and a million written."""
    return (usage.prompt_tokens * price[0] + usage.completion_tokens * price[1]) / MILLION


def expected_usage(model: str, *, system: str, user: str, answers: int) -> Usage:
    """What a call will use, rather too much than too little: each version may be twice as long as what is rewritten."""
    count = counter_for(model).count
    said = count(user)
    return Usage(count(system) + said + 16, answers * (2 * said + 32))


class Purse:
    """The limits of one run; it lives in one event loop, so no lock is needed."""

    def __init__(self, *, budget: float | None, max_calls: int | None) -> None:
        self.budget, self.max_calls = budget, max_calls
        self.spent = Spent()
        self._reserved = 0.0
        self._begun = 0
        self._settled = asyncio.Event()

    async def reserve(self, usage: Usage, price: Price | None) -> float:
        """Set aside what a call will cost; where it does not fit now, wait for what the others really cost.

        Raises:
            NotAskedError: The limits do not allow it.
        """
        amount = cost(usage, price) if price else 0.0
        while self._must_wait(amount, price):
            await self._settled.wait()
        self._begun += 1
        self._reserved += amount
        return amount

    def _must_wait(self, amount: float, price: Price | None) -> bool:
        if self.max_calls is not None and self._begun >= self.max_calls:
            raise NotAskedError(f"the limit of {self.max_calls} calls is reached")
        if self.budget is None:
            return False
        if price is None:
            raise NotAskedError("a budget needs the price of the model")
        spent = self.spent.usd or 0.0
        if spent + amount > self.budget:
            raise NotAskedError(f"the budget of ${self.budget:g} is reached")
        return spent + self._reserved + amount > self.budget

    def settle(self, amount: float, usage: Usage | None, price: Price | None) -> None:
        """The call is over: count what it used, None for a call that gave no answer."""
        self._reserved -= amount
        if usage:
            self.spent = self._with(usage, price)
        self._settled.set()
        self._settled = asyncio.Event()

    def _with(self, usage: Usage, price: Price | None) -> Spent:
        before = self.spent
        known = before.usd is not None and price is not None
        return replace(
            before,
            calls=before.calls + 1,
            prompt_tokens=before.prompt_tokens + usage.prompt_tokens,
            completion_tokens=before.completion_tokens + usage.completion_tokens,
            usd=(before.usd or 0.0) + cost(usage, price) if known and price else None,
        )

    def reuse(self) -> None:
        """Count an answer that costs nothing."""
        self.spent = replace(self.spent, reused=self.spent.reused + 1)
