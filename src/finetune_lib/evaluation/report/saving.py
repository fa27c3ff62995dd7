"""A report as JSON: everything it holds, so that it opens again as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from finetune_lib.data.reading import ReadError
from finetune_lib.evaluation.judges import Judgment
from finetune_lib.evaluation.report.design import Design
from finetune_lib.evaluation.report.measured import Measured
from finetune_lib.evaluation.report.records import RunRecord
from finetune_lib.evaluation.report.results import Attempt, Result
from finetune_lib.files import write_atomically
from finetune_lib.records import Answer, Case, Message, Score, ToolCall, Usage

FORMAT, VERSION = "finetune_lib.report", 1


def write_report(report: Measured, path: Path) -> Path:
    """Write everything but the experts' votes, which have files of their own."""
    return write_atomically(path, [json.dumps(as_dict(report), ensure_ascii=True, indent=1).encode()])


def as_dict(report: Measured) -> dict[str, Any]:
    """All of the report but the votes, of plain values that JSON knows."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "verdicts": [str(comparison) for comparison in report.comparisons],
        "cases": list(map(_case, report.cases)),
        "candidates": report.candidates,
        "scorers": report.scorers,
        "results": {name: [list(map(_attempt, r.attempts)) for r in found] for name, found in report.results.items()},
        "judgments": list(map(asdict, report.judgments)),
        "contaminated": sorted(report.contaminated),
        "signatures": dict(report.signatures),
        "run": asdict(report.run),
        "design": asdict(report.design),
        **({"regression_suite": as_dict(report.regression_suite)} if report.regression_suite else {}),
    }


def rows(report: Measured) -> Iterator[dict[str, Any]]:
    """One row an answer: the case, who answered, what, at which price, and what each scorer says of it."""
    for candidate in report.candidates:
        for case, result in zip(report.cases, report.results[candidate], strict=True):
            for number, attempt in enumerate(result.attempts, start=1):
                answer, scores = attempt.answer, attempt.scores
                yield {
                    "case": case.id,
                    "category": case.category,
                    "question": case.prompt,
                    "expected": case.expected,
                    "candidate": candidate,
                    "attempt": number,
                    "answer": answer.text,
                    "error": answer.error,
                    "seconds": answer.seconds,
                    "usd": answer.cost,
                    "prompt_tokens": answer.usage.prompt_tokens,
                    "completion_tokens": answer.usage.completion_tokens,
                    **{name: scores[name].value if name in scores else None for name in report.scorers},
                }


def read_report(path: Path) -> dict[str, Any]:
    """The fields of the report that `write_report` wrote.

    Raises:
        ReadError: The file is no report, or one of a later version.
    """
    try:
        body = json.loads(path.read_bytes())
        if body["format"] != FORMAT or body["version"] > VERSION:
            raise ValueError(f"its format is {body['format']} {body['version']}, not {FORMAT} {VERSION}")
        return _fields(body)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReadError(f"{path} is no report that can be read: {error}", path=path) from error


def _fields(body: Mapping[str, Any]) -> dict[str, Any]:
    results = {
        name: tuple(Result(tuple(map(_read_attempt, attempts))) for attempts in found)
        for name, found in body["results"].items()
    }
    return {
        "cases": tuple(map(_read_case, body["cases"])),
        "candidates": tuple(body["candidates"]),
        "scorers": tuple(body["scorers"]),
        "results": results,
        "judgments": tuple(Judgment(**judgment) for judgment in body["judgments"]),
        "contaminated": frozenset(body["contaminated"]),
        "signatures": body["signatures"],
        "run": _read_run(body["run"]),
        "design": _read_design(body.get("design") or {}),
        "regression_suite": Measured(**_fields(suite)) if (suite := body.get("regression_suite")) else None,
    }


def _read_run(kept: Mapping[str, Any]) -> RunRecord:
    answered = {name: tuple(models) for name, models in kept.get("answered", {}).items()}
    return replace(RunRecord(**kept), answered=answered)


def _read_design(kept: Mapping[str, Any]) -> Design:
    """Of reports that were saved before there was one, none."""
    scales = {name: (low, high) for name, (low, high) in kept.get("scales", {}).items()}
    return replace(Design(**kept), scales=scales)


def _case(case: Case) -> dict[str, Any]:
    messages = [message.model_dump(exclude_none=True) for message in case.messages]
    calls = list(map(asdict, case.expected_calls))
    plain = {name: getattr(case, name) for name in ("id", "expected", "category", "cluster")}
    return {**plain, "messages": messages, "calls": calls, "tools": list(case.tools), "metadata": dict(case.metadata)}


def _read_case(kept: Mapping[str, Any]) -> Case:
    messages = tuple(map(Message.model_validate, kept["messages"]))
    return Case(
        kept["id"],
        messages,
        kept["expected"],
        kept["category"],
        cluster=kept["cluster"],
        expected_calls=tuple(ToolCall(**call) for call in kept["calls"]),
        tools=tuple(kept["tools"]),
        metadata=kept["metadata"],
    )


def _attempt(attempt: Attempt) -> dict[str, Any]:
    scores = {name: asdict(score) for name, score in attempt.scores.items()}
    return {"answer": asdict(attempt.answer), "scores": scores, "failures": dict(attempt.failures)}


def _read_attempt(kept: Mapping[str, Any]) -> Attempt:
    scores = {name: Score(**score) for name, score in kept["scores"].items()}
    return Attempt(read_answer(kept["answer"]), scores, kept["failures"])


def read_answer(kept: Mapping[str, Any]) -> Answer:
    """An answer as `asdict` gave it."""
    plain = {name: value for name, value in kept.items() if name not in {"tool_calls", "usage", "sources", "links"}}
    calls = tuple(ToolCall(**call) for call in kept["tool_calls"])
    told: dict[str, Any] = {name: tuple(kept.get(name, ())) for name in ("sources", "links")}
    return Answer(**plain, tool_calls=calls, usage=Usage(**kept["usage"]), **told)
