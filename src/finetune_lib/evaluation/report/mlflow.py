"""A report as a run of MLflow: parameters, metrics for each candidate, the table of answers, the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from finetune_lib.evaluation.report.measured import Measured
from finetune_lib.evaluation.report.saving import write_report
from finetune_lib.evaluation.report.views import report_page
from finetune_lib.extras import require

# https://mlflow.org/docs/latest/ml/tracking: names are of these characters.
NOT_IN_NAMES = re.compile(r"[^\w\-. /]")


def log_mlflow(report: Measured, *, run_name: str | None = None) -> str:
    """Log the report as a run in the active experiment; gives the run's id.

    Raises:
        MissingExtraError: MLflow is not installed.
    """
    mlflow = require("mlflow", extra="mlflow", feature="Logging to MLflow")
    with mlflow.start_run(run_name=run_name or report.run.id, nested=mlflow.active_run() is not None) as run:
        mlflow.log_params(_params(report))
        mlflow.log_metrics(dict(_metrics(report)))
        with TemporaryDirectory() as folder:
            (Path(folder) / "report.html").write_bytes(report_page(report).encode())
            write_report(report, Path(folder) / "report.json")
            mlflow.log_artifacts(folder)
        mlflow.log_table(_table(report), "answers.json")
    return run.info.run_id


def _params(report: Measured) -> dict[str, Any]:
    models = {f"model/{_name(name)}": model for name, model in report.run.models.items()}
    known = {"golden_set": report.run.golden, "cases": len(report.cases), "baseline": report.candidates[0]}
    lineage = {"job": report.run.job, "training_file": report.run.training_file}
    return {**known, **models, **{name: value for name, value in lineage.items() if value}}


def _metrics(report: Measured) -> Iterator[tuple[str, float]]:
    for name in report.candidates:
        for scorer in report.scorers:
            if (mean := report.mean(name, scorer=scorer)) is not None:
                yield f"{_name(name)}/{_name(scorer)}", mean
        expense = report.expense(name)
        told = {"usd_per_answer": expense.usd, "p50_seconds": expense.p50, "p95_seconds": expense.p95}
        yield from ((f"{_name(name)}/{key}", value) for key, value in told.items() if value is not None)
    for scorer in report.measures:
        for c in report.family(report.candidates[0], scorer=scorer):
            e, start = c.estimate, f"{_name(c.candidate)}/vs {_name(c.baseline)}/{_name(scorer)}"
            told = {"difference": e.value, "low": e.low, "high": e.high, "p": c.p}
            yield from ((f"{start}/{key}", value) for key, value in told.items())


def _table(report: Measured) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        "case": [case.id for case in report.cases],
        "category": [case.category or "" for case in report.cases],
        "question": [case.prompt for case in report.cases],
        "expected": [case.expected for case in report.cases],
    }
    for name in report.candidates:
        columns[name] = [result.answer.text for result in report.results[name]]
        for scorer in report.scorers:
            columns[f"{name} {scorer}"] = list(report.scores(name, scorer=scorer))
    return columns


def _name(text: str) -> str:
    return NOT_IN_NAMES.sub("_", text)
