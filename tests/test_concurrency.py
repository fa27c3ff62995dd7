"""Ctrl-C while a function of the user's hangs: the process ends at once, and what was kept is there."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import finetune_lib as ft

BEGIN = """
import asyncio, os, time
import finetune_lib as ft
from finetune_lib.evaluation.scorers.graders.multi import MultiGrader

def hang(*args, **options):
    os.write(1, b"hangs\\n")  # at once, also where two threads come here
    time.sleep(600)

class Hanging(list):
    def __iter__(self):
        hang()

data = ft.Dataset.from_rows([{"prompt": "a", "completion": "b"}])
evaluator = ft.Evaluator([ft.Contains()], store=":memory:")
cases = [ft.Case("1", (ft.Message(role="user", content="1"),), "1")]
asked = {"model": "m", "platform": ft.connect("http://127.0.0.1:9", api_key="k")}
def fine(case):
    return "1"
"""
HANGING = {
    "augmenter": "data.augment(hang)",
    "generator": """
        def rows(example):
            yield hang()
        data.augment(rows)
    """,
    "async augmenter with a thread of its own": """
        async def rows(example):
            await asyncio.to_thread(hang)
        data.augment(rows)
    """,
    "async augmenter that blocks the loop": """
        async def rows(example):
            hang()
        data.augment(rows)
    """,
    "augmenter in the user's own loop": "asyncio.run(data.augment_async(hang))",
    "progress": "data.augment(lambda example: [], on_progress=hang)",
    "candidate": "evaluator.run(cases, candidates=[hang])",
    "candidate in the user's own loop": "asyncio.run(evaluator.run_async(cases, candidates=[hang]))",
    "scorer": 'ft.Evaluator([hang], store=":memory:").run(cases, candidates=[fine])',
    "judge": """
        def other(case):
            return "2"
        ft.Evaluator(judge=hang, store=":memory:").run(cases, candidates=[fine, other])
    """,
    "grader": """
        grader = MultiGrader({"a": hang}, formula="a")
        ft.Evaluator([grader], store=":memory:").run(cases, candidates=[fine])
    """,
    "examples": "evaluator.run(cases, candidates=[ft.FewShot(examples=Hanging([1]), **asked)])",
    "selection": "evaluator.run(cases, candidates=[ft.FewShot(examples=data, selection=hang, **asked)])",
    "corpus": "evaluator.run(cases, candidates=[ft.Rag(corpus=Hanging([1]), **asked)])",
}


@contextmanager
def begun(code: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process in which something hangs now."""
    script = BEGIN + textwrap.dedent(code)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        try:
            assert process.stdout.readline() == b"hangs\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("code", HANGING.values(), ids=HANGING)
def test_ctrl_c_waits_for_nothing_that_hangs(code):
    with begun(code) as process:
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=15)
    assert errors.strip().endswith(b"KeyboardInterrupt")
    assert b"destroyed" not in errors


KEEPING = """
def answer(case):
    if case.id == "5" and os.environ.get("HANGS"):
        hang()
    print(case.id, flush=True)
    return "1"
many = [ft.Case(str(number), (ft.Message(role="user", content=f"{number}?"),), "1") for number in range(8)]
ft.Evaluator([ft.Contains()], store=os.environ["STORE"], concurrency=1).run(many, candidates=[answer])
"""


def test_what_was_kept_before_ctrl_c_is_asked_no_more(tmp_path):
    def run(**environment: str) -> subprocess.Popen[bytes]:
        settings = {**os.environ, "STORE": str(tmp_path / "answers.db"), **environment}
        return subprocess.Popen([sys.executable, "-c", BEGIN + KEEPING], stdout=subprocess.PIPE, env=settings)

    with run(HANGS="1") as stopped:
        assert stopped.stdout
        while stopped.stdout.readline() != b"hangs\n":
            pass
        stopped.send_signal(signal.SIGINT)
        stopped.wait(15)
    with run() as again:
        assert again.communicate(timeout=60)[0].split() == [b"5", b"6", b"7"]


def evaluate(candidate) -> None:
    ft.Evaluator([ft.Contains()], store=":memory:").run([ft.Case("1", (), "1")], candidates=[candidate])


def interrupt(*, after: float) -> None:
    threading.Timer(after, os.kill, [os.getpid(), signal.SIGINT]).start()


def test_what_is_interrupted_has_time_to_close_what_it_opened():
    closed = []

    async def careful(case):
        interrupt(after=0.1)
        try:
            await asyncio.sleep(600)
        finally:
            await asyncio.sleep(0.3)
            closed.append(case.id)

    with pytest.raises(KeyboardInterrupt):
        evaluate(careful)
    assert closed == ["1"]


def test_a_second_ctrl_c_does_not_wait_even_for_that():
    async def blocking(case):
        interrupt(after=0.1)
        interrupt(after=0.5)
        time.sleep(2)

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        evaluate(blocking)
    assert time.monotonic() - start < 1.5


def test_after_ctrl_c_the_same_process_goes_on():
    async def blocking(case):
        interrupt(after=0.1)
        time.sleep(5)

    with pytest.raises(KeyboardInterrupt):
        evaluate(blocking)
    evaluate(lambda case: "1")


def test_ctrl_c_ends_a_wait_where_another_library_catches_signals():
    """As polars does: its handler lets what was interrupted go on waiting."""
    code = """
        import signal
        signal.siginterrupt(signal.SIGINT, False)
        data.augment(hang)
    """
    with begun(code) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) != 0
