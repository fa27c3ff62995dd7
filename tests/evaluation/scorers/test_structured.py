"""JSON answers and tool calls."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.evaluation.scorers import JsonMatch, JsonSchemaMatch, ToolCallMatch
from finetune_lib.records import Answer, Case, ToolCall

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def match(answer, expected, **options):
    return JsonMatch(**options)(answer, Case("7", (), expected))


@given(JSON)
def test_a_value_is_itself_however_it_is_written(value):
    assert match(json.dumps(value, indent=3), json.dumps(value, ensure_ascii=False)).value == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('```json\n{"a": 1.0}\n```', '{"a": 1}'),
        ('{"b": [1, {"c": null}], "a": "臺北"}', '{"a": "臺北", "b": [1, {"c": null}]}'),
    ],
)
def test_equal(answer, expected):
    assert match(answer, expected).value == 1


@pytest.mark.parametrize(
    ("answer", "expected", "reason"),
    [
        ('{"a": true}', '{"a": 1}', "0 of 1 fields equal; $.a: true instead of 1"),
        ('{"a": 1}', '{"a": 1, "b": 2}', "1 of 2 fields equal; $.b: missing"),
        ('{"a": 1, "c": 2}', '{"a": 1}', "1 of 2 fields equal; $.c: not expected"),
        ("[2, 1]", "[1, 2]", "0 of 2 fields equal; $[0]: 2 instead of 1; $[1]: 1 instead of 2"),
        ("好的", "{}", "the answer is no JSON: Expecting value: line 1 column 1 (char 0)"),
        ("NaN", "1", "the answer is no JSON: NaN is no JSON"),
        ("[" * 100_000, "1", "the answer is no JSON: it is nested too deeply"),
    ],
)
def test_different_and_why(answer, expected, reason):
    told = match(answer, expected)
    assert (told.value, told.reason) == (0, reason)


def test_options():
    assert match("[2, 1]", "[1, 2]", ordered=False).value == 1
    assert match("[2, 2]", "[1, 2]", ordered=False).value == 0
    assert match('{"a": 1.05}', '{"a": 1}', tolerance=0.1).value == 1
    assert match('{"a": {"b": 1}, "c": 2}', '{"a": {"b": 1}, "c": 3}', fields=["a.b"]).value == 1
    assert match('{"a": {"b": 2}}', '{"a": {"b": 1}}', fields=["a.b"]).value == 0


def test_what_is_wrong_with_the_case_is_no_score():
    with pytest.raises(ValueError, match="the expected text of case 7 is no JSON"):
        match("{}", "好")
    with pytest.raises(ValueError, match="has no field b"):
        match("{}", '{"a": 1}', fields=["b"])


def test_a_schema():
    valid = JsonSchemaMatch({"type": "object", "properties": {"數量": {"type": "integer"}}, "required": ["數量"]})
    case = Case("7", ())
    assert valid('{"數量": 3}', case).value == 1
    assert valid('{"數量": "三"}', case).reason == "$['數量']: '三' is not of type 'integer'"
    assert valid("三", case).value == 0


def test_a_schema_of_each_case():
    case = Case("7", (), metadata={"schema": {"type": "array"}})
    assert JsonSchemaMatch()("[]", case).value == 1
    assert JsonSchemaMatch()("{}", case).value == 0
    with pytest.raises(ValueError, match="case 7 has no schema"):
        JsonSchemaMatch()("[]", Case("7", ()))


def test_a_schema_that_is_none_is_told_at_once():
    with pytest.raises(ValueError, match=r"the schema is no JSON schema: \$\.type"):
        JsonSchemaMatch({"type": "objekt"})


def test_nothing_is_fetched(service):
    valid = JsonSchemaMatch({"$ref": f"{service.url}/schema.json"})
    with pytest.raises(Exception, match="Unresolvable"):
        valid("{}", Case("7", ()))
    assert not service.requests


def calls(expected, made, **options):
    case = Case("7", (), expected_calls=tuple(expected), tools=({"type": "function"},))
    return ToolCallMatch(**options)(Answer(tool_calls=tuple(made)), case)


A, B = ToolCall("find", '{"x": 1}'), ToolCall("find", '{"x": 2}')


def test_parallel_calls():
    assert calls([A, B], [B, A]).value == 1
    assert calls([A, B], [B, A], order=True).value == 0
    assert calls([A, B], [A, A]).reason == "find: $.x: 1 instead of 2"
    assert calls([A], [A, A]).reason == "find, find called where find is expected"
    assert calls([A], []).reason == "nothing called where find is expected"


def test_arguments():
    more = ToolCall("find", '{"y": 2, "x": 1.0}')
    assert calls([A], [more]).reason == "find: $.y: not expected"
    assert calls([A], [more], arguments="subset").value == 1
    assert calls([A], [B], arguments="ignore").value == 1
    assert calls([A], [ToolCall("find", "{x")]).reason == "the arguments of find are no JSON object"
    assert calls([ToolCall("now", "")], [ToolCall("now", "{}")]).value == 1


def test_each_expected_call_needs_one_of_its_own():
    """Whoever takes the first fit for the first call leaves none for the second."""
    loose, strict = ToolCall("find", "{}"), ToolCall("find", '{"a": 1}')
    made = [ToolCall("find", '{"a": 1}'), ToolCall("find", '{"b": 1}')]
    assert calls([loose, strict], made, arguments="subset").value == 1
    assert calls([strict, strict], made, arguments="subset").value == 0


def test_no_call_may_be_right():
    assert calls([], []).value == 1
    assert calls([], [A]).value == 0
    with pytest.raises(ValueError, match="neither tools nor expected calls"):
        ToolCallMatch()(Answer(), Case("7", ()))
