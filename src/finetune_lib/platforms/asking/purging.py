"""Dropping what is kept: by model, by age, or by what it says; the file gets smaller, and nothing is left in it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from os import PathLike
from pathlib import Path
from typing import Any, cast

from finetune_lib.errors import DataError
from finetune_lib.files import hold_version
from finetune_lib.platforms.asking.kept import VERSION, WAIT, default_path
from finetune_lib.shown import Shown
from finetune_lib.texts import fold

TOLD = "SELECT rowid, model, body, arrived FROM replies"


@dataclass(frozen=True, slots=True)
class Purged(Shown):
    """What was dropped of a file of kept answers; printing it says so.

    Attributes:
        path: The file.
        dropped: Kept answers that are gone: of models, graders and judges, of functions, and vectors of texts.
        left: Kept answers that are still there.
        freed: Bytes by which the file has become smaller.
    """

    path: Path
    dropped: int
    left: int
    freed: int

    def __str__(self) -> str:
        told = f"{self.dropped:,} kept answers dropped, {self.left:,} left in {self.path}"
        return f"{told}; {self.freed:,} bytes freed"


def purge(
    store: str | PathLike[str] | None = None,
    *,
    model: str | None = None,
    older_than: timedelta | None = None,
    text: str | None = None,
    everything: bool = False,
) -> Purged:
    """Drop kept answers for good; what is dropped is asked and paid again where it is wanted again.

    All conditions that are given have to hold. Questions are kept as digests alone, so that a text is looked for in
    answers, thoughts, reasons and calls; whatever reports, pages and exports say is in files of your own.

    Args:
        store: The file; by default that of the evaluator.
        model: Only answers of this model, as it was named in the call; "" are those of functions.
        older_than: Only what was kept longer ago, as `timedelta(days=90)`.
        text: Only what says this, whatever its case, width and script.
        everything: Drop all, without a condition.

    Raises:
        ValueError: There is no condition and not `everything=True`, or a text or an age that would mean nothing.
        DataError: The file is none of kept answers, or another program is using it; what is used is left as it was.

    Example:
        >>> import finetune_lib as ft
        >>> print(ft.purge("no-such-file.db", model="gpt-4o"))
        0 kept answers dropped, 0 left in no-such-file.db; 0 bytes freed
    """
    given = [one for one in (model, older_than, text) if one is not None]
    if not given and not everything:
        raise ValueError("name what to drop: model=, older_than= or text=; everything=True drops all that is kept")
    if text is not None and not fold(text).strip():
        raise ValueError("text is blank: it would be found in every answer")
    if older_than is not None and older_than < timedelta(0):
        raise ValueError(f"older_than is an age, not {older_than}")
    path = default_path() if store is None else Path(store)
    if not path.exists():
        return Purged(path, 0, 0, 0)
    before = _size(path)
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=WAIT)) as db:
            hold_version(db, known=VERSION, path=path)
            dropped, left = _dropped(db, list(_chosen(db, model, older_than, text)))
    except sqlite3.OperationalError as error:
        raise DataError(
            f"{path} is in use or no file of kept answers ({error}): end the run, then purge again"
        ) from error
    except sqlite3.DatabaseError as error:
        raise DataError(f"{path} is no file of kept answers: {error}") from error
    return Purged(path, dropped, left, before - _size(path))


def _chosen(
    db: sqlite3.Connection, model: str | None, older_than: timedelta | None, text: str | None
) -> Iterator[tuple[int]]:
    last = (datetime.now(UTC) - older_than).strftime("%Y-%m-%d %H:%M:%S") if older_than is not None else None
    wanted = None if text is None else fold(text).strip()
    for row, asked, body, arrived in db.execute(TOLD):
        fits = (model is None or asked == model) and (last is None or arrived < last)
        if fits and (wanted is None or any(wanted in fold(said) for said in _texts(json.loads(body)))):
            yield (row,)


def _texts(value: object) -> Iterator[str]:
    """All texts in a value of JSON; texts that hold JSON are read as they stand."""
    if isinstance(value, str):
        yield value
        if value[:1] in ("{", "["):  # the arguments of a call, in which a character may stand as its number
            try:
                yield from _texts(json.loads(value))
            except ValueError:
                return
    elif isinstance(value, (list, dict)):
        held = cast("dict[str, Any] | list[Any]", value)
        for inner in held.values() if isinstance(held, dict) else held:
            yield from _texts(inner)


def _dropped(db: sqlite3.Connection, rows: list[tuple[int]]) -> tuple[int, int]:
    """Drop rows, overwrite where they stood, and make the file as small as what is left."""
    db.execute("PRAGMA secure_delete=ON")
    db.execute("BEGIN IMMEDIATE")
    db.executemany("DELETE FROM replies WHERE rowid = ?", rows)
    db.execute("COMMIT")
    db.execute("VACUUM")
    if db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        raise sqlite3.OperationalError("another program reads it, so that its journal still holds what was dropped")
    (left,) = db.execute("SELECT count(*) FROM replies").fetchone()
    return len(rows), left


def _size(path: Path) -> int:
    files = (path, *(Path(f"{path}{end}") for end in ("-wal", "-shm")))
    return sum(file.stat().st_size for file in files if file.exists())
