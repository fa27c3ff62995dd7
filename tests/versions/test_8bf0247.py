"""What the version of 8bf0247 left on disk opens still; what a later version leaves is refused and not touched.

8bf0247/ was written by that version, on Python 3.11: `python -m tests.versions.make tests/versions/8bf0247` in a
checkout of it, with `make.py` and `evaluation.py` of this folder. Of it only report, votes and key tell a version.
"""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.versions import evaluation

import finetune_lib as ft
from finetune_lib import local
from finetune_lib.local.job_directory import JobDirectory
from finetune_lib.local.store import Store

LEFT = Path(__file__).parent / "8bf0247"
LATER = "was written by a later version of finetune_lib"


@pytest.fixture
def left(tmp_path: Path) -> Path:
    return Path(shutil.copytree(LEFT, tmp_path / "left"))


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("PRAGMA user_version").fetchone()[0]


def of_a_later_version(path: Path) -> bytes:
    if path.suffix == ".db":
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA user_version = 2")
    else:
        told = json.loads(path.read_text())
        name = "schema" if "schema" in told else "version"
        path.write_text(json.dumps({**told, name: 99}))
    return path.read_bytes()


def answers_of(report: ft.Report) -> list[str]:
    return [one.answer.text for results in report.results.values() for result in results for one in result.attempts]


def test_neither_a_model_nor_a_function_is_asked_again(left, caplog):
    """Nobody listens at the models' address; functions that hold things of the package tell of each call."""
    caplog.set_level(logging.INFO, logger=evaluation.log.name)
    report = evaluation.evaluate(left / "answers.db")
    before = ft.Report.load(left / "report.json")
    if sys.version_info[:2] == (3, 11):  # the keys of functions hold their byte code, which each Python has of its own
        assert caplog.messages == []
    assert report.run.paid_calls == 0
    assert answers_of(report) == answers_of(before)
    assert report.judgments == before.judgments
    assert version_of(left / "answers.db") == 1


def test_where_nothing_is_kept_all_are_asked_and_what_is_written_tells_its_version(tmp_path, caplog):
    """Else the test before could not fail."""
    caplog.set_level(logging.INFO, logger=evaluation.log.name)
    evaluation.evaluate(tmp_path / "answers.db")
    called = {"plain", "naming", "of_the_package", "shouted", "careful", "brief", "stripped"}
    assert set(caplog.messages) == called  # and no judge, because the baseline, a model, has failed
    assert version_of(tmp_path / "answers.db") == 1
    Store(tmp_path).close()
    assert version_of(tmp_path / "platform.db") == 1


def test_the_history_and_the_report_open(left):
    report = ft.Report.load(left / "report.json")
    entries = ft.leaderboard(report, store=left / "answers.db", scorer="exact_match")
    assert {entry.evaluation for entry in entries} == {report.run.id}
    assert {entry.candidate: entry.mean for entry in entries} == {
        name: report.mean(name, scorer="exact_match") for name in report.candidates
    }


def test_votes_open_as_a_file_and_as_a_database(left):
    (key,) = (left / "reviews").iterdir()
    votes = ft.collect_votes([left / "votes.json", left / "votes.db"], key=key)
    assert sorted(votes.raters) == ["Chen", "Lin"]
    assert {vote.comment for vote in votes.votes} == {"clear"}
    assert votes.candidates == ("base", "shouted")


def test_a_job_of_the_local_platform_opens(left):
    root = left / "platform"
    (directory,) = (root / "jobs").iterdir()
    try:
        platform = ft.connect("local", root=root)
        job = ft.Job.get(directory.name, platform=platform)
        assert (job.status, job.model) == ("succeeded", "tiny")
        told = json.loads((directory / "result.json").read_text())["checkpoints"]
        assert sorted(one.step_number for one in job.checkpoints()) == [one["step"] for one in told]
        assert job.events()[-1].message == "The job has successfully completed"
        assert len(job.metrics().steps) == 4
    finally:
        local.stop(root)
    assert version_of(root / "platform.db") == 1
    assert JobDirectory(directory).order().hyperparameters["n_epochs"] == 2


@pytest.mark.parametrize("name", ["answers.db", "votes.db", "report.json", "votes.json", "platform/platform.db"])
def test_a_file_of_a_later_version_is_refused_and_not_touched(left, name):
    path = left / name
    content = of_a_later_version(path)
    (key,) = (left / "reviews").iterdir()
    opening = {
        "answers.db": [lambda: evaluation.evaluate(path), lambda: ft.leaderboard(store=path)],
        "votes.db": [lambda: ft.collect_votes(path, key=key)],
        "votes.json": [lambda: ft.collect_votes(path, key=key)],
        "report.json": [lambda: ft.Report.load(path)],
        "platform/platform.db": [lambda: Store(path.parent)],
    }
    for opened in opening[name]:
        with pytest.raises(ft.DataError, match=r"later version|report 99, not") as caught:
            opened()
        assert str(path.name) in str(caught.value)
        assert path.read_bytes() == content


def test_a_key_and_an_order_of_a_later_version_are_refused(left):
    (key,) = (left / "reviews").iterdir()
    (directory,) = (left / "platform" / "jobs").iterdir()
    of_a_later_version(key)
    of_a_later_version(directory / "job.json")
    with pytest.raises(ft.DataError, match=LATER):
        ft.collect_votes(left / "votes.json", key=key)
    with pytest.raises(ft.DataError, match=LATER):
        JobDirectory(directory).order()


def test_a_page_is_not_served_on_votes_of_a_later_version(left):
    report = ft.Report.load(left / "report.json")
    page = report.review_page(left / "review.html", candidates=("shouted", "base"), secret_home=left)
    content = of_a_later_version(left / "votes.db")
    with pytest.raises(ft.DataError, match=LATER):
        ft.review.serve_review(page, database=left / "votes.db")
    assert (left / "votes.db").read_bytes() == content
