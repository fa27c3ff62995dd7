"""Tables: CSV, Excel, Parquet and data frames; a header that says what is what, and rows that become examples."""

from finetune_lib.data.reading.tables.csv_rows import first_rows, read_csv
from finetune_lib.data.reading.tables.excel_rows import read_excel
from finetune_lib.data.reading.tables.frames import is_frame, read_records, rows_of
from finetune_lib.data.reading.tables.parquet_rows import read_parquet

__all__ = [
    "first_rows",
    "is_frame",
    "read_csv",
    "read_excel",
    "read_parquet",
    "read_records",
    "rows_of",
]
