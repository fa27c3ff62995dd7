"""From a broken line to its cause: the code, the column, and no complaint about a sound line."""

import json

import pytest
from tests.files import SHARED

from finetune_lib.data.reading.json.causes import cause, causes, join
from finetune_lib.data.reading.json.strict import parse, parse_line
from finetune_lib.records import Origin

HERE = Origin("data.jsonl", line=7)
SUITE = SHARED / "cases" / "json" / "JSONTestSuite" / "test_parsing"
BAD = SHARED / "cases" / "bad"

CASES = [
    # word processors and input methods
    ("{“messages”: []}", "J202", 2),
    ('{"a": “b”}', "J202", 7),
    ('{"a”: "b"}', "J202", 4),
    ('{"a": "b”}', "J202", 9),
    ("{＂a＂: 1}", "J202", 2),
    ('{"a"：1}', "J227", 5),
    ('{"a":1，"b":2}', "J227", 7),
    ('{"a":"x"，"b":2}', "J227", 9),
    ('{"a": 1}，', "J227", 9),
    ("｛}", "J227", 1),
    # Python
    ("{'a': 1}", "J203", 2),
    ("{\"a\": 'b'}", "J203", 7),
    ('{"a": None}', "J203", 7),
    ("[{'role': 'user'}]", "J203", 3),
    ("('a', 1)", "J203", 1),
    # commas and colons
    ('{"a": 1,}', "J204", 8),
    ('{"a": [1, 2,]}', "J204", 12),
    ('{"a": [1,,2]}', "J204", 9),
    ('{"a": 1},', "J205", 9),
    (',{"a": 1}', "J205", 1),
    ('{"a": 1 "b": 2}', "J220", 7),
    ('{"a": "x" "b": "y"}', "J220", 9),
    ('{"a": "x""b": "y"}', "J220", 9),
    ('{"a": [{} {}]}', "J220", 9),
    ('{"a" "b"}', "J220", 4),
    ('{"a" 1}', "J220", 4),
    ('{"a"= 1}', "J220", 5),
    ('{"a": "b"; "c": 1}', "J220", 10),
    ('{"a": }', "J234", 5),
    ('{"a": , "b": 1}', "J234", 5),
    ('{"a"}', "J234", 2),
    # texts
    ('{"a": "say "hi" to"}', "J206", 12),
    ('{"a": "價格是"100, 200"元"}', "J206", 11),
    ('{"a": "{"name": "Bob"}"}', "J206", 9),
    ('{"a": "list: "[1]" ok"}', "J206", 14),
    ('{"a": "C:\\Users"}', "J207", 10),
    ('{"a": "\\x41"}', "J207", 8),
    ('{"a": "\\u12"}', "J207", 8),
    ('{"a": "x\ty"}', "J225", 9),
    ('{"a": "x\x00y"}', "J225", 9),
    ('{"a": "x\ry"}', "J208", 9),
    ('{"a": "x, "b": "y"}', "J233", 7),
    ('{"a": [{"c": "x}, {"role": "y"}]}', "J233", 14),
    ('{"a": "x}', "J233", 7),
    # brackets and ends
    ('{"a": [1}', "J226", 9),
    ('{"a": 1}}', "J226", 9),
    ('{"a": 1}]', "J226", 9),
    ("}", "J226", 1),
    ('{{"a": 1}}', "J226", 1),
    ('{"a": {"b": 1}, {"c": 2}}', "J226", 15),
    ('{"a": [{"b": 1}', "J219", 15),
    ('{"a": "x', "J219", 8),
    ('{"a": 1,', "J219", 8),
    ('{"a":', "J219", 5),
    # other values
    ('{"a": NaN}', "J215", 7),
    ('{"a": -Infinity}', "J215", 7),
    ('{"a": 007}', "J215", 7),
    ('{"a": +1}', "J215", 7),
    ('{"a": .5}', "J215", 7),
    ('{"a": 0x1F}', "J215", 7),
    ('{"a": 1e999}', "J215", 7),
    ('{"a": ' + "1" * 5000 + "}", "J215", 7),
    ('{"a": undefined}', "J223", 7),
    ('{"a": TRUE}', "J223", 7),
    ("{a: 1}", "J223", 2),
    ('{"a": 1, "a": 2}', "J214", 10),
    ('{"a": 1, "\\u0061": 2}', "J214", 10),
    ('{"a": ' + "[" * 300 + "]" * 300 + "}", "J232", 262),
    # several things on a line
    ('{"a": 1} {"b": 2}', "J211", 10),
    ('{"a": 1}{"b": 2}', "J211", 9),
    ('{"a": 1}, {"b": 2}', "J211", 9),
    ('{"a": 1}\\n{"b": 2}', "J211", 9),
    ('{"a": 1} // note', "J213", 10),
    ('{"a": /* note */ 1}', "J213", 7),
    ('{"a": 1} <- good', "J229", 10),
    ('data: {"a": 1}', "J229", 1),
    ('12. {"a": 1}', "J229", 1),
    ('\ufeff{"a": 1}', "J224", 1),
    ('{"a":\u00a01}', "J224", 6),
    ('{"a": "b"\u3000}', "J224", 10),
    # no record at all
    ("# note", "J213", 1),
    ("// note", "J213", 1),
    ("...", "J221", 1),
    ("……", "J221", 1),
    ('{"a": [{}, ...]}', "J221", 12),
    ("```json", "J230", 1),
    ("<<<<<<< HEAD", "J231", 1),
    ("=======", "J231", 1),
    ("Your data should look like this:", "J228", 1),
    ("extract_names:", "J228", 1),
    ("  metrics: [accuracy]", "J228", 3),
    ("3: the car honked, 1: it stopped", "J228", 1),
    ("[INST] hello [/INST]", "J228", 1),
    ('"Hello" she said', "J228", 1),
    ("prompt,completion", "J228", 1),
    # an object inside a text
    ('"{\\"a\\": 1}"', "J216", 1),
    ('{\\"a\\": 1}', "J216", 1),
    ('"{""a"": ""x""}"', "J216", 1),
    ("'{\"a\": 1}'", "J216", 1),
    ('"https://example.org"', "J218", None),
    ("42", "J218", None),
    ("null", "J218", None),
    ('[{"role": "user"}]', "J218", None),
]


@pytest.mark.parametrize(("text", "code", "column"), CASES, ids=[case[0][:40] for case in CASES])
def test_the_cause_of_a_broken_line(text, code, column):
    found = cause(text + "\r\n", HERE)
    assert (found.code, found.args.get("column"), found.origin.line) == (code, column, 7)
    assert found.severity == "error"


@pytest.mark.parametrize(("text", "code", "column"), CASES, ids=[case[0][:40] for case in CASES])
def test_no_parser_takes_a_broken_line_for_a_record(text, code, column):
    value, problem = parse(text, HERE)
    assert problem is not None or not isinstance(value, dict)
    try:
        assert parse_line(text.encode()) == value
    except ValueError:
        assert problem is not None


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "他說“好”，走：「是」"}',
        '{"a": "it\'s None, True", "b": "NaN ... // # /* */"}',
        '{"a": "C:\\\\Users \\" \\u4f60 \\n"}',
        '{"a": "\ufeff\u3000\u2028"}',
        '{"a": "\\ud800"}',
        '{"a": -0.5e+10, "b": {}, "": []}',
        ' {"a" : 1 } ',
        '{"a\\\\": 1, "a": ":"}',
    ],
)
def test_a_sound_line_is_none(text):
    assert parse(text, HERE) == (json.loads(text), None)


def test_the_pointer_tells_where_a_key_or_number_stands():
    assert cause('{"m": [{"a/b": 1}, {"a/b": NaN}]}', HERE).path == "/m/1/a~1b"
    assert cause('{"m": [{"a": 1, "a": 1}]}', HERE).path == "/m/0/a"


def test_the_quote_marks_the_place():
    found = cause('{"content": "' + "長" * 500 + '", “x”: 1}', HERE)
    assert (found.code, found.args["column"]) == ("J202", 517)
    assert found.quote.text[found.quote.start] == "“"
    assert len(found.quote.text) < 100


def test_a_line_break_in_a_text_is_named_on_each_of_its_lines():
    lines = ['{"a": "first\r\n', "second\r\n", 'third", "b": 1}\r\n', '{"a": 2}\r\n']
    assert join(lines) == ({"a": "first\nsecond\nthird", "b": 1}, 3)
    assert [(d.code, d.origin.line, d.severity) for d in causes(lines, HERE)] == [
        ("J208", 7, "error"),
        ("J208", 8, "error"),
        ("J208", 9, "error"),
    ]


def test_an_object_over_several_lines_among_lines():
    lines = ["{\n", ' "a": [\n', "  1\n", " ]\n", "}\n", '{"a": 2}\n']
    assert join(lines) == ({"a": [1]}, 5)
    assert {(d.code, d.severity) for d in causes(lines, HERE)} == {("J210", "error")}


@pytest.mark.parametrize(
    "lines",
    [
        ['{"a": "cut off', '{"a": "whole"}'],
        ['{"a": "cut off', '{"a": "whole"}', '{"a": "another"}'],
        ['{"a": [{"b": 1},', '{"a": 1}', '{"a": 2}'],
        ['{"a": "escaped break\\', 'second"}'],
        ['{"a": "one\\', "two", 'three"}'],
        ['{"a": "never closed', *["text"] * 60, '"}'],
        ['{"a": "last line'],
        ["prose", '{"a": 1}'],
    ],
)
def test_lines_that_make_no_record_are_not_joined(lines):
    assert join(lines) is None
    assert len(causes(lines, HERE)) == 1


def suite():
    return sorted(SUITE.glob("[yn]_*.json"))


@pytest.mark.parametrize("path", suite(), ids=lambda path: path.name)
def test_the_json_test_suite(path):
    raw = path.read_bytes()
    try:
        value, problem = parse(raw.decode(), HERE)
    except UnicodeDecodeError:
        value, problem = None, "not UTF-8"
    assert (problem is None) == path.name.startswith("y_")
    try:
        assert json.dumps(parse_line(raw)) == json.dumps(value)
        assert problem is None
    except ValueError:
        assert problem is not None or b"\\u" in raw  # half characters are left to the careful parser


@pytest.mark.parametrize(
    ("name", "code", "lines"),
    [
        ("axolotl_prose_first_line.jsonl", "J228", [1]),
        ("evals_atpl_smart_quotes.jsonl", "J202", list(range(2, 11))),
        ("evals_email_parsing.jsonl", "J206", [1, 2, 3]),
        ("evals_extract_names_yaml.jsonl", "J228", [1, 2, 3, 4, 6, 7, 8, 9]),
        ("evals_jokes_ellipsis.jsonl", "J221", [3]),
        ("evals_logic_riddles_line19.jsonl", "J206", [19]),
        ("evals_matmul_python_repr.jsonl", "J203", list(range(1, 21))),
        ("evals_play24_unescaped_quotes.jsonl", "J206", list(range(1, 10))),
        ("lmeval_nan.jsonl", "J215", [1, *range(3, 9), 10, 13, 16, 17, *range(19, 25)]),
        ("nemo_string_lines.jsonl", "J218", list(range(1, 11))),
    ],
)
def test_real_files(name, code, lines):
    if not BAD.exists():  # they lie beside the checkout
        pytest.skip("the shared cases are not part of the repository")
    found = {}
    for number, line in enumerate((BAD / name).read_text(encoding="utf-8").split("\n"), start=1):
        value, problem = parse(line, HERE)
        if line.strip() and not isinstance(value, dict):
            found[number] = (problem or cause(line, HERE)).code
    assert found == dict.fromkeys(lines, code)


def test_a_real_record_with_a_line_break_inside():
    if not BAD.exists():  # they lie beside the checkout
        pytest.skip("the shared cases are not part of the repository")
    path = BAD / "evals_human_safety_raw_newline_crlf.jsonl"
    lines = path.read_bytes().decode().splitlines(keepends=True)
    value, count = join(lines[1:])
    assert count == 2
    assert "animal stopped in the middle of the road and\n3: the self-driving car" in value["input"][1]["content"]
