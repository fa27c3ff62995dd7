"""Rows of a Parquet file."""

from __future__ import annotations

from finetune_lib.data.reading.bytes.blob import Blob
from finetune_lib.data.reading.bytes.spooling import stream
from finetune_lib.data.reading.options import Options, Reading, unreadable
from finetune_lib.data.reading.tables.frames import read_records, rows_of
from finetune_lib.extras import require


def read_parquet(blob: Blob, options: Options, *, source: str) -> Reading:
    """Read a Parquet file; columns of lists and structs become lists and objects.

    Args:
        blob: The file's bytes.
        options: What is said of columns and speakers.
        source: The file's name.
    """
    parquet = require("pyarrow.parquet", extra="parquet", feature="Reading Parquet files")
    arrow = require("pyarrow", extra="parquet", feature="Reading Parquet files")
    try:
        with stream(blob) as file:
            rows = [row for batch in parquet.ParquetFile(file).iter_batches() for row in rows_of(batch)]
    except (arrow.ArrowException, UnicodeDecodeError) as error:
        raise unreadable("E112", what=str(error)) from error
    except OSError as error:  # pyarrow tells of damaged pages so
        if error.errno is not None:
            raise
        raise unreadable("E112", what=str(error)) from error
    if not rows:
        raise unreadable("E101")
    return read_records(rows, source, options)
