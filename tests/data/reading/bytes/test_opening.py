"""Opening files: UTF-8 comes out whatever went in, with a note, or one clear error."""

import bz2
import errno
import gzip
import io
import json
import os
import pickle
import sqlite3
import tempfile
import tracemalloc
import zipfile
from functools import partial
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from tests.files import SHARED

import finetune_lib as ft
from finetune_lib.data.reading import ReadError
from finetune_lib.data.reading.bytes.blob import FileBlob, MemoryBlob
from finetune_lib.data.reading.bytes.opening import looks_like_json, open_data
from finetune_lib.data.reading.bytes.spooling import TemporaryBlob, stream

CASES = SHARED / "cases"
TEXT = '{"prompt": "登機門在哪裡？", "completion": "在二樓。"}\n{"prompt": "q", "completion": "a"}\n'
GBK = '{"prompt": "退货期限是几天？", "completion": "七天之内可以退货。"}\n'
TABLE = "prompt,completion\n登機門在哪裡？,在二樓。\nq,a\n"
# Without the time of day: a test is named by its bytes, and every process must give it the same name.
gzipped = partial(gzip.compress, mtime=0)


@pytest.fixture
def write(tmp_path):
    def to_file(content, name="data.jsonl"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to_file


@pytest.fixture
def refused(write):
    def diagnostic(content, name="data.jsonl", **options):
        path = write(content, name)
        with pytest.raises(ReadError) as caught:
            open_data(path, **options)
        assert caught.value.path == path
        assert name in str(caught.value)
        return caught.value.diagnostic

    return diagnostic


def content(opened):
    return opened.blob.read(0, opened.blob.size)


def codes(opened):
    return [problem.code for problem in opened.problems]


def workbook():
    book = Workbook()
    book.active.append(["prompt", "completion"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def archive(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(zipfile.ZipInfo(name), "text")
    return out.getvalue()


@pytest.fixture
def small(monkeypatch):
    """Limits so low that small files count as big."""
    for module, name, value in [
        ("spooling", "IN_MEMORY", 1000),
        ("spooling", "PIECE", 256),
        ("unpacking", "PIECE", 256),
        ("opening", "IN_MEMORY", 1000),
        ("opening", "HEAD", 500),
        ("opening", "TAIL", 200),
    ]:
        monkeypatch.setattr(f"finetune_lib.data.reading.bytes.{module}.{name}", value)


# Encodings


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (TEXT.encode(), []),
        (TEXT.replace("\n", "\r\n").encode(), []),
        (TEXT.encode("utf-8-sig"), ["E102"]),
        (TEXT.encode("utf-16"), ["E104"]),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), ["E104"]),
        (TEXT.encode("utf-32"), ["E104"]),
        (TEXT.encode("utf-16-le"), ["E104"]),
        (TEXT.encode("utf-16-be"), ["E104"]),
        (TEXT.encode("cp950"), ["E103"]),
        (TEXT.encode("gb18030"), ["E103"]),
        (TEXT.replace("\n", "\r").encode(), ["E109"]),
        (TEXT.replace("\n", "\r\r\n").encode(), ["E109"]),
        (b"\xef\xbb\xbf" + TEXT.encode("utf-8-sig"), ["E102"]),
    ],
)
def test_text_comes_out_as_utf8_with_a_note(write, raw, expected):
    opened = open_data(write(raw))
    assert content(opened).decode().splitlines() == TEXT.splitlines()
    assert (codes(opened), opened.kind) == (expected, "text")


def test_the_note_on_an_encoding_has_line_name_and_preview(write):
    note = open_data(write(("prompt,completion\nq,a\n" + TABLE).encode("cp950"), "a.csv")).problems[0]
    assert (note.code, note.severity, note.origin.line) == ("E103", "warning", 4)
    assert (note.args["encoding"], note.args["preview"]) == ("cp950 (Big5)", "登機門在哪裡？,在二樓。")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("encoding", ["cp950", "big5", "gb18030", "utf-16-le", "utf-16", "utf-8"])
def test_a_named_encoding_is_taken(write, encoding, mark):
    if encoding.startswith("utf-16") and mark:
        mark = b"\xff\xfe"
    raw = TEXT.encode("utf-16-le" if encoding == "utf-16" else encoding)
    assert content(open_data(write(mark + raw), encoding=encoding)).decode() == TEXT


@pytest.mark.parametrize("encoding", ["ascii", "cp949", "utf-7", "idna", "punycode"])
def test_a_wrong_encoding_is_refused(write, encoding):
    path = write(b"prompt,completion\nq,a\nq," + "登機門".encode("cp950") + b"\xff\xff\n")
    with pytest.raises(ReadError):
        open_data(path, encoding=encoding)


def test_a_wrong_encoding_names_the_line(refused):
    raw = "prompt,completion\nq,a\nq,登機門在哪裡\n".encode("cp950")
    found = refused(raw, "a.csv", encoding="ascii")
    assert (found.code, found.origin.line, found.args["column"], found.args["encoding"]) == ("E114", 3, 3, "ASCII")
    assert "登機門在哪裡" in found.args["readings"]


@pytest.mark.parametrize("encoding", ["base64", "klingon"])
def test_an_unknown_encoding_is_refused(write, encoding):
    with pytest.raises(ReadError, match="text encoding"):
        open_data(write(TEXT), encoding=encoding)


def test_two_that_fit_are_both_shown(refused):
    found = refused(b'{"prompt": "q"}\n{"prompt": "\xc0\xaf"}\n')
    assert (found.code, found.origin.line) == ("E115", 2)
    assert 'encoding="cp950"' in found.args["choices"]
    assert 'encoding="gb18030"' in found.args["choices"]


def test_foreign_lines_keep_their_bytes(write):
    lines = [TEXT.encode(), GBK.encode("gb18030"), TEXT.encode()]
    opened = open_data(write(b"".join(lines)))
    assert (content(opened), opened.problems) == (b"".join(lines), ())


def test_foreign_lines_of_a_legacy_file_keep_their_bytes(write):
    foreign = GBK.encode("gb18030")
    opened = open_data(write(TEXT.encode("cp950") * 3 + foreign))
    assert content(opened) == TEXT.encode() * 3 + foreign
    assert codes(opened) == ["E103"]


def test_utf16_that_breaks_off_is_refused_at_its_line(refused):
    found = refused(TEXT.encode("utf-16")[:-1])
    assert (found.code, found.origin.line) == ("E112", 2)


# Other kinds


@pytest.mark.parametrize("raw", [b"", b"\n \n", b"\xef\xbb\xbf", b"\xff\xfe", gzipped(b"")])
def test_nothing_is_an_empty_file(refused, raw):
    assert refused(raw).code == "E101"


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"<!DOCTYPE html>\n<html></html>", "HTML"),
        (b"\xef\xbb\xbf\n<HTML><body>", "HTML"),
        ("<html><body>登入</body></html>".encode("utf-16"), "HTML"),
        (b'<?xml version="1.0"?>\n<rows/>', "XML"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", "Git LFS"),
        (b"%PDF-1.7\n", "PDF"),
        (b"{\\rtf1\\ansi q}", "RTF"),
        (archive("data.jsonl"), "ZIP"),
        (archive("word/document.xml"), "DOCX"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "OLE2"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "JPEG"),
        (pickle.dumps([{"prompt": "q"}], protocol=4), "pickle"),
        (pickle.dumps([{"prompt": "q"}], protocol=2), "pickle"),
        (bz2.compress(b"{}"), "bzip2"),
        (gzipped(gzipped(b"{}")), "gzip"),
        (bytes(range(256)) * 4, "binary"),
    ],
)
def test_other_kinds_are_named(refused, raw, what):
    found = refused(raw)
    assert (found.code, found.args["what"]) == ("E111", what)


def test_a_database_is_named(refused, tmp_path):
    base = sqlite3.connect(tmp_path / "base")
    base.execute("create table t (a)")
    base.commit()
    base.close()
    assert refused((tmp_path / "base").read_bytes()).args["what"] == "SQLite"


def test_workbooks_are_told_by_content(write):
    raw = workbook()
    opened = open_data(write(raw, "data.csv"))
    assert (opened.kind, codes(opened), content(opened)) == ("workbook", ["E110"], raw)
    assert codes(open_data(write(raw, "data.xlsx"))) == []


def test_an_open_document_is_a_workbook(write):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        file.writestr("content.xml", "<x/>")
    assert open_data(write(out.getvalue(), "data.ods")).kind == "workbook"


def test_text_named_as_a_workbook_is_read_as_text(write):
    opened = open_data(write(TABLE, "data.xls"))
    assert (opened.kind, codes(opened), opened.problems[0].args["found"]) == ("text", ["E110"], "text")


def test_parquet_is_told_by_content(write):
    assert open_data(write(b"PAR1" + bytes(20) + b"PAR1", "data.parquet")).kind == "parquet"


def test_a_workbook_that_breaks_off_is_named(refused):
    assert refused(workbook()[:-400], "data.xlsx").code == "E112"


# Compressed


PACKED = {"data.jsonl.gz": gzip.compress, "data.jsonl.zst": zstandard.compress}


@pytest.mark.parametrize("name", PACKED)
def test_compressed_files_are_read_as_what_is_in_them(write, name):
    raw = TEXT.encode("cp950")
    opened = open_data(write(PACKED[name](raw) + PACKED[name](raw), name))
    assert (content(opened).decode(), codes(opened)) == (TEXT * 2, ["E103"])


@pytest.mark.parametrize("name", PACKED)
def test_a_compressed_file_that_breaks_off_is_named(refused, name):
    packed = PACKED[name](TEXT.encode() * 100)
    for cut in range(6, len(packed) - 1, 7):
        assert refused(packed[:cut], name).code == "E112"


def test_a_damaged_gzip_file_is_named(refused):
    packed = bytearray(gzip.compress(os.urandom(500)))
    packed[200] ^= 0xFF
    assert refused(bytes(packed), "data.jsonl.gz").code == "E112"


@pytest.mark.parametrize(
    ("raw", "name", "said"),
    [
        (gzipped(TEXT.encode()), "data.jsonl", "gzip"),
        (TEXT.encode(), "data.jsonl.gz", "text"),
        (gzipped(TABLE.encode()), "data.xlsx.gz", "text"),
    ],
)
def test_a_name_that_says_something_else_is_noted(write, raw, name, said):
    note = open_data(write(raw, name)).problems[0]
    assert (note.code, note.args["found"]) == ("E110", said)


# Big files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp950", "utf-16", "utf-16-le"])
def test_big_files_stay_outside_memory(write, small, encoding):
    path = write((TEXT * 200).encode(encoding))
    opened = open_data(path)
    assert not isinstance(opened.blob, MemoryBlob)
    assert content(opened).decode() == TEXT * 200


def test_a_big_file_that_is_utf8_is_not_copied(write, small):
    path = write(TEXT * 200)
    assert open_data(path).blob == FileBlob.of(path)


def test_a_long_line_is_cut_between_characters(write, small):
    text = json.dumps([{"prompt": "登機門在哪裡？", "completion": "在二樓的服務櫃檯。"}] * 300, ensure_ascii=False)
    opened = open_data(write(text.encode("cp950"), "data.json"))
    assert content(opened).decode() == text


def test_a_temporary_file_has_no_name_and_its_bytes_travel(write, small, tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    opened = open_data(write(gzip.compress(TEXT.encode() * 200), "data.jsonl.gz"))
    assert isinstance(opened.blob, TemporaryBlob)
    assert not list(folder.iterdir())
    pickled = pickle.dumps(opened.blob)
    del opened
    copy = pickle.loads(pickled)
    assert copy.read(0, copy.size).decode() == TEXT * 200
    with stream(copy) as file:
        assert file.seek(-6, os.SEEK_END) == copy.size - 6
        assert file.read() == (TEXT * 200).encode()[-6:]


def test_a_packed_file_behind_a_mark_is_read_from_its_temporary_file(write, small):
    opened = open_data(write(gzip.compress(b"\xef\xbb\xbf" + TEXT.encode() * 200), "data.jsonl.gz"))
    assert isinstance(opened.blob, TemporaryBlob)
    assert content(opened).decode() == TEXT * 200


def test_a_full_disk_for_temporary_files_is_told(write, small, monkeypatch):
    class Full(io.BytesIO):
        def write(self, piece):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    path = write(gzip.compress(TEXT.encode() * 200), "data.jsonl.gz")
    with pytest.raises(ft.ReadError, match=r"data\.jsonl\.gz.*No space left on device.*TMPDIR"):
        ft.Dataset.load(path)


def test_memory_stays_bounded(write, small):
    path = write(gzip.compress(TEXT.encode("cp950") * 20_000, 1), "data.jsonl.gz")
    tracemalloc.start()
    try:
        opened = open_data(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert opened.blob.size == len(TEXT.encode()) * 20_000
    assert peak < opened.blob.size / 2


# Lines


def test_lines_too_long_for_an_example_are_named(write):
    long = '{"prompt":' + " " * (17 << 20) + '"q"}'
    for text, line in [(f"{TEXT}{long}\n{TEXT}", 3), (f"{long}\n{TEXT}", 1), (f"{TEXT}{long}", 3)]:
        found = open_data(write(text)).problems
        assert [(d.code, d.origin.line, d.args["megabytes"]) for d in found] == [("E116", line, 17)]
    assert codes(open_data(write(f"\n{long}\n".lstrip()))) == []
    assert codes(open_data(write(('{"prompt":' + " " * (1 << 20) + '"q"}\n') * 17))) == []


def test_a_carriage_return_inside_a_line_is_left_alone(write):
    raw = b'{"prompt": "q",\r"completion": "a"}\n'
    opened = open_data(write(raw))
    assert (content(opened), codes(opened)) == (raw, [])


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b' \n{"a": 1}', True),
        (b"[{", True),
        (b'["a"]', True),
        ("{“a”: 1}".encode(), True),
        (b"{'a': 1}", True),
        (b'// q\n{"a": 1}', True),
        (b"prompt,completion\n", False),
        (b"[section]\n", False),
        (b"[2024-01-01] a log\n", False),
        (b"- a: 1\n", False),
        (b"", False),
    ],
)
def test_json_is_told_by_its_beginning(head, expected):
    assert looks_like_json(head) == expected


# Anything


def opened_or_refused(path, **options):
    try:
        opened = open_data(path, **options)
    except ReadError:
        return
    assert len(content(opened)) == opened.blob.size
    assert all(problem.message for problem in opened.problems)


MAGIC = [
    b"",
    b"\x1f\x8b\x08\x00",
    b"\x28\xb5\x2f\xfd",
    b"PK\x03\x04",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xff\xfe\0\0",
    b"\xd0\xcf\x11\xe0",
]


@given(st.sampled_from(MAGIC), st.binary(max_size=200), st.sampled_from([None, "cp950", "utf-16", "utf-7", "utf-8"]))
def test_no_bytes_crash(tmp_path_factory, magic, rest, encoding):
    path = tmp_path_factory.mktemp("any") / "data.jsonl"
    path.write_bytes(magic + rest)
    opened_or_refused(path, encoding=encoding)


@given(st.binary(min_size=1, max_size=40), st.integers(min_value=0, max_value=5000))
def test_no_damaged_workbook_crashes(tmp_path_factory, damage, place):
    raw = bytearray(workbook())
    raw[place : place + len(damage)] = damage
    path = tmp_path_factory.mktemp("any") / "data.xlsx"
    path.write_bytes(raw)
    opened_or_refused(path)


def test_no_real_file_crashes():
    if not CASES.exists():  # the real files are not part of the repository
        pytest.skip("no real files here")
    for path in filter(Path.is_file, CASES.rglob("*")):
        opened_or_refused(path)


def test_what_cannot_be_read_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "missing.jsonl"):
        with pytest.raises(ReadError, match="Check the path"):
            open_data(path)
