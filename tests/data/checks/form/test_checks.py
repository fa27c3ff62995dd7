"""Checks of a row's form beyond the example of each code, which test_codes.py tries."""

import json
from datetime import date

import pytest
from tests.forms import ASSISTANT, IMAGE, PAIR, PIXEL, SYSTEM, USER, chat, codes, found, image, parts

import finetune_lib as ft


@pytest.mark.parametrize(
    "row",
    [
        chat({"role": "developer", "content": "be brief"}, USER, ASSISTANT),
        chat(USER, {"role": "assistant", "content": None, "refusal": "no"}),
        chat(USER, {**ASSISTANT, "weight": 0}, USER, {**ASSISTANT, "weight": 1}),
        chat({**USER, "name": "Ada"}, ASSISTANT),
        chat({**USER, "name": None}, ASSISTANT),
        chat(USER, ASSISTANT, parallel_tool_calls=False),
        parts(IMAGE),
        parts({"type": "text", "text": "q"}, image(f"data:image/png;base64,{PIXEL}")),
        parts({"type": "text", "text": "a"}, role="assistant"),
        parts({"type": "refusal", "refusal": "no"}, role="assistant"),
    ],
)
def test_sound_chats_have_no_finding(row):
    assert codes(row) == []


@pytest.mark.parametrize(
    ("role", "code", "meant"),
    [
        ("bot", "S309", "assistant"),
        ("Human", "S309", "user"),
        ("助理", "S309", "assistant"),
        ("asistant", "S309", "assistant"),
        ("User", "S310", "user"),
        (" ASSISTANT ", "S310", "assistant"),
        ("xyz", "S309", None),
    ],
)
def test_a_role_that_is_none_comes_with_what_may_be_meant(role, code, meant):
    finding = next(d for d in found(chat({"role": role, "content": "q"})) if d.path == "/messages/0/role")
    assert finding.code == code
    told = finding.message + finding.hint
    assert ("did you mean" in told or code == "S310") == bool(meant)
    assert (meant or "") in told


@pytest.mark.parametrize("role", [None, 1, [], {}, ["user"]])
@pytest.mark.parametrize("content", ["", "q"])
def test_a_role_that_is_no_text_is_reported(role, content):
    assert codes(chat({"role": role, "content": content}, ASSISTANT)).count("S309") == 1


@pytest.mark.parametrize(
    ("message", "severity"),
    [
        ({**ASSISTANT, "content": ""}, "error"),
        ({**USER, "content": ""}, "warning"),
        ({"role": "system", "content": "\n"}, "warning"),
    ],
)
def test_an_empty_answer_weighs_more_than_an_empty_question(message, severity):
    assert [d.severity for d in found(chat(message, USER, ASSISTANT)) if d.code == "C406"] == [severity]


@pytest.mark.parametrize("weight", [2, -1, 0.5, 1.0, "1", None, True])
def test_only_the_numbers_0_and_1_are_weights(weight):
    assert codes(chat(USER, {**ASSISTANT, "weight": weight})) == ["S313"]


def test_one_line_can_have_several_findings():
    row = chat({"role": "usr", "content": 5, "x": 1}, {"content": "a"}, note=1)
    assert sorted(codes(row)) == ["S306", "S307", "S308", "S309", "S311"]


@pytest.mark.parametrize(
    ("message", "path", "meant"),
    [
        ({"role": "user", "contnet": "q"}, "/messages/0/contnet", "content"),
        ({"Role": "user", "content": "q"}, "/messages/0/Role", "role"),
        ({"from": "user", "value": "q"}, "/messages/0/from", "role"),
        ({"role": "user", "text": "q"}, "/messages/0/text", "content"),
    ],
)
def test_a_misspelt_key_is_one_finding_and_not_a_missing_one_too(message, path, meant):
    findings = found(chat(message, ASSISTANT))
    assert {d.code for d in findings} == {"S302"}
    assert (findings[0].path, findings[0].args["meant"]) == (path, meant)


def test_a_key_that_is_there_twice_in_two_spellings_is_not_renamed():
    assert codes(chat({**USER, "text": "q"}, ASSISTANT)) == ["S307"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"Messages": [USER, ASSISTANT]}, [("S302", "/Messages")]),
        ({"message": [USER, ASSISTANT]}, [("S302", "/message")]),
        ({"Prompt": "q", "Completion": "a"}, [("S302", "/Prompt"), ("S302", "/Completion")]),
        ({"colour": "red"}, [("S317", None)]),
        ({}, [("S317", None)]),
    ],
)
def test_a_row_of_no_format_is_named_by_the_key_that_is_meant(row, expected):
    assert [(d.code, d.path) for d in found(row)] == expected


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("Ada Lovelace", "error"),
        ("", "error"),
        (5, "error"),
        ("a<b", "error"),
        ("小明", "warning"),
        ("x" * 65, "warning"),
    ],
)
def test_names_that_some_platforms_refuse_are_warnings(name, severity):
    assert [(d.code, d.severity) for d in found(chat({**USER, "name": name}, ASSISTANT))] == [("S315", severity)]


@pytest.mark.parametrize("key", ["tool_calls", "function_call", "refusal", "audio"])
def test_only_assistants_call_and_refuse(key):
    assert ("S307", f"/messages/0/{key}") in [(d.code, d.path) for d in found(chat({**USER, key: "x"}, ASSISTANT))]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (parts("q"), ["S314"]),
        (parts({"text": "q"}), ["S314"]),
        (parts({"type": "text", "value": "q"}), ["S316"]),
        (parts({"type": "video_url"}), ["S321"]),
        (parts(IMAGE, role="assistant"), ["S320"]),
        (parts({"type": "refusal", "refusal": "no"}), ["S320"]),
        (parts({"type": "image_url", "image_url": "https://example.com/a.png"}), ["S326"]),
        (parts({"type": "image_url"}), ["S322"]),
        (parts(image(5)), ["S322"]),
        (parts(image("a.png")), ["S322"]),
        (parts(image("ftp://example.com/a.png")), ["S322"]),
        (parts(image(f"data:image/gif;base64,{PIXEL}")), ["S322"]),
        (parts(image(f"data:image/jpeg;base64,{PIXEL}")), ["S322"]),
        (parts(image(f"data:image/png;base64,{PIXEL[:-1]}")), ["S322"]),
        (parts(image("data:image/png;base64,<image>")), ["S322"]),
        (parts(*[IMAGE] * 11), ["S323"]),
        (parts(image("data:image/png;base64," + "A" * 14_000_000)), ["S324"]),
        (parts(), ["C406"]),
    ],
)
def test_content_parts_are_checked_one_by_one(row, expected):
    assert codes(row) == expected


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ("sua", []),
        ("ua", []),
        ("uaua", []),
        ("suu a", [("C404", 2)]),
        ("uaa", [("C404", 2)]),
        ("ssua", [("C404", 1)]),
        ("usa", [("C405", 1)]),
        ("uasua", [("C405", 2)]),
        ("aua", [("C403", 0)]),
        ("saua", [("C403", 1)]),
        ("uau", [("C402", 2)]),
        ("uas", [("C405", 2), ("C402", 2)]),
    ],
)
def test_the_order_of_turns(roles, expected):
    speakers = {"s": SYSTEM, "u": USER, "a": ASSISTANT}
    messages = [{**speakers[role], "content": str(n)} for n, role in enumerate(roles.replace(" ", ""))]
    assert [(d.code, int(d.path.split("/")[2])) for d in found(chat(*messages))] == expected


def test_no_user_at_all_is_one_finding():
    assert codes(chat(SYSTEM, ASSISTANT)) == ["C408"]


def test_roles_that_are_none_leave_the_order_alone():
    assert codes(chat({**USER, "role": "bot"})) == ["S309"]


@pytest.mark.parametrize(
    ("check", "expected"),
    [({}, ["P605"]), ({"target": "openai"}, ["P605"]), ({"target": "local"}, []), ({"model": "tiny"}, [])],
)
def test_pairs_are_for_some_targets_alone(check, expected):
    assert codes(PAIR, **check) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"prompt": "q"}, [("S316", "/completion", "error")]),
        ({"prompt": 5, "completion": "a"}, [("S316", "/prompt", "error")]),
        ({"prompt": "", "completion": "a"}, [("C406", "/prompt", "warning")]),
        ({"prompt": "q", "completion": " "}, [("C406", "/completion", "error")]),
        ({**PAIR, "id": 1}, [("S306", "/id", "error")]),
    ],
)
def test_pairs_are_checked_side_by_side(row, expected):
    assert [(d.code, d.path, d.severity) for d in found(row, target="local")] == expected


def test_rows_of_another_form_are_found_where_both_are_learned():
    rows = [chat(USER, ASSISTANT), PAIR, chat({**USER, "content": "r"}, ASSISTANT), {**PAIR, "prompt": "p"}]
    findings = [d for d in found(*rows, PAIR | {"prompt": "o"}, target="local") if d.code == "S301"]
    assert [d.origin.row for d in findings] == [1, 3]
    assert [d.related[0].row for d in findings] == [2, 2]
    assert {d.severity for d in found(*rows, target="together") if d.code == "S301"} == {"error"}


def test_unread_lines_count_towards_the_minimum(tmp_path):
    path = tmp_path / "data.jsonl"
    rows = [json.dumps(chat({**USER, "content": f"q{n}"}, ASSISTANT)) for n in range(9)]
    path.write_text("\n".join(["{broken", *rows]))
    assert "K701" not in {d.code for d in ft.Dataset.load(path).validate().errors}


def test_too_few_examples_say_how_many_are_missing():
    report = ft.Dataset.from_rows([chat(USER, ASSISTANT)] * 3).validate()
    finding = next(d for d in report.errors if d.code == "K701")
    assert finding.args["missing"] == 7
    assert "add 7 more" in finding.hint


@pytest.mark.parametrize(
    ("today", "severity"),
    [(date(2026, 12, 1), "warning"), (date(2027, 1, 5), "warning"), (date(2027, 1, 6), "error")],
)
def test_a_model_that_closes_is_a_warning_before_the_day_and_an_error_from_it_on(today, severity):
    report = ft.Dataset.from_rows([chat(USER, ASSISTANT)]).validate(model="gpt-4.1-mini", today=today)
    assert [d.severity for d in report.diagnostics if d.code == "K709"] == [severity]


def test_the_limit_of_a_model_is_the_last_length_that_is_learned_whole():
    room = 4096 - 2 * 4 - 1
    for length, over in ((room, False), (room + 1, True)):
        assert ("K702" in codes(chat(USER, {**ASSISTANT, "content": "x" * length}), model="tiny")) == over


def test_an_answer_behind_the_limit_is_an_error_of_its_own():
    for length, code in ((4096 - 2 * 4, "K702"), (4096 - 4, "K710")):
        assert codes(chat({**USER, "content": "x" * length}, ASSISTANT), model="tiny") == [code]


@pytest.mark.parametrize(
    "value", [None, [], {}, "q", 5, True, [None], [[]], ["q"], [{}], [{"role": {}}], {"role": "user"}]
)
@pytest.mark.parametrize("key", ["messages", "tools", "functions", "prompt", "input", "preferred_output", "text"])
@pytest.mark.parametrize("method", ["supervised", "dpo", "reinforcement"])
def test_no_value_of_a_key_crashes_a_check(key, value, method):
    for target in (None, "together", "mistral", "trl"):
        codes({key: value}, method=method, target=target)
        codes({**chat(USER, ASSISTANT), key: value}, method=method, target=target)


def test_a_row_of_another_method_is_damaged_where_any_is():
    """What JSON ate of a formula stays lost when the row is converted."""
    pair = {"prompt": "算 \theta", "completion": "是 \frac{1}{2}"}
    preference = {
        "input": {"messages": [USER]},
        "preferred_output": [{**ASSISTANT, "content": "\frac{1}{2}"}],
        "non_preferred_output": [{**ASSISTANT, "content": "\times 3"}],
    }
    found = [
        (d.code, d.path) for row in (pair, preference) for d in ft.Dataset([ft.Example(row)]).validate().diagnostics
    ]
    damaged = [path for code, path in found if code == "E126"]
    assert damaged == ["/prompt", "/completion", "/preferred_output/0/content", "/non_preferred_output/0/content"]
    assert [code for code, _ in found].count("P605") == 2
