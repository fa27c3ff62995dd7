"""The engine as a whole: limits, budgets, progress, the history, and independence of how many calls go at once."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.doubles import Outcome, refusal
from tests.evaluation.running.double import completion, fine
from tests.evaluation.running.scenario import cases, told

import finetune_lib as ft
from finetune_lib.evaluation.judges import PairwiseJudge

PRICED = {"price": (1000.0, 2000.0)}  # the double's answers cost $0.20 each


def test_concurrency_is_bounded_and_used(double, run):
    run(100, concurrency=7)
    assert double.most == 7


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(concurrency=st.integers(1, 70), shift=st.integers(0, 10**6))
def test_the_report_does_not_depend_on_concurrency(double, platform, concurrency, shift):
    """Nor on what is refused, on which calls are slow, or on when they come."""

    def answer(call):
        if call.times == 1 and (call.number + shift) % 7 == 0:
            return refusal(503, headers={"retry-after-ms": "1"})
        return Outcome(body=completion(call.body), seconds=(call.number * (shift + 7919) % 13) / 1000)

    def evaluated(concurrency):
        evaluator = ft.Evaluator(
            [ft.Contains()], judge=PairwiseJudge("judge"), all_pairs=True, platform=platform, store=":memory:",
            concurrency=concurrency, epochs=2,
        )  # fmt: skip
        models = [ft.ChatModel(name, temperature=1.0) for name in ("base", "tuned", "other")]
        return told(evaluator.run(cases(4), candidates=models))

    double.answer = answer
    before = len(double.asked)
    one = evaluated(concurrency)
    assert len(double.asked) > before
    double.answer = fine
    assert evaluated(1) == one


def test_judgments_stand_in_the_order_of_the_cases(double, platform):
    double.answer = lambda call: Outcome(body=completion(call.body), seconds=(call.number * 7919 % 13) / 500)
    evaluator = ft.Evaluator(judge=PairwiseJudge("judge"), platform=platform, store=":memory:", concurrency=32)
    report = evaluator.run(cases(10), candidates=[ft.ChatModel("base"), ft.ChatModel("tuned")])
    assert [(j.case, j.candidate_first) for j in report.judgments] == [
        (str(n), first) for n in range(10) for first in (True, False)
    ]


@pytest.mark.parametrize("written", [50, 400, 2000])
@pytest.mark.parametrize("concurrency", [1, 64])
def test_a_budget_is_never_passed_however_much_a_model_writes(double, run, written, concurrency):
    def answer(call):
        body = completion(call.body).replace(b'"completion_tokens": 50', b'"completion_tokens": %d' % written)
        return Outcome(body=body, seconds=0.02)

    double.answer = answer
    each = (100 * 1.0 + written * 2.0) / 1e6
    budget = max(each * 10.5, 0.02)
    report = run(100, candidates=[ft.ChatModel("base", price=(1.0, 2.0))], budget=budget, concurrency=concurrency)
    assert report.run.usd == pytest.approx(double.paid * each)
    assert report.run.usd <= budget
    assert double.paid >= min(9, budget // each)
    assert {failure.reason for failure in report.failures} <= {f"NotAskedError: the budget of ${budget:g} is reached"}


def test_a_larger_budget_pays_only_the_rest(double, run):
    model = ft.ChatModel("base", **PRICED)
    first = run(20, candidates=[model], budget=3.0)
    before = double.paid
    assert 0 < before < 20
    assert len(first.failures) == 20 - before
    assert "budget" in str(first)
    second = run(20, candidates=[model], budget=10.0)
    assert (second.failures, second.run.paid_calls, second.run.reused) == ((), 20 - before, before)
    assert double.paid_twice == 0


def test_a_budget_too_small_for_anything_is_told(double, run):
    with pytest.raises(ft.EvaluationError, match=r"the budget of \$0\.0001 is reached"):
        run(20, candidates=[ft.ChatModel("base", **PRICED)], budget=0.0001)
    assert double.asked == []


def test_a_budget_without_a_price_is_refused_before_any_call(double, run):
    with pytest.raises(ValueError, match="needs the price of base"):
        run(20, budget=1.0)
    assert double.asked == []


def test_equal_questions_are_asked_once(double, run, platform):
    golden = [ft.Case(str(n), (ft.Message(role="user", content="the same"),), "42") for n in range(30)]
    report = ft.Evaluator([ft.Contains()], platform=platform, store=":memory:").run(
        golden, candidates=[ft.ChatModel("base")]
    )
    assert len(double.asked) == 1
    assert len({result.answer.text for result in report.results["base"]}) == 1


def test_progress_tells_what_was_paid_and_reused(double, run):
    run(5)
    seen = []
    run(8, progress=seen.append)
    answers = [p for p in seen if p.stage == "answers"]
    assert [p.done for p in answers] == list(range(1, 9))
    assert (answers[-1].paid_calls, answers[-1].reused, answers[-1].failed) == (3, 5, 0)
    assert all(p.seconds_left is not None for p in answers)


def test_a_store_that_is_no_store_is_refused_before_any_call(double, run, tmp_path):
    (tmp_path / "x.db").write_text("hello " * 1000)
    with pytest.raises(ft.DataError, match="is no file of kept answers"):
        run(5, store=tmp_path / "x.db")
    with pytest.raises(ft.DataError, match="cannot keep answers"):
        run(5, store="/proc/nobody/answers.db")
    assert double.asked == []


def test_a_store_that_cannot_be_written_is_refused_before_any_call(double, run, monkeypatch, tmp_path):
    import sqlite3

    run(2, store=tmp_path / "a.db")
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda path, **options: connect(f"file:{path}?mode=ro", uri=True, **options)
    )
    before = len(double.asked)
    with pytest.raises(ft.DataError, match="readonly"):
        run(5, store=tmp_path / "a.db")
    assert len(double.asked) == before


def test_a_history_that_cannot_be_written_loses_no_report(run, monkeypatch):
    import sqlite3

    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("finetune_lib.evaluation.evaluator.remember", full)
    with pytest.warns(UserWarning, match="database or disk is full"):
        assert run(5).failures == ()


async def test_inside_a_running_loop(double, run, platform):
    inside = run(5, store=":memory:")
    evaluator = ft.Evaluator([ft.Contains()], platform=platform, store=":memory:")
    twin = await evaluator.run_async(cases(5), candidates=[ft.ChatModel("base")])
    assert told(inside) == told(twin)


async def test_several_runs_at_once_in_one_loop(double, platform, tmp_path):
    evaluator = ft.Evaluator([ft.Contains()], platform=platform, store=tmp_path / "a.db", concurrency=4)
    runs = [evaluator.run_async(cases(10), candidates=[ft.ChatModel(name)]) for name in ("a", "b", "c")]
    for name, report in zip("abc", await asyncio.gather(*runs), strict=True):
        assert len(report.results[name]) == 10
        assert report.failures == ()


async def test_other_tasks_have_their_turn(double, run, platform, tmp_path):
    """Kept answers wait for nothing; a service must not stand still for them."""
    evaluator = ft.Evaluator([ft.Contains()], platform=platform, store=tmp_path / "a.db")
    await evaluator.run_async(cases(300), candidates=[ft.ChatModel("base")])
    turns = 0

    async def beat():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    beating = asyncio.create_task(beat())
    await evaluator.run_async(cases(300), candidates=[ft.ChatModel("base")])
    beating.cancel()
    assert turns > 20


def test_nothing_heavy_is_loaded_for_kept_answers(double, run, tmp_path):
    import subprocess
    import sys

    run(5, store=tmp_path / "a.db")
    script = f"""
import sys
import finetune_lib as ft
ft.Evaluator, ft.ChatModel
heavy = [name for name in ("openai", "httpx2", "scipy", "statsmodels", "pandas", "numpy") if name in sys.modules]
assert not heavy, heavy
sys.path.insert(0, ".")
from tests.evaluation.running.scenario import cases
platform = ft.connect({double.url!r}, api_key="k")
report = ft.Evaluator([ft.Contains()], platform=platform, store={str(tmp_path / "a.db")!r}).run(
    cases(5), candidates=[ft.ChatModel("base")])
assert report.run.reused == 5
assert "openai" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)
