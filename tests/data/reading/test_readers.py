"""From real files to examples, and one clear error for each file that is not what it should be."""

import gzip
import json
import re
from io import BytesIO

import pytest
from openpyxl import Workbook

import finetune_lib as ft

PAIRS = [{"prompt": "幾點登機？", "completion": "起飛前 30 分鐘。"}, {"prompt": "q2", "completion": "a2"}]
CHATS = [
    {"messages": [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": row["completion"]}]}
    for row in PAIRS
]
TABLE = "prompt,completion\n幾點登機？,起飛前 30 分鐘。\nq2,a2\n"


def lines(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def workbook(sheets):
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def contents(data):
    return [dict(example.data) for example in data]


@pytest.fixture
def write(tmp_path):
    def to_file(content, name="data.jsonl"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to_file


@pytest.fixture
def refused(write):
    """The error of a file, after a look at what every error must have."""

    def load(content, name="data.jsonl", **options):
        path = write(content, name)
        with pytest.raises(ft.ReadError) as caught:
            ft.Dataset.load(path, **options)
        assert name in str(caught.value)
        assert caught.value.path == path
        return caught.value

    return load


# Formats


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", lines(CHATS), CHATS),
        ("a.JSONL", lines(CHATS), CHATS),
        ("a.jsonl", lines(PAIRS), PAIRS),
        ("a.jsonl", lines(CHATS).replace("\n", "\r\n"), CHATS),
        ("a.jsonl", lines(CHATS).rstrip("\n"), CHATS),
        ("a.jsonl", "\ufeff" + lines(CHATS), CHATS),
        ("a.json", json.dumps(CHATS, indent=2), CHATS),
        ("a.json", json.dumps(CHATS), CHATS),
        ("a.json", lines(PAIRS), PAIRS),
        ("a.csv", TABLE, CHATS),
        ("a.csv", "\ufeff" + TABLE, CHATS),
        ("a.csv", TABLE.replace("\n", "\r\n"), CHATS),
        ("a.csv", "\n" + TABLE + "\n,\n", CHATS),
        ("a.csv", TABLE.replace("prompt,completion", " Prompt , COMPLETION "), CHATS),
        ("a.tsv", TABLE.replace(",", "\t"), CHATS),
        ("a.xlsx", workbook({"S": [["prompt", "completion"], *([*row.values()] for row in PAIRS)]}), CHATS),
    ],
)
def test_each_format_loads(write, name, content, expected):
    assert contents(ft.Dataset.load(write(content, name))) == expected


def test_quoted_cells_keep_commas_quotes_and_line_ends(write):
    path = write('prompt,completion\n"a, ""b""","first\nsecond"\nq,a\n', "data.csv")
    data = ft.Dataset.load(path)
    assert (data[0].prompt, data[0].answer) == ('a, "b"', "first\nsecond")
    assert [example.origin.line for example in data] == [2, 4]


def test_table_cells_stay_text(write):
    data = ft.Dataset.load(write("prompt,completion\n007,1e3\n", "data.csv"))
    assert (data[0].prompt, data[0].answer) == ("007", "1e3")


def test_array_elements_know_their_lines(write):
    data = ft.Dataset.load(write(json.dumps(CHATS, indent=2), "data.json"))
    assert [(example.origin.row, example.origin.line) for example in data] == [(1, 2), (2, 14)]


def test_columns_are_mapped_by_name(write):
    path = write("Frage,Antwort,Thema\nq,a,travel\n", "data.csv")
    data = ft.Dataset.load(path, columns={"prompt": "frage", "completion": "Antwort", "category": "Thema"})
    assert (data[0].prompt, data[0].answer, data[0].category) == ("q", "a", "travel")


def test_a_category_is_kept_beside_the_example(write):
    data = ft.Dataset.load(write("category,prompt,completion\ntravel,q,a\n,q2,a2\n", "data.csv"))
    assert [example.category for example in data] == ["travel", None]
    assert b"travel" not in b"".join(data.lines())


# System messages


def test_system_turns_pairs_into_chats(write):
    data = ft.Dataset.load(write(lines(PAIRS)), system="be brief")
    assert [[m.role for m in example.messages] for example in data] == [["system", "user", "assistant"]] * 2
    assert data[0].messages[0].content == "be brief"


def test_an_empty_system_turns_pairs_into_chats_without_one(write):
    assert contents(ft.Dataset.load(write(lines(PAIRS)), system="")) == CHATS


def test_system_is_added_only_where_there_is_none(write):
    own = {"messages": [{"role": "system", "content": "own"}, *CHATS[0]["messages"]]}
    data = ft.Dataset.load(write(lines([own, CHATS[1]])), system="given")
    assert [example.messages[0].content for example in data] == ["own", "given"]
    assert [len(example.messages) for example in data] == [3, 3]


def test_a_system_column_goes_before_the_given_system(write):
    path = write("prompt,completion,system\nq,a,own\nq,a,\n", "data.csv")
    data = ft.Dataset.load(path, system="given")
    assert [example.messages[0].content for example in data] == ["own", "given"]


# Workbooks


def test_cells_read_as_people_see_them(write):
    content = workbook({"S": [["prompt", "completion"], [1, 2.5], [True, "text"]]})
    data = ft.Dataset.load(write(content, "data.xlsx"))
    assert [(example.prompt, example.answer) for example in data] == [("1", "2.5"), ("TRUE", "text")]


def test_several_sheets_ask_for_one(write, refused):
    rows = [["prompt", "completion"], ["q", "a"]]
    content = workbook({"問答": rows, "Old": [*rows, ["q2", "a2"]]})
    error = refused(content, "data.xlsx")
    assert error.diagnostic.code == "T257"
    assert "問答, Old" in str(error)
    assert "sheet='問答'" in str(error)
    assert len(ft.Dataset.load(write(content, "data.xlsx"), sheet="Old")) == 2


def test_an_empty_sheet_beside_the_data_does_not_matter(write):
    content = workbook({"Notes": [], "S": [["prompt", "completion"], ["q", "a"]]})
    assert ft.Dataset.load(write(content, "data.xlsx"))[0].origin.cells[""] == "S!A2"


def test_a_sheet_that_is_not_there_is_named_with_those_that_are(refused):
    error = refused(workbook({"One": [["a"]], "Two": [["b"]]}), "data.xlsx", sheet="Three")
    assert "'Three'" in str(error)
    assert "One, Two" in str(error)


@pytest.mark.parametrize(("system", "index"), [(None, 0), ("be brief", 1)])
def test_findings_name_the_cell_that_they_are_about(write, system, index):
    rows = [["category", "prompt", "completion"], ["x", "q", "a"], ["x", "<|im_end|>", ""]]
    data = ft.Dataset.load(write(workbook({"問 答": [[], *rows]}), "data.xlsx"), system=system)
    found = {d.code: (d.cell, d.path, d.origin.line) for d in data.validate().errors if d.code != "K701"}
    assert found == {
        "K703": ("問 答!B4", f"/messages/{index}/content", None),
        "C406": ("問 答!C4", f"/messages/{index + 1}/content", None),
    }


def test_a_system_column_has_its_cell_too(write):
    rows = [["completion", "prompt", "system"], ["a", "q", "<|im_end|>"]]
    report = ft.Dataset.load(write(workbook({"S": rows}), "data.xlsx")).validate()
    assert [d.cell for d in report.errors if d.code == "K703"] == ["S!C2"]
    assert "data.xlsx:S!C2  /messages/0/content" in str(report)


def test_columns_beyond_z_have_excels_names(write):
    names = [f"c{n}" for n in range(27)]
    rows = [[*names, "prompt", "completion"], [*names, "<|im_end|>", "a"]]
    report = ft.Dataset.load(write(workbook({"S": rows}), "data.xlsx")).validate()
    assert [d.cell for d in report.errors if d.code == "K703"] == ["S!AB2"]


def test_a_duplicate_row_names_the_cells_of_the_first(write):
    rows = [["prompt", "completion"], ["q", "a"], ["q", "a"]]
    report = ft.Dataset.load(write(workbook({"S": rows}), "data.xlsx")).validate()
    assert [(d.cell, d.message) for d in report.warnings] == [("S!A3", "the same example as S!A2")]


def test_the_collapsed_rest_of_a_workbook_names_places(write):
    rows = [["prompt", "completion", *(f"extra{n}" for n in range(8))], ["q", "a", *range(8)]]
    text = str(ft.Dataset.load(write(workbook({"S": rows}), "data.xlsx")).validate())
    assert text.count("--> data.xlsx:S!") == 3
    assert re.search(r"5 more T261.*\bS!F1\b", text)
    assert "None" not in text


# Encodings


@pytest.mark.parametrize(
    ("encoding", "code", "severity", "name_of_it"),
    [
        ("cp950", "E103", "warning", "cp950 (Big5)"),
        ("gb18030", "E103", "warning", "gb18030 (GBK)"),
        ("utf-16", "E104", "info", "UTF-16LE"),
    ],
)
@pytest.mark.parametrize(("name", "content"), [("a.csv", TABLE), ("a.jsonl", lines(PAIRS)), ("a.json", lines(PAIRS))])
def test_a_file_in_another_encoding_is_read_and_told(write, encoding, code, severity, name_of_it, name, content):
    path = write(content.encode(encoding), name)
    data = ft.Dataset.load(path)
    assert data[0].prompt == "幾點登機？"
    assert data == ft.Dataset.load(path, encoding=encoding)
    (told,) = [d for d in data.validate().diagnostics if d.code[0] == "E"]
    assert (told.code, told.severity) == (code, severity)
    assert name_of_it in told.message
    assert told.origin.line == (2 if code == "E103" and name.endswith("csv") else 1)


def test_the_note_on_an_encoding_shows_what_was_read(write):
    (told,) = ft.Dataset.load(write(TABLE.encode("cp950"), "a.csv")).problems
    assert "幾點登機？" in told.message


@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
def test_a_text_that_fits_two_encodings_is_refused_with_both(write, refused, name):
    raw = b"prompt,completion\n" + "登机".encode("gb18030") + b",a\n"
    error = refused(raw, name)
    assert (error.diagnostic.code, error.line) == ("E115", 2)
    assert "gb18030 (GBK) 「登机,a」" in str(error)
    assert "cp949 (EUC-KR) 「되샙,a」" in str(error)
    assert ft.Dataset.load(write(raw, name), encoding="gb18030")[0].prompt == "登机"


@pytest.mark.parametrize(("name", "line"), [("a.jsonl", 2), ("a.csv", 3)])
def test_a_line_in_another_encoding_than_the_rest_is_named_alone(write, name, line):
    rows = [f"第{number}題的答案是什麼" for number in range(4)]
    pairs = [json.dumps({"prompt": row, "completion": "a"}, ensure_ascii=False) for row in rows]
    texts = [f"{row},a" for row in rows] if name == "a.csv" else pairs
    raw = [text.encode("cp950" if number == 1 else "utf-8") for number, text in enumerate(texts)]
    header = [b"prompt,completion"] if name == "a.csv" else []
    data = ft.Dataset.load(write(b"\n".join(header + raw), name))
    assert [example.prompt for example in data] == [rows[0], *rows[2:]]
    assert [(d.code, d.origin.line) for d in data.validate(target="local").errors if d.code[0] == "E"] == [
        ("E114", line)
    ]


def test_the_wrong_encoding_is_refused_with_the_line(refused):
    error = refused("prompt,completion\nq,a\nq,登機\n".encode("gb18030") + b"\xff\xff", "a.csv", encoding="ascii")
    assert (error.diagnostic.code, error.line) == ("E114", 3)
    assert "is not ASCII" in str(error)
    assert "登機" in str(error)


@pytest.mark.parametrize("encoding", ["no-such-encoding", "base64"])
def test_an_unknown_encoding_is_a_clear_error(write, encoding):
    with pytest.raises(ValueError, match=encoding):
        ft.Dataset.load(write(lines(PAIRS)), encoding=encoding)


# Files that are not what their name says


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.xlsx"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(ft.ReadError, match=rf"{name}: No such file or directory\. Check the path\."):
        ft.Dataset.load(tmp_path / name)


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.xlsx"])
def test_a_directory_is_refused(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(ft.ReadError, match=name):
        ft.Dataset.load(tmp_path / name)


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.xlsx"])
def test_an_empty_file_is_refused(refused, name):
    assert refused(b"", name).diagnostic.code == "E101"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", "\n\n"),
        ("a.jsonl", "\ufeff"),
        ("a.csv", "\n,\n"),
        ("a.csv", "prompt,completion\n"),
        ("a.xlsx", workbook({"S": []})),
        ("a.xlsx", workbook({"S": [["prompt", "completion"]]})),
    ],
)
def test_a_file_without_an_example_is_refused(refused, name, content):
    assert refused(content, name).diagnostic.code == "E101"


@pytest.mark.parametrize("content", ["[]", " [ ] ", '{"data": []}'])
def test_an_array_without_an_example_is_an_error(write, content):
    data = ft.Dataset.load(write(content, "a.json"))
    assert not len(data)
    assert "E101" in {d.code for d in data.validate().errors}


@pytest.mark.parametrize(
    ("name", "told"),
    [("a.txt", None), ("a", None), ("a.parquet", "E110"), ("a.xlsx", "E110"), ("a.csv", "E110"), ("a.other", "E110")],
)
@pytest.mark.parametrize("content", [lines(CHATS), json.dumps(CHATS)], ids=["lines", "array"])
def test_the_content_tells_the_format_and_not_the_name(write, name, told, content):
    data = ft.Dataset.load(write(content, name))
    assert contents(data) == CHATS
    found = {(d.code, d.severity) for d in data.validate().diagnostics if d.code[0] == "E"}
    assert found == ({(told, "info")} if told else set())


@pytest.mark.parametrize("name", ["a.txt", "a", "a.xlsx", "a.parquet"])
def test_a_table_is_read_whatever_its_name(write, name):
    assert contents(ft.Dataset.load(write(TABLE, name))) == CHATS


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_columns_that_show_nothing_are_listed_without_a_line_to_copy(refused, name):
    rows = [["Frage", "Antwort"], ["q", "a"]]
    error = refused(workbook({"S": rows}) if name.endswith("x") else "Frage,Antwort\nq,a\n", name)
    assert error.diagnostic.code == "T253"
    assert "Frage (short words, q), Antwort (short words, a)" in str(error)
    assert 'columns={"prompt": …, "completion": …}' in str(error)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (json.dumps(CHATS), "J209"),
        (json.dumps(CHATS, indent=2), "J209"),
        ("\n" + json.dumps(CHATS), "J209"),
        ("\n".join(json.dumps(row, indent=2) for row in CHATS), "J210"),
        (json.dumps({"data": CHATS}), "J217"),
        (json.dumps(json.dumps(CHATS)), "J216"),
    ],
    ids=["array", "indented array", "array on line 2", "indented objects", "wrapped", "encoded twice"],
)
@pytest.mark.parametrize(("name", "severities"), [("a.jsonl", {"error"}), ("a.json", {"info"})])
def test_another_arrangement_is_read_and_is_one_finding(write, content, code, name, severities):
    data = ft.Dataset.load(write(content, name))
    assert contents(data) == CHATS
    (told,) = [d for d in data.problems if d.code == code]
    assert told.severity in severities
    assert told.origin.line == (2 if content.startswith("\n") else 1)
    assert told.to_dict()["fix"]["kind"] == "safe"
    assert data.fix() == data
    assert not [d for d in data.fix().validate().errors if d.code != "K701"]


def test_an_array_in_a_jsonl_file_is_saved_as_lines(write, tmp_path):
    data = ft.Dataset.load(write(json.dumps(CHATS)))
    assert data.save(tmp_path / "saved.jsonl").read_text(encoding="utf-8") == lines(CHATS)
    assert data.fix().account.unread == 0


def test_an_array_of_which_an_element_is_lost_is_not_saved(write, tmp_path):
    data = ft.Dataset.load(write(f"[{json.dumps(CHATS[0])}, {{oops}}, {json.dumps(CHATS[1])}]", "a.json"))
    assert contents(data) == CHATS
    with pytest.raises(ft.InvalidDatasetError):
        data.save(tmp_path / "saved.jsonl")
    assert data.drop_unread().save(tmp_path / "saved.jsonl").read_text(encoding="utf-8") == lines(CHATS)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04" + bytes(40), "ZIP"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "OLE2"),
        (b"%PDF-1.7\n", "PDF"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS"),
        (b"\n<!DOCTYPE html>\n<html></html>", "HTML"),
        (b"<HTML><body>Not found</body></HTML>", "HTML"),
    ],
)
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.xlsx"])
def test_another_kind_of_file_is_named(refused, name, content, what):
    error = refused(content, name)
    assert error.diagnostic.code == "E111"
    assert f"of the kind {what}," in str(error)


@pytest.mark.parametrize("name", ["a.jsonl", "a.json.gz", "a.csv"])
def test_a_packed_file_that_breaks_off_is_named(refused, name):
    for content in (b"\x1f\x8b\x08\x00", gzip.compress(lines(CHATS).encode())[:-12]):
        error = refused(content, name)
        assert error.diagnostic.code == "E112"
        assert "gzip" in str(error)


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl", "a.json.gz", "a.csv.gz"])
def test_a_packed_file_is_read_as_what_is_in_it(write, name):
    content = TABLE if "csv" in name else lines(CHATS)
    assert contents(ft.Dataset.load(write(gzip.compress(content.encode()), name))) == CHATS


# Broken lines


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"messages": ', "J219"),
        ('{"messages": "x', "J219"),
        ('{"messages" []}', "J220"),
        ("{messages: []}", "J223"),
        ("…", "J221"),
        ("These are the rows:", "J228"),
        ('{"messages": "say "a" now"}', "J206"),
        ("{“messages”: []}", "J202"),
        ('{"messages": “x”}', "J202"),
        ("{'messages': []}", "J203"),
        ('{"messages": None}', "J203"),
        ('{"messages": [1,]}', "J204"),
        ('{"messages": [],}', "J204"),
        ('{"messages": []},', "J205"),
        ('{"a": 1, "a": 2}', "J214"),
        ('{"a": Infinity}', "J215"),
        ('{"a": ' + "1" * 5000 + "}", "J215"),
        ('{"a": ' + "[" * 100_000, "J232"),
        ("42", "J218"),
    ],
)
def test_a_broken_line_in_the_middle_leaves_the_others(write, line, code):
    data = ft.Dataset.load(write(lines(CHATS[:1]) + line + "\n" + lines(CHATS[1:])))
    assert contents(data) == CHATS
    assert [(d.code, d.origin.line) for d in data.validate().errors if d.code != "K701"] == [(code, 2)]


@pytest.mark.parametrize(
    ("body", "code"),
    [("[" * 100_000, "J232"), ('[{"a": ' + "1" * 5000 + "}]", "J215")],
    ids=["deep", "long-number"],
)
def test_an_array_that_python_cannot_hold_is_reported(write, body, code):
    data = ft.Dataset.load(write(body, "a.json"))
    assert [(d.code, d.origin.line) for d in data.validate().errors if d.code != "K701"] == [(code, 1)]


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        ('[{"a": 1},\n{"a" 2},\n{"a": 3}]', "J220", 2),
        ('[{"a": 1}\n{"a": 3}]', "J220", 1),
        ('[{"a": 1},\n{"a": 3},\n]', "J204", 2),
        ('[{"a": 1},\n{"a": 3}', "J219", 2),
        ('[{"a": 1},\n{"b": 1, "b": 2},\n{"a": 3}]', "J214", 2),
        ('[{"a": 1},\n3,\n{"a": 3}]', "J218", 2),
        ('[{"a": 1},\n{"a": None},\n{"a": 3}]', "J203", 2),
        ('[{"a": 1},\n{"a": "x"y"},\n{"a": 3}]', "J206", 2),
    ],
)
def test_an_array_keeps_what_stands_around_a_break(write, content, code, line):
    data = ft.Dataset.load(write(content, "a.json"))
    assert contents(data) == [{"a": 1}, {"a": 3}]
    found = [(d.code, d.origin.line) for d in data.validate().errors if d.code[0] in "EJ"]
    assert found == [(code, line)]


def test_curly_quotes_in_an_array_are_named(write):
    data = ft.Dataset.load(write("[{“messages”: []}]", "a.json"))
    assert "J202" in {d.code for d in data.validate().errors}


def test_an_unquoted_comma_shifts_nothing(write):
    data = ft.Dataset.load(write("prompt,completion\nq1,a1\nq2,yes, a2\nq3,a3\nshort\n", "a.csv"))
    assert [(example.prompt, example.answer) for example in data] == [("q1", "a1"), ("q3", "a3")]
    errors = [d for d in data.validate().errors if d.code == "T254"]
    assert [(d.origin.line, d.origin.row) for d in errors] == [(3, 2), (5, 4)]
    assert "3 cells, the header 2" in errors[0].message
    with pytest.raises(ft.InvalidDatasetError):
        data.split(golden=1)


def test_a_quote_that_is_not_closed_is_named_with_its_line(write):
    data = ft.Dataset.load(write('prompt,completion\nq1,a\nq2,"open\nq3,a\n', "a.csv"))
    assert [example.prompt for example in data] == ["q1", "q3"]
    (error,) = [d for d in data.validate().errors if d.code != "K701"]
    assert (error.code, error.origin.line) == ("T267", 3)
    assert "not closed" in error.message


def test_a_long_text_in_a_table_is_read(write):
    text = "word " * 40_000
    assert ft.Dataset.load(write(f"prompt,completion\nq,{text}\n", "a.csv"))[0].answer == text


def test_one_bad_element_of_an_array_costs_no_other(tmp_path):
    rows = [json.dumps({"prompt": f"q{number}", "completion": "a"}) for number in range(5)]
    rows[2] = '{"prompt": "q2", "completion": NaN}'
    path = tmp_path / "rows.json"
    path.write_text("[" + ",\n".join(rows) + "]")
    data = ft.Dataset.load(path)
    assert [example.data["prompt"] for example in data] == ["q0", "q1", "q3", "q4"]
    assert [(d.code, d.origin.line) for d in data.validate(target="local").errors if d.code != "K701"] == [("J215", 3)]


def test_an_array_that_is_doubtful_first_and_broken_later_is_reported(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text('[{"a": {"b": 1, "b": 2}, oops}]')
    assert [d.code for d in ft.Dataset.load(path).validate().errors if d.code != "K701"] == ["J214"]


TURNS = [{"role": role, "content": f"{role} {number}"} for number in range(3) for role in ("user", "assistant")]


@pytest.mark.parametrize("form", ["lines", "array"])
def test_rows_that_are_single_messages_are_one_conversation_told_once(tmp_path, form):
    path = tmp_path / ("talk.jsonl" if form == "lines" else "talk.json")
    path.write_text("\n".join(map(json.dumps, TURNS)) if form == "lines" else json.dumps(TURNS))
    data = ft.Dataset.load(path)
    assert [example.data for example in data] == [{"messages": TURNS}]
    found = [d.code for d in data.validate(limits={"minimum": 1}).diagnostics]
    assert ("S317" in found, found.count("T300")) == (False, 1)


def test_single_messages_with_an_id_are_as_many_conversations(tmp_path):
    path = tmp_path / "talks.jsonl"
    path.write_text("\n".join(json.dumps({"session_id": f"s{n}", **turn}) for n in range(3) for turn in TURNS))
    assert [len(example.messages) for example in ft.Dataset.load(path)] == [6, 6, 6]


def test_single_messages_with_calls_are_not_put_together(tmp_path):
    path = tmp_path / "calls.jsonl"
    path.write_text("\n".join(json.dumps({**turn, "tool_calls": []}) for turn in TURNS))
    assert "S317" in {d.code for d in ft.Dataset.load(path).validate().diagnostics}
