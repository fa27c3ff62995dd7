"""Saved hosted Evals come back as cases, scorers, answers and scores; what is missing or not ours is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import finetune_lib as ft

SAVED = Path(__file__).parents[4] / "shared" / "cases" / "rescue" / "hosted_labels"
CHECK = {"type": "string_check", "name": "label", "id": "label-1f", "operation": "eq"}
CHECK |= {"input": "{{sample.output_text}}", "reference": "{{item.label}}"}
FOREIGN = {"type": "azure_ai_evaluator", "name": "fluent", "evaluator_name": "builtin.fluency"}


def item(number, question, label, said, *, run="r1", score=1.0, **sample):
    asked = [{"role": "developer", "content": "只回答類別"}, {"role": "user", "content": question}]
    told = {"input": asked, "output": [{"role": "assistant", "content": said}], "model": "old", "finish_reason": "stop"}
    results = [{"name": "label-1f", "passed": bool(score), "score": score}, {"name": "fluent", "score": 4}]
    row = {"object": "eval.run.output_item", "id": f"i{number}", "run_id": run, "datasource_item_id": number}
    return row | {"datasource_item": {"q": question, "label": label}, "results": results, "sample": {**told, **sample}}


def saved(folder, items, *, criteria=(CHECK, FOREIGN), total=2, runs=("r1",)):
    folder.mkdir(exist_ok=True)
    told = {"object": "eval", "id": "e", "name": "FAQ", "testing_criteria": list(criteria)}
    (folder / "eval.json").write_text(json.dumps(told))
    made = [{"object": "eval.run", "id": id, "eval_id": "e", "result_counts": {"total": total}} for id in runs]
    (folder / "runs.json").write_text(json.dumps({"object": "list", "data": made}))
    (folder / "items.jsonl").write_text("".join(json.dumps(one) + "\n" for one in items))
    return folder


TWO = [
    item(0, "超重怎麼算？", "行李", "行李"),
    item(3, "狗可以嗎？", "寵物", "行李", score=0.0, finish_reason="length"),
]


def test_cases_answers_and_scores_come_back(tmp_path):
    (one,) = ft.import_evals(saved(tmp_path / "e", TWO))
    first = one.golden[0]
    assert (first.id, first.prompt, first.expected) == ("0", "超重怎麼算？", "行李")
    assert first.messages[0].role == "system"
    report = ft.Evaluator([*one.scorers, *one.recorded]).run(one.golden, candidates=one.candidates)
    assert report.candidates == ("old",)
    assert report.scores("old", scorer="label") == (1.0, 0.0) == report.scores("old", scorer="label (saved)")
    assert report.scores("old", scorer="fluent (saved)") == (4.0, 4.0)
    assert report.results["old"][1].answer.cut
    assert "criterion fluent (azure_ai_evaluator): its scores are kept" in str(one)


def test_a_page_that_is_not_all_is_told(tmp_path):
    (one,) = ft.import_evals(saved(tmp_path / "e", TWO, total=41))
    assert "run r1: 2 of 41 items were saved" in str(one)


def test_other_data_under_the_same_numbers_is_another_set(tmp_path):
    other = [item(0, "別的題目？", "登機", "登機", run="r2")]
    found = ft.import_evals(saved(tmp_path / "e", [*TWO, *other], runs=("r1", "r2")))
    assert [one.golden.name for one in found] == ["FAQ", "FAQ (2)"]
    assert found[1].golden[0].prompt == "別的題目？"


def test_several_right_answers_are_none(tmp_path):
    second = {**CHECK, "name": "other", "reference": "{{item.q}}"}
    (one,) = ft.import_evals(saved(tmp_path / "e", TWO, criteria=(CHECK, second)))
    assert one.golden[0].expected == ""
    assert "several fields are compared with (label, q)" in str(one)


def test_what_python_prints_is_no_json_and_nothing_is_named(tmp_path):
    (tmp_path / "runs.json").write_text("RunListResponse(id='r1')")
    with pytest.raises(ft.DataError, match=r"what Python prints of an object.*to_json"):
        ft.import_evals(tmp_path)
    (tmp_path / "runs.json").write_text("{}")
    with pytest.raises(ft.DataError, match="neither questions nor answers"):
        ft.import_evals(tmp_path)


@pytest.mark.skipif(not SAVED.exists(), reason="the shared cases are not here")
def test_the_saved_scores_are_reproduced():
    (one,) = ft.import_evals(SAVED)
    right = json.loads((SAVED / "answers.json").read_text())
    assert [case.id for case in one.golden] == right["ids"].replace(" ", "").partition("text:")[2].split(",")
    report = ft.Evaluator([*one.scorers, *one.recorded]).run(one.golden, candidates=one.candidates)
    assert list(report.candidates) == right["candidates"]
    for name in report.candidates:
        for scorer in right["scorers"]:
            assert report.scores(name, scorer=scorer) == report.scores(name, scorer=f"{scorer} (saved)")
    assert report.mean("gpt-6-luna") == pytest.approx(4 / 6)
