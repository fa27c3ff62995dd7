"""One evaluation of everything that can ask, for tests that run it in a process of its own and kill it.

    python -m tests.evaluation.running.scenario '{"url": …, "store": …, "calls": …, "out": …}'

Functions write a line to `calls` for each of their calls; what the report says goes to `out`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import finetune_lib as ft
from finetune_lib.evaluation.judges import PairwiseJudge
from finetune_lib.evaluation.scorers import Rubric

CALLS = os.environ.get("SCENARIO_CALLS", "/dev/null")


def note(kind: str, *about: object) -> None:
    """One write of one line: no other process comes between."""
    file = os.open(CALLS, os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    os.write(file, (json.dumps([kind, *about]) + "\n").encode())
    os.close(file)


def clerk(case: ft.Case) -> str:
    """A plain function that takes its time."""
    time.sleep(0.005)
    note("clerk", case.id)
    return f"{case.prompt} It is 42." if int(case.id) % 3 else "I do not know."


def short(answer: str, case: ft.Case) -> float:
    """A scorer of the user's; it is noted by what it was asked."""
    note("short", case.id, answer)
    return min(1.0, 20 / (1 + len(answer)))


def longer(case: ft.Case, first: str, second: str) -> float:
    """A judge of the user's."""
    note("longer", case.id, first, second)
    return (len(first) > len(second)) - (len(first) < len(second))


def cases(number: int) -> list[ft.Case]:
    return [
        ft.Case(
            str(n), (ft.Message(role="user", content=f"Question {n}: what is it?"),), "42", "even" if n % 2 else "odd"
        )
        for n in range(number)
    ]


def evaluate(options: dict[str, Any]) -> ft.Report:
    rubric = [Rubric("It is right.", model="grader")] if options.get("rubric", True) else []
    judges = [PairwiseJudge("judge"), longer] if options.get("judge", True) else []
    evaluator = ft.Evaluator(
        [ft.Contains(), short, *rubric],
        judge=judges,
        platform=ft.connect(options["url"], api_key="k"),
        store=options["store"],
        concurrency=options.get("concurrency", 16),
        epochs=options.get("epochs", 1),
        mode=options.get("mode", "live"),
    )
    temperature = 0.7 if options.get("epochs", 1) > 1 else 0.0
    models = [ft.ChatModel(name, temperature=temperature) for name in options.get("models", ["base", "tuned"])]
    return evaluator.run(cases(options.get("cases", 40)), candidates=[*models, clerk])


def told(report: ft.Report) -> dict[str, Any]:
    """All that a report says, but times, ids, and what was paid in this run."""
    results = {
        name: [
            [{**asdict(a), "answer": {**asdict(a.answer), "seconds": 0}} for a in result.attempts] for result in results
        ]
        for name, results in report.results.items()
    }
    comparisons = [
        asdict(c) for measure in report.measures for c in report.family(report.candidates[0], scorer=measure)
    ]
    judgments = [asdict(judgment) for judgment in report.judgments]
    return json.loads(json.dumps([results, judgments, comparisons, report.run.golden], default=str))


def main() -> None:
    options = json.loads(sys.argv[1])
    report = evaluate(options)
    whole = {"told": told(report), "paid": report.run.paid_calls, "reused": report.run.reused}
    Path(options["out"]).write_text(json.dumps(whole))


if __name__ == "__main__":
    main()
