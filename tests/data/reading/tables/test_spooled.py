"""Tables of any length: read in one go, kept as lines in a file without a name, and the same as they always were."""

import csv
import errno
import io
import multiprocessing
import os
import pickle
import tempfile
import tracemalloc
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from operator import attrgetter

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

import finetune_lib as ft
from finetune_lib.data.reading.tables import dialect, examples, spooled, text_lines
from finetune_lib.data.reading.tables.spooled import Spooled

NO_CONTROLS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufeff")
TEXTS = st.text(NO_CONTROLS | st.sampled_from('\n\r\t",;|'), max_size=30)
ODD = st.sampled_from(
    [
        "",
        " ",
        "N/A",
        "#REF!",
        "〃",
        "同上",
        "待補",
        "合計",
        "12",
        "問題",
        "答案",
        "林?賢先生",
        "x" * 32767,
        "3-Jan",
        "=1",
    ]
)
CELLS = ODD | st.text(st.sampled_from("甲乙丙 ab?\n"), max_size=40)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=12)
EVERYTHING = attrgetter("data", "origin", "category", "family", "operation", "ignore", "dialect", "left_out")


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Limits so low that few rows are many."""
    monkeypatch.setattr(spooled, "IN_MEMORY", 0)
    monkeypatch.setattr(spooled, "BLOCK", 3)
    monkeypatch.setattr(text_lines, "PIECE", 16)


@pytest.fixture
def load(tmp_path):
    def loaded(content, name="faq.csv", **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return ft.Dataset.load(path, **options)

    return loaded


def table(number, *, category="c{}"):
    rows = (f"第 {n} 題怎麼辦理？,第 {n} 題的答案在這裡。,{category.format(n)}\n" for n in range(1, number + 1))
    return "question,answer,category\n" + "".join(rows)


def seen(data):
    return [EVERYTHING(example) for example in data], data.problems


@given(
    rows=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=9),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_table_of_a_csv_writer_is_what_a_csv_reader_reads(load, rows, delimiter, end, quoting):
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow(["prompt", "completion"])
    writer.writerows([f"問{n}：{q}末", f"答{n}：{a}末"] for n, (q, a) in enumerate(rows))
    reader = csv.reader(io.StringIO(written.getvalue(), newline=""), delimiter=delimiter)
    right, line = [], 1
    for cells in reader:
        right.append((*cells, line))
        line = reader.line_num + 1
    assume(all(len(row) == 3 for row in right))  # the writer leaves a lone carriage return without quotes
    data = load(written.getvalue())
    assert [(e.prompt, e.answer, e.origin.line) for e in data] == right[1:]
    assert [e.origin.row for e in data] == list(range(1, len(rows) + 1))


@given(
    rows=ROWS,
    header=st.sampled_from(["問題,答案", "id,問題,答案,類別", "system,prompt,completion", "問題,答案,", "Q,A,"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_one_look_at_a_row_finds_what_all_looks_find(load, monkeypatch, rows, header):
    written = io.StringIO(newline="")
    csv.writer(written).writerows([header.split(","), ["甲" * 25] * header.count(",") + ["乙" * 25], *rows])
    with monkeypatch.context() as context:
        context.setattr(examples.PlainRows, "of", staticmethod(lambda *_: None))
        right = seen(load(written.getvalue()))
        right_with_system = seen(load(written.getvalue(), system="你是客服。"))
    assert seen(load(written.getvalue())) == right
    assert seen(load(written.getvalue(), system="你是客服。")) == right_with_system


def test_a_workbook_is_the_same_in_one_look_and_in_all(load, monkeypatch):
    book = Workbook()
    for row in [
        ["問題", "答案", "類別"],
        *(["第 1 題怎麼辦理呢？" * 3, text, "甲"] for text in ["乙" * 30, "N/A", "〃", 3]),
    ]:
        book.active.append(row)
    book.active.merge_cells("C2:C3")
    written = io.BytesIO()
    book.save(written)
    data = load(written.getvalue(), "faq.xlsx", system="客服")
    assert data[0].origin.cells["/messages/2/content"] == "Sheet!B2"
    with monkeypatch.context() as context:
        context.setattr(examples.PlainRows, "of", staticmethod(lambda *_: None))
        right = seen(load(written.getvalue(), "faq.xlsx", system="客服"))
    assert seen(data) == right


def test_examples_are_found_by_place_slice_and_in_order(load):
    data = load(table(10))
    answers = [f"第 {n} 題的答案在這裡。" for n in range(1, 11)]
    assert [e.answer for e in data] == answers
    assert [data[n].answer for n in range(-10, 10)] == answers * 2
    for part in (slice(3, 9), slice(None, None, -1), slice(1, 9, 3), slice(5, 2), slice(-4, None)):
        assert [e.answer for e in data[part]] == answers[part]
        assert [e.origin.line for e in data[part]] == [n + 2 for n in range(10)[part]]
    assert [e.category for e in data[::2]] == ["c1", "c3", "c5", "c7", "c9"]
    with pytest.raises(IndexError):
        data[10]


def test_rows_of_several_lines_and_blank_ones_keep_their_lines(load):
    data = load('question,answer\n\n"第一題\n怎麼辦？",答案一\n\n\n第二題？,"答\n案\n二"\n第三題？,答案三\n')
    assert [(e.origin.row, e.origin.line) for e in data] == [(1, 3), (2, 7), (3, 10)]


def test_it_travels_whole_and_in_part(load):
    data = load(table(10))
    whole, part = pickle.dumps(data), pickle.dumps(data[2:4])
    right = seen(data)
    del data
    assert seen(pickle.loads(whole)) == right
    assert [e.origin.row for e in pickle.loads(part)] == [3, 4]
    assert len(part) < len(whole)


def test_other_processes_and_threads_find_the_same(load):
    data = load(table(40, category="") + "短,N/A,\n" + table(5))
    right = data.validate()
    with ProcessPoolExecutor(2) as executor:
        assert data.validate(executor=executor).diagnostics == right.diagnostics
    with ThreadPoolExecutor(8) as executor:
        found = executor.map(lambda _: [e.answer for e in data], range(16))
        assert all(answers == [e.answer for e in data] for answers in found)


# There is nothing to test where no process can be forked.
@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_a_forked_process_reads_on(load):
    data = load(table(30))
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=lambda: theirs.send([e.answer for e in data]))
    child.start()
    assert ours.recv() == [e.answer for e in data]
    child.join()
    assert [e.answer for e in data] == [f"第 {n} 題的答案在這裡。" for n in range(1, 31)]


def test_nothing_is_left_in_any_folder(load, tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    data = load(table(10))
    assert isinstance(data._examples, Spooled)
    assert [path.name for path in folder.iterdir()] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faq.csv", "temporary"]
    assert data[9].answer == "第 10 題的答案在這裡。"


def test_a_full_disk_is_told_with_the_way_out(load, monkeypatch):
    class Full(io.BytesIO):
        def write(self, piece):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    with pytest.raises(ft.ReadError, match=r"faq\.csv.*No space left on device.*TMPDIR"):
        load(table(10))
    monkeypatch.setattr(spooled, "IN_MEMORY", 1 << 20)
    assert len(load(table(10))) == 10  # few rows need no file


def test_what_json_cannot_hold_stays_as_it_is(tmp_path):
    conversation = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    rows = [{"messages": conversation, "n": n, "raw": b"\xff" if n == 2 else None, "f": n / 3} for n in range(5)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    data = ft.Dataset.load(tmp_path / "rows.parquet")
    assert [e.data.get("raw") for e in data] == [None, None, b"\xff", None, None]
    assert [e.data["f"] for e in data] == [n / 3 for n in range(5)]
    assert pickle.loads(pickle.dumps(data)) == data
    assert data.validate().examples == 5


def test_half_a_character_in_a_frame_stays():
    prompts = ["q" * 30, "半個字\ud83d在這裡"]
    data = ft.Dataset.from_rows(pd.DataFrame({"prompt": prompts, "completion": ["a" * 30] * 2}, dtype=object))
    assert [e.prompt for e in data] == prompts


def test_a_percent_sign_is_one(load):
    data = load("prompt,completion\n利率是 5%s 嗎？,是 %d 與 100%。\n", system='用 % 與 "%s" 回答\n')
    assert data[0].data["messages"] == [
        {"role": "system", "content": '用 % 與 "%s" 回答\n'},
        {"role": "user", "content": "利率是 5%s 嗎？"},
        {"role": "assistant", "content": "是 %d 與 100%。"},
    ]


@pytest.mark.parametrize(
    ("lacks", "found"), [(lambda _: False, ["T270"]), (lambda n: n % 30 == 0, ["T271"]), (lambda n: n > 200, [])]
)
def test_separators_are_judged_by_all_rows_of_a_table(load, lacks, found):
    rows = "".join(f"Slogan for shop {n}{'' if lacks(n) else ' ->'}, slogan {n} END\n" for n in range(1, 301))
    data = load(f"prompt,completion\n{rows}")
    assert [problem.code for problem in data.problems] == found
    assert data[0].data["messages"] == [
        {"role": "user", "content": "Slogan for shop 1" + ("" if found else " ->")},
        {"role": "assistant", "content": "slogan 1" if found else " slogan 1 END"},
    ]
    assert [e.origin.line for e in data] == list(range(2, 302))


def test_a_quote_that_is_not_closed_takes_no_more_than_a_bounded_text(load, monkeypatch):
    read = []
    since = text_lines.Lines.since
    monkeypatch.setattr(text_lines.Lines, "since", lambda *to: (read.append(text) or text for text in since(*to)))
    content = table(3) + '"第一題的引號沒有關,答案\n' + table(200).partition("\n")[2]
    whole, lines = seen(load(content)), len(read)
    monkeypatch.setattr(dialect, "LONGEST_QUOTED", 400)
    read.clear()
    assert seen(load(content)) == whole
    assert len(read) < lines - 150
    assert [(f.code, f.origin.line) for f in whole[1]] == [("T251", 1), ("T267", 5)]
    assert len(whole[0]) == 203


def test_memory_does_not_grow_with_the_table(tmp_path, monkeypatch):
    monkeypatch.setattr(spooled, "BLOCK", 1000)
    monkeypatch.setattr(text_lines, "PIECE", 1 << 17)
    monkeypatch.setattr("finetune_lib.data.reading.bytes.opening.IN_MEMORY", 1 << 20)
    path = tmp_path / "large.csv"
    path.write_text(table(60_000), encoding="utf-8")
    tracemalloc.start()
    try:
        data = ft.Dataset.load(path)
        read = sum(1 for _ in data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read == 60_000
    assert isinstance(data._examples, Spooled)
    assert peak < 24 << 20  # the detection of the encoding takes most of it
