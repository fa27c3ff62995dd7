"""Rows of a Parquet file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from finetune_lib.data.reading.bytes.blob import Blob
from finetune_lib.data.reading.bytes.opening import open_data
from finetune_lib.data.reading.bytes.spooling import stream
from finetune_lib.data.reading.options import Options, Reading, unreadable
from finetune_lib.data.reading.tables.frames import read_records, rows_of
from finetune_lib.extras import require


def read_parquet(path: Path, options: Options, *, blob: Blob | None = None) -> Reading:
    """Read a Parquet file; columns of lists and structs become lists and objects.

    Args:
        path: The file.
        options: Names of columns.
        blob: The file's bytes as `open_data` gives them, where it is open already.
    """
    parquet = require("pyarrow.parquet", extra="parquet", feature="Reading Parquet files")
    arrow = require("pyarrow", extra="parquet", feature="Reading Parquet files")
    blob = blob or open_data(path).blob
    try:
        with stream(blob) as file:
            rows = list(_rows(parquet.ParquetFile(file)))
    except (arrow.ArrowException, UnicodeDecodeError) as error:
        raise unreadable("E112", path, what=str(error)) from error
    except OSError as error:  # pyarrow tells of damaged pages so
        if error.errno is not None:
            raise
        raise unreadable("E112", path, what=str(error)) from error
    if not rows:
        raise unreadable("E101", path)
    return read_records(rows, path, options.columns)


def _rows(file: Any) -> Iterator[Mapping[str, Any]]:
    for batch in file.iter_batches():
        yield from rows_of(batch)
