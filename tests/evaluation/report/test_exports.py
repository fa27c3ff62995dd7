"""Reports in the forms of other tools."""

from __future__ import annotations

import json
import math

import pytest

import finetune_lib as ft


def test_promptfoo_gets_each_answer_with_its_scores(report: ft.Report, tmp_path):
    body = json.loads(report.save_promptfoo(tmp_path / "pf.json").read_text(encoding="utf-8"))["results"]
    assert (body["version"], [prompt["label"] for prompt in body["prompts"]]) == (3, ["base", "tuned"])
    assert len(body["results"]) == 24
    tuned = body["prompts"][1]["metrics"]
    assert (tuned["testPassCount"], tuned["testFailCount"], tuned["testErrorCount"]) == (8, 3, 1)
    assert (tuned["namedScores"]["exact_match"], tuned["namedScoresCount"]["exact_match"]) == (8.0, 11)
    busy = next(r for r in body["results"] if r["error"])
    assert (busy["testIdx"], busy["failureReason"], busy["success"]) == (3, 2, False)
    assert "the line is busy" in busy["response"]["error"]
    first = body["results"][0]["gradingResult"]["componentResults"][1]
    assert (first["assertion"]["metric"], first["reason"]) == ("fickle", "not two characters")


def test_mlflow_gets_metrics_the_table_and_the_files(report: ft.Report, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="mlflow is an optional package of the user's")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    run = mlflow.get_run(report.log_mlflow(run_name="airport"))
    assert run.info.run_name == "airport"
    assert run.data.metrics["tuned/exact_match"] == pytest.approx(8 / 11)
    verdict = report.verdict("tuned", baseline="base")
    assert run.data.metrics["tuned/vs base/exact_match/difference"] == pytest.approx(verdict.estimate.value)
    assert run.data.params["golden_set"] == report.run.golden
    files = {item.path for item in mlflow.MlflowClient().list_artifacts(run.info.run_id)}
    assert {"report.html", "report.json", "answers.json"} <= files


def test_a_report_as_a_frame_has_one_row_an_answer(report: ft.Report):
    frame = report.to_pandas()
    assert len(frame) == 24
    assert list(frame.columns[-2:]) == ["exact_match", "fickle"]
    means = frame.groupby("candidate")["exact_match"].mean()
    assert means["tuned"] == report.mean("tuned")
    failed = frame[(frame.candidate == "tuned") & (frame.case == "3")].iloc[0]
    assert "the line is busy" in failed.error
    assert math.isnan(failed.exact_match)


def test_a_report_as_a_dict_is_what_its_file_holds(report: ft.Report, tmp_path):
    path = report.save_json(tmp_path / "report.json")
    assert json.loads(json.dumps(report.to_dict())) == json.loads(path.read_text(encoding="utf-8"))
