"""What is saved under a name has the format of its ending and reads back as it was, or is refused."""

import csv
import io
import json
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import finetune_lib as ft

TABLES = [".csv", ".tsv", ".xlsx"]
ENDINGS = [".jsonl", ".json", *TABLES, ".parquet"]
SAFE = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufeff\ufffe\uffff"))
TEXT = SAFE.map(lambda text: f"字{text}").filter(lambda text: len(text) < 40)


def chat(*turns, **more):
    return {"messages": [{"role": role, "content": content} for role, content in turns], **more}


PAIRS = [
    chat(("user", "幾點\n登機？"), ("assistant", '起飛前 "40" 分鐘, 或更早')),
    chat(("system", "你是客服。"), ("user", "=SUM(A1)"), ("assistant", "00123")),
    chat(("user", "https://a.tw"), ("assistant", " 2026-01-01 ")),
]
DIALOGUE = [chat(("user", "q"), ("assistant", "a"), ("user", "q2"), ("assistant", "a2")), PAIRS[1]]
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
CALLS = [
    {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "", "tool_calls": [CALL]}]},
    chat(("user", "q"), ("assistant", "a"), tools=[TOOL]),
]
PREFERENCES = [
    {
        "input": {"messages": [{"role": "user", "content": f"幾點登機？{n}"}]},
        "preferred_output": [{"role": "assistant", "content": "起飛前 40 分鐘。"}],
        "non_preferred_output": [{"role": "assistant", "content": "不知道。"}],
    }
    for n in range(2)
]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("rows", [PAIRS, DIALOGUE, PREFERENCES, CALLS[:1]], ids=["pairs", "turns", "dpo", "calls"])
def test_what_is_saved_reads_back_as_it_was(tmp_path, ending, rows):
    data = ft.Dataset.from_rows(rows)
    path = data.save(tmp_path / f"data{ending}")
    assert ft.Dataset.load(path) == data


@pytest.mark.parametrize("ending", TABLES)
@settings(deadline=None, max_examples=25)
@given(pairs=st.lists(st.tuples(TEXT, TEXT), min_size=2, max_size=4))
def test_any_pairs_come_back_from_a_table(ending, pairs):
    data = ft.Dataset.from_rows([chat(("user", f"{n} {q}"), ("assistant", a)) for n, (q, a) in enumerate(pairs)])
    with tempfile.TemporaryDirectory() as folder:
        assert ft.Dataset.load(data.save(Path(folder, f"data{ending}"))) == data


def test_the_content_is_what_the_ending_says(tmp_path):
    data = ft.Dataset.from_rows(PAIRS)
    files = {ending: data.save(tmp_path / f"data{ending.upper()}").read_bytes() for ending in ENDINGS}
    assert len(files[".jsonl"].splitlines()) == 3
    assert json.loads(files[".json"]) == PAIRS
    table = list(csv.reader(io.StringIO(files[".csv"].decode("utf-8-sig"), newline="")))
    assert table[0] == ["prompt", "completion", "system"]
    assert table[2] == ["=SUM(A1)", "00123", "你是客服。"]
    assert files[".csv"].startswith(b"\xef\xbb\xbf")  # Excel takes it for another encoding else
    assert b"\t" in files[".tsv"].splitlines()[0]
    assert files[".parquet"][:4] == b"PAR1"
    with zipfile.ZipFile(io.BytesIO(files[".xlsx"])) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")  # a text is no formula


@pytest.mark.parametrize("name", ["data.xls", "data.ods", "data.jsonl.gz", "data.zst", "data.pdf", "data.feather"])
def test_a_format_that_is_not_written_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"end its name with \.jsonl, \.json, \.csv, \.tsv, \.xlsx or \.parquet"):
        ft.Dataset.from_rows(PAIRS).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["data", "data.ndjson", "data.v2", "data.train", "data.txt"])
def test_other_names_hold_lines_of_json(tmp_path, name):
    path = ft.Dataset.from_rows(PAIRS).save(tmp_path / name)
    assert [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] == PAIRS


@pytest.mark.parametrize(
    ("ending", "row", "told"),
    [
        (".xlsx", chat(("user", "q"), ("assistant", "長" * 32_768)), "32,767"),
        (".xlsx", chat(("user", "q"), ("assistant", "a\x0bb")), r"'\x0b'"),
        (".xlsx", chat(("user", "q"), ("assistant", "a\r\nb")), r"'\r'"),
        (".csv", chat(("user", "q"), ("assistant", "half \ud83d")), "half a character"),
        (".csv", chat(("user", "q"), ("assistant", "a"), parallel_tool_calls=False), "parallel_tool_calls"),
        (".csv", {**PREFERENCES[0], "preferred_output": []}, "input"),
        (".parquet", {"messages": [{"role": "user", "content": None}]}, "null"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_with_its_example(tmp_path, ending, row, told):
    data = ft.Dataset([ft.Example(PAIRS[0]), ft.Example(row)])
    with pytest.raises(ft.DataError) as error:
        data.save(tmp_path / f"data{ending}")
    assert "example 2 has" in str(error.value)
    assert told in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_categories_are_kept_where_they_are_wished(tmp_path, ending):
    rows = [{"prompt": f"q{n}", "completion": "a", "category": f"類{n}"} for n in range(2)]
    data = ft.Dataset.from_rows(rows)
    kept = ft.Dataset.load(data.save(tmp_path / f"kept{ending}", metadata=True))
    assert [example.category for example in kept] == ["類0", "類1"]
    assert kept == data
    bare = ft.Dataset.load(data.save(tmp_path / f"bare{ending}"))
    assert [example.category for example in bare] == [None, None]


def test_a_table_has_no_place_for_what_else_stands_beside(tmp_path):
    child = ft.Example(PAIRS[0], category="c", family="f")
    with pytest.raises(ft.DataError, match="family"):
        ft.Dataset([child]).save(tmp_path / "data.csv", metadata=True)


def test_a_foreign_format_in_a_table(tmp_path):
    path = ft.Dataset.from_rows(PAIRS).save(tmp_path / "data.csv", format="alpaca")
    assert path.read_text(encoding="utf-8-sig").splitlines()[0] == "instruction,input,output,system"


def test_a_table_without_examples_has_its_header(tmp_path):
    path = ft.Dataset([]).save(tmp_path / "empty.csv")
    assert path.read_text(encoding="utf-8-sig") == "prompt,completion\n"
