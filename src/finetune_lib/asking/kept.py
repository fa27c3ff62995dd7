"""The paid answers: each is in SQLite the moment it arrives, so that no run pays for it twice."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from finetune_lib.errors import DataError
from finetune_lib.records import Usage

SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    model TEXT NOT NULL,
    text TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    arrived TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
)
"""
KEEP = "INSERT OR REPLACE INTO answers (key, model, text, prompt_tokens, completion_tokens) VALUES (?, ?, ?, ?, ?)"
WAIT = 30.0  # seconds that one process waits while another one writes


@dataclass(frozen=True, slots=True)
class Paid:
    """What a model answered, and the tokens that were paid for it."""

    text: str
    usage: Usage


class Answers:
    """Answers by the content of their question; several processes may share the file.

    Raises:
        DataError: The file is there and is no such cache.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = path
        if os.fspath(path) != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=WAIT)
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise DataError(f"{path} is no cache of answers ({error}): name another file by cache=…") from error

    def _prepare(self) -> None:
        """FULL: an answer that was paid outlives a loss of power, too."""
        with suppress(sqlite3.OperationalError):  # another process is just doing the same
            self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute(SCHEMA)

    def get(self, key: str) -> Paid | None:
        """The answer to a question that was asked before."""
        query = "SELECT text, prompt_tokens, completion_tokens FROM answers WHERE key = ?"
        row = self._db.execute(query, (key,)).fetchone()
        return Paid(row[0], Usage(row[1], row[2])) if row else None

    def put(self, key: str, model: str, paid: Paid) -> None:
        """Keep an answer; a newer one to the same question takes its place.

        Raises:
            DataError: It cannot be kept; no further one should be paid.
        """
        text = paid.text.encode("utf-8", "replace").decode()  # half a character has no place in SQLite
        values = (key, model, text, paid.usage.prompt_tokens, paid.usage.completion_tokens)
        try:
            self._db.execute(KEEP, values)
        except sqlite3.Error as error:
            raise DataError(f"a paid answer could not be kept in {self.path}: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def default_path() -> Path:
    """Where answers are kept unless the caller says so: beside the local platform's files."""
    return Path(os.environ.get("FINETUNE_LIB_HOME") or Path.home() / ".finetune_lib") / "answers.db"
