"""When calls begin, and how often a failed one is made again."""

from __future__ import annotations

import asyncio
import time

import pytest

from finetune_lib.errors import PlatformError
from finetune_lib.platforms.asking import pacing
from finetune_lib.platforms.asking.pacing import NO_ANSWER_IN_TIME, UNREADABLE, Pace


def error(status=None, *, code=None, retryable=True, after=None, told="no") -> PlatformError:
    return PlatformError(told, status_code=status, code=code, retryable=retryable, retry_after=after)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """A clock that sleeping moves, and nothing else."""
    clock, turn = Clock(), asyncio.sleep

    async def sleep(seconds):
        clock.now += seconds
        await turn(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return clock


async def attempts(pace: Pace, failure: PlatformError, clock: Clock) -> int:
    """How often a call that always fails is made."""
    for attempt in range(1, 100):
        begun = clock.now
        wait = pace.failed(failure, attempt, begun=begun)
        if wait is None:
            return attempt
        clock.now += wait
    raise AssertionError("it never ends")


@pytest.mark.parametrize(
    ("failure", "times"),
    [
        (error(429), 16),
        (error(503), 8),
        (error(500), 8),
        (error(408), 8),
        (error(), 8),
        (error(code=NO_ANSWER_IN_TIME), 3),
        (error(code=UNREADABLE), 3),
        (error(400, retryable=False), 1),
        (error(401, retryable=False), 1),
        (error(429, code="insufficient_quota"), 1),
        (error(429, told="Request too large for gpt"), 1),
        (error(429, after=3600), 1),
        (error(503, after=3600), 1),
        (error(429, after=1), 16),
    ],
)
async def test_how_often_a_call_is_made(failure, times):
    clock = Clock()
    pace = Pace(clock=clock)
    pace.went_well()
    assert await attempts(pace, failure, clock) == times


async def test_a_platform_that_was_never_reached_is_tried_less_often():
    clock = Clock()
    assert await attempts(Pace(clock=clock), error(), clock) == 3
    assert await attempts(Pace(clock=clock), error(503), clock) == 8


@pytest.mark.parametrize(("failure", "longest"), [(error(503), 60), (error(429), 130), (error(503, after=7), 80)])
async def test_how_long_all_attempts_take(failure, longest):
    clock = Clock()
    pace = Pace(clock=clock)
    pace.went_well()
    await attempts(pace, failure, clock)
    assert clock.now - 1000 < longest


async def test_a_platform_that_only_refuses_is_not_waited_for_for_ever():
    clock = Clock()
    pace = Pace(clock=clock)
    while not pace.closed:
        await attempts(pace, error(429), clock)
    assert clock.now - 1000 < 400
    with pytest.raises(PlatformError):
        await pace.begin()


@pytest.mark.parametrize(("well", "most"), [(0, 5), (1, 50)])
async def test_many_lost_calls_in_a_row_close_it(well, most):
    clock = Clock()
    pace = Pace(clock=clock)
    for _ in range(well):
        pace.went_well()
    lost = 0
    while not pace.closed:
        await attempts(pace, error(code=UNREADABLE), clock)
        lost += 1
    assert lost == most


async def test_an_answer_between_them_keeps_it_open():
    clock = Clock()
    pace = Pace(clock=clock)
    for _ in range(100):
        await attempts(pace, error(500), clock)
        pace.went_well()
    assert not pace.closed


async def test_nothing_waits_where_nothing_is_refused(clock):
    pace, start = Pace(clock=clock), clock.now
    for _ in range(2000):
        await pace.begin()
        pace.ended()
        pace.went_well()
    assert clock.now == start


async def test_all_wait_as_long_as_the_platform_asks_for(clock):
    pace = Pace(clock=clock)
    begun = await pace.begin()
    assert pace.failed(error(429, after=0.2), 1, begun=begun) == 0.2
    pace.ended()
    start = clock.now
    await asyncio.gather(*(pace.begin() for _ in range(3)))
    assert 0.2 <= clock.now - start < 0.2 + 3 / 5


async def test_calls_under_way_at_a_cut_are_no_reason_for_another():
    clock = Clock()
    pace = Pace(clock=clock)
    begun = [await pace.begin() for _ in range(50)]
    for start in begun:
        pace.failed(error(429), 1, begun=start)
    slow = pace._interval
    assert 1 / slow == pytest.approx(pacing.SLOWER * (pacing.TAKEN_FOR_GRANTED + 50))


async def test_a_cut_rate_grows_again():
    clock = Clock()
    pace = Pace(clock=clock)
    begun = await pace.begin()
    pace.failed(error(429), 1, begun=begun)
    gaps = []
    for _ in range(6):
        gaps.append(pace._gap(clock.now))
        clock.now += 10
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < gaps[0] / 1000


async def test_a_cancelled_turn_goes_to_the_next():
    pace = Pace()
    pace._next = time.monotonic() + 0.2
    first, second = asyncio.create_task(pace.begin()), asyncio.create_task(pace.begin())
    await asyncio.sleep(0.01)
    first.cancel()
    assert await asyncio.wait_for(second, 60)
