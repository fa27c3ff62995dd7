"""Rows of a Parquet file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from finetune_lib.data.reading.bytes.blob import Blob
from finetune_lib.data.reading.bytes.spooling import stream
from finetune_lib.data.reading.meaning import Meaning
from finetune_lib.data.reading.options import Options, Reading, unreadable
from finetune_lib.data.reading.tables.frames import read_records, rows_of
from finetune_lib.extras import require

BATCH = 4096


def read_parquet(blob: Blob, options: Options, *, source: str, meaning: Meaning | None = None) -> Reading:
    """Read a Parquet file; columns of lists and structs become lists and objects.

    Args:
        blob: The file's bytes.
        options: What is said of columns and speakers.
        source: The file's name.
        meaning: What is made of the rows.
    """
    parquet = require("pyarrow.parquet", extra="parquet", feature="Reading Parquet files")
    arrow = require("pyarrow", extra="parquet", feature="Reading Parquet files")

    def rows() -> Iterator[Mapping[str, Any]]:
        try:
            with stream(blob) as file:
                for batch in parquet.ParquetFile(file).iter_batches(batch_size=BATCH):
                    yield from rows_of(batch)
        except (arrow.ArrowException, UnicodeDecodeError) as error:
            raise unreadable("E112", what=str(error)) from error
        except OSError as error:  # pyarrow tells of damaged pages so
            if error.errno is not None:
                raise
            raise unreadable("E112", what=str(error)) from error

    if next(rows(), None) is None:
        raise unreadable("E101")
    return read_records(rows, source, options, meaning=meaning)
