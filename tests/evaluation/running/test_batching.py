"""Evaluations through the Batch API: the same report as live, nothing asked twice, and reasons for what is missing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.doubles import refusal
from tests.evaluation.running.scenario import cases, evaluate, told
from tests.files import ROOT

import finetune_lib as ft


@pytest.fixture
def options(double, tmp_path):
    """Of the scenario, with a store of its own for each mode."""
    return lambda mode, **more: {
        "url": double.url, "store": str(tmp_path / f"{mode}.db"), "mode": mode, "cases": 12, **more
    }  # fmt: skip


def test_the_same_report_as_live(double, options):
    live = evaluate(options("live"))
    asked = len(double.asked)
    batch = evaluate(options("batch"))
    assert told(batch) == told(live)
    assert len(double.asked) == asked  # nothing more of it live
    assert sum(double.batched.values()) == asked == batch.run.paid_calls
    assert len(double.batches) == 2 + 1 + 1  # two candidates, then the grader, then the judge
    again = evaluate(options("batch"))
    assert (told(again), again.run.paid_calls) == (told(live), 0)
    assert len(double.batches) == 4


def test_repeats_too(double, options):
    live, batch = (evaluate(options(mode, epochs=2, judge=False, rubric=False)) for mode in ("live", "batch"))
    assert told(batch) == told(live)


def test_what_the_batch_refuses_is_missing_with_its_reason_and_asked_again_by_a_rerun(double, run):
    bad = refusal(400, "Content is not allowed", code="content_filter")
    double.refuse_in_batch = lambda body: bad if "Question 3:" in body["messages"][-1]["content"] else None
    report = run(10, mode="batch")
    assert [failure.case for failure in report.failures] == ["3"]
    assert "Content is not allowed" in report.failures[0].reason
    assert double.asked == []
    double.refuse_in_batch = lambda _: None
    report = run(10, mode="batch")
    assert (report.failures, report.run.paid_calls, report.run.reused) == ((), 1, 9)


def test_a_platform_that_holds_no_model_to_a_form_is_asked_without(double, options):
    formless = refusal(400, "response_format is not supported", param="response_format")
    double.refuse_in_batch = lambda body: formless if "response_format" in body else None
    report = evaluate(options("batch", rubric=False))
    assert {j.level for j in report.judgments if j.judge == "judge"} == {"tie", "both_bad"}
    assert double.batches.keys() == {"batch-0", "batch-1", "batch-2", "batch-3"}
    assert double.asked == []


def test_a_request_that_cannot_be_made_is_the_failure_of_its_case_alone(double, run):
    class Odd(ft.ChatModel):
        async def request(self, case):
            if case.id == "3":
                raise LookupError("no such passage")
            return await super().request(case)

    report = run(10, mode="batch", candidates=[Odd("base")])
    assert [failure.reason for failure in report.failures] == ["LookupError: no such passage"]


def test_a_platform_without_batches_is_the_reason(double, run):
    double.other = lambda *_: (_ for _ in ()).throw(AssertionError)  # the connection breaks
    with pytest.raises(ft.EvaluationError, match="could not list the batches"):
        run(10, mode="batch")
    assert double.asked == []


def test_the_budget_holds_for_batches(double, run):
    model = ft.ChatModel("base", price=(0.0, 100.0), max_tokens=50)
    report = run(20, mode="batch", candidates=[model], budget=0.1)
    assert report.run.usd <= 0.1
    assert 0 < sum(double.batched.values()) < 20
    assert {failure.reason for failure in report.failures} == {"NotAskedError: the budget of $0.1 is reached"}


def test_openai_gives_batches_at_half_the_price(double, tmp_path):
    openai = ft.Platform("openai", double.url, "k")
    golden = cases(4)
    usd = {
        mode: ft.Evaluator([ft.Contains()], platform=openai, mode=mode, store=tmp_path / mode)
        .run(golden, candidates=[ft.ChatModel("gpt-4.1-mini")])
        .expense("gpt-4.1-mini")
        .total_usd
        for mode in ("live", "batch")
    }
    assert usd["batch"] == pytest.approx(usd["live"] / 2)


@pytest.mark.parametrize("more", [0, 2])
def test_killed_while_the_batch_runs(double, options, until, tmp_path, more):
    """The rerun, here with more cases, takes up what runs and pays only for the rest."""
    double.batch_seconds = 3600
    given = options("batch", judge=False, rubric=False, models=["base"], out=str(tmp_path / "out.json"))
    command = [sys.executable, "-m", "tests.evaluation.running.scenario", json.dumps(given)]
    process = subprocess.Popen(command, cwd=ROOT)
    until(lambda: double.batches)
    until(lambda: "batch-0" in Path(given["store"] + "-wal").read_bytes().decode("latin-1"))
    process.send_signal(signal.SIGKILL)
    process.wait()
    double.batch_seconds = 0
    report = evaluate({**given, "cases": 12 + more})
    assert report.failures == ()
    assert len(double.batches) == 1 + bool(more)
    assert set(double.batched.values()) == {1}
    assert sum(double.batched.values()) == 12 + more


def test_on_the_local_platform(server, trained, tmp_path):
    """The real one, with the model of the session."""
    local = ft.connect("local")
    golden = [
        ft.Case(question, (ft.Message(role="user", content=question),), answer)
        for question, answer in trained.questions.items()
    ]
    candidates = [ft.ChatModel("tiny", max_tokens=20), ft.ChatModel(trained.model, name="tuned", max_tokens=60)]
    live, batch = (
        ft.Evaluator([ft.ExactMatch()], platform=local, mode=mode, store=tmp_path / mode).run(
            golden, candidates=candidates
        )
        for mode in ("live", "batch")
    )
    assert batch.mean("tuned") == 1
    assert told(batch) == told(live)
