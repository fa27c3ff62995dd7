"""When a job is asked about again."""

from __future__ import annotations

import math

from finetune_lib.jobs.following import LEAST_DELAY, LONGEST_DELAY, SHARE, SHORT_DELAY, Pace
from finetune_lib.records import JobEvent


def step(number: int, total: int, *, at: float) -> JobEvent:
    return JobEvent(created_at=at, type="metrics", data={"step": number, "total_steps": total, "train_loss": 1.0})


def test_a_pause_grows_to_a_share_of_the_time_and_no_further():
    pace = Pace()
    early = [pace.next_delay(0) for _ in range(10)]
    assert early[0] < early[1] < early[2]
    assert max(early) <= SHORT_DELAY
    assert 0.9 * SHARE * 500 <= [pace.next_delay(500) for _ in range(10)][-1] <= SHARE * 500
    assert 0.9 * LONGEST_DELAY <= [pace.next_delay(math.inf) for _ in range(10)][-1] <= LONGEST_DELAY


def test_the_last_step_is_not_slept_over():
    pace = Pace(delay=100)
    pace.see(step(1, 10, at=1000), 1000)
    pace.see(step(9, 10, at=1080), 1080)  # ten seconds a step: the last one is due at 1090
    assert pace.next_delay(1083) == 7
    assert pace.next_delay(1089.9) == LEAST_DELAY
    assert pace.next_delay(1091) > 10  # it is late; nobody knows how much


def test_after_the_last_step_one_looks_often_and_then_less_so():
    pace = Pace(delay=100)
    pace.see(step(10, 10, at=1090), 1090)
    delays = [pace.next_delay(1091) for _ in range(10)]
    assert delays[0] <= LEAST_DELAY
    assert delays[0] < delays[1] < delays[2]
    assert delays[-1] > 10


def test_steps_that_all_come_at_once_tell_no_rhythm():
    pace = Pace(delay=100)
    for number in range(1, 10):
        pace.see(step(number, 10, at=1000), 1500)
    assert pace.next_delay(1500) > 10
