"""What the platform says of a job's files before it trains: the library's own checks, in the wire's words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from finetune_lib import catalog
from finetune_lib.data.dataset import Dataset
from finetune_lib.data.diagnostics import Diagnostic
from finetune_lib.data.reading.bytes.blob import FileBlob
from finetune_lib.data.reading.json.line_store import LineStore
from finetune_lib.errors import DataError
from finetune_lib.local.job_directory import JobDirectory

TOO_FEW = "K701"


def problem_of(directory: JobDirectory, job: dict[str, Any]) -> dict[str, Any] | None:
    """The job's `error` where its files cannot be trained on, else None."""
    problem = _problem(directory.train, "training_file", job)
    if problem is None and job["validation_file"]:
        problem = _problem(directory.validation, "validation_file", job)
    return problem


def _problem(path: Path, param: str, job: dict[str, Any]) -> dict[str, Any] | None:
    try:
        data = Dataset(LineStore(FileBlob.of(path), source=path.name), name=path.name)
        # a base's own tokenizer would cost the server half a gigabyte: the worker holds the rows against it
        known = job["model"] if catalog.find(job["model"]) else None
        method = job["method"]["type"]
        grader = job["method"][method].get("grader")
        report = data.validate(model=known, target="local", method=method, grader=grader, content=False)
    except (DataError, OSError) as error:
        return {"code": f"invalid_{param}", "message": str(error), "param": param}
    errors = [error for error in report.errors if param == "training_file" or error.code != TOO_FEW]
    if not errors:
        return None
    if errors[0].code == TOO_FEW and len(errors) == 1:
        minimum = errors[0].args["minimum"]
        message = f"Training file has {report.examples} example(s), but must have at least {minimum} examples"
        return {"code": "invalid_n_examples", "message": message, "param": param}
    return {"code": f"invalid_{param}", "message": _told(errors, param), "param": param}


def _told(errors: list[Diagnostic], param: str) -> str:
    first = next(error for error in errors if error.code != TOO_FEW)
    rest = f" (and {len(errors) - 1} more errors)" if len(errors) > 1 else ""
    what = param.replace("_", " ")
    row = f"Example {first.origin.row}" if first.origin.row else f"Line {first.origin.line}"
    place = f"{row}{f', {first.path}' if first.path else ''}"
    return f"The job failed due to an invalid {what}. Invalid file format. {place}: {first.texts('en').message}{rest}"
