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

from tests.evaluating.double import Double, serving

ROOT = Path(__file__).parents[2]


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
        command = [sys.executable, "-m", "tests.evaluating.scenario", json.dumps(given)]
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


@pytest.mark.parametrize(("seed", "concurrency"), [(1, 8), (2, 16), (3, 32), (4, 64)])
def test_killed_at_any_point_pays_nothing_twice_and_says_the_same(double, folder, until, seed, concurrency):
    whole = Process(folder("whole"), double, concurrency=concurrency).done()
    double.answered.clear()
    chance, kills, place = random.Random(seed), 0, folder("killed")
    while True:
        process = Process(place, double, concurrency=concurrency)
        enough = work(double, process) + chance.randint(20, 250)
        until(lambda p=process, e=enough: work(double, p) >= e or p.process.poll() is not None)
        if not process.killed():
            break
        kills += 1
    last = Process(place, double, concurrency=concurrency).done()
    assert kills >= 2
    assert double.paid_twice + process.called_twice <= kills * concurrency
    assert last["told"] == whole["told"]
    assert last["paid"] == 0
