"""What the old model answers is planned, paid once and kept, whatever ends the recording in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import finetune_lib as ft
from finetune_lib.testing import Fault

OLD = "ft:gpt-4o-mini-2024-07-18:acme:faq:Ab12Cd34"
LABELS = ("行李", "寵物", "登機")


def rows(count, *, first=0):
    return [
        {
            "id": f"g{n}",
            "question": f"第 {n} 號櫃檯的問題屬於哪一類？",
            "answer": LABELS[n % 3],
            "category": LABELS[n % 3],
        }
        for n in range(first, first + count)
    ]


def said(body):
    return f"答：{body['messages'][-1]['content'][-9:]}"


@pytest.fixture
def old():
    with ft.testing.ScriptedPlatform("openai", says=said) as server:
        yield server


def asked(server):
    return [request.body for request in server.requests if request.call.endswith("/chat/completions")]


def plan(server, **given):
    golden = ft.GoldenSet.from_rows(rows(6))
    return ft.Migration(server.connect()).plan_recording(OLD, **{"golden": golden, **given})


def test_the_plan_says_order_price_and_what_is_proved_and_asks_nothing(old):
    logs = ft.GoldenSet.from_rows([{"question": f"怎麼去第 {n} 航廈？", "answer": "先前的話"} for n in (1, 2, 3)])
    decline = ft.GoldenSet.from_rows([{"question": "寫一首詩", "answer": ""}])
    made = plan(old, production=logs, refusals=decline, budget=5.0, twice=4)
    assert [ask.kind for ask in made.asks] == ["golden"] * 6 + ["production"] * 3 + ["refusal"] + ["again"] * 4
    assert [ask.case.id for ask in made.asks][6:10] == ["production-1", "production-2", "production-3", "refusal-1"]
    assert {ask.case.expected for ask in made.asks if ask.kind == "production"} == {""}
    told = str(made)
    assert "1. 6 golden questions" in told
    assert "the budget of $5 pays for all" in told
    assert "where 10% of the cases differ: 312 cases (303 more than there are)" in told
    assert "where 20% of the cases differ: 626 cases" in told
    assert not old.requests


def test_the_price_is_that_of_the_tokens(old):
    """A tuned gpt-4o-mini: $0.30 for a million tokens read, $1.20 for a million written (the pricing page)."""
    golden = ft.GoldenSet.from_rows([{"id": str(n), "question": "a", "answer": ""} for n in range(10)])
    model = ft.ChatModel(OLD, max_tokens=100)
    made = plan(old, golden=golden)
    assert plan(old, golden=golden, batch=True).usd == pytest.approx(made.usd / 2)
    made = ft.Migration(old.connect()).plan_recording(model, golden=golden, twice=0)
    assert made.usd == pytest.approx(10 * (100 * 1.20 + 5 * 0.30) / 1e6, rel=0.02)
    few = ft.Migration(old.connect()).plan_recording(model, golden=golden, twice=0, budget=made.usd / 2)
    assert few.within_budget == 5
    assert "pays for the first 5" in str(few)


def test_all_is_recorded_without_a_scorer_and_loads_again(old, tmp_path):
    recording = ft.Migration(old.connect()).record(plan(old, twice=2), tmp_path / "錄")
    assert len(asked(old)) == 8
    assert all("temperature" not in body for body in asked(old))
    again = ft.Recording.load(tmp_path / "錄")
    assert again.answers == recording.answers
    assert again.golden == recording.golden
    assert len(again.golden) == 6
    assert again.self_agreement().value == 1.0
    line = again.answers["g1"]
    assert line["request"]["messages"][0]["content"] == line["question"] == "第 1 號櫃檯的問題屬於哪一類？"
    assert line["model"] == OLD
    by_file = ft.Recorded(tmp_path / "錄" / "recorded.jsonl")
    report = ft.Evaluator([ft.ExactMatch()]).run(again.golden, candidates=[again.candidate(name="a"), by_file])
    answers = [[result.answer.text for result in results] for results in report.results.values()]
    assert answers[0] == answers[1] == [line["answer"] for line in again.answers.values()]


def test_a_second_call_asks_nothing_and_new_questions_alone_are_paid(old, tmp_path):
    migration = ft.Migration(old.connect())
    migration.record(plan(old, twice=0), tmp_path / "r")
    before = len(asked(old))
    migration.record(plan(old, twice=0), tmp_path / "r")
    assert len(asked(old)) == before == 6
    more = ft.GoldenSet.from_rows(rows(9))
    recording = migration.record(plan(old, golden=more, twice=0), tmp_path / "r")
    assert len(asked(old)) == 9
    assert len(recording.answers) == 9


def test_the_recording_outlives_the_store(old, tmp_path):
    """Weeks later the file of kept answers is gone, and so is the model: the folder keeps what it has."""
    migration = ft.Migration(old.connect())
    migration.record(plan(old, twice=0), tmp_path / "r", store=tmp_path / "a.db")
    old.fault("POST /chat/completions", Fault(status=404), times=99)
    recording = migration.record(plan(old, twice=0), tmp_path / "r", store=tmp_path / "b.db")
    assert len(recording.answers) == 6
    assert not recording.missing


def test_the_evaluator_asks_nothing_that_was_recorded(old, tmp_path):
    ft.Migration(old.connect()).record(plan(old, twice=0), tmp_path / "r")
    model = ft.ChatModel(OLD, temperature=None, platform=old.connect())
    ft.Evaluator([ft.ExactMatch()]).run(ft.GoldenSet.from_rows(rows(6)), candidates=[model])
    assert len(asked(old)) == 6


def test_a_model_that_stops_in_the_middle_leaves_what_it_said(old, tmp_path):
    migration = ft.Migration(old.connect())
    migration.record(plan(old, golden=ft.GoldenSet.from_rows(rows(4)), twice=0), tmp_path / "r")
    gone = {"error": {"message": "The model has been deprecated", "code": "model_not_found"}}
    old.fault("POST /chat/completions", Fault(status=404, body=gone), times=99)
    recording = migration.record(plan(old, twice=0), tmp_path / "r")
    assert set(recording.answers) == {"g0", "g1", "g2", "g3"}
    assert set(recording.missing) == {"g4", "g5"}
    assert "has been deprecated" in str(recording)
    assert [case.id for case in ft.Recording.load(tmp_path / "r").golden] == ["g0", "g1", "g2", "g3"]


def test_a_busy_platform_is_waited_for(old, tmp_path):
    old.fault("POST /chat/completions", Fault(status=429, retry_after=0.01), times=3)
    assert len(ft.Migration(old.connect()).record(plan(old, twice=0), tmp_path / "r").answers) == 6


def test_what_the_budget_does_not_reach_is_missing_and_the_first_come_first(old, tmp_path):
    made = plan(old, twice=0, budget=0.00005)
    assert 0 < made.within_budget < 6
    recording = ft.Migration(old.connect()).record(made, tmp_path / "r")
    assert recording.missing
    assert all("budget" in reason for reason in recording.missing.values())
    assert "g0" in recording.answers


def test_model_margin_and_settings_are_fixed_by_the_first_answer(old, tmp_path):
    migration = ft.Migration(old.connect())
    migration.record(plan(old, twice=0), tmp_path / "r")
    told = json.loads((tmp_path / "r" / "recording.json").read_text())
    assert told == {"recording": 1, "model": OLD, "settings": {}, "margin": 0.05, "day": "2026-12-01"}
    with pytest.raises(ft.DataError, match=r"margin 0\.05, fixed on 2026-12-01, not 0\.1"):
        migration.record(plan(old, margin=0.1), tmp_path / "r")
    cool = ft.ChatModel(OLD, temperature=0.2)
    golden = ft.GoldenSet.from_rows(rows(6))
    with pytest.raises(ft.DataError, match="settings"):
        migration.record(migration.plan_recording(cool, golden=golden), tmp_path / "r")
    other = ft.GoldenSet.from_rows([{"id": "g1", "question": "別的", "answer": ""}])
    with pytest.raises(ft.DataError, match="g1 asks something else"):
        migration.record(plan(old, golden=other), tmp_path / "r")
    assert len(asked(old)) == 6


def test_the_manifest_is_there_before_the_first_answer(old, tmp_path):
    seen = []
    old.says = lambda body: seen.append((tmp_path / "r" / "recording.json").exists()) or "ok"
    ft.Migration(old.connect()).record(plan(old), tmp_path / "r")
    assert seen
    assert all(seen)


def test_labels_keep_their_alternatives(old, tmp_path):
    chances = [{"token": "行李", "logprob": -0.1, "top_logprobs": [{"token": "寵物", "logprob": -2.3}]}]

    def told(request, content):
        if request.call.endswith("/chat/completions"):
            content["choices"][0]["logprobs"] = {"content": chances}
        return content

    old.alter = told
    made = plan(old, labels=True, twice=0)
    recording = ft.Migration(old.connect()).record(made, tmp_path / "r")
    assert {(body["logprobs"], body["top_logprobs"]) for body in asked(old)} == {(True, 20)}
    assert ft.Recording.load(tmp_path / "r").answers["g0"]["logprobs"] == chances == recording.answers["g0"]["logprobs"]


def test_how_far_the_model_agrees_with_itself(old, tmp_path):
    count = iter(range(100))
    old.says = lambda body: f"{next(count)}" if "第 5" in str(body) else "同"
    recording = ft.Migration(old.connect()).record(plan(old), tmp_path / "r")
    agreed = recording.self_agreement()
    assert agreed.value == pytest.approx(5 / 6)
    assert agreed.low < 5 / 6 < agreed.high
    assert recording.self_agreement(same=lambda one, other: 1.0).value == 1.0
    assert ft.Migration(old.connect()).record(plan(old, twice=0), tmp_path / "s").self_agreement() is None


def test_those_that_ask_the_same_are_asked_once_and_each_category_in_turn(old):
    logs = [
        ft.Case(str(n), (ft.Message(role="user", content=text),), category=kind)
        for n, (text, kind) in enumerate(
            [
                ("可以帶狗嗎？", "寵物"),
                ("可以帶狗嗎？", "寵物"),
                ("可以帶貓嗎，請問怎麼辦？", "寵物"),
                ("幾公斤要加錢？", "行李"),
            ]
        )
    ]
    made = plan(old, golden=(), production=logs, twice=0)
    assert [ask.case.prompt for ask in made.asks] == ["可以帶狗嗎？", "幾公斤要加錢？", "可以帶貓嗎，請問怎麼辦？"]
    assert made.left_out == 1
    assert "left out: 1 production" in str(made)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"margin": 0}, "margin is above 0"),
        ({"margin": 5}, "as 0.05 for five points"),
        ({"twice": -1}, "twice is at least 0"),
        ({"golden": ()}, "give at least one question"),
    ],
)
def test_numbers_out_of_range_are_refused(old, given, message):
    with pytest.raises(ValueError, match=message):
        plan(old, **given)


def test_a_folder_that_holds_something_else_and_a_damaged_line_are_named(old, tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "notes.txt").write_text("x")
    with pytest.raises(ft.DataError, match="holds something else"):
        ft.Migration(old.connect()).record(plan(old), tmp_path / "x")
    with pytest.raises(ft.DataError, match="holds no recording"):
        ft.Recording.load(tmp_path / "none")
    ft.Migration(old.connect()).record(plan(old), tmp_path / "r")
    with (tmp_path / "r" / "recorded.jsonl").open("a") as file:
        file.write('{"id": "g9"')
    with pytest.raises(ft.DataError, match=r"recorded\.jsonl, line 7"):
        ft.Recording.load(tmp_path / "r")


def test_the_golden_check_says_what_a_margin_takes():
    told = str(ft.GoldenSet.from_rows(rows(6)).check(margin=0.05))
    assert "where 10% of the cases differ: 312 cases" in told
    assert "where 20% of the cases differ: 626 cases" in told
    with pytest.raises(ValueError, match="margin is above 0"):
        ft.GoldenSet.from_rows(rows(6)).check(margin=5)


KILLED = """
import sys, finetune_lib as ft
url, key, folder, count = sys.argv[1:]
golden = ft.GoldenSet.from_rows([{"id": str(n), "question": f"問題 {n}", "answer": ""} for n in range(int(count))])
migration = ft.Migration(ft.connect(url, api_key=key))
model = ft.ChatModel("m", price=(1, 1))
print(len(migration.record(migration.plan_recording(model, golden=golden, twice=0), folder).answers))
"""


@pytest.mark.parametrize("after", [1, 7, 20])
def test_killed_at_any_moment_it_asks_nothing_twice(tmp_path, monkeypatch, after):
    """`kill -9` while answers come: those that came are kept; what was under way (16 at most) may be asked again."""
    answered = []
    with ft.testing.ScriptedPlatform("compatible", models=("m",)) as server:
        running = None

        def says(body):
            answered.append(body["messages"][-1]["content"])
            if running and len(answered) == after:
                os.kill(running.pid, signal.SIGKILL)
            time.sleep(0.005)
            return "好"

        server.says = says
        command = [sys.executable, "-c", KILLED, server.url, server.key, str(tmp_path / "r"), "40"]
        environment = {**os.environ, "FINETUNE_LIB_HOME": str(tmp_path / "home")}
        running = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
        running.wait()
        assert running.returncode == -signal.SIGKILL
        before, running = set(answered), None
        again = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert again.stdout == "40\n", again.stderr
    assert len(set(answered)) == 40
    assert len(answered) - 40 <= 16
    assert len(before) >= after
