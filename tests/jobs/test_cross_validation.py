"""Cross-validation: no row is judged by a model that has learned it, nothing is paid twice, and no more is claimed."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import finetune_lib as ft
from finetune_lib.data.leakage import folded
from finetune_lib.testing.faults import Fault

MODEL = "gpt-4.1-mini"
THINGS = "護照行李登機餐點座位票價接駁寵物保險輪椅延誤改票退票里程嬰兒海關檢疫停車電池樂器"
WAYS = ("如何申請補發", "哪裡可以查詢", "由誰負責辦理")


def rows(count: int = 60) -> list[dict[str, str]]:
    asked = [f"{THINGS[at : at + 2]}{way}？" for way in WAYS for at in range(0, len(THINGS), 2)]
    return [{"prompt": question, "completion": f"答案{number}"} for number, question in enumerate(asked[:count])]


def learned(server: Any, model: str) -> set[str]:
    """The questions in the training file behind a tuned model."""
    job = next(job for job in server.jobs if job["fine_tuned_model"] == model)
    lines = server.files[job["training_file"]].decode().splitlines()
    return {
        message["content"] for line in lines for message in json.loads(line)["messages"] if message["role"] == "user"
    }


def asked_of(server: Any) -> list[tuple[str, str]]:
    """Model and question of each chat, without those that only ask whether a model is there."""
    asked = [r.body for r in server.requests if r.call.endswith("/chat/completions")]
    pairs = [(body["model"], body["messages"][-1]["content"]) for body in asked]
    return [(model, question) for model, question in pairs if len(question) > 1]


def cross_validate(data: ft.Dataset, server: Any, tmp_path: Any, **options: Any) -> Any:
    options = {"evaluator": ft.Evaluator([ft.ExactMatch()], store=tmp_path / "answers.db"), "model": MODEL, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a job was there already is no news here
        return ft.cross_validate(data, platform=server.connect(), **options)


def clever(data: ft.Dataset, *, wrong: int = 0) -> Any:
    """Tuned models know all answers but some, whoever trained them; the base knows none."""
    answers = {row.prompt: row.answer for row in data}
    fails = set(list(answers)[:wrong])

    def says(body: Any) -> str:
        question = body["messages"][-1]["content"]
        return answers.get(question, "") if body["model"].startswith("ft:") and question not in fails else "不知道"

    return says


def test_each_row_is_judged_by_a_model_that_has_not_learned_it(scripted, tmp_path):
    data = ft.Dataset.from_rows(rows())
    server = scripted(says=clever(data, wrong=20))
    found = cross_validate(data, server, tmp_path)
    assert len(server.jobs) == 5
    of_tuned = [(model, question) for model, question in asked_of(server) if model.startswith("ft:")]
    assert sorted(question for _, question in of_tuned) == sorted(row.prompt for row in data)
    assert all(question not in learned(server, model) for model, question in of_tuned)
    assert len({request.body["seed"] for request in server.requests if request.call == "POST /fine_tuning/jobs"}) == 5
    assert found.verdict.outcome == "better"
    wide = ft.statistics.paired_difference([0] * 20 + [1] * 40, [0] * 60, folds=5)
    assert (found.verdict.estimate.low, found.verdict.estimate.high) == pytest.approx((wide.low, wide.high))
    told = str(found)
    assert told.startswith("Models trained this way on 4/5 of these 60 rows score +0.67")
    assert "The model that learns all rows is not among them" in told
    assert "cross-fitted in 5 folds" in found.report.to_html()
    found.report.save_json(tmp_path / "report.json")
    assert ft.Report.load(tmp_path / "report.json").verdict("trained on 4/5", baseline="base") == found.verdict


def test_the_history_tells_the_same_verdict(scripted, tmp_path):
    """Six more right of 60 show something, and do not where the models share rows."""
    data = ft.Dataset.from_rows(rows(60))
    server = scripted(says=clever(data, wrong=54))
    found = cross_validate(data, server, tmp_path)
    e = ft.statistics.paired_difference([0] * 54 + [1] * 6, [0] * 60)
    assert e.low > 0
    assert found.verdict.outcome == "not shown"
    (entry,) = [one for one in ft.leaderboard(store=tmp_path / "answers.db").entries if one.candidate != "base"]
    assert entry.outcome == "not shown"


def test_the_same_call_pays_nothing_again(scripted, tmp_path):
    data = ft.Dataset.from_rows(rows(30))
    server = scripted(says=clever(data))
    first = cross_validate(data, server, tmp_path, folds=3)
    counted = server.count("POST /fine_tuning/jobs"), len(asked_of(server))
    again = cross_validate(data, server, tmp_path, folds=3)
    assert (server.count("POST /fine_tuning/jobs"), len(asked_of(server))) == counted == (3, 60)
    assert [job.id for job in again.jobs] == [job.id for job in first.jobs]


def test_what_was_interrupted_goes_on(scripted, tmp_path):
    """The third job is refused: the two before it are found again."""
    data = ft.Dataset.from_rows(rows(30))
    server = scripted(says=clever(data))

    def refuse_the_third(request: Any) -> None:
        if request.call == "POST /fine_tuning/jobs" and len(server.jobs) == 1:
            server.fault("POST /fine_tuning/jobs", Fault(status=403, works=False))

    server.on_request = refuse_the_third
    with pytest.raises(ft.PlatformError):
        cross_validate(data, server, tmp_path, folds=3)
    server.on_request = None
    found = cross_validate(data, server, tmp_path, folds=3)
    assert len(server.jobs) == 3
    assert found.verdict.missing == 0


def test_a_failed_fold_is_missing_and_said(scripted, tmp_path):
    data = ft.Dataset.from_rows(rows(60))
    server = scripted(says=clever(data))
    third: list[str] = []

    def fail(request: Any, content: Any) -> Any:
        if request.call == "POST /fine_tuning/jobs" and len(server.jobs) == 3:
            third.append(content["id"])
        if isinstance(content, dict) and content.get("id") in third and content.get("status") == "succeeded":
            return {
                **content,
                "status": "failed",
                "error": {"code": "x", "message": "no room"},
                "fine_tuned_model": None,
            }
        return content

    server.alter = fail
    found = cross_validate(data, server, tmp_path)
    assert found.jobs[2] is None
    assert found.verdict.missing == len(found.plan.trainings[2].judged)
    assert "no room" in str(found)
    assert f"its {found.verdict.missing} rows are missing" in str(found)
    assert found.verdict.filled is not None
    assert found.verdict.filled[0].value < found.verdict.estimate.value


def test_all_failed_is_an_error(scripted, tmp_path):
    server = scripted(failure={"code": "x", "message": "no room", "param": None})
    with pytest.raises(ft.JobFailedError, match="no room"):
        cross_validate(ft.Dataset.from_rows(rows(30)), server, tmp_path, folds=2)
    assert server.count("POST /chat/completions") == 0


def test_a_plan_tells_all_costs_and_sends_nothing(scripted, tmp_path):
    server = scripted()
    data = ft.Dataset.from_rows(rows(60))
    plan = cross_validate(data, server, tmp_path, dry_run=True, seeds=2, budget=100.0)
    assert server.count("POST /files") == server.count("POST /fine_tuning/jobs") == 0
    alone = [training.plan.cost for training in plan.trainings]
    assert len(alone) == 10
    assert plan.cost == pytest.approx(sum(alone))
    assert "in all 10 trainings" in str(plan)
    assert sorted(place for one in plan.trainings[:5] for place in one.judged) == list(range(60))


def test_a_budget_is_held_over_all_folds_before_the_first(scripted, tmp_path):
    server = scripted()
    data = ft.Dataset.from_rows(rows(60))
    plan = cross_validate(data, server, tmp_path, dry_run=True)
    with pytest.raises(ft.BudgetExceededError, match=r"5 trainings .* in all"):
        cross_validate(data, server, tmp_path, budget=plan.cost - 0.0001)
    assert server.count("POST /files") == server.count("POST /fine_tuning/jobs") == 0


def test_copies_and_groups_stay_in_one_fold_and_count_once(scripted, tmp_path):
    asked = rows(20)
    copied = [*asked, *({**row, "prompt": f"請問{row['prompt']}"} for row in asked), *asked]
    data = ft.Dataset.from_rows(copied)
    server = scripted(says=clever(data))
    found = cross_validate(data, server, tmp_path, folds=4)
    for training in found.plan.trainings:
        assert not {place % 20 for place in training.judged} & {
            place % 20 for place in range(60) if place not in training.judged
        }
    assert found.plan.units == found.verdict.units == 20
    assert "(20 groups)" in str(found)


def test_the_words_of_three_seeds(scripted, tmp_path):
    data = ft.Dataset.from_rows(rows(60))
    place_of = {row.prompt: place for place, row in enumerate(data)}
    knows = {0: 10, 1: 26, 2: 2}
    server: Any = None

    def says(body: Any) -> str:
        job = next((job for job in server.jobs if job["fine_tuned_model"] == body["model"]), None)
        place = place_of.get(body["messages"][-1]["content"], 99)
        return data[place].answer if job and place < knows[(job["seed"] - 100) // 5] else "不知道"

    server = scripted(says=says)
    found = cross_validate(data, server, tmp_path, seeds=3, seed=100)
    assert sorted(job["seed"] for job in server.jobs) == list(range(100, 115))
    expected = ft.statistics.seeds_difference(
        [tuple(float(place < knows[s]) for s in range(3)) for place in range(60)], folds=5
    )
    for mine, right in ((found.these.estimate, expected.these), (found.recipe.estimate, expected.recipe)):
        assert (mine.value, mine.low, mine.high) == pytest.approx((right.value, right.low, right.high))
    assert found.spread == pytest.approx(expected.spread)
    assert found.these.outcome == "better"
    assert found.verdict.outcome == "not shown"
    told = str(found)
    assert "whatever the seed, are not shown to differ from base" in told
    assert "These three models of each fold, on average, score" in told
    assert f"seeds differ by {expected.spread:.3f}" in told
    assert "better for these three; two more seeds would tell whether it is the recipe" in told


def test_a_baseline_that_holds_the_rows_gets_those_of_the_other_folds(scripted, tmp_path):
    data = ft.Dataset.from_rows(rows(30))
    server = scripted(says=clever(data))
    cross_validate(data, server, tmp_path, folds=3, baseline=ft.FewShot(MODEL, examples=data, k=28))
    asked = [r.body for r in server.requests if r.call.endswith("/chat/completions")]
    shots = [body["messages"] for body in asked if body["model"] == MODEL and len(body["messages"]) > 1]
    folds = [set(training) for training in (learned(server, job["fine_tuned_model"]) for job in server.jobs)]
    assert len(shots) == 30
    for messages in shots:
        shown = {message["content"] for message in messages[:-1] if message["role"] == "user"}
        assert any(shown == fold for fold in folds)


def test_a_baseline_that_knows_the_answers_is_refused(scripted, tmp_path):
    server = scripted()
    data = ft.Dataset.from_rows(rows(30))
    other = ft.Dataset.from_rows(rows(30))
    with pytest.raises(ValueError, match="tell the answers of 30 rows"):
        cross_validate(data, server, tmp_path, baseline=ft.FewShot(MODEL, examples=other))
    assert server.count("POST /fine_tuning/jobs") == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"folds": 1}, "folds is a whole number of at least 2"),
        ({"folds": 2.5}, "folds is a whole number"),
        ({"seeds": 0}, "seeds is a whole number"),
        ({"folds": 31}, "31 folds need as many groups"),
        ({"budget": -1.0}, "a budget is a number"),
        ({"evaluator": ft.Evaluator()}, "at least one scorer"),
        ({"evaluator": ft.Evaluator([ft.ExactMatch()], concurrency=0)}, "concurrency"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(scripted, tmp_path, options, said):
    server = scripted()
    with pytest.raises(ValueError, match=said):
        cross_validate(ft.Dataset.from_rows(rows(30)), server, tmp_path, **options)
    assert server.count("POST /files") == server.count("POST /fine_tuning/jobs") == 0


def test_a_row_without_an_answer_is_named(scripted, tmp_path):
    server = scripted()
    bad = [*rows(30), {"messages": [{"role": "user", "content": "沒有答案"}]}]
    with pytest.raises((ft.DataError, ft.InvalidDatasetError), match="example 31"):
        cross_validate(ft.Dataset.from_rows(bad), server, tmp_path)
    assert server.count("POST /files") == 0


def test_azure_which_deploys_each_model_is_refused_first(scripted, tmp_path):
    server = scripted("azure")
    with pytest.raises(ValueError, match="deployed"):
        cross_validate(ft.Dataset.from_rows(rows(30)), server, tmp_path)
    assert server.count("POST /files") == 0


def test_on_the_local_platform(platform, tmp_path):
    data = ft.Dataset.from_rows(rows(24))
    found = ft.cross_validate(
        data,
        model="tiny",
        folds=2,
        evaluator=ft.Evaluator([ft.ExactMatch()], store=tmp_path / "answers.db"),
        baseline=ft.ChatModel("tiny", name="base", max_tokens=2),
        hyperparameters={"n_epochs": 1, "batch_size": 8},
        platform=platform,
    )
    assert all(job.done for job in found.jobs)
    assert found.report.cut("trained on 1/2") == 24  # asked as the baseline is
    assert found.plan.cost == 0
    assert "are not shown to differ from base" in str(found)


@given(
    st.lists(st.integers(0, 12), min_size=6, max_size=40),
    st.integers(2, 5),
    st.integers(0, 3),
)
@settings(max_examples=25)
def test_folds_hold_every_row_once_and_never_part_what_belongs_together(chosen, folds, seed):
    asked = rows()
    data = [ft.Dataset.from_rows([asked[number]])[0] for number in chosen]
    if len(set(chosen)) < folds:
        with pytest.raises(ValueError, match="folds need as many groups"):
            folded(data, folds=folds, seed=seed)
        return
    parts = folded(data, folds=folds, seed=seed).parts
    assert sorted(place for part in parts for place in part) == list(range(len(chosen)))
    assert all(parts)
    for part in parts:
        inside, outside = {chosen[p] for p in part}, {n for p, n in enumerate(chosen) if p not in part}
        assert not inside & outside


def test_a_baseline_without_a_model_learns_the_other_folds_too(scripted, tmp_path):
    """Each answer is its own, so what is known of the rows that it judges would show."""
    data = ft.Dataset.from_rows(rows(30))
    server = scripted(says=clever(data))
    found = cross_validate(data, server, tmp_path, folds=3, baseline=ft.NearestExamples(data, k=1))
    said = [result.answer.text for result in found.report.results["nearest examples"]]
    for training in found.plan.trainings:
        held_out = {data[place].answer for place in training.judged}
        assert not held_out & {said[place] for place in training.judged}
    assert all(said)
    assert found.verdict.outcome == "better"
