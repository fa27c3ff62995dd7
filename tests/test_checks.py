"""Every diagnostic code: an input that has it, and the same input mended."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from openpyxl import Workbook

import finetune_lib as ft
from finetune_lib.diagnostics import catalogue

USER, ASSISTANT = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
DPO, RFT, LOCAL = {"method": "dpo"}, {"method": "reinforcement"}, {"target": "local"}


@dataclass(frozen=True)
class Case:
    """One code: what has it, what has not, and where it must be found."""

    code: str
    broken: str | bytes
    mended: str | bytes
    suffix: str = ".jsonl"
    line: int | None = 1
    path: str | None = None
    severity: str = "error"
    check: Mapping[str, Any] = field(default_factory=dict)
    mended_check: Mapping[str, Any] | None = None
    load: Mapping[str, Any] = field(default_factory=dict)


def chat(*messages, **extra):
    return json.dumps({"messages": list(messages), **extra})


def calling(arguments):
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    return chat(USER, {"role": "assistant", "tool_calls": [call]})


def pair(prompt, completion):
    return json.dumps({"prompt": prompt, "completion": completion})


def preference(**changes):
    row = {"input": {"messages": [USER]}, "preferred_output": [ASSISTANT], "non_preferred_output": [ASSISTANT]}
    return json.dumps(row | changes)


def ten(first):
    return "\n".join([first, *(chat({**USER, "content": f"q{n}"}, ASSISTANT) for n in range(9))])


def workbook(*sheets):
    book = Workbook()
    book.remove(book.active)
    for name in sheets:
        sheet = book.create_sheet(name)
        sheet.append(["prompt", "completion"])
        sheet.append(["q", "a"])
    content = BytesIO()
    book.save(content)
    return content.getvalue()


GOOD = chat(USER, ASSISTANT)
OTHER = chat({**USER, "content": "q2"}, ASSISTANT)
TABLE = "prompt,completion\nq,a\n"
PREFERENCE = preference()
SIDE = "non_preferred_output"
CHINESE = chat(USER, ASSISTANT).replace('"q"', '"登機"')
RETIRING = {"model": "gpt-4.1-mini", "today": date(2026, 12, 1)}

CASES = [
    Case("E101", b"", GOOD, line=None),
    Case("E103", f"{GOOD}\n{CHINESE}".encode("cp950"), f"{GOOD}\n{CHINESE}", line=2),
    Case("E108", chat({**USER, "content": "\ud83d"}, ASSISTANT), GOOD, path="/messages/0/content"),
    Case("E111", b"PK\x03\x04" + bytes(30), GOOD),
    Case("J201", f"{GOOD}\n{OTHER[:-1]}", f"{GOOD}\n{OTHER}", line=2),
    Case("J202", GOOD.replace('"messages"', "“messages”"), GOOD),
    Case("J203", GOOD.replace('"', "'"), GOOD),
    Case("J204", GOOD[:-1] + ",}", GOOD),
    Case("J205", f"{GOOD},\n{OTHER}", f"{GOOD}\n{OTHER}"),
    Case("J209", f"[{GOOD}]", GOOD),
    Case("J210", json.dumps(json.loads(GOOD), indent=1), GOOD),
    Case("J212", f"{GOOD}\n\n{OTHER}", f"{GOOD}\n{OTHER}", line=2, severity="info"),
    Case("J214", GOOD[:-1] + ', "messages": []}', GOOD),
    Case("J215", chat(USER, {**ASSISTANT, "weight": float("nan")}), chat(USER, {**ASSISTANT, "weight": 1})),
    Case("J218", f"{GOOD}\n[{OTHER}]", f"{GOOD}\n{OTHER}", line=2),
    Case("T253", "question,answer\nq,a\n", TABLE, suffix=".csv"),
    Case("T254", TABLE + "q, w,a\n", TABLE + '"q, w",a\n', suffix=".csv", line=3),
    Case("T257", workbook("A", "B"), workbook("A"), suffix=".xlsx", line=None),
    Case("T261", "prompt,completion,note\nq,a,n\n", TABLE, suffix=".csv", severity="info"),
    Case("T262", "prompt,completion,Prompt\nq,a,n\n", TABLE, suffix=".csv"),
    Case("T265", TABLE, "問題,completion\nq,a\n", suffix=".csv", load={"columns": {"prompt": "問題"}}),
    Case("S302", chat(USER, ASSISTANT, Tools=[]), chat(USER, ASSISTANT, tools=[]), path="/Tools"),
    Case("S304", json.dumps({"messages": "q"}), GOOD, path="/messages"),
    Case("S305", chat(), GOOD, path="/messages"),
    Case("S306", chat(USER, ASSISTANT, answer="a"), GOOD, path="/answer"),
    Case("S307", chat({**USER, "mood": "x"}, ASSISTANT), GOOD, path="/messages/0/mood"),
    Case("S308", chat({"content": "q"}, ASSISTANT), GOOD, path="/messages/0"),
    Case("S309", chat(USER, {**ASSISTANT, "role": "bot"}), GOOD, path="/messages/1/role"),
    Case("S310", chat(USER, "a"), GOOD, path="/messages/1"),
    Case("S311", chat({**USER, "content": 5}, ASSISTANT), GOOD, path="/messages/0/content"),
    Case("S312", chat(USER, {"role": "assistant"}), GOOD, path="/messages/1/content"),
    Case("S313", chat(USER, {**ASSISTANT, "weight": True}), GOOD, path="/messages/1/weight"),
    Case(
        "S314",
        chat({**USER, "content": ["q"]}, ASSISTANT),
        chat({**USER, "content": [{"type": "text", "text": "q"}]}, ASSISTANT),
        path="/messages/0/content/0",
    ),
    Case("S316", pair(None, "a"), pair("q", "a"), path="/prompt", check=LOCAL),
    Case("S317", json.dumps({"question": "q"}), GOOD),
    Case("S318", chat({**USER, "weight": 1}, ASSISTANT), GOOD, path="/messages/0/weight", severity="warning"),
    Case("C401", chat(USER), GOOD, path="/messages"),
    Case("C402", chat(USER, ASSISTANT, USER), GOOD, path="/messages/2/role", severity="warning"),
    Case("C406", chat(USER, {**ASSISTANT, "content": " "}), GOOD, path="/messages/1/content"),
    Case("C407", chat(USER, {**ASSISTANT, "weight": 0}), GOOD, path="/messages"),
    Case("C408", chat(ASSISTANT), GOOD, path="/messages", severity="warning"),
    Case("F502", calling("{'city': 1}"), calling('{"city": 1}'), path="/messages/1/tool_calls/0/function/arguments"),
    Case("F512", calling({"city": 1}), calling("{}"), path="/messages/1/tool_calls/0"),
    Case("P602", preference(**{SIDE: [ASSISTANT] * 2}), PREFERENCE, path=f"/{SIDE}", check=DPO),
    Case("P605", pair("q", "a"), GOOD),
    Case("P606", GOOD, chat(USER), path="/messages/1/role", check=RFT),
    Case("K701", GOOD, ten(GOOD), line=None),
    Case("K702", chat(USER, {**ASSISTANT, "content": "x" * 4090}), GOOD, path="/messages", severity="warning",
         check={"model": "tiny"}),
    Case("K703", chat({**USER, "content": "<|endoftext|>"}, ASSISTANT), GOOD, path="/messages/0/content"),
    Case("K708", GOOD, GOOD, line=None, severity="info", check={"model": "llama"}, mended_check={"model": "gpt-4o"}),
    Case("K709", GOOD, GOOD, line=None, severity="warning", check=RETIRING, mended_check={"model": "tiny"}),
    Case("D801", f"{GOOD}\n{OTHER}\n{GOOD}", f"{GOOD}\n{OTHER}", line=3, severity="warning"),
]  # fmt: skip


def findings(folder, case, content, check):
    """What is found in a file, whether it reads or not."""
    path = folder / f"data{case.suffix}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        return ft.Dataset.load(path, **case.load).validate(**check).diagnostics
    except ft.ReadError as error:
        return (error.diagnostic,)


def test_every_code_has_a_case():
    assert [case.code for case in CASES] == list(catalogue())


@pytest.mark.parametrize("case", CASES, ids=[case.code for case in CASES])
def test_the_code_is_found_at_its_place(case, tmp_path):
    found = [d for d in findings(tmp_path, case, case.broken, case.check) if d.code == case.code]
    assert [(d.severity, d.origin.line, d.path) for d in found] == [(case.severity, case.line, case.path)]
    for text in (found[0].message, found[0].hint):
        assert text.strip()
        assert "{{" not in text
        assert not [name for name in found[0].args if f"{{{name}" in text]
    assert found[0].message in str(found[0])
    assert found[0].hint in str(found[0])


@pytest.mark.parametrize("case", CASES, ids=[case.code for case in CASES])
def test_the_mended_input_is_free_of_errors_and_of_the_code(case, tmp_path):
    check = case.check if case.mended_check is None else case.mended_check
    found = findings(tmp_path, case, case.mended, check)
    assert case.code not in {d.code for d in found}
    allowed = {"K701", "P605"} if case.code == "S317" else {"K701"}
    assert {d.code for d in found if d.severity == "error"} <= allowed


@pytest.mark.parametrize("code", catalogue().values(), ids=list(catalogue()))
def test_the_catalogue_is_well_formed(code):
    assert code.severity in {"error", "warning", "info"}
    assert code.slug == code.slug.lower().replace(" ", "-")
    assert not code.message.endswith(".")
    assert code.hint


def test_slugs_are_unique():
    assert len({code.slug for code in catalogue().values()}) == len(catalogue())


def codes(*rows, **check):
    report = ft.Dataset.from_rows([json.loads(row) for row in rows]).validate(**check)
    return [d.code for d in report.diagnostics if d.code != "K701"]


CALL = json.loads(calling("{}"))["messages"][1]
RESULT = {"role": "tool", "tool_call_id": "1", "content": ""}


@pytest.mark.parametrize(
    "row",
    [
        chat({"role": "developer", "content": "be brief"}, USER, ASSISTANT),
        chat(USER, CALL),
        chat(USER, {**CALL, "content": None}),
        chat(USER, {**CALL, "content": ""}),
        chat(USER, CALL, RESULT, ASSISTANT, tools=[{"type": "function"}], parallel_tool_calls=False),
        chat(USER, {"role": "assistant", "content": None, "refusal": "no"}),
        chat(USER, {**ASSISTANT, "weight": 0}, USER, {**ASSISTANT, "weight": 1}),
        chat({**USER, "name": "Ada"}, ASSISTANT),
        chat(
            {**USER, "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}, ASSISTANT
        ),
    ],
)
def test_sound_chats_have_no_finding(row):
    assert codes(row) == []


@pytest.mark.parametrize(
    ("role", "meant"),
    [("bot", "assistant"), ("Human", "user"), ("asistant", "assistant"), ("User", "user"), ("xyz", None)],
)
def test_an_unknown_role_comes_with_what_may_be_meant(role, meant):
    report = ft.Dataset.from_rows([{"messages": [{"role": role, "content": "q"}]}]).validate()
    hint = next(d.hint for d in report.errors if d.code == "S309")
    assert (f'did you mean "{meant}"?' in hint) == bool(meant)
    assert ("did you mean" in hint) == bool(meant)


@pytest.mark.parametrize("role", [None, 1, [], {}, ["user"]])
@pytest.mark.parametrize("content", ["", "q"])
def test_a_role_that_is_no_text_is_reported(role, content):
    assert codes(json.dumps({"messages": [{"role": role, "content": content}, ASSISTANT]})).count("S309") == 1


@pytest.mark.parametrize(
    ("message", "severity"),
    [
        ({**ASSISTANT, "content": ""}, "error"),
        ({**USER, "content": ""}, "warning"),
        ({"role": "system", "content": "\n"}, "warning"),
    ],
)
def test_an_empty_answer_weighs_more_than_an_empty_question(message, severity):
    report = ft.Dataset.from_rows([{"messages": [message, USER, ASSISTANT]}]).validate()
    assert [d.severity for d in report.diagnostics if d.code == "C406"] == [severity]


@pytest.mark.parametrize("weight", [2, -1, 0.5, 1.0, "1", None, True])
def test_only_the_numbers_0_and_1_are_weights(weight):
    assert codes(chat(USER, {**ASSISTANT, "weight": weight})) == ["S313"]


def test_one_line_can_have_several_findings():
    row = chat({"role": "usr", "content": 5, "x": 1}, {"content": "a"}, note=1)
    assert sorted(codes(row)) == ["S306", "S307", "S308", "S309", "S311"]


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (PREFERENCE, []),
        (preference(input={"messages": []}), ["S305"]),
        (preference(input={}), ["S304"]),
        (preference(input=None), ["S304"]),
        (preference(preferred_output="a"), ["P602"]),
        (preference(preferred_output=[]), ["P602"]),
        (preference(preferred_output=[USER]), ["P602"]),
        (preference(non_preferred_output=["a"]), ["S310"]),
        (preference(non_preferred_output=[{**ASSISTANT, "content": ""}]), ["C406"]),
        (GOOD, ["P605"]),
        (pair("q", "a"), ["P605"]),
    ],
)
def test_preference_rows_are_checked_side_by_side(row, found):
    assert codes(row, method="dpo") == found


@pytest.mark.parametrize(
    ("check", "found"),
    [({}, ["P605"]), ({"target": "openai"}, ["P605"]), ({"target": "local"}, []), ({"model": "tiny"}, [])],
)
def test_pairs_are_for_the_local_platform_alone(check, found, tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text(pair("q", "a"))
    report = ft.Dataset.load(path).validate(**check)
    assert [d.code for d in report.errors if d.code != "K701"] == found


def test_reinforcement_allows_fields_for_its_graders():
    row = chat(USER, reference_answer="a")
    assert codes(row, **RFT) == []
    assert codes(row) == ["S306", "C401"]


def test_unread_lines_count_towards_the_minimum(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text(ten("{broken"))
    assert [d.code for d in ft.Dataset.load(path).validate().errors] == ["J201"]


def test_too_few_examples_say_how_many_are_missing():
    finding = ft.Dataset.from_rows([json.loads(GOOD)] * 3).validate().errors[0]
    assert (finding.code, finding.args["missing"]) == ("K701", 7)
    assert "add 7 more" in finding.hint


@pytest.mark.parametrize(
    ("today", "severity"),
    [(date(2026, 12, 1), "warning"), (date(2027, 1, 5), "warning"), (date(2027, 1, 6), "error")],
)
def test_a_model_that_closes_is_a_warning_before_the_day_and_an_error_from_it_on(today, severity):
    report = ft.Dataset.from_rows([json.loads(GOOD)]).validate(model="gpt-4.1-mini", today=today)
    assert [d.severity for d in report.diagnostics if d.code == "K709"] == [severity]


def test_the_limit_of_a_model_is_the_last_length_that_is_learned_whole():
    def rows(length):
        return [{"prompt": "q", "completion": "x" * length}]

    room = 4096 - 2 * 4 - 1
    for length, over in ((room, False), (room + 1, True)):
        found = ft.Dataset.from_rows(rows(length)).validate(model="tiny").warnings
        assert ("K702" in {d.code for d in found}) == over
