"""From a file to examples: one file a format.

Each reader gives a `Reading`: the examples it could read, and a diagnostic for each line or row it could not.
What makes the whole file unreadable is a `ReadError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from finetune_lib.errors import ReadError
from finetune_lib.readers.json_lines import read_json_array, read_jsonl
from finetune_lib.readers.reading import Options, Reading
from finetune_lib.readers.table import read_csv, read_excel

__all__ = ["Options", "Reading", "read"]

Reader = Callable[[Path, Options], Reading]
READERS: Mapping[str, Reader] = {
    ".jsonl": read_jsonl,
    ".json": read_json_array,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".xlsx": read_excel,
    ".xls": read_excel,
    ".xlsb": read_excel,
    ".ods": read_excel,
}


def read(path: Path, options: Options) -> Reading:
    """Read a file in the format that its name says.

    Raises:
        ReadError: It is missing, of an unknown kind, or cannot be read as a whole.
        MissingExtraError: An Excel file without the `excel` extra.
    """
    if path.is_dir():
        raise ReadError(f"{path} is a folder. Name a file in it.", path=path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise ReadError(f"{path}: unknown kind of file. Known are {', '.join(READERS)}.", path=path)
    try:
        return reader(path, options)
    except OSError as error:
        raise ReadError(f"{path}: {error.strerror or error}. Check the path.", path=path) from error
