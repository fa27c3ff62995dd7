"""Functions of the user's: what they gave is kept, whatever they do harms nobody else."""

from __future__ import annotations

import asyncio
import functools
import itertools
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import CancelledError

import pytest
from tests.evaluation.running.scenario import cases

import finetune_lib as ft

ASKED: Counter[str] = Counter()
LOCK = threading.Lock()
NUMBERS = re.compile(r"\d+")
TICKS = itertools.count()


def noted(case: ft.Case) -> str:
    """A global counter, a lock, a pattern: what functions of users look like."""
    with LOCK:
        ASKED[case.id] += 1
    next(TICKS)
    return " ".join(NUMBERS.findall(case.prompt))


@pytest.fixture(autouse=True)
def fresh():
    ASKED.clear()


def digits(answer, case):
    return len(answer) / 10


def test_one_more_scorer_asks_no_function_again(run):
    run(10, candidates=[noted])
    report = run(10, candidates=[noted], scorers=[ft.Contains(), digits])
    assert Counter({str(n): 1 for n in range(10)}) == ASKED
    assert report.mean("noted", scorer="digits") == pytest.approx(0.1)
    assert report.run.reused == 10


def test_repeats_are_kept_apart(run):
    run(5, candidates=[noted], epochs=2)
    run(5, candidates=[noted], epochs=3)
    assert set(ASKED.values()) == {3}


def test_a_changed_case_is_asked_anew(run, tmp_path):
    def ask(expected):
        case = ft.Case("1", (ft.Message(role="user", content="a 1"),), expected)
        ft.Evaluator([ft.Contains()], store=tmp_path / "a.db").run([case], candidates=[noted])

    ask("1")
    ask("2")
    ask("1")
    assert ASKED["1"] == 2


def test_the_time_of_a_kept_answer_is_that_of_its_call(run):
    def slow(case):
        time.sleep(0.02)
        return "42"

    seconds = [[r.answer.seconds for r in run(3, candidates=[slow]).results["slow"]] for _ in range(2)]
    assert seconds[0] == seconds[1]
    assert min(seconds[0]) >= 0.02


def test_two_of_one_class_are_two(run):
    class Robot:
        def __init__(self, name, client):
            self.name, self.client = name, client

        def __call__(self, case):
            return f"I am {self.name}, {case.id}"

    with open("/dev/null") as one:  # noqa: PTH123 - something whose content nobody can tell
        report = run(3, candidates=[Robot("a", one), Robot("b", one)])
    assert [r.answer.text for r in report.results["b"]] == ["I am b, 0", "I am b, 1", "I am b, 2"]


def test_what_touches_something_unknown_is_asked_again_once_a_run_is_finished(run):
    asked = []
    with open("/dev/null") as unknown:  # noqa: PTH123

        def robot(case):
            asked.append(unknown.fileno() and case.id)
            return "42"

        run(3, candidates=[robot])
        run(3, candidates=[robot])
    assert len(asked) == 6


def test_an_interrupted_run_of_it_goes_on(run):
    asked = []
    with open("/dev/null") as unknown:  # noqa: PTH123

        def robot(case):
            asked.append(unknown.fileno() and case.id)
            return "42"

        def stop(progress):
            if progress.done == 5:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(10, candidates=[robot], concurrency=1, progress=stop)
        run(10, candidates=[robot], concurrency=1)
    assert len(asked) <= 11


def test_no_more_plain_functions_at_once_than_asked_for(run):
    lock, running, most = threading.Lock(), 0, 0

    def slow(case):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1
        return "42"

    run(20, candidates=[slow], concurrency=4)
    assert most == 4


class Stopped(BaseException):
    """Neither an Exception nor known to anybody."""


@pytest.mark.parametrize(
    "error", [StopIteration, SystemExit, KeyboardInterrupt, GeneratorExit, CancelledError, Stopped, ValueError]
)
@pytest.mark.parametrize("where", ["candidate", "scorer", "judge"])
def test_whatever_a_plain_function_raises_is_the_reason_of_one_failure(run, error, where):
    def shaky(*args):
        if any("Question 3" in str(getattr(arg, "prompt", "")) for arg in args):
            raise error("done")
        return 0.5 if where != "candidate" else "42"

    def other(case):
        return "42 too"

    given = {"candidates": [shaky]} if where == "candidate" else {"candidates": [other, lambda case: f"42 {case.id}"]}
    given |= {"scorers": [shaky]} if where == "scorer" else {"judge": shaky} if where == "judge" else {}
    report = run(5, **given)
    missing = (
        [j.error for j in report.judgments if j.error] if where == "judge" else [f.reason for f in report.failures]
    )
    assert missing
    assert all(f"{error.__name__}: done" in reason for reason in missing)
    assert len(missing) <= 2


@pytest.mark.parametrize("error", [SystemExit, asyncio.CancelledError, asyncio.TimeoutError])
def test_whatever_an_async_function_raises_is_the_reason_of_one_failure(run, error):
    async def shaky(case):
        await asyncio.sleep(0)
        if case.id == "3":
            raise error("done")
        return "42"

    report = run(5, candidates=[shaky])
    assert [failure.case for failure in report.failures] == ["3"]
    assert error.__name__ in report.failures[0].reason


def test_other_forms_of_functions(run):
    async def late(word, case):
        await asyncio.sleep(0)
        return word

    class Robot:
        name = "robot"

        def answer(self, case):
            return "42"

    part = functools.partial(late, "42")
    part.name = "part"
    indirect = lambda case: late("42", case)  # noqa: E731 - gives something to await
    report = run(3, candidates=[part, Robot().answer, indirect])
    assert [report.mean(name) for name in ("part", "answer", "<lambda>")] == [1, 1, 1]


@pytest.mark.parametrize(
    ("candidate", "message"),
    [
        ("gpt-4.1-mini", r'ft\.ChatModel\("gpt-4\.1-mini"\)'),
        (3, "is .int., which nobody can call"),
        (lambda _: (yield "42"), "gives its answer in pieces"),
    ],
)
def test_what_cannot_answer_is_refused_before_anything_is_asked(run, double, candidate, message):
    with pytest.raises(TypeError, match=message):
        run(3, candidates=[ft.ChatModel("base"), candidate])
    assert double.asked == []


HANGING = """
import time, finetune_lib as ft
def slow(case):
    print("asked", flush=True)
    time.sleep(600)
ft.Evaluator([ft.Contains()], store=":memory:").run([ft.Case("1", (), "1")], candidates=[slow])
"""


def test_ctrl_c_does_not_wait_for_a_function_that_hangs():
    process = subprocess.Popen([sys.executable, "-c", HANGING], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == b"asked\n"
    time.sleep(0.2)
    process.send_signal(2)
    _, errors = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in errors


def test_ctrl_c_ends_a_run_that_never_waits(run):
    """Instant scorers and kept answers give no other task a turn by themselves."""

    class Slow(ft.Contains):
        def __call__(self, answer, case):
            time.sleep(0.05)
            return 1.0

    async def interrupted():
        evaluator = ft.Evaluator([Slow()], store=":memory:")
        task = asyncio.create_task(evaluator.run_async(cases(500), candidates=[lambda _: "42"]))
        await asyncio.sleep(0.5)
        task.cancel()
        start = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - start < 10  # of 25 seconds

    asyncio.run(interrupted())
