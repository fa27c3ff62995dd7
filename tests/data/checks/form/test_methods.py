"""Preference and reinforcement rows."""

import pytest
from tests.forms import ASSISTANT, SYSTEM, USER, chat, codes, found

from finetune_lib.data.checks.form.graders import grader_fields

DPO, RFT = {"method": "dpo"}, {"method": "reinforcement"}
WORSE = {**ASSISTANT, "content": "b"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def preference(**changes):
    row = {"input": {"messages": [USER]}, "preferred_output": [ASSISTANT], "non_preferred_output": [WORSE], **changes}
    return {key: value for key, value in row.items() if value is not ...}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (preference(), []),
        (preference(input={"messages": [SYSTEM, USER], "tools": [], "parallel_tool_calls": True}), []),
        (preference(input={"messages": []}), [("S305", "/input/messages")]),
        (preference(input={}), [("S304", "/input/messages")]),
        (preference(input=None), [("S304", "/input")]),
        (preference(input=...), [("S304", "/input")]),
        (preference(input="q"), [("S304", "/input")]),
        (preference(input={"messages": [USER], "mood": 1}), [("S306", "/input/mood")]),
        (preference(score=1), [("S306", "/score")]),
        (preference(preferred_output="a"), [("P604", "/preferred_output")]),
        (preference(preferred_output=ASSISTANT), [("P604", "/preferred_output")]),
        (preference(preferred_output=...), [("P602", "/preferred_output")]),
        (preference(preferred_output=[]), [("P602", "/preferred_output")]),
        (preference(preferred_output=5), [("P602", "/preferred_output")]),
        (preference(preferred_output=[USER]), [("P602", "/preferred_output/0/role")]),
        (preference(non_preferred_output=["a"]), [("S319", "/non_preferred_output/0")]),
        (
            preference(non_preferred_output=[{**ASSISTANT, "content": ""}]),
            [("C406", "/non_preferred_output/0/content")],
        ),
        (preference(non_preferred_output=[{**ASSISTANT, "content": " a\n"}]), [("P601", "/non_preferred_output/0")]),
        (preference(preferred_output=..., chosen=[ASSISTANT]), [("P603", "/chosen")]),
        (preference(input={"messages": [USER, ASSISTANT]}), [("P610", "/input/messages/1/role")]),
        (
            preference(
                preferred_output=[{"role": "assistant", "tool_calls": [CALL]}], input={"messages": [USER], "tools": []}
            ),
            [("F504", "/preferred_output/0/tool_calls/0/function/name")],
        ),
        (chat(USER, ASSISTANT), [("P605", None)]),
        ({"prompt": "q", "completion": "a"}, [("P605", None)]),
    ],
)
def test_preference_rows_are_checked_side_by_side(row, expected):
    assert [(d.code, d.path) for d in found(row, **DPO)] == expected


def test_sides_that_are_whole_conversations_must_be_about_one_question():
    other = {**USER, "content": "another"}
    assert codes(preference(preferred_output=[USER, ASSISTANT], non_preferred_output=[other, WORSE]), **DPO) == ["P609"]
    assert (
        codes(preference(preferred_output=[USER, ASSISTANT], non_preferred_output=[USER, WORSE]), **DPO) == ["P602"] * 2
    )


@pytest.mark.parametrize(
    ("lengths", "told"),
    [((100, 40), True), ((100, 90), False), ((40, 100), False)],
)
def test_a_bias_of_length_is_told_where_it_is_strong(lengths, told):
    rows = [
        preference(
            input={"messages": [{**USER, "content": f"q{n}"}]},
            preferred_output=[{**ASSISTANT, "content": "x" * lengths[0]}],
            non_preferred_output=[{**ASSISTANT, "content": "y" * lengths[1]}],
        )
        for n in range(20)
    ]
    assert ("P608" in codes(*rows, **DPO)) == told
    assert "P608" not in codes(*rows[:19], **DPO)


def test_reinforcement_allows_fields_for_its_graders():
    row = chat(USER, reference_answer="a")
    assert codes(row, **RFT) == []
    assert codes(row) == ["S306", "C401"]


@pytest.mark.parametrize(("messages", "expected"), [([USER], []), ([SYSTEM, USER], []), ([USER, ASSISTANT], ["P606"])])
def test_reinforcement_ends_with_the_user(messages, expected):
    assert codes(chat(*messages), **RFT) == expected


def test_a_field_that_most_rows_have_is_missed_in_the_others():
    rows = [chat({**USER, "content": f"q{n}"}, answer="a", **({"hint": "h"} if n == 3 else {})) for n in range(5)]
    rows[2].pop("answer")
    findings = found(*rows, **RFT)
    assert [(d.code, d.severity, d.origin.row, d.path) for d in findings] == [("P607", "warning", 3, "/answer")]


@pytest.mark.parametrize("value", [..., None])
def test_a_field_that_the_grader_reads_must_be_in_every_row(value):
    rows = [chat({**USER, "content": f"q{n}"}, answer="a") for n in range(3)]
    rows[1] = chat({**USER, "content": "x"}) if value is ... else {**rows[1], "answer": value}
    grader = {
        "type": "string_check",
        "operation": "eq",
        "input": "{{sample.output_text}}",
        "reference": "{{ item.answer }}",
    }
    findings = found(*rows, grader=grader, **RFT)
    assert [(d.code, d.severity, d.origin.row, d.path) for d in findings] == [("P607", "error", 2, "/answer")]


@pytest.mark.parametrize(
    ("grader", "fields"),
    [
        ({}, set()),
        ({"reference": "{{item.答案}}"}, {"答案"}),
        ({"reference": "{{item.answer.text}} {{item.tags[0]}} {{item['other key']}}"}, {"answer", "tags", "other key"}),
        ({"input": [{"role": "user", "content": "{{item.a}} {{sample.b}} {item.c}"}]}, {"a"}),
        (
            {"type": "multi", "graders": {"x": {"reference": "{{item.a}}"}, "y": {"reference": "{{item.b}}"}}},
            {"a", "b"},
        ),
        ({"type": "python", "source": "def grade(sample, item):\n    return item['a'] == item.get('b')"}, {"a"}),
    ],
)
def test_the_fields_that_a_grader_reads(grader, fields):
    assert grader_fields(grader) == fields
