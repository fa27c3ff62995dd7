"""Limits of a run."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.platforms.asking.spending import NotAskedError, Purse
from finetune_lib.records import Usage

PRICE = (1.0, 1.0)


@dataclass(frozen=True)
class Call:
    """A request that is expected to use so many tokens, and what it really uses."""

    guess: int
    used: int | None
    model: str = "m"

    def expected(self) -> Usage:
        return Usage(self.guess, 0)


async def spend(purse: Purse, calls: list[Call]) -> int:
    """Make all calls at once; how many were allowed."""

    async def one(call: Call) -> bool:
        try:
            ticket = await purse.reserve(call, PRICE)
        except NotAskedError:
            return False
        await asyncio.sleep(0)
        purse.settle(ticket, None if call.used is None else Usage(call.used, 0))
        return True

    return sum(await asyncio.gather(*map(one, calls)))


@given(st.lists(st.builds(Call, st.integers(1, 100), st.integers(1, 100), st.sampled_from("ab"))), st.integers(1, 2000))
def test_a_budget_holds_where_calls_use_no_more_than_expected(calls, tokens):
    sound = [Call(max(call.guess, call.used), call.used, call.model) for call in calls]
    purse = Purse(budget=tokens / 1e6, max_calls=None)
    allowed = asyncio.run(spend(purse, sound))
    assert purse.spent.usd <= tokens / 1e6 + 1e-12
    assert purse.spent.calls == allowed
    assert purse._reserved == pytest.approx(0)


@given(st.integers(1, 40), st.integers(1, 50), st.integers(10, 3000))
def test_a_budget_holds_for_a_model_that_always_writes_more_than_expected(times, number, tokens):
    """The first call alone may surprise."""
    purse = Purse(budget=tokens / 1e6, max_calls=None)
    asyncio.run(spend(purse, [Call(10, 10 * times)] * number))
    assert purse.spent.usd <= max(tokens, 10 * times) / 1e6 + 1e-12


async def test_the_first_call_of_a_model_goes_alone():
    purse = Purse(budget=1.0, max_calls=None)
    first = await purse.reserve(Call(10, 10), PRICE)
    second = asyncio.create_task(purse.reserve(Call(10, 10), PRICE))
    other = await purse.reserve(Call(10, 10, "other"), PRICE)
    await asyncio.sleep(0)
    assert not second.done()
    purse.settle(first, None)  # it failed: the next one goes alone, too
    ticket = await second
    purse.settle(ticket, Usage(40, 0))
    assert (await purse.reserve(Call(10, 10), PRICE)).amount == pytest.approx(40e-6)
    purse.settle(other, None)


async def test_without_a_budget_nothing_waits_and_no_token_is_counted():
    class Unread(Call):
        def expected(self):
            raise AssertionError("nobody needs to know")

    purse = Purse(budget=None, max_calls=None)
    tickets = [await purse.reserve(Unread(1, 1), None) for _ in range(100)]
    for ticket in tickets:
        purse.settle(ticket, Usage(1, 1))
    assert (purse.spent.calls, purse.spent.usd) == (100, None)


async def test_calls_are_limited():
    purse = Purse(budget=None, max_calls=3)
    assert await spend(purse, [Call(1, 1)] * 10) == 3
