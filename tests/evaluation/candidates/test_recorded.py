"""Recorded: answers by id or question, from wherever they come."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

import pytest
from tests.files import written

import finetune_lib as ft
from finetune_lib.evaluation.candidates import Recorded


def said(candidate, case) -> str:
    answer = asyncio.run(candidate(case))
    assert answer.error is None
    return answer.text


def test_by_id(case):
    clerk = Recorded({"a": "x", "b": ft.Answer("y", seconds=2.0)}, name="clerk")
    assert said(clerk, case("q", id="a")) == "x"
    assert asyncio.run(clerk(case("q", id="b"))).seconds == 2.0


def test_a_case_without_an_answer_fails_with_a_reason(case):
    answer = asyncio.run(Recorded({"a": "x"})(case("q", id="c")))
    assert answer.error == "no answer is recorded for case c"


def test_in_the_order_of_the_golden_set(case):
    golden = [case("q", id="b"), case("r", id="a")]
    assert said(Recorded(["one", "two"], ids=golden), golden[1]) == "two"
    with pytest.raises(ValueError, match="pass ids=golden"):
        Recorded(["one"], ids=golden)


def test_rows_by_question_whatever_the_script(case):
    rows = [{"問題": "可以退貨嗎？", "標準答案": "可以", "回答": "行"}]
    assert said(Recorded(rows), case("可以退货吗", id="77")) == "行"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "id,answer\n1,yes\n2,no\n"),
        ("a.csv", "question,expected,model answer\nA?,right,yes\nB?,right,no\n"),
        ("a.xlsx", "[回答]\n編號\t問題\t回答\n1\tA?\tyes\n2\tB?\tno\n"),
        ("a.jsonl", '{"id": 1, "output": "yes"}\n{"id": 2, "output": "no"}\n'),
        ("a.json", '[{"instruction": "A?", "output": "yes"}, {"instruction": "B?", "output": "no"}]'),
    ],
)
def test_files(tmp_path, case, name, text):
    candidate = Recorded(written(tmp_path, name, text))
    assert [said(candidate, case("A?", id="1")), said(candidate, case("B?", id="2"))] == ["yes", "no"]


def test_columns_can_be_told(tmp_path, case):
    path = written(tmp_path, "a.csv", "case,vendor\n1,yes\n")
    with pytest.raises(ft.ReadError, match="case, vendor"):
        Recorded(path)
    assert said(Recorded(path, columns={"id": "case", "answer": "vendor"}), case("q")) == "yes"


def test_a_file_that_numbers_its_rows_otherwise_is_matched_by_question(tmp_path, case):
    candidate = Recorded(written(tmp_path, "a.csv", "id,question,answer\n1,A?,a\n2,B?,b\n"))
    assert said(candidate, case("B?", id="1")) == "b"
    assert asyncio.run(candidate(case("C?", id="1"))).error


def test_an_empty_cell_is_no_answer(tmp_path, case):
    candidate = Recorded(written(tmp_path, "a.csv", "id,question,answer\n1,A?,\n2,B?,b\n"))
    assert asyncio.run(candidate(case("A?", id="1"))).error


def test_two_answers_to_one_id_or_question_are_named(tmp_path):
    with pytest.raises(ft.DataError, match=r"a.csv:3: another answer to '1' stands at a.csv:2"):
        Recorded(written(tmp_path, "a.csv", "id,answer\n1,x\n1,y\n"))
    with pytest.raises(ft.DataError, match="stands at row:1"):
        Recorded([{"question": "A?", "answer": "x"}, {"question": "a", "answer": "y"}])


def test_rows_without_an_answer_say_what_they_have():
    with pytest.raises(ft.DataError, match="these have a, b"):
        Recorded([{"a": 1, "b": 2}])


def test_values_that_are_no_text_are_json(case):
    assert json.loads(said(Recorded([{"id": "1", "answer": {"refund": True}}]), case("q"))) == {"refund": True}


def test_an_earlier_report(case):
    @dataclass
    class Result:
        answer: ft.Answer

    @dataclass
    class Report:
        cases: list[ft.Case]
        results: dict[str, list[Result]]

    report = Report(
        [case("q"), case("r", id="2")], {"tuned": [Result(ft.Answer("a")), Result(ft.Answer(error="late"))]}
    )
    again = Recorded.from_report(report, "tuned")
    assert (again.name, said(again, case("q"))) == ("tuned", "a")
    assert asyncio.run(again(case("r", id="2"))).error == "late"
    with pytest.raises(ValueError, match="tuned"):
        Recorded.from_report(report, "base")
