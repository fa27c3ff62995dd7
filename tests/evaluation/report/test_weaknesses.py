"""Where a candidate is weak, and the worksheet of what to collect."""

from __future__ import annotations

import openpyxl
import pytest

import finetune_lib as ft


def test_categories_and_phrases_of_failing_questions(report: ft.Report):
    weak = report.weakest("tuned")
    assert (len(weak.failing), weak.cases) == (3, 11)
    by_kind = {group.kind: group for group in weak}
    assert (by_kind["category"].name, by_kind["category"].failing) == ("退票", ("0", "4", "8"))
    assert "退票" in by_kind["wording"].name
    assert by_kind["wording"].cases == 3
    assert "退票" in str(weak)


def test_a_candidate_without_failures_has_no_groups(cases, tmp_path):
    def right(case: ft.Case) -> str:
        return "七天"

    weak = ft.Evaluator(scorers=[ft.ExactMatch()], store=":memory:").run(cases, candidates=[right]).weakest("right")
    assert list(weak) == []
    assert str(weak) == "right fails 0 of 12 cases by exact_match"


def test_english_questions_share_words():
    questions = ["how do I get a refund", "refund of a ticket", "a refund, please", "lost bag", "bag too big", "my bag"]
    cases = [
        ft.Case(str(i), (ft.Message(role="user", content=text),), expected="ok") for i, text in enumerate(questions)
    ]

    def bags_only(case: ft.Case) -> str:
        return "ok" if "bag" in case.prompt else "no"

    weak = ft.Evaluator(scorers=[ft.ExactMatch()], store=":memory:").run(cases, candidates=[bags_only])
    assert "refund" in weak.weakest("bags_only")[0].name


def test_the_worksheet_has_cases_as_text_and_a_sheet_that_loads(report: ft.Report, tmp_path):
    path = report.weakest("tuned").to_excel(tmp_path / "collect.xlsx")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["weak", "failing", "collect"]
    cells = [[cell.value for cell in row] for row in book["failing"].iter_rows(min_row=2)]
    assert {row[0] for row in cells} == {"0", "4", "8"}
    assert {cell.data_type for row in book["failing"].iter_rows(min_row=2, max_col=5) for cell in row} == {"s"}
    book["collect"].append(["退票要手續費嗎？", "要，一百元。", "退票"])
    book.save(path)
    more = ft.Dataset.load(path, sheet="collect")
    assert [(example.prompt, example.answer, example.category) for example in more] == [
        ("退票要手續費嗎？", "要，一百元。", "退票")
    ]


def test_an_existing_file_is_left_alone(report: ft.Report, tmp_path):
    path = tmp_path / "collect.xlsx"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        report.weakest("tuned").to_excel(path)
    assert path.read_text() == "mine"


def test_unknown_names_list_the_known_ones(report: ft.Report):
    with pytest.raises(ValueError, match="base, tuned"):
        report.weakest("other")
