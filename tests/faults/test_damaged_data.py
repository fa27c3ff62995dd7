"""Damaged data: cut, flipped, re-encoded, packed, malformed. An answer or one of our errors, never a traceback."""

from __future__ import annotations

import gzip
import json
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from random import Random
from time import process_time

import pyarrow
import pytest
from pyarrow import parquet
from tests.files import SHARED, written

import finetune_lib as ft
from finetune_lib.cli import main

CASES = SHARED / "cases"
# Files of other projects, which may be absent; then our own inputs below are tried alone.
REAL = sorted(path for path in CASES.glob("*/*") if path.parent.name != "json" and path.is_file())
LARGEST = 2500  # bytes: the beginning of a file shows what it is, and the damage is the same

USER, ASSISTANT = {"role": "user", "content": "幾點登機？"}, {"role": "assistant", "content": "起飛前 30 分鐘。"}
CALL = {"id": "c1", "type": "function", "function": {"name": "gate", "arguments": '{"flight": "BR 61"}'}}
TOOL = {"type": "function", "function": {"name": "gate", "parameters": {"type": "object", "properties": {}}}}
CHAT = {"messages": [{"role": "system", "content": "s"}, USER, ASSISTANT]}
CALLS = {
    "messages": [
        USER,
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "7"},
    ],
    "tools": [TOOL],
}
PREFERENCE = {"input": {"messages": [USER]}, "preferred_output": [ASSISTANT], "non_preferred_output": [ASSISTANT]}
FOREIGN = {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}], "system": "s"}
ROWS = [
    CHAT,
    CALLS,
    PREFERENCE,
    FOREIGN,
    {"instruction": "q", "input": "", "output": "a"},
    {"prompt": "q", "completion": "a"},
]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
TABLE = '題號,問題,答案\n1,幾點登機？,"起飛前\n30 分鐘。"\n2,哪個登機門？,7\n'
OWN = {
    "lines.jsonl": LINES,
    "array.json": json.dumps(ROWS, ensure_ascii=False, indent=1),
    "wrapped.json": json.dumps({"data": ROWS}),
    "table.csv": TABLE,
    "table.tsv": TABLE.replace(",", "\t"),
    "book.xlsx": "[問答]\n題目表\n問題\t答案\n幾點登機？\t起飛前\n!merge A1:B1\n!hide 3\n[舊:hidden]\nprompt",
}


def text_of(raw):
    return raw.decode("utf-8-sig", "replace")


def cut(raw, random):
    return raw[: random.randrange(len(raw) + 1)]


def flipped(raw, random):
    damaged = bytearray(raw)
    for _ in range(min(len(damaged), random.choice([1, 4, 30]))):
        damaged[random.randrange(len(damaged))] = random.randrange(256)
    return bytes(damaged)


def holed(raw, random):
    place = random.randrange(len(raw) + 1)
    return raw[:place] + raw[place + random.randrange(1, 40) :]


def half_in_big5(raw, random):
    lines = text_of(raw).splitlines(keepends=True)
    return "".join(lines[::2]).encode() + "".join(lines[1::2]).encode("cp950", "replace")


DAMAGES = {
    "cut": cut,
    "flipped": flipped,
    "holed": holed,
    "half in Big5": half_in_big5,
    "Big5": lambda raw, _: text_of(raw).encode("cp950", "replace"),
    "GB 18030": lambda raw, _: text_of(raw).encode("gb18030", "replace"),
    "UTF-16": lambda raw, _: text_of(raw).encode("utf-16"),
    "UTF-16 cut": lambda raw, random: cut(text_of(raw).encode("utf-16"), random),
    "CRLF": lambda raw, _: raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    "CR": lambda raw, _: raw.replace(b"\n", b"\r"),
    "BOM": lambda raw, _: b"\xef\xbb\xbf" + raw,
    "NUL": lambda raw, _: raw.replace(b" ", b"\0", 2),
    "twice": lambda raw, _: raw + raw,
    "gzip": lambda raw, _: gzip.compress(raw),
    "gzip cut": lambda raw, random: cut(gzip.compress(raw), random),
    "gzip flipped": lambda raw, random: flipped(gzip.compress(raw), random),
}


def told(ask):
    """What is given back, or None where one of our errors says why not; any other error comes through."""
    try:
        return ask()
    except UnicodeError:  # a ValueError too, but of the codec and not for people
        raise
    except (ft.FinetuneError, ValueError) as error:
        if len(str(error)) < 15:
            raise
        return None


def tried(path, method):
    """A file through everything that a user does with it first."""
    data = told(lambda: ft.Dataset.load(path))
    if data is not None:
        used(data, method)
        again = data.fix(safe_only=False, method=method)
        saved = again.save(path.with_name("again.jsonl"), overwrite=True)
        assert not len(again) or ft.Dataset.load(saved) == again
    commanded("check", path, "--method", method, "--json")
    commanded("fix", path, "--method", method, "-o", path.with_name("mended.jsonl"))


def used(data, method):
    report = data.validate(method=method)
    assert report.summary in str(report)
    assert json.loads(report.to_json())["examples"] == len(data)
    for safe_only in (True, False):
        fixed = data.fix(safe_only=safe_only, method=method)
        assert fixed.account.kept == len(fixed)
        assert fixed.validate(method=method).examples == len(fixed)
    report.diff()
    told(lambda: data.split(golden=1))
    told(lambda: data.drop_unread().split(golden=0.3, validation=1))
    for show in (repr, len, ft.Dataset.stats, ft.Dataset.to_html, ft.Dataset.redact, ft.Dataset.deduplicate):
        show(data)


def commanded(*arguments):
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        code = main([str(argument) for argument in arguments])
    assert code in (0, 1, 2)
    assert (err if code == 2 else out).getvalue().strip()


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", OWN)
def test_a_damaged_file_is_read_or_refused(tmp_path, name, damage):
    raw = written(tmp_path, name, OWN[name]).read_bytes()
    random = Random(f"{name} {damage}")
    for method in ("supervised", "dpo"):
        path = tmp_path / name
        path.write_bytes(DAMAGES[damage](raw, random))
        tried(path, method)


@pytest.mark.parametrize("path", REAL, ids=[path.name for path in REAL])
def test_a_real_file_is_read_or_refused_whole_and_damaged(tmp_path, path):
    random = Random(path.name)
    raw = path.read_bytes()[:LARGEST]
    for damage in random.sample(sorted(DAMAGES), 3):
        copy = tmp_path / f"{path.stem}{random.choice([path.suffix, '.jsonl', '.json', '.csv'])}"
        copy.write_bytes(DAMAGES[damage](raw, random))
        tried(copy, random.choice(["supervised", "dpo", "reinforcement"]))


# Rows that are JSON and no rows

ODD = [None, True, -1, 1.5, "", "x", "\ud800", [], {}, [[]], [None], ["x"], {"": None}, {"role": "user"}, {"type": []}]
EXTRAS = [{}, {"images": ["x"]}, {"tools": ["x"]}, {"system": "s"}, {"history": [["q"]]}, {"_ftl": {"ignore": [1]}}]


def places_in(value, path=()):
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places_in(item, (*path, key))


def replaced(row, path, value):
    row = json.loads(json.dumps(row))
    *above, last = path
    place = row
    for key in above:
        place = place[key]
    place[last] = value
    return row


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("row", ROWS, ids=[next(iter(row)) + str(number) for number, row in enumerate(ROWS)])
def test_a_row_with_an_odd_value_anywhere_is_told(row, odd):
    random = Random(repr(odd))
    rows = [replaced(row, path, odd) | random.choice(EXTRAS) for path in places_in(row)]
    for system in (None, "s"):
        data = ft.Dataset.from_rows(rows, system=system)
        assert len(data) == len(rows)
        used(data, random.choice(["supervised", "dpo", "reinforcement"]))


@pytest.mark.parametrize(
    "row",
    [
        {"messages": ["x"], "images": ["x"]},
        {"messages": 1.5},
        {"prompt": "q"},
        {"input": {}, "preferred_output": []},
        {"preferred_output": [ASSISTANT]},
    ],
    ids=repr,
)
def test_a_row_without_what_its_format_needs_is_told(row):
    used(ft.Dataset.from_rows([row]), "supervised")


# Long lines


@pytest.mark.parametrize("piece", [",", "},{", '"",', "中 ", '{"a":', "[", "“", "\\", "'", "：", "// "])
def test_a_long_broken_line_costs_time_in_proportion(tmp_path, piece):
    def seconds(size):
        path = written(tmp_path, "long.jsonl", '{"prompt": ' + piece * (size // len(piece)) + "\n")
        data = ft.Dataset.load(path)
        started = process_time()
        data.validate()
        data.fix(safe_only=False)
        return process_time() - started

    seconds(1000)  # what is loaded on first use
    assert seconds(60_000) < 8 * max(seconds(15_000), 0.05)


# Parquet, whose texts are not checked when it is written


def test_a_parquet_file_with_any_byte_changed_is_read_or_refused(tmp_path):
    path = tmp_path / "data.parquet"
    table = pyarrow.table({"prompt": ["幾點登機？", "q"], "completion": ["起飛前", "a"]})
    parquet.write_table(table, path, compression="none", use_dictionary=False)
    raw = path.read_bytes()
    for place in range(0, len(raw), 3):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 0xA5]) + raw[place + 1 :])
        if (data := told(lambda: ft.Dataset.load(path))) is not None:
            data.validate()
