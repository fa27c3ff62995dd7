"""One report of three candidates over twelve questions in two categories, with failures of every kind."""

from __future__ import annotations

import pytest

import finetune_lib as ft


def base(case: ft.Case) -> str:
    return "不知道"


def tuned(case: ft.Case) -> str:
    if case.id == "3":
        raise RuntimeError("the line is busy")
    return "七天" if "行李" in case.prompt else '=HYPERLINK("http://evil.example","<script>")'


def fickle(answer: str, case: ft.Case) -> ft.Score:
    if case.id == "5":
        raise ValueError("cannot tell")
    return ft.Score(float(len(answer) == 2), reason="two characters" if len(answer) == 2 else "not two characters")


def judge(case: ft.Case, first: str, second: str) -> str:
    return "tie" if first == second else "first_much_better" if "七天" in first else "second_slightly_better"


@pytest.fixture
def cases() -> list[ft.Case]:
    kinds = ["退票" if i % 4 == 0 else "行李" for i in range(12)]
    return [
        ft.Case(
            str(i),
            (ft.Message(role="user", content=f"請問{kind}要等多久？這是第 {i} 題"),),
            expected="七天",
            category=kind,
            metadata={"n": i},
        )
        for i, kind in enumerate(kinds)
    ]


@pytest.fixture
def report(cases: list[ft.Case], tmp_path) -> ft.Report:
    evaluator = ft.Evaluator(scorers=[ft.ExactMatch(), fickle], judge=judge, store=tmp_path / "answers.db")
    return evaluator.run(cases, candidates=[base, tuned])
