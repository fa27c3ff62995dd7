"""Repairs of rows: what each mends, and what is left alone."""

import json

import pytest
from tests.forms import ASSISTANT, PAIR, SYSTEM, USER, chat, image, parts

from finetune_lib.data.checks.form.rows import check
from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import catalogue, code_example, is_error
from finetune_lib.data.fixing.row_mends import MENDS
from finetune_lib.data.fixing.row_proof import proven
from finetune_lib.data.fixing.row_repairs import repair_row
from finetune_lib.records import Example

RULES, DPO, RFT, TRL = Rules(), Rules(method="dpo"), Rules(method="reinforcement"), Rules("trl")
FORM = [mend.code for mend in MENDS if mend.code[0] in "SCFP"]


def calling(arguments, **message):
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    return {"role": "assistant", "tool_calls": [call], **message}


def mended(row, rules=RULES, *, safe_only=True):
    before = json.dumps(row)
    repair = repair_row(row, rules, safe_only=safe_only)
    assert json.dumps(row) == before
    return repair


def test_a_mask_that_openai_cannot_say_is_named_and_never_deleted():
    row = chat(USER, {**ASSISTANT, "loss_weight": 0.5})
    assert [finding.code for finding in check(Example(row), RULES)] == ["S336"]
    assert mended(row, safe_only=False) is None


@pytest.mark.parametrize(
    ("row", "after", "codes"),
    [
        (
            {"mesages": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]},
            chat(USER, ASSISTANT),
            ("S302", "S309"),
        ),
        (chat({"Role": "USER", "Content": "q"}, ASSISTANT), chat(USER, ASSISTANT), ("S302", "S310")),
        (chat({**USER, "role": "使用者"}, {**ASSISTANT, "role": "助理"}), chat(USER, ASSISTANT), ("S309",)),
        (chat({**USER, "role": "usr"}, ASSISTANT), chat(USER, ASSISTANT), ("S309",)),
        (chat({**USER, "content": 100}, ASSISTANT), chat({**USER, "content": "100"}, ASSISTANT), ("S311",)),
        (chat(USER, {**ASSISTANT, "weight": True}), chat(USER, {**ASSISTANT, "weight": 1}), ("S313",)),
        (chat(USER, {**ASSISTANT, "weight": 1.0}), chat(USER, {**ASSISTANT, "weight": 1}), ("S313",)),
        (chat(USER, {**ASSISTANT, "weight": "1"}), chat(USER, {**ASSISTANT, "weight": 1}), ("S313",)),
        (chat(USER, {**ASSISTANT, "weight": None}), chat(USER, ASSISTANT), ("S313",)),
        (chat({**USER, "weight": 0}, ASSISTANT), chat(USER, ASSISTANT), ("S318",)),
        (
            parts("q", {"type": "text", "text": "r"}),
            parts({"type": "text", "text": "q"}, {"type": "text", "text": "r"}),
            ("S314",),
        ),
        (
            parts({"type": "image_url", "image_url": "https://example.com/a.png"}),
            parts(image("https://example.com/a.png")),
            ("S326",),
        ),
        (chat(USER, calling({"城市": "台北", "n": 1.5})), chat(USER, calling('{"城市": "台北", "n": 1.5}')), ("F501",)),
    ],
)
def test_safe_repairs_of_chats(row, after, codes):
    repair = mended(row)
    assert json.dumps(repair.data) == json.dumps(after)
    assert (repair.codes, repair.kind) == (codes, "safe")


@pytest.mark.parametrize(
    "row",
    [
        chat(USER, ASSISTANT),
        chat({**USER, "role": "xyz"}, ASSISTANT),
        chat({**USER, "content": 1.5}, ASSISTANT),
        chat({**USER, "content": True}, ASSISTANT),
        chat({**USER, "content": {"text": "q"}}, ASSISTANT),
        chat(USER, {**ASSISTANT, "weight": 2}),
        chat(USER, {**ASSISTANT, "weight": "0.5"}),
        chat({**USER, "text": "other"}, ASSISTANT),
        chat({**USER, "role": "human"}),
        chat({"author": {"role": "user"}, "content": "q"}, ASSISTANT),
        chat(USER, ASSISTANT, note="x"),
        chat(USER, ASSISTANT, USER),
        chat(USER, calling("{'a': 1}")),
        {"colour": "red"},
        {},
    ],
)
def test_what_is_right_or_would_be_a_guess_is_left_alone(row):
    assert mended(row) is None


@pytest.mark.parametrize(
    ("row", "after", "rules", "codes"),
    [
        (chat(USER, ASSISTANT, note="x"), chat(USER, ASSISTANT), RULES, ("S306",)),
        (chat({**USER, "mood": "x"}, ASSISTANT), chat(USER, ASSISTANT), RULES, ("S307",)),
        (chat(USER, ASSISTANT, USER, SYSTEM), chat(USER, ASSISTANT), RULES, ("C402",)),
        (chat(USER, USER, USER, ASSISTANT), chat({**USER, "content": "q\nq\nq"}, ASSISTANT), RULES, ("C404",)),
        (chat(USER, ASSISTANT), chat(USER), RFT, ("P606",)),
        (
            chat(USER, calling("{}"), {"role": "tool", "tool_call_id": "c1", "content": "x"}),
            chat(USER, calling("{}")),
            RULES,
            ("C409",),
        ),
    ],
)
def test_repairs_that_take_a_persons_word(row, after, rules, codes):
    assert mended(row, rules) is None
    repair = mended(row, rules, safe_only=False)
    assert (repair.data, repair.codes, repair.kind) == (after, codes, "unsafe")


def test_a_turn_with_more_than_text_is_not_joined():
    row = chat(USER, parts(image("https://example.com/a.png"))["messages"][0], ASSISTANT)
    assert mended(row, safe_only=False) is None


FUNCTION = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
OLD_CALL = {"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": '{"city": "台北"}'}}
OLD_RESULT = {"role": "function", "name": "weather", "content": "晴"}


def test_old_functions_become_tools_with_the_same_words():
    repair = mended(chat(USER, OLD_CALL, OLD_RESULT, OLD_CALL, functions=[FUNCTION]))
    calls = [
        {"id": f"call_{n}", "type": "function", "function": {"name": "weather", "arguments": '{"city": "台北"}'}}
        for n in (1, 2)
    ]
    assert repair.codes == ("F507",)
    assert repair.data == {
        "messages": [
            USER,
            {"role": "assistant", "content": None, "tool_calls": [calls[0]]},
            {"role": "tool", "name": "weather", "content": "晴", "tool_call_id": "call_1"},
            {"role": "assistant", "content": None, "tool_calls": [calls[1]]},
        ],
        "tools": [{"type": "function", "function": FUNCTION}],
    }


def test_an_old_result_without_a_call_is_left_alone():
    assert mended(chat(USER, OLD_RESULT, ASSISTANT, functions=[FUNCTION])) is None


@pytest.mark.parametrize(
    ("arguments", "after"),
    [
        ('{"a": 1.50, "b": [1e2, "x", null]}', {"a": 1.5, "b": [100.0, "x", None]}),
        ("{}", {}),
        ('{"a": 1.00000000000000000001}', None),
        ('{"a": 1e400}', None),
        ('{"a": 1, "a": 2}', None),
        ('{"a": NaN}', None),
    ],
)
def test_arguments_become_objects_only_where_no_digit_is_lost(arguments, after):
    repair = mended(chat(USER, calling(arguments)), TRL)
    if after is None:
        assert repair is None
    else:
        assert repair.data["messages"][1]["tool_calls"][0]["function"]["arguments"] == after


@pytest.mark.parametrize("given", ["a", ASSISTANT, {"content": "a"}, {"role": "gpt", "content": "a"}])
def test_answers_get_their_list(given):
    row = {"input": {"messages": [USER]}, "chosen": given, "rejected": [{**ASSISTANT, "content": "b"}]}
    repair = mended(row, DPO)
    assert repair.data == {
        "input": {"messages": [USER]},
        "preferred_output": [ASSISTANT],
        "non_preferred_output": [{**ASSISTANT, "content": "b"}],
    }
    assert repair.kind == "safe"


@pytest.mark.parametrize("code", FORM)
def test_the_catalogue_says_of_each_repair_what_it_is(code):
    mend = next(mend for mend in MENDS if mend.code == code)
    assert catalogue()[code].fix == mend.kind


@pytest.mark.parametrize("code", [code for code, entry in catalogue().items() if entry.fix and code[0] in "SCFP"])
def test_the_failing_example_of_each_fix_is_mended(code):
    example = code_example(code)
    options = {key: value for key, value in example.validate.items() if key in ("target", "method")}
    rules = Rules(**options)
    row = json.loads(example.failing.strip().splitlines()[0])
    repair = mended(row, rules, safe_only=catalogue()[code].fix == "safe")
    assert code in repair.codes
    assert not any(map(is_error, check(Example(repair.data), rules)))


@pytest.mark.parametrize(
    ("before", "after", "loss", "same"),
    [
        (chat(USER), chat({**USER, "content": "Q"}), "nothing", False),
        (chat(USER, ASSISTANT), chat(ASSISTANT, USER), "nothing", False),
        (chat(USER, ASSISTANT), chat(USER), "nothing", False),
        (chat(USER, ASSISTANT), chat(USER), "parts", True),
        (chat(USER), chat(USER, ASSISTANT), "parts", False),
        (chat(USER, USER), chat({**USER, "content": "q\nq"}), "nothing", False),
        ({"a": 5}, {"b": "5"}, "nothing", True),
        ({"a": 5}, {"b": "6"}, "nothing", False),
        (PAIR, {**PAIR, "role": "user"}, "nothing", False),
        (chat(USER, calling('{"a": 1}')), chat(USER, calling({"a": 1.0})), "nothing", True),
        (chat(USER, calling('{"a": 1}')), chat(USER, calling({"b": 1})), "nothing", False),
    ],
)
def test_the_proof_sees_every_change(before, after, loss, same):
    assert proven(before, after, loss) == same


def test_a_fix_restores_the_backslashes_of_latex_and_deletes_the_other_controls():
    row = chat(USER | {"content": "$\frac{1}{2} \times \theta$\a"}, ASSISTANT)
    assert mended(row, safe_only=False).data["messages"][0]["content"] == r"$\frac{1}{2} \times \theta$"
    assert mended(row) is None
