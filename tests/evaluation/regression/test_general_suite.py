"""The suite that comes with the library: every case can be answered, and only by what it asks."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

import finetune_lib as ft
from finetune_lib.evaluation.regression import AsAsked, suite_of

SUITE = suite_of(True)
RIGHT = AsAsked()
BY_ID = {case.id: case for case in SUITE}
# Written by hand: other answers that are right, and near ones that are wrong, as models write them.
ANSWERS = json.loads(Path(__file__).with_name("suite_answers.json").read_text(encoding="utf-8"))
NUMBERS = [case for case in SUITE if case.metadata["check"].get("number")]


def test_three_areas_of_a_hundred_cases_in_three_languages():
    assert len(SUITE.categories) == 3
    assert all(count >= 100 for count in SUITE.categories.values())
    each = Counter((case.category, case.metadata["language"]) for case in SUITE)
    assert len(each) == 9
    assert min(each.values()) >= 30


@pytest.mark.parametrize("case", SUITE, ids=lambda case: case.id)
def test_the_right_answer_is_right_and_none_else_is(case):
    assert RIGHT(case.expected, case).value == 1
    of_area = [other.expected for other in SUITE if other.category == case.category]
    another = of_area[(of_area.index(case.expected) + 7) % len(of_area)]
    for wrong in ("", "嗯……", "I am happy to help.", another):
        assert RIGHT(wrong, case).value == 0, wrong


@pytest.mark.parametrize("kind", ["right", "wrong"])
def test_other_answers_are_scored_as_people_would(kind):
    each = [(BY_ID[case], answer) for case, answers in ANSWERS[kind].items() for answer in answers]
    told = [(case.id, answer) for case, answer in each if RIGHT(answer, case).value != (kind == "right")]
    assert told == []
    assert len(each) > 50


@pytest.mark.parametrize("form", ["The answer is {}.", "答案是 {}。", "**{}**", "我算了一下，結果是 {}"])
def test_a_right_number_is_right_in_a_sentence(form):
    assert [case.id for case in NUMBERS if RIGHT(form.format(case.expected), case).value < 1] == []
    assert len(NUMBERS) > 80


def test_no_case_stands_twice_and_none_contradicts_another():
    found = SUITE.check()
    assert (found.ok, found.reworded, found.unanswered, found.units) == (True, (), 0, len(SUITE))


def test_nothing_is_wrong_with_it_as_data():
    rows = [
        {"messages": [*(m.model_dump(exclude_unset=True) for m in case.messages), told(case.expected)]}
        for case in SUITE
    ]
    assert [str(found) for found in ft.Dataset.from_rows(rows).validate().diagnostics] == []


def told(answer: str) -> dict[str, str]:
    return {"role": "assistant", "content": answer}
