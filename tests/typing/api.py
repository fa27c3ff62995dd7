"""The public API as a typed program: checked by pyright in strict mode, never run."""

from collections.abc import Sequence
from pathlib import Path
from typing import assert_type

import finetune_lib as ft


def polite(answer: str, case: ft.Case) -> float:
    return float("您" in answer and case.expected != "")


async def canned(case: ft.Case) -> str:
    return case.prompt


def program() -> None:
    data = ft.Dataset.load("faq.xlsx", system="你是客服。", columns={"prompt": "問題", "completion": "答案"})
    assert_type(data[0], ft.Example)
    assert_type(data[:3], ft.Dataset)
    assert_type(data[0].messages, tuple[ft.Message, ...])
    report = data.validate(model="gpt-4.1-mini").raise_for_errors()
    assert_type(report, ft.ValidationReport)
    assert_type(report.errors, tuple[ft.Diagnostic, ...])
    train, validation, golden = data.split(validation=0.1, golden=20, seed=7)
    assert_type(golden, ft.Dataset)
    assert_type(train.save("train.jsonl"), Path)

    platform = ft.connect("local", root="models")
    job = ft.Job.create(train, model="tiny", validation=validation, hyperparameters={"n_epochs": 3}, platform=platform)
    assert_type(job.wait(on_event=print, timeout=60), ft.Job)
    assert_type(job.events(), tuple[ft.JobEvent, ...])
    assert_type(job.wait(progress=True), ft.Job)
    assert_type(job.metrics(), ft.Metrics)
    assert_type(job.metrics().best_step, int | None)
    assert_type(job.best_checkpoint(), ft.Checkpoint | None)
    assert_type(job.checkpoints(), tuple[ft.Checkpoint, ...])
    assert_type(ft.Job.list(), tuple[ft.Job, ...])

    scorers: Sequence[ft.Scorer] = [ft.ExactMatch(), ft.Contains(), polite]
    candidates: Sequence[ft.Candidate] = [ft.ChatModel("tiny", name="base"), canned, job.candidate()]
    result = ft.Evaluator(scorers=scorers).run(golden, candidates=candidates)
    assert_type(result, ft.Report)
    verdict = result.verdict("tuned", baseline="base")
    assert_type(verdict, ft.Comparison)
    assert_type(verdict.estimate, ft.Estimate)
    assert_type(result.save_html("report.html", metrics=job.metrics()), Path)


async def twins(job: ft.Job, golden: ft.Dataset) -> None:
    assert_type(await ft.Job.create_async(golden, model="tiny"), ft.Job)
    assert_type(await ft.Job.get_async(job.id), ft.Job)
    assert_type(await job.refresh_async(), ft.Job)
    assert_type(await job.wait_async(on_event=print), ft.Job)
    assert_type(await job.events_async(), tuple[ft.JobEvent, ...])
    assert_type(await job.metrics_async(), ft.Metrics)
    assert_type(await job.best_checkpoint_async(), ft.Checkpoint | None)
    assert_type(await job.cancel_async(), ft.Job)
    evaluator = ft.Evaluator(scorers=[ft.ExactMatch()])
    assert_type(await evaluator.run_async(golden, candidates=[canned]), ft.Report)
