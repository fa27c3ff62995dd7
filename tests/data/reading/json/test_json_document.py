"""JSON that is not one object a line: its shape, its rows with their lines, and one finding for each broken row."""

import json
import pickle
import time

import pytest

from finetune_lib.data.fixing import repair
from finetune_lib.data.reading.json.document import BrokenElement, read_document
from finetune_lib.data.reading.json.shape import shape_of
from finetune_lib.records import Example


def row(number):
    user = {"role": "user", "content": f'問題 {number}, what\'s "up"?\nline'}
    return {"messages": [user, {"role": "assistant", "content": f"答案 {number}"}]}


ROWS = [row(number) for number in range(8)]
PRETTY = json.dumps(ROWS, ensure_ascii=False, indent=2)
LINES = [json.dumps(row, ensure_ascii=False) for row in ROWS]


def read(text, **options):
    """The rows and the findings of a text."""
    items = list(read_document(text, source="data.json", **options))
    rows = [item.data for item in items if isinstance(item, Example)]
    return rows, [(d.code, d.severity, d.origin.line) for d in items if not isinstance(d, Example)]


def lines_of(text):
    return [item.origin.line for item in read_document(text, source="data.json") if isinstance(item, Example)]


SHAPES = {
    "a list": (PRETTY, "array", [("J209", "info", 1)]),
    "a list on one line": (json.dumps(ROWS), "array", [("J209", "info", 1)]),
    "a list of lines": ("[\n" + ",\n".join(LINES) + "\n]\n", "array", [("J209", "info", 1)]),
    "two lists": (f"{PRETTY}\n{json.dumps([])}", "array", [("J209", "info", 1)]),
    "objects back to back": ("\n".join(json.dumps(r, indent=1) for r in ROWS), "objects", [("J210", "info", 1)]),
    "objects on one line": ("".join(LINES), "objects", [("J211", "info", 1)]),
    "wrapped": (json.dumps({"version": 1, "data": ROWS}, indent=2), "object", [("J217", "info", 1)]),
    "wrapped on one line": (json.dumps({"examples": ROWS}), "object", [("J217", "info", 1)]),
    "wrapped under another name": (json.dumps({"faq": ROWS, "by": "Ann"}, indent=1), "object", [("J217", "info", 1)]),
    "from the datasets server": (
        json.dumps({"features": [{"name": "x"}], "rows": [{"row_idx": i, "row": r} for i, r in enumerate(ROWS)]}),
        "object",
        [("J217", "info", 1)],
    ),
    "encoded twice": (json.dumps(PRETTY), "encoded", [("J216", "info", 1), ("J209", "info", 1)]),
    "lines encoded twice": (json.dumps("\n".join(LINES)), "encoded", [("J216", "info", 1)]),
    "by key": (json.dumps({f"a{i}": r for i, r in enumerate(ROWS)}, indent=1), "object", [("J236", "info", 1)]),
    "by column": (json.dumps({"messages": [r["messages"] for r in ROWS]}), "object", [("J236", "info", 1)]),
    "by column and number": (
        json.dumps(
            {"messages": {str(i): r["messages"] for i, r in enumerate(ROWS)}, "text": dict.fromkeys("01234567", 1)}
        ),
        "object",
        [("J236", "info", 1)],
    ),
    "names and cells": (
        json.dumps({"columns": ["messages"], "data": [[r["messages"]] for r in ROWS]}),
        "object",
        [("J236", "info", 1)],
    ),
    "behind a comment": (f"// from the wiki\n\n{PRETTY}", "array", [("J213", "error", 1), ("J209", "info", 3)]),
    "behind a mark": ("\ufeff" + PRETTY, "array", [("J209", "info", 1)]),
    "with Windows line ends": (PRETTY.replace("\n", "\r\n"), "array", [("J209", "info", 1)]),
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_gives_its_rows_and_is_named_once(name):
    text, shape, notes = SHAPES[name]
    assert shape_of(text, whole=True) == shape
    rows, findings = read(text)
    assert [r["messages"] for r in rows] == [r["messages"] for r in ROWS]
    assert findings == notes


@pytest.mark.parametrize("name", ["a list", "objects back to back", "objects on one line", "wrapped", "encoded twice"])
def test_in_a_file_of_lines_the_shape_is_an_error(name):
    rows, findings = read(SHAPES[name][0], strict_lines=True)
    assert rows == ROWS
    assert findings[0][1:] == ("error", 1)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(LINES),
        LINES[0],
        "\n\n".join(LINES) + "\n",
        LINES[0][:60] + "\n" + "\n".join(LINES[1:]),  # the first row is cut off
        LINES[0].replace("\\n", "\n") + "\n" + "\n".join(LINES[1:]),  # a line break inside a text
        ",\n".join(LINES),
        "Your data should look like this:\n" + LINES[0],
        "# comment\n" + "\n".join(LINES),
        '"a string"\n"another"',
        "\n".join(repr(r) for r in ROWS),
        "\n".join(repr(r["messages"]) for r in ROWS),
        "\n".join(json.dumps(r["messages"]) for r in ROWS),
        "[2026-01-01] a log\n[2026-01-02] of a server",
        "{“messages”: []}\n{“messages”: []}",
        "extract_names:\n  id: x",
        '{"anything": 1}',
        "",
        "\n \n",
        "{",
        '{"messages": [{"role": "user", "content": "a long head without an end',
    ],
)
def test_lines_stay_lines(text):
    assert shape_of(text, whole=True) == "lines"


def test_a_head_decides_for_the_rest():
    wide = json.dumps([row(number) for number in range(2000)])
    wrapped = json.dumps({"data": [row(number) for number in range(2000)]})
    for text, shape in ((wide, "array"), (PRETTY, "array"), (wrapped, "object"), ("\n".join(LINES), "lines")):
        assert shape_of(text[:500], whole=False) == shape


def test_a_row_knows_the_line_it_begins_on():
    starts = [number for number, line in enumerate(PRETTY.split("\n"), start=1) if line == "  {"]
    assert lines_of(PRETTY) == starts
    assert lines_of(json.dumps({"data": ROWS}, indent=2).replace('"data"', '\n"data"'))[0] == 4
    assert lines_of("\n\n" + "\n".join(json.dumps(r, indent=1) for r in ROWS[:2])) == [3, 15]


START = PRETTY.split("\n").index("  {", 30)  # of the fourth row, from 0
LAST = START + 11


def edited(change):
    lines = PRETTY.split("\n")
    change(lines)
    return "\n".join(lines)


def replacing(number, old, new):
    def change(lines):
        assert old in lines[number]
        lines[number] = lines[number].replace(old, new, 1)

    return change


ROLE, CONTENT = START + 3, START + 4
DEFECTS = {
    "comma missing": (replacing(ROLE, '",', '"'), "J220", ROLE, 7),
    "closing quote missing": (replacing(ROLE, 'user"', "user"), "J233", ROLE, 7),
    "closing quote missing at the end": (replacing(CONTENT, 'line"', "line"), "J233", CONTENT, 7),
    "opening quote missing": (replacing(ROLE, '"user', "user"), "J223", ROLE, 7),
    "line break": (replacing(CONTENT, "\\n", "\n"), "J208", CONTENT, 7),
    "trailing comma": (replacing(CONTENT, 'line"', 'line",'), "J204", CONTENT, 7),
    "single quotes": (replacing(ROLE, '"user"', "'user'"), "J203", ROLE, 7),
    "curly quotes": (replacing(ROLE, '"user"', "“user”"), "J202", ROLE, 7),
    "unescaped quotes": (replacing(CONTENT, '\\"up\\"', '"up"'), "J206", CONTENT, 7),
    "bad escape": (replacing(CONTENT, "\\n", "\\U"), "J207", CONTENT, 7),
    "tab": (replacing(CONTENT, "\\n", "\t"), "J225", CONTENT, 7),
    "not a number": (replacing(CONTENT, 'line"', 'line", "weight": NaN'), "J215", CONTENT, 7),
    "key twice": (replacing(CONTENT, 'line"', 'line", "role": "x"'), "J214", CONTENT, 7),
    "comment inside": (lambda lines: lines.insert(ROLE, "// note"), "J213", ROLE, 7),
    "comment between": (lambda lines: lines.insert(START, "  // {note}"), "J213", START, 8),
    "dots between": (lambda lines: lines.insert(START, "  ..."), "J221", START, 8),
    "conflict marker": (lambda lines: lines.insert(START, "<<<<<<< HEAD"), "J231", START, 8),
    "inner bracket missing": (lambda lines: lines.pop(START + 5), "J226", CONTENT, 7),
    "list bracket missing": (lambda lines: lines.pop(LAST - 1), "J226", LAST - 1, 7),
    "own bracket missing": (lambda lines: lines.pop(LAST), "J226", LAST - 1, 7),
    "comma between missing": (replacing(LAST, "},", "}"), "J220", LAST, 8),
    "comma between twice": (replacing(LAST, "},", "},,"), "J204", LAST, 8),
    "semicolon between": (replacing(LAST, "},", "};"), "J220", LAST, 8),
    "bracket too many": (lambda lines: lines.insert(LAST, "}"), "J226", LAST + 1, 8),
    "odd space between": (lambda lines: lines.insert(START, "\u3000"), "J224", START, 8),
    "null": (lambda lines: lines.insert(START, "  null,"), "J218", START, 8),
    "a row as text": (lambda lines: lines.insert(START, '  "{\\"messages\\": []}",'), "J216", START, 8),
    "text behind": (lambda lines: lines.append("the end"), "J229", 98, 8),
    "last bracket missing": (lambda lines: lines.pop(), "J219", 96, 8),
    "last comma": (replacing(96, "}", "},"), "J204", 96, 8),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_one_defect_is_one_finding_at_its_line_and_hides_no_other_row(name):
    change, code, line, count = DEFECTS[name]
    rows, findings = read(edited(change))
    assert findings[1:] == [(code, "error", line + 1)]
    assert len(rows) == count
    assert all(r in ROWS for r in rows)


def test_a_broken_row_keeps_its_number_and_its_text():
    text = PRETTY.replace('"role": "user",', '"role": "user",,', 1)
    broken, *_ = (item for item in read_document(text, source="data.json") if isinstance(item, BrokenElement))
    assert (broken.origin.row, broken.code) == (1, "J204")
    assert broken.text.startswith('{\n    "messages"')
    assert broken.text.endswith("}")
    assert pickle.loads(pickle.dumps(broken)) == broken


def test_every_row_of_a_python_list_can_be_repaired():
    broken = [item for item in read_document(repr(ROWS), source="data.json") if isinstance(item, BrokenElement)]
    assert [repair(item.text).value for item in broken] == ROWS


def test_the_comma_behind_the_last_row_points_at_the_bracket():
    found = [d for d in read_document('[\n{"messages": []},\n\n]', source="data.json") if not isinstance(d, Example)][
        -1
    ]
    assert (found.code, found.origin.line, [o.line for o in found.related]) == ("J204", 2, [4])


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("{}", [("J222", "error", 1)]),
        (" [ ]\n", [("J209", "info", 1), ("E101", "error", None)]),
        ('{"data": []}', [("E101", "error", None)]),
        ('{"faq": {"url": "x"},\n "news": {"url": "y"}}', [("J222", "error", 1)]),
        ('{"type": "score_model",\n "input": [{"role": "user", "content": "x"}]}', [("J222", "error", 1)]),
        ("[1, 2]", [("J209", "info", 1), ("J218", "error", 1), ("J218", "error", 1)]),
        ('[{"messages": [', [("J209", "info", 1), ("J219", "error", 1)]),
        ('{"data": [\n', [("J217", "info", 1), ("J219", "error", 1)]),
        ("[" * 100_000, [("J209", "info", 1), ("J232", "error", 1)]),
        ('[{"a": ' + "1" * 5000 + "}]", [("J209", "info", 1), ("J215", "error", 1)]),
        ('"not closed', [("J219", "error", 1)]),
    ],
)
def test_what_holds_no_row(text, findings):
    assert read(text) == ([], findings)


def test_several_lists_are_not_mixed():
    rows, findings = read(json.dumps({"test": ROWS[3:], "train": ROWS[:3]}, indent=1))
    assert rows == ROWS[:3]
    assert [code for code, *_ in findings] == ["J217", "J235"]


def test_a_breach_beside_the_list_is_told():
    rows, findings = read(json.dumps({"data": ROWS, "z": 3}, indent=1).replace('"z": 3', '"z": NaN'))
    assert rows == ROWS
    assert [code for code, *_ in findings] == ["J217", "J215"]


def test_a_row_alone_is_a_data_set_of_one():
    assert read(json.dumps(ROWS[0], indent=1)) == ([ROWS[0]], [("J210", "info", 1)])
    assert read('{"prompt": "q", "completion": "a"}') == ([{"prompt": "q", "completion": "a"}], [])


def test_commas_between_objects_are_named():
    rows, findings = read(",\n".join(json.dumps(r, indent=1) for r in ROWS[:3]))
    assert rows == ROWS[:3]
    assert [(code, line) for code, _, line in findings] == [("J210", 1), ("J205", 12), ("J205", 24)]


@pytest.mark.parametrize("broken", ["", '"role": "user"'])
def test_time_grows_with_the_text_alone(broken):
    def seconds(count):
        text = json.dumps([row(number) for number in range(count)])
        text = text.replace('"role": "user",', broken) if broken else text
        start = time.process_time()
        assert sum(1 for _ in read_document(text, source="data.json")) == count + 1
        return time.process_time() - start

    seconds(500)
    assert seconds(8000) < 16 * 4 * max(seconds(500), 0.002)
