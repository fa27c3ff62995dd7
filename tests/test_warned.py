"""Warnings point at the user's own line, however deep in the library, and on whatever loop or thread, they come up."""

from __future__ import annotations

import asyncio
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.jobs.scripts import MODEL, examples, hasten

import finetune_lib as ft
from finetune_lib.concurrency import in_own_loop, in_thread
from finetune_lib.data.documents import read_documents
from finetune_lib.warned import warn


def here(back: Callable[[], Any]) -> int:
    """The line on which a function is written: the call in it is the user's own."""
    return back.__code__.co_firstlineno


@contextmanager
def pointing_at(line: int) -> Iterator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield found
    assert [(one.filename, one.lineno) for one in found] == [(__file__, line)], [str(one.message) for one in found]


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """Of a job that is there already."""
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path))
    hasten(monkeypatch.setattr)
    with ft.testing.ScriptedPlatform() as server:
        ft.Job.create(examples(), model=MODEL, platform=server.connect())
        yield ft.Job.plan(examples(), model=MODEL, platform=server.connect())


def test_the_same_job_is_told_at_the_line_that_asks_for_it(plan):
    work = lambda: ft.Job.create(examples(), model=MODEL, platform=plan.platform)  # noqa: E731 - on one line
    with pointing_at(here(work)):
        work()
    work = lambda: plan.submit()  # noqa: E731
    with pointing_at(here(work)):
        work()


def test_the_same_job_is_told_at_the_line_that_awaits_it(plan):
    async def work():
        return await ft.Job.create_async(examples(), model=MODEL, platform=plan.platform)

    with pointing_at(here(work) + 1):
        asyncio.run(work())


def test_of_a_task_the_line_is_told_that_runs_the_loop(plan):
    async def gathered():
        await asyncio.gather(plan.submit_async())

    work = lambda: asyncio.run(gathered())  # noqa: E731
    with pointing_at(here(work)):
        work()


def test_within_a_running_loop_as_a_notebook_has_one(plan):
    async def cell():
        return plan.submit()

    with pointing_at(here(cell) + 1):
        asyncio.run(cell())


def test_an_evaluation_tells_it_at_the_line_that_runs_it(monkeypatch):
    def locked(_):
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr("finetune_lib.evaluation.evaluator.enter", locked)
    cases, evaluator = [ft.Case("1", (), expected="a")], ft.Evaluator([ft.ExactMatch()], store=":memory:")
    work = lambda: evaluator.run(cases, candidates=[lambda case: "a"])  # noqa: E731
    with pointing_at(here(work)):
        work()


def test_documents_tell_it_at_the_line_that_reads_them(tmp_path):
    (tmp_path / "a.md").write_text("Gate 5.", encoding="utf-8")
    (tmp_path / "b.odt").write_bytes(b"")
    work = lambda: list(read_documents(tmp_path))  # noqa: E731
    with pointing_at(here(work)):
        work()
    nobody = ft.Platform("mine", "http://127.0.0.1:9", "none")
    work = lambda: ft.Dataset.from_documents(tmp_path, ask="m", platform=nobody)  # noqa: E731
    with pointing_at(here(work)):
        work()


def test_a_similarity_of_old_is_told_at_the_line_that_gives_it():
    data = examples()
    for work in (lambda: data.deduplicate(near=0.9), lambda: data.split(validation=0.2, near=0.9)):
        with pointing_at(here(work)):
            work()


def test_a_thread_within_a_loop_knows_the_line_that_began_it_all():
    async def deep():
        await in_thread(lambda: warn("deep"))

    work = lambda: in_own_loop(deep())  # noqa: E731
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        work()
    assert [one.filename for one in found] == [__file__]


def test_one_line_says_the_same_but_once():
    """As Python does by itself: a loop over a warning does not fill the screen."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("default")
        for _ in range(3):
            warn("the same")
    assert len(found) == 1
