"""What a run has spent, and what it may spend: reserved before a call, settled by its answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import cache
from typing import Protocol

from finetune_lib import catalog
from finetune_lib.platforms import Platform
from finetune_lib.records import Usage
from finetune_lib.shown import Shown

Price = tuple[float, float]
MILLION = 1_000_000


class Asked(Protocol):
    """A request, as far as its price goes."""

    @property
    def model(self) -> str: ...
    def expected(self) -> Usage: ...


class NotAskedError(Exception):
    """A limit of the run forbids the call; it is the reason why children are missing, not the end of the run."""


@dataclass(frozen=True, slots=True)
class Spent(Shown):
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


@dataclass(frozen=True, slots=True)
class Share:
    """What one of those that ask got: its answers, whether paid in this run or earlier.

    Attributes:
        calls: Answers.
        usd: Their price; None where it is not known.
        models: The models that the platform says have answered.
    """

    calls: int = 0
    usd: float | None = 0.0
    models: tuple[str, ...] = ()

    def plus(self, usd: float | None, model: str | None) -> Share:
        """With one answer more."""
        total = None if usd is None or self.usd is None else self.usd + usd
        new = () if model is None or model in self.models else (model,)
        return Share(self.calls + 1, total, self.models + new)


def price_of(model: str, given: Price | None, platform: Platform) -> Price | None:
    """What a model costs: as the caller says, nothing on one's own machine, OpenAI's by the catalogue; else unknown."""
    if given is not None or platform.kind.free:
        return given or (0.0, 0.0)
    return _listed(model) if platform.kind.listed_prices else None


def require_limits(*, concurrency: int, budget: float | None, max_calls: int | None) -> None:
    """Refuse limits that are none.

    Raises:
        ValueError: A number is out of range.
    """
    if concurrency < 1:
        raise ValueError(f"concurrency is at least 1, not {concurrency}")
    for name, limit in {"budget": budget, "max_calls": max_calls}.items():
        if limit is not None and not limit >= 0:
            raise ValueError(f"{name} is a number from 0, not {limit}")


@cache
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


@dataclass(frozen=True, slots=True)
class Ticket:
    """What is set aside for one call.

    Attributes:
        model: The model that is asked.
        price: What it costs, where that is known.
        guess: US dollars by the request alone.
        amount: US dollars that are set aside.
    """

    model: str
    price: Price | None
    guess: float = 0.0
    amount: float = 0.0


class Purse:
    """The limits of one run; it lives in one event loop, so no lock is needed.

    How much a model writes shows only in its answers. So under a budget its first call goes alone, and what is set
    aside for each further one is as much above the guess as any answer has been.
    """

    def __init__(self, *, budget: float | None, max_calls: int | None) -> None:
        self.budget, self.max_calls = budget, max_calls
        self.spent = Spent()
        self._reserved, self._begun = 0.0, 0
        self._above: dict[str, float] = {}
        self._first: set[str] = set()
        self._settled = asyncio.Event()

    def allow(self, usd: float) -> None:
        """No more than this, beside what the run itself allows."""
        self.budget = usd if self.budget is None else min(self.budget, usd)

    async def reserve(self, request: Asked, price: Price | None) -> Ticket:
        """Set aside what a call will cost; where it does not fit now, wait for what the others really cost.

        Raises:
            NotAskedError: The limits do not allow it.
        """
        guess = cost(request.expected(), price) if price and self.budget is not None else 0.0
        while self._must_wait(ticket := self._ticket(request.model, price, guess)):
            await self._settled.wait()
        return self._begin(ticket)

    def reserve_now(self, request: Asked, price: Price | None) -> Ticket:
        """As `reserve`, for calls that are sent together: it waits for none of them.

        Raises:
            NotAskedError: The limits do not allow it beside what is set aside already.
        """
        guess = cost(request.expected(), price) if price and self.budget is not None else 0.0
        ticket = self._ticket(request.model, price, guess)
        self._require(ticket, self._reserved)
        return self._begin(ticket)

    def _ticket(self, model: str, price: Price | None, guess: float) -> Ticket:
        return Ticket(model, price, guess, guess * self._above.get(model, 1.0))

    def _begin(self, ticket: Ticket) -> Ticket:
        self._begun += 1
        self._reserved += ticket.amount
        if ticket.model not in self._above:
            self._first.add(ticket.model)
        return ticket

    def _must_wait(self, ticket: Ticket) -> bool:
        self._require(ticket, 0.0)
        if self.budget is None:
            return False
        full = (self.spent.usd or 0.0) + self._reserved + ticket.amount > self.budget
        return full or ticket.model in self._first

    def _require(self, ticket: Ticket, reserved: float) -> None:
        """That the limits allow a call beside what is set aside."""
        if self.max_calls is not None and self._begun >= self.max_calls:
            raise NotAskedError(f"the limit of {self.max_calls} calls is reached")
        if self.budget is None:
            return
        if ticket.price is None:
            raise NotAskedError("a budget needs the price of the model")
        if (self.spent.usd or 0.0) + reserved + ticket.amount > self.budget:
            raise NotAskedError(f"the budget of ${self.budget:g} is reached")

    def settle(self, ticket: Ticket, usage: Usage | None) -> None:
        """The call is over: count what it used, None for a call that gave no answer."""
        self._reserved -= ticket.amount
        self._first.discard(ticket.model)
        if usage:
            self.spent = self._with(usage, ticket.price)
            above = cost(usage, ticket.price) / ticket.guess if ticket.price and ticket.guess else 1.0
            self._above[ticket.model] = max(above, self._above.get(ticket.model, 1.0))
        if self.budget is not None:
            self._settled.set()
            self._settled = asyncio.Event()

    def _with(self, usage: Usage, price: Price | None) -> Spent:
        before = self.spent
        known = before.usd is not None and price is not None
        return Spent(
            before.calls + 1,
            before.reused,
            before.prompt_tokens + usage.prompt_tokens,
            before.completion_tokens + usage.completion_tokens,
            (before.usd or 0.0) + cost(usage, price) if known and price else None,
        )

    def reuse(self) -> None:
        """Count an answer that costs nothing."""
        self.spent = replace(self.spent, reused=self.spent.reused + 1)
