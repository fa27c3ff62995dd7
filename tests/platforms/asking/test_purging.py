"""What is kept can be dropped for good: by model, by age, by what it says."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta

import pytest

import finetune_lib as ft
from finetune_lib.platforms.asking import Kept

SECRET = "王小明 A123456789"


@pytest.fixture
def store(tmp_path):
    """Four answers of two models and one of a function; that of `old` is a hundred days old."""
    path = tmp_path / "answers.db"
    kept = Kept(path)
    kept.put("a", "m1", {"text": f"您好，{SECRET} 先生。", "usage": [1, 2]})
    kept.put("b", "m1", {"text": "x" * 200_000})
    kept.put("c", "m2", {"text": "", "tool_calls": [["find", '{"name": "\\u738b\\u5c0f\\u660e A123456789"}']]})
    kept.put("old", "m2", {"text": "short"})
    kept.put("f", "", {"text": "of a function"})
    kept._db.execute("UPDATE replies SET arrived = datetime('now', '-100 days') WHERE key = 'old'")
    kept.close()
    return path


def keys(path) -> set[str]:
    with closing(sqlite3.connect(path)) as db:
        return {key for (key,) in db.execute("SELECT key FROM replies")}


@pytest.mark.parametrize(
    ("conditions", "left"),
    [
        ({"model": "m1"}, {"c", "old", "f"}),
        ({"model": ""}, {"a", "b", "c", "old"}),
        ({"older_than": timedelta(days=90)}, {"a", "b", "c", "f"}),
        ({"text": SECRET}, {"b", "old", "f"}),
        ({"text": "王小明　ａ１２３"}, {"b", "old", "f"}),
        ({"text": SECRET, "model": "m2"}, {"a", "b", "old", "f"}),
        ({"model": "nobody"}, {"a", "b", "c", "old", "f"}),
        ({"everything": True}, set()),
    ],
)
def test_what_fits_all_conditions_is_dropped_and_nothing_else(store, conditions, left):
    done = ft.purge(store, **conditions)
    assert keys(store) == left
    assert (done.dropped, done.left) == (5 - len(left), len(left))


def test_the_file_gets_smaller_and_no_trace_is_left(store):
    before = store.stat().st_size
    done = ft.purge(store, model="m1")
    size = sum(file.stat().st_size for file in store.parent.iterdir())
    assert done.freed >= 190_000
    assert size <= before - 190_000
    ft.purge(store, text=SECRET)
    held = b"".join(file.read_bytes() for file in store.parent.iterdir())
    assert b"A123456789" not in held
    assert str(done) == f"2 kept answers dropped, 3 left in {store}; {done.freed:,} bytes freed"


@pytest.mark.parametrize(
    ("conditions", "told"),
    [({}, "name what to drop"), ({"text": " 　"}, "blank"), ({"older_than": timedelta(days=-1)}, "an age")],
)
def test_a_condition_that_means_nothing_drops_nothing(store, conditions, told):
    with pytest.raises(ValueError, match=told):
        ft.purge(store, **conditions)
    assert len(keys(store)) == 5


def test_a_file_of_something_else_is_left_alone(tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("no database, but long enough to be looked at " * 10, encoding="utf-8")
    before = other.read_bytes()
    with pytest.raises(ft.DataError, match="no file of kept answers"):
        ft.purge(other, everything=True)
    assert other.read_bytes() == before
    assert ft.purge(tmp_path / "none.db", everything=True).dropped == 0
    assert not (tmp_path / "none.db").exists()


def test_the_claims_of_a_run_that_was_killed_hold_up_nobody(tmp_path):
    code = (
        "import os, sys; from finetune_lib.platforms.asking import Kept; "
        "print(Kept(sys.argv[1]).claim('q')); sys.stdout.flush(); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.db")], capture_output=True, text=True)
    assert done.stdout == "True\n"
    kept = Kept(tmp_path / "a.db")
    assert kept.claim("q")
    kept.close()


def test_what_another_run_asks_is_claimed_until_it_is_answered_released_or_its_run_is_gone(tmp_path, monkeypatch):
    one, other = Kept(tmp_path / "a.db"), Kept(tmp_path / "a.db")
    assert one.claim("q")
    assert one.claim("q")
    assert not other.claim("q")
    one.put("q", "m", {"text": "x"})
    assert other.claim("q")
    other.release("q")
    assert one.claim("q")
    monkeypatch.setattr("finetune_lib.platforms.asking.kept.LEASE", -1.0)
    one.renew()  # as a run that was killed a while ago
    assert other.claim("q")
    other.close()
    assert one.claim("q")
    one.close()
