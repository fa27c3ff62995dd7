"""Tool calls: what is declared, what is called with which arguments, and what is answered."""

import os
import subprocess
import sys

import pytest
from tests.forms import ASSISTANT, USER, chat, codes, found

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"enum": ["C", "F"]}, "days": {"type": "integer"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
GOOD = '{"city": "台北"}'
PLACE = "/messages/1/tool_calls/0"


def call(arguments='{"city": "台北"}', *, id="c1", name="weather"):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls):
    return {"role": "assistant", "tool_calls": list(calls)}


def result(id="c1", content="晴"):
    return {"role": "tool", "tool_call_id": id, "content": content}


def tool(name="weather", **function):
    return {"type": "function", "function": {"name": name, **function}}


def one(*turns, tools=(TOOL,), **extra):
    return found(chat(USER, *turns, tools=list(tools), **extra))


@pytest.mark.parametrize(
    "turns",
    [
        [calling(call())],
        [{**calling(call()), "content": None}],
        [{**calling(call()), "content": ""}],
        [calling(call()), result(), ASSISTANT],
        [calling(call()), result(content=""), calling(call(id="c2")), result("c2"), ASSISTANT],
        [calling(call(), call(id="c2")), result("c2"), result("c1"), ASSISTANT],
        [calling(call(), call(id="c2"))],
        [calling(call('{"city": "台北", "unit": "C", "days": 3.0}'))],
        [{**ASSISTANT, "tool_calls": []}],
    ],
)
def test_sound_calls_have_no_finding(turns):
    assert one(*turns) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("{'city': '台北'}", "F502"),
        ("", "F502"),
        ('["台北"]', "F502"),
        (None, "F502"),
        (["台北"], "F502"),
        ("[" * 100_000, "F502"),
        ({"city": "台北"}, "F501"),
    ],
)
def test_arguments_are_an_object_in_text(arguments, code):
    assert [(d.code, d.path) for d in one(calling(call(arguments)))] == [(code, f"{PLACE}/function/arguments")]


@pytest.mark.parametrize(
    ("arguments", "where", "rule"),
    [
        ("{}", "/", "required"),
        ('{"city": 5}', "/city", "type"),
        ('{"city": "x", "unit": "K"}', "/unit", "enum"),
        ('{"city": "x", "days": "3"}', "/days", "type"),
        ('{"city": "x", "town": "y"}', "/", "additionalProperties"),
    ],
)
def test_arguments_match_the_declared_schema(arguments, where, rule):
    (finding,) = one(calling(call(arguments)))
    assert (finding.code, finding.path) == ("F503", f"{PLACE}/function/arguments")
    assert finding.args["where"] == where
    assert finding.args["rule"].startswith(f"{rule}: ")
    assert finding.args["name"] == "weather"


def test_arguments_as_objects_are_held_against_the_schema_too():
    assert [d.code for d in one(calling(call({"town": "x"})))] == ["F501", "F503", "F503"]


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"id": "c1", "type": "function"},
        {"type": "function", "function": {"name": "weather", "arguments": GOOD}},
        {"id": "c1", "function": {"name": "weather", "arguments": GOOD}},
        {"id": "c1", "type": "function", "function": {"name": "weather"}},
        {"id": 1, "type": "function", "function": {"name": "weather", "arguments": GOOD}},
        "weather",
        None,
    ],
)
def test_a_call_of_another_shape_is_one_finding(broken):
    assert [(d.code, d.path) for d in one(calling(broken), result(), ASSISTANT)] == [("F512", PLACE)]


def test_calls_that_are_no_list_are_one_finding():
    assert [(d.code, d.path) for d in one({"role": "assistant", "tool_calls": call()})] == [
        ("F512", "/messages/1/tool_calls")
    ]


@pytest.mark.parametrize(("tools", "severity"), [([TOOL], "error"), ([], "error"), (None, "warning")])
def test_what_is_not_declared_is_an_error_where_anything_is_declared(tools, severity):
    extra = {} if tools is None else {"tools": tools}
    (finding,) = found(chat(USER, calling(call(name="wether")), **extra))
    assert (finding.code, finding.severity, finding.path) == ("F504", severity, f"{PLACE}/function/name")


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        ([calling(call()), USER, ASSISTANT], [("F505", PLACE)]),
        ([calling(call()), ASSISTANT], [("F505", PLACE)]),
        ([calling(call(), call(id="c2")), result("c1"), ASSISTANT], [("F505", "/messages/1/tool_calls/1")]),
        (
            [calling(call(), call(id="c2")), result("c1")],
            [("F505", "/messages/1/tool_calls/1"), ("C409", "/messages/2/role")],
        ),
        ([calling(call()), result("c9"), ASSISTANT], [("F506", "/messages/2/tool_call_id")]),
        ([calling(call()), {"role": "tool", "content": "x"}, ASSISTANT], [("F506", "/messages/2/tool_call_id")]),
        ([result(), ASSISTANT], [("F506", "/messages/1/tool_call_id")]),
        ([calling(call()), result(), result(), ASSISTANT], [("F506", "/messages/3/tool_call_id")]),
        ([calling(call(), call())], [("F508", "/messages/1/tool_calls/1/id")]),
        ([calling(call()), result()], [("C409", "/messages/2/role")]),
    ],
)
def test_calls_and_results_pair_up(turns, expected):
    assert [(d.code, d.path) for d in one(*turns)] == expected


def test_an_id_that_comes_again_in_a_later_turn_is_a_warning():
    (finding,) = one(calling(call()), result(), calling(call()), result(), ASSISTANT)
    assert (finding.code, finding.severity) == ("F508", "warning")


@pytest.mark.parametrize("name", ["get weather", "天氣", "", "x" * 65])
def test_names_of_tools_are_short_and_plain(name):
    declared = found(chat(USER, calling(call("{}", name=name)), tools=[tool(name)]))
    called = found(chat(USER, calling(call("{}", name=name))))
    assert [(d.code, d.path) for d in declared] == [("F509", "/tools/0/function/name")]
    assert [(d.code, d.path) for d in called] == [("F509", f"{PLACE}/function/name")]


@pytest.mark.parametrize(
    ("tools", "path"),
    [
        ("[]", "/tools"),
        ({"weather": {}}, "/tools"),
        (["weather"], "/tools/0"),
        ([TOOL["function"]], "/tools/0"),
        ([{"function": TOOL["function"]}], "/tools/0"),
        ([{"type": "function", "function": {}}], "/tools/0"),
        ([TOOL, TOOL], "/tools/1/function/name"),
        ([tool(parameters="{}")], "/tools/0/function/parameters"),
        ([tool(parameters={"type": "dict"})], "/tools/0/function/parameters/type"),
        ([tool(parameters={"type": "string"})], "/tools/0/function/parameters/type"),
        (
            [tool(parameters={"type": "object", "properties": {"a": {"type": "str"}}})],
            "/tools/0/function/parameters/properties/a/type",
        ),
    ],
)
def test_a_declaration_that_is_not_valid_is_named_at_its_place(tools, path):
    assert [(d.code, d.path) for d in found(chat(USER, ASSISTANT, tools=tools))] == [("F510", path)]


BAD_SCHEMAS = """
from finetune_lib.data.checks.form.schemas import toolbox
wrong = {"type": "tuple"}
inner = {"zeta": wrong, "alpha": {"items": wrong}, "mid": wrong}
schemas = {"properties": inner}, {**wrong, "properties": inner}
functions = [{"name": name, "parameters": schema} for name, schema in zip("fg", schemas)]
print(*(flaw.path for flaw in toolbox(functions, legacy=True).flaws))
"""


@pytest.mark.parametrize("seed", ["0", "1", "2", "3"])
def test_of_several_faults_in_a_schema_the_first_as_written_is_named_in_every_process(seed):
    command = [sys.executable, "-c", BAD_SCHEMAS]
    where = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=where)
    assert done.stdout.split() == ["/0/parameters/properties/zeta/type", "/1/parameters/type"]


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        None,
        {"type": "object"},
        {"type": "object", "properties": {"a": {"type": "array", "items": [{"type": "string"}]}}},
        {"type": "object", "properties": {"a": {"type": "number", "minimum": 0, "exclusiveMinimum": True}}},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"type": "integer"}}},
        {"properties": {"a": {"type": "string"}}},
    ],
)
def test_schemas_of_every_draft_are_valid(parameters):
    assert codes(chat(USER, ASSISTANT, tools=[tool(parameters=parameters)])) == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"type": "object", "properties": {"city": {"$ref": "#/nowhere"}}},
        {"type": "object", "properties": {"city": {"$ref": "https://example.invalid/schema.json"}}},
        {"type": "object", "properties": {"city": {"$ref": "#/properties/city"}}},
        {"type": "object", "properties": {"city": {"pattern": "("}}},
        {"$id": "http://[", "type": "object"},
    ],
)
def test_a_schema_that_cannot_be_used_crashes_nothing_and_fetches_nothing(parameters):
    row = chat(USER, calling(call()), tools=[tool(parameters=parameters)])
    assert set(codes(row)) <= {"F510"}


LEGACY = {"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": '{"city": "台北"}'}}
OUTCOME = {"role": "function", "name": "weather", "content": "晴"}


@pytest.mark.parametrize(
    ("row", "path"),
    [
        (chat(USER, LEGACY, functions=[TOOL["function"]]), "/functions"),
        (chat(USER, LEGACY, OUTCOME, ASSISTANT, tools=[TOOL]), "/messages/1/function_call"),
    ],
)
def test_the_old_way_is_a_warning_named_once(row, path):
    assert [(d.code, d.severity, d.path) for d in found(row)] == [("F507", "warning", path)]


def test_old_calls_are_held_against_the_schema_too():
    broken = {**LEGACY, "function_call": {"name": "weather", "arguments": "{}"}}
    assert codes(chat(USER, broken, functions=[TOOL["function"]])) == ["F507", "F503"]


def test_tools_of_another_kind_are_left_alone():
    custom = {"type": "custom", "custom": {"name": "shell"}}
    used = {"id": "c1", "type": "custom", "custom": {"name": "shell", "input": "ls"}}
    assert codes(chat(USER, calling(used), result(), ASSISTANT, tools=[custom])) == []


def test_rows_without_tools_among_rows_with_tools_are_noted_once():
    rows = [chat({**USER, "content": f"q{n}"}, ASSISTANT, **({"tools": [TOOL]} if n % 2 else {})) for n in range(6)]
    (finding,) = found(*rows)
    assert (finding.code, finding.severity, finding.origin.row, finding.related[0].row) == ("F511", "info", 1, 2)
    assert (finding.args["number"], finding.args["total"]) == (3, 6)
