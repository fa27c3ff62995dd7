"""A report in the form that promptfoo imports: `promptfoo import report.promptfoo.json`, then `promptfoo view`.

The form is version 3 of promptfoo's own export (its `import` and `export` commands, release 0.121).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from finetune_lib.evaluation.report.measured import Measured
from finetune_lib.evaluation.report.results import Attempt, Result
from finetune_lib.files import write_atomically
from finetune_lib.records import Case

VERSION = 3
PASSED = 0.5
ASSERTION_FAILED, ERROR = 1, 2
Object = dict[str, Any]


def write_promptfoo(report: Measured, path: Path) -> Path:
    """Write the report; a candidate is a prompt there, a case a test, a scorer an assertion."""
    when = datetime.fromtimestamp(report.run.started, UTC)
    tests = list(map(_test, report.cases))
    results = list(_results(report, tests))
    body = {
        "evalId": f"{report.run.id}-{when:%Y-%m-%dT%H:%M:%S}",
        "results": {
            "version": VERSION,
            "timestamp": when.isoformat(),
            "prompts": [_prompt(report, name, results) for name in report.candidates],
            "results": results,
            "stats": _counts(results),
        },
        "config": {"description": "finetune_lib evaluation", "prompts": list(report.candidates), "tests": tests},
        "shareableUrl": None,
    }
    return write_atomically(path, [json.dumps(body).encode()])


def _test(case: Case) -> Object:
    given = {"category": case.category} if case.category else {}
    return {"description": case.id, "vars": {"question": case.prompt, "expected": case.expected}, "metadata": given}


def _prompt(report: Measured, name: str, results: list[Object]) -> Object:
    own = [result for result in results if result["provider"]["id"] == name]
    expense = report.expense(name)
    scored = {scorer: [s for s in report.scores(name, scorer=scorer) if s is not None] for scorer in report.scorers}
    counts = _counts(own)
    return {
        "raw": "{{question}}",
        "label": name,
        "id": name,
        "provider": name,
        "metrics": {
            "score": sum(result["score"] for result in own),
            "testPassCount": counts["successes"],
            "testFailCount": counts["failures"],
            "testErrorCount": counts["errors"],
            "assertPassCount": sum(part["pass"] for result in own for part in _parts(result)),
            "assertFailCount": sum(not part["pass"] for result in own for part in _parts(result)),
            "totalLatencyMs": sum(result["latencyMs"] for result in own),
            "tokenUsage": counts["tokenUsage"],
            "namedScores": {scorer: sum(scores) for scorer, scores in scored.items()},
            "namedScoresCount": {scorer: len(scores) for scorer, scores in scored.items()},
            "cost": expense.total_usd or 0,
        },
    }


def _parts(result: Object) -> list[Object]:
    return result["gradingResult"]["componentResults"] if result["gradingResult"] else []


def _results(report: Measured, tests: list[Object]) -> Iterator[Object]:
    for place, case in enumerate(report.cases):
        for column, name in enumerate(report.candidates):
            yield _result(report.results[name][place], case, name) | {
                "promptIdx": column,
                "testIdx": place,
                "testCase": tests[place],
            }


def _result(result: Result, case: Case, name: str) -> Object:
    attempt, scores = result.attempts[0], result.scores
    answer = attempt.answer
    score = next(iter(scores.values()), 0.0)
    failed = answer.error is not None
    reached = not failed and score >= PASSED
    read, written = answer.usage.prompt_tokens, answer.usage.completion_tokens
    usage = {"prompt": read, "completion": written, "total": read + written}
    return {
        "id": f"{case.id}-{name}",
        "promptId": name,
        "provider": {"id": name, "label": name},
        "prompt": {"raw": case.prompt, "label": name},
        "vars": {"question": case.prompt, "expected": case.expected},
        "response": {"error": answer.error} if failed else {"output": answer.text, "tokenUsage": usage},
        "error": answer.error,
        "success": reached,
        "failureReason": ERROR if failed else 0 if reached else ASSERTION_FAILED,
        "score": score,
        "latencyMs": round(answer.seconds * 1000),
        "cost": answer.cost or 0,
        "namedScores": dict(scores),
        "gradingResult": None if failed else _grading(attempt, scores, reached=reached, score=score),
        "metadata": {},
    }


def _grading(attempt: Attempt, scores: Mapping[str, float], *, reached: bool, score: float) -> Object:
    parts = [
        {
            "pass": value >= PASSED,
            "score": value,
            "reason": attempt.scores[name].reason if name in attempt.scores else "",
            "assertion": {"type": "python", "metric": name},
        }
        for name, value in scores.items()
    ]
    return {"pass": reached, "score": score, "reason": "", "namedScores": dict(scores), "componentResults": parts}


def _counts(results: list[Object]) -> Object:
    reasons = [result["failureReason"] for result in results]
    usages = [result["response"].get("tokenUsage", {}) for result in results]
    usage = {kind: sum(used.get(kind, 0) for used in usages) for kind in ("prompt", "completion", "total")}
    return {
        "successes": reasons.count(0),
        "failures": reasons.count(ASSERTION_FAILED),
        "errors": reasons.count(ERROR),
        "tokenUsage": {**usage, "cached": 0, "numRequests": len(results)},
    }
