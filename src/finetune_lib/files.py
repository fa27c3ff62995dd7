"""Whole files, never half-written; their versions; lines of JSONL; what the package carries, and where its own lie."""

from __future__ import annotations

import json
import os
import sqlite3
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any, cast

from finetune_lib.errors import DataError


def home() -> Path:
    """The folder of what outlives a process: `FINETUNE_LIB_HOME`, else `~/.finetune_lib`."""
    return Path(os.environ.get("FINETUNE_LIB_HOME") or Path.home() / ".finetune_lib")


def packaged_text(package: str, *names: str) -> str:
    """The text of a file that lies in a package of this library."""
    return files(package).joinpath(*names).read_text(encoding="utf-8")


def json_text(data: Any, *, encoding: str = "utf-8") -> str:
    """JSON that people can read; where a character cannot be written in the encoding, with JSON's own escapes."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:  # as half a character, which only its escape can stand for
        return json.dumps(data)
    return text


def refuse_path(given: object, wanted: str, load: str) -> None:
    """Refuse a path where what lies in the file is wanted: as a sequence, it would be one of letters.

    Args:
        given: What was given.
        wanted: What is wanted, as "a Dataset wraps examples".
        load: What reads such a file, as `ft.Dataset.load`.

    Raises:
        TypeError: It is a path.
    """
    if isinstance(given, (str, bytes, os.PathLike)):
        name = os.fsdecode(cast("str", given))
        raise TypeError(f"{wanted}, and {name!r} is a path: write {load}({name!r})")


def json_line(data: Mapping[str, Any], number: int) -> bytes:
    """One object as a line of UTF-8.

    Raises:
        DataError: It holds a value that JSON has no form for, as a date or NaN.
    """
    try:
        return f"{json_text(data)}\n".encode()
    except (TypeError, ValueError) as error:
        raise DataError(f"example {number} holds a value that JSON has no form for: {error}") from error


def write_atomically(path: Path, chunks: Iterable[bytes], *, overwrite: bool = True) -> Path:
    """Write `chunks` to `path`, whole or not at all: to a temporary file beside it, which is then renamed.

    Raises:
        FileExistsError: The file is there and `overwrite` is False; it is left as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        if not overwrite:
            _reserve(path)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def make_private(path: Path) -> None:
    """Begin a file that nobody else may read, where there is none yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


def require_known(version: int, *, known: int, path: str | PathLike[str]) -> None:
    """Refuse a file of a later version of the library, which this one would misread.

    Raises:
        DataError: It is one.
    """
    if version > known:
        raise DataError(
            f"{path} was written by a later version of finetune_lib: its format is {version}, and this version knows "
            f"{known}. Update finetune_lib, or name another file."
        )


def hold_version(database: sqlite3.Connection, *, known: int, path: str | PathLike[str]) -> None:
    """Mark a database that has no version yet, and refuse one of a later version, before anything is written to it.

    Raises:
        DataError: It is of a later version; it is closed.
    """
    (version,) = database.execute("PRAGMA user_version").fetchone()
    try:
        require_known(version, known=known, path=path)
    except DataError:
        database.close()
        raise
    if version < known:
        database.execute(f"PRAGMA user_version = {known}")


def _reserve(path: Path) -> None:
    """Take a name that nobody has, in one step."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        raise FileExistsError(
            f"{path} exists and is left as it is. Choose another name or pass overwrite=True."
        ) from None
