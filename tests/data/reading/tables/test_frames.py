"""Data frames by what they can do, and Parquet files: text stays text, what is missing is left out."""

import datetime

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finetune_lib.data.reading import ReadError
from finetune_lib.data.reading.bytes.blob import FileBlob
from finetune_lib.data.reading.options import Options
from finetune_lib.data.reading.tables import read_parquet, read_records, rows_of
from finetune_lib.data.reading.tables.frames import is_frame

TABLE = {"prompt": ["007", "NA", None], "n": [1, None, 3], "day": [datetime.date(2025, 3, 4), None, None]}
ROWS = [{"prompt": "007", "n": 1, "day": "2025-03-04"}, {"prompt": "NA"}, {"n": 3}]


class Stream:
    """A frame of another library that speaks Arrow's stream interface."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


class Interchange:
    """A frame of another library that speaks the older interchange protocol."""

    def __init__(self, table):
        self.table = table

    def __dataframe__(self, *args, **kwargs):
        return self.table.__dataframe__(*args, **kwargs)


class Dicts:
    def to_dicts(self):
        return ROWS


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(TABLE),
        pl.DataFrame(TABLE),
        pa.table(TABLE),
        pa.table(TABLE).to_batches()[0],
        Stream(pa.table(TABLE)),
        Dicts(),
    ],
)
def test_every_kind_of_frame_gives_the_same_rows(frame):
    assert [dict(row) for row in rows_of(frame)] == ROWS
    assert is_frame(frame)


def test_the_older_protocol_is_spoken_too():
    assert list(rows_of(Interchange(pa.table({"a": ["x"]})))) == [{"a": "x"}]


def test_missing_values_of_pandas_are_left_out():
    frame = pd.DataFrame(
        {
            "number": pd.array([1, None], dtype="Int64"),
            "time": pd.to_datetime(["2025-01-01 10:00", None]),
            "flag": pd.array([True, None], dtype="boolean"),
        }
    )
    assert [dict(row) for row in rows_of(frame)] == [{"number": 1, "time": "2025-01-01 10:00:00", "flag": True}, {}]


class HuggingFace:
    """A dataset of Hugging Face's library: its rows are mappings, filled with null by Arrow."""

    features = ()

    def __iter__(self):
        return iter([{**ROWS[0], "extra": None}, {"messages": [{"role": "user", "content": "q", "name": None}]}])


def test_rows_of_a_hugging_face_dataset_lose_arrows_nulls():
    assert list(rows_of(HuggingFace())) == [ROWS[0], {"messages": [{"role": "user", "content": "q"}]}]


def test_rows_in_memory_stay_as_they_are():
    rows = [{"messages": [{"role": "assistant", "content": None}], "day": datetime.date(2025, 3, 4)}]
    assert next(iter(rows_of(rows))) is rows[0]
    assert not is_frame(rows)


@pytest.mark.parametrize("data", ["text", 3, {"prompt": ["a"]}, None])
def test_what_has_no_rows_is_a_wrong_argument(data):
    with pytest.raises(TypeError, match="data frame"):
        rows_of(data)


def test_a_row_that_is_no_mapping_is_a_wrong_argument():
    with pytest.raises(TypeError, match="mapping"):
        list(rows_of([["q", "a"]]))


def test_a_frame_is_read_by_its_header():
    frame = pd.DataFrame({"問題": ["一", "二"], "答案": [1, 0], "類別": ["x", None]})
    reading = read_records(lambda: rows_of(frame), "frame")
    assert [dict(example.data) for example in reading.examples] == [
        {"prompt": "一", "completion": "1"},
        {"prompt": "二", "completion": "0"},
    ]
    assert [example.category for example in reading.examples] == ["x", None]
    assert [(d.code, d.severity) for d in reading.problems] == [("T251", "info")]


def test_rows_of_other_formats_stay_as_they_are():
    rows = [{"conversations": [{"from": "human", "value": "q"}], "system": "s"}]
    reading = read_records(lambda: rows, "rows")
    assert reading.examples[0].data == rows[0]
    assert (reading.examples[0].origin.source, reading.examples[0].origin.row) == ("rows", 1)


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CONVERSATION = [
    {"role": "user", "content": "q"},
    {"role": "assistant", "tool_calls": [CALL]},
    {"role": "tool", "content": "r", "tool_call_id": "c"},
    {"role": "assistant", "content": "a"},
]


def test_what_arrow_filled_with_null_is_not_there(tmp_path):
    path = tmp_path / "chats.parquet"
    pq.write_table(pa.table({"messages": [CONVERSATION], "target": [3]}), path)
    reading = read_parquet(FileBlob.of(path), Options(), source=path.name)
    assert [dict(example.data) for example in reading.examples] == [{"messages": CONVERSATION, "target": 3}]
    assert [dict(row) for row in rows_of(pd.read_parquet(path))] == [{"messages": CONVERSATION, "target": 3}]


def test_a_parquet_table_is_read_by_its_header(tmp_path):
    path = tmp_path / "alpaca.parquet"
    pq.write_table(pa.table({"instruction": ["Add", "Hi"], "input": ["1 2", None], "output": ["3", "NA"]}), path)
    reading = read_parquet(FileBlob.of(path), Options(), source=path.name)
    assert [dict(example.data) for example in reading.examples] == [
        {"prompt": "Add\n\n1 2", "completion": "3"},
        {"prompt": "Hi", "completion": "NA"},
    ]


def test_columns_choose_among_those_of_parquet(tmp_path):
    path = tmp_path / "own.parquet"
    pq.write_table(pa.table({"Frage": ["q"], "Antwort": ["a"]}), path)
    reading = read_parquet(
        FileBlob.of(path), Options(columns={"prompt": "Frage", "completion": "Antwort"}), source=path.name
    )
    assert dict(reading.examples[0].data) == {"prompt": "q", "completion": "a"}


def test_a_damaged_parquet_file_is_told(tmp_path):
    path = tmp_path / "cut.parquet"
    pq.write_table(pa.table({"a": ["x"] * 100}), path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ReadError) as caught:
        read_parquet(FileBlob.of(path), Options(), source=path.name)
    assert caught.value.diagnostic
    assert caught.value.diagnostic.code == "E112"


def test_a_parquet_file_without_rows_is_empty(tmp_path):
    path = tmp_path / "empty.parquet"
    pq.write_table(pa.table({"prompt": pa.array([], pa.string())}), path)
    with pytest.raises(ReadError) as caught:
        read_parquet(FileBlob.of(path), Options(), source=path.name)
    assert caught.value.diagnostic
    assert caught.value.diagnostic.code == "E101"
