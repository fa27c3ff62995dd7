"""The line store: JSONL that stays where it is, decoded on access."""

import json
import pickle
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import finetune_lib as ft
from finetune_lib.data.checks.parts import parts_of
from finetune_lib.data.reading.bytes.blob import FileBlob, MemoryBlob
from finetune_lib.data.reading.json.line_store import Index, LineStore
from finetune_lib.data.reading.json.lines import Unread, records

ROW = '{{"messages": [{{"role": "user", "content": "q{0}"}}, {{"role": "assistant", "content": "a{0}"}}]}}\n'


def store(content):
    return LineStore(MemoryBlob(content), source="data.jsonl")


def test_examples_know_their_lines_and_rows_behind_blank_and_broken_ones():
    examples = store(f"\n{ROW.format(1)}\n\n{{broken\n{ROW.format(2)}".encode())
    assert [(e.origin.line, e.origin.row, e.answer) for e in examples] == [(2, 1, "a1"), (6, 3, "a2")]
    assert [(e.origin.line, e.origin.row) for e in (examples[0], examples[-1])] == [(2, 1), (6, 3)]
    assert [finding.origin.line for finding in examples.findings] == [1, 3, 4, 5]


def test_nothing_is_read_before_it_is_asked_for(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text("".join(map(ROW.format, range(70_000))))
    read = []

    class Watched(FileBlob):
        def read(self, start, stop):
            read.append(stop - start)
            return super().read(start, stop)

    examples = LineStore(Watched.of(path), source=path.name)
    assert sum(read) == 0
    assert examples[3].answer == "a3"
    assert sum(read) < path.stat().st_size / 2
    assert len(examples) == 70_000
    read.clear()
    assert examples[69_999].answer == "a69999"
    assert sum(read) < 200


def test_a_file_that_changes_meanwhile_is_refused(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text("".join(map(ROW.format, range(3))))
    examples = LineStore(FileBlob.of(path), source=path.name)
    path.write_text("".join(map(ROW.format, range(4))))
    with pytest.raises(ft.ReadError, match="has changed since it was loaded"):
        len(examples)


def test_it_travels_to_other_processes():
    again = pickle.loads(pickle.dumps(store(ROW.format(1).encode())))
    assert [example.answer for example in again] == ["a1"]


def test_threads_may_index_it_together():
    examples = store("".join(map(ROW.format, range(5000))).encode())
    lengths = []
    threads = [threading.Thread(target=lambda: lengths.append(len(examples))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lengths == [5000] * 8


@pytest.mark.parametrize("place", [3, -4, 100])
def test_a_place_beyond_the_end_is_an_index_error(place):
    examples = store("".join(map(ROW.format, range(3))).encode())
    with pytest.raises(IndexError):
        examples[place]


SOME = ["", " ", "{}", "[]", "{broken", '{"a": "b', '"x"', json.dumps({"k": "值"})]
LINES = st.lists(st.sampled_from(SOME), max_size=30)


@given(lines=LINES, end=st.sampled_from(["\n", "\r\n"]), cut=st.booleans())
def test_any_lines_are_numbered_and_covered(lines, end, cut):
    text = end.join(lines) + ("" if cut else end)
    content = text.encode()
    examples = store(content)
    found = list(records(MemoryBlob(content), source="x"))
    physical = text.split(end)[: None if cut and lines and lines[-1] else -1]
    told = [o.origin.line for r in found if isinstance(r, Unread) for o in r.findings]
    kept = [r.line for r in found if not isinstance(r, Unread)]
    assert sorted(told + kept) == list(range(1, len(physical) + 1))
    assert [e.origin.line for e in examples] == kept
    assert [examples[place].origin.line for place in range(len(examples))] == kept
    for line in kept:
        assert json.loads(physical[line - 1]) is not None


@given(lines=LINES, border=st.integers(0, 30))
def test_an_index_made_in_parts_is_the_index_of_the_whole(lines, border):
    content = "".join(f"{line}\n" for line in lines if line not in ('{"a": "b',)).encode()
    whole = store(content)
    len(whole)
    cut = content.find(b"\n", min(border * 3, len(content))) + 1
    merged, lines_before, rows_before = Index(), 0, 0
    for start, stop in ((0, cut), (cut, len(content))):
        index, line, row = Index(), 0, 0
        for record in records(MemoryBlob(content), source="data.jsonl", start=start, stop=stop):
            if isinstance(record, Unread):
                line, row = record.findings[-1].origin.line, record.findings[-1].origin.row - (not record.text.strip())
            else:
                index.add(record.offset, record.line, record.row)
                line, row = record.line, record.row
        merged.merge(index, lines_before, rows_before)
        lines_before, rows_before = lines_before + line, rows_before + row
    assert merged.offsets == whole._index.offsets
    assert [merged.place_of(n) for n in range(len(whole))] == [(e.origin.line, e.origin.row) for e in whole]


def test_parts_end_with_their_lines():
    content = "".join(map(ROW.format, range(200_000))).encode()
    parts = list(parts_of(store(content), "data.jsonl"))
    assert len(parts) > 1
    assert b"".join(part.blob.read(part.start, part.stop) for part in parts) == content
    assert all(part.blob.read(part.stop - 1, part.stop) == b"\n" for part in parts)
    assert [content[part.base + part.start :][:9] for part in parts] == [b'{"messages"'[:9]] * len(parts)
