"""Every benchmark runs at its smallest size and prints what it measures; peers that are not installed are left out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.files import ROOT

BENCHMARKS = ROOT / "benchmarks"
MAKERS = {"corpus.py", "mock_chat.py"}  # the rows and the server of the others
SMALLEST = {
    "coverage.py": ("1", "coverages below"),
    "evaluation.py": ("--cases 2 --rounds 1 --large 3", "MB at 3 cases"),
    "following.py": ("--seconds 2 --jobs 1 --steps 2", "requests, ours / plain"),
    "judge_bias.py": ("1", "likes the longer"),
    "memory.py": ("rows.jsonl content", "rows.jsonl: 1 example"),
    "near_duplicates.py": ("50", "precision 1.0000 of 1"),
    "validation.py": ("rows.jsonl", "everything"),
}


def run(folder: Path, name: str, *arguments: str) -> str:
    command = [sys.executable, str(BENCHMARKS / name), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_benchmark_is_tried():
    assert {path.name for path in BENCHMARKS.glob("*.py")} == SMALLEST.keys() | MAKERS


@pytest.mark.parametrize("name", SMALLEST)
def test_a_benchmark_runs_at_its_smallest_size(tmp_path, write_rows, rows, name):
    arguments, said = SMALLEST[name]
    Path(write_rows(rows[:1])).rename(tmp_path / "rows.jsonl")
    assert said in run(tmp_path, name, *arguments.split())


def test_a_corpus_has_as_many_rows_as_were_asked_for(tmp_path):
    run(tmp_path, "corpus.py", "3", "corpus.jsonl")
    assert (tmp_path / "corpus.jsonl").read_bytes().count(b"\n") == 3


def test_a_look_for_too_few_texts_finds_none(tmp_path):
    assert "zh: recall of none" in run(tmp_path, "near_duplicates.py", "1")
