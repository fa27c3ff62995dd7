"""Evaluations that are killed, and platforms that fail: nothing is lost, nothing paid twice, the report the same."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.doubles import serving
from tests.evaluation.running.double import Double
from tests.files import ROOT


@pytest.fixture
def double():
    with serving(Double()) as double:
        yield double


class Process:
    """An evaluation in a process of its own."""

    def __init__(self, folder: Path, double: Double, **options: Any) -> None:
        self.out, self.calls = folder / "out.json", folder / "calls.txt"
        self.calls.touch()
        given = {"url": double.url, "store": str(folder / "answers.db"), "out": str(self.out), **options}
        environment = {**os.environ, "SCENARIO_CALLS": str(self.calls)}
        command = [sys.executable, "-m", "tests.evaluation.running.scenario", json.dumps(given)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE)

    def killed(self) -> bool:
        """Whether it was still running."""
        running = self.process.poll() is None
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()
        return running

    def done(self) -> dict[str, Any]:
        _, errors = self.process.communicate(timeout=120)
        assert self.process.returncode == 0, errors.decode()
        return json.loads(self.out.read_text())

    @property
    def called_twice(self) -> int:
        return sum(times - 1 for times in Counter(self.calls.read_text().splitlines()).values())


def work(double: Double, process: Process) -> int:
    """What was done until now: answers of models, and calls of functions."""
    return double.paid + len(process.calls.read_text().splitlines())


@pytest.fixture
def folder(tmp_path):
    def folder(name: str) -> Path:
        (tmp_path / name).mkdir()
        return tmp_path / name

    return folder


@pytest.mark.parametrize(("seed", "concurrency"), [(1, 8), (2, 24), (3, 64)])
def test_killed_at_any_point_pays_nothing_twice_and_says_the_same(double, folder, until, seed, concurrency):
    options = {"cases": 16, "concurrency": concurrency}
    whole = Process(folder("whole"), double, **options).done()
    double.answered.clear()
    chance, kills, place = random.Random(seed), 0, folder("killed")
    while True:
        process = Process(place, double, **options)
        enough = work(double, process) + chance.randint(20, 120)
        until(lambda p=process, e=enough: work(double, p) >= e or p.process.poll() is not None)
        if not process.killed():
            break
        kills += 1
    last = Process(place, double, **options).done()
    assert kills >= 2
    assert double.paid_twice + process.called_twice <= kills * concurrency
    assert last["told"] == whole["told"]
    assert last["paid"] == 0


def test_killed_repeats_say_the_same(double, folder, until):
    options = {"cases": 10, "epochs": 3, "judge": False, "rubric": False}
    whole = Process(folder("whole"), double, **options).done()
    double.answered.clear()
    place = folder("killed")
    process = Process(place, double, **options)
    until(lambda: work(double, process) >= 40)
    assert process.killed()
    again = Process(place, double, **options)
    assert again.done()["told"] == whole["told"]
    # Repeats ask the same question: what was answered once too often is counted over all of them.
    assert double.paid <= 10 * 2 * 3 + 16
    assert again.called_twice <= 2 * 10 * 3 + 16


def test_one_more_candidate_pays_only_for_itself(double, folder):
    place = folder("one")
    Process(place, double, judge=False, models=["base"]).done()
    calls = len(Process(place, double, judge=False, models=["base"]).calls.read_text().splitlines())
    paid = double.paid
    more = Process(place, double, judge=False, models=["base", "tuned"])
    assert more.done()["paid"] == double.paid - paid == 2 * 40  # its answers and their grades
    assert len(more.calls.read_text().splitlines()) == calls + 40  # its scores by the function
    assert double.paid_twice == 0


def test_two_processes_share_a_store(double, folder):
    place = folder("shared")
    both = [Process(place, double, models=[name]) for name in ("base", "tuned")]
    for process in both:
        process.done()
    before = double.paid
    Process(place, double, models=["base", "tuned"], judge=False).done()
    assert double.paid == before


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_keeps_what_was_paid(double, folder, until, signal_number):
    place, options = folder("stopped"), {"judge": False, "rubric": False}
    process = Process(place, double, **options)
    until(lambda: double.paid >= 30)
    process.process.send_signal(signal_number)
    _, errors = process.process.communicate(timeout=120)
    if signal_number == signal.SIGINT:
        assert b"KeyboardInterrupt" in errors
        assert b"never retrieved" not in errors
    Process(place, double, **options).done()
    assert double.paid_twice <= 16


FULL = """
import json, resource, sys
from tests.evaluation.running import scenario
import finetune_lib as ft
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
try:
    scenario.evaluate({**json.loads(sys.argv[1]), "judge": False, "rubric": False, "cases": 400, "concurrency": 8})
except ft.DataError as error:
    print(error)
"""


def test_a_full_disk_ends_the_run_before_more_is_paid(double, folder):
    given = json.dumps({"url": double.url, "store": str(folder("full") / "answers.db")})
    done = subprocess.run([sys.executable, "-c", FULL, given], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "could not be kept" in done.stdout or "cannot be written any more" in done.stdout  # whichever meets it first
    assert 8 < double.paid < 300
    assert len(double.asked) <= double.paid + 8
