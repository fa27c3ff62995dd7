"""What was paid for: each answer is in SQLite the moment it arrives, so that no run pays for it twice."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import Any

from finetune_lib.errors import DataError
from finetune_lib.files import hold_version, home, make_private

VERSION = 1  # of the file; one that has none is of version 1, too
SCHEMA = """
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY,
    model TEXT NOT NULL,
    body TEXT NOT NULL,
    arrived TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
)
"""
# What runs are asking just now: whoever else wants it waits for the answer. What is kept is asked no more.
CLAIMS = """
CREATE TABLE IF NOT EXISTS claims (key TEXT PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL);
CREATE TRIGGER IF NOT EXISTS answered AFTER INSERT ON replies BEGIN DELETE FROM claims WHERE key = NEW.key; END;
"""
CLAIM = """
INSERT INTO claims (key, owner, until) VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, until = excluded.until
WHERE owner = excluded.owner OR until < ?
"""
LEASE = 60.0  # seconds after which the claim of a run that was killed is void; one that lives renews it
KEEP = "INSERT OR REPLACE INTO replies (key, model, body) VALUES (?, ?, ?)"
WAIT = 30.0  # seconds that one process waits while another one writes


class Kept:
    """Answers by the content of their question; several processes may share the file.

    Raises:
        DataError: The file is there and is no such store, or one of a later version.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = path
        self._owner = f"{socket.gethostname()} {os.getpid()} {uuid.uuid4().hex}"
        self._shared = os.fspath(path) != ":memory:"
        try:
            if os.fspath(path) != ":memory:":
                make_private(Path(path))  # questions and answers may be confidential
            self._db = sqlite3.connect(path, isolation_level=None, timeout=WAIT)
        except (OSError, sqlite3.Error) as error:
            raise DataError(f"{path} cannot keep answers ({error}): name another file") from error
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise DataError(f"{path} is no file of kept answers ({error}): name another one") from error

    def _prepare(self) -> None:
        """NORMAL: what was written outlives the death of the process; an fsync for each answer would slow all down."""
        hold_version(self._db, known=VERSION, path=self.path)
        with suppress(sqlite3.OperationalError):  # another process is just doing the same
            self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(SCHEMA)
        if self._shared:
            self._db.executescript(CLAIMS)
        self._db.execute(KEEP, ("", "", ""))  # a file that cannot be written is told before anything is paid
        self.forget("")

    def get(self, key: str) -> dict[str, Any] | None:
        """What was answered to a question that was asked before.

        Raises:
            DataError: The file cannot be read any more.
        """
        try:
            row = self._db.execute("SELECT body FROM replies WHERE key = ?", (key,)).fetchone()
            return json.loads(row[0]) if row else None
        except (sqlite3.Error, ValueError) as error:
            raise DataError(f"the answers kept in {self.path} cannot be read: {error}") from error

    def put(self, key: str, model: str, body: Mapping[str, Any]) -> None:
        """Keep an answer; a newer one to the same question takes its place.

        Raises:
            DataError: It cannot be kept; no further one should be paid.
        """
        try:
            self._db.execute(KEEP, (key, model, json.dumps(body)))  # ASCII: half a character has a place there, too
        except sqlite3.Error as error:
            raise DataError(f"a paid answer could not be kept in {self.path}: {error}") from error

    def claim(self, key: str) -> bool:
        """Whether this run may ask: False while another one that uses the file is asking just this.

        Raises:
            DataError: The file cannot be written any more.
        """
        if not self._shared:
            return True
        now = time.time()
        try:
            if self._db.execute(CLAIM, (key, self._owner, now + LEASE, now)).rowcount == 1:
                return True
            for (owner,) in self._db.execute("SELECT owner FROM claims WHERE key = ?", (key,)).fetchall():
                if _is_gone(owner):
                    self._db.execute("DELETE FROM claims WHERE owner = ?", (owner,))
                    return self.claim(key)
            return False
        except sqlite3.Error as error:
            raise DataError(f"{self.path} cannot be written any more: {error}") from error

    def renew(self) -> None:
        """This run lives: what it claims stays claimed."""
        with suppress(sqlite3.Error):  # the file is told to be unusable where an answer is kept
            self._db.execute("UPDATE claims SET until = ? WHERE owner = ?", (time.time() + LEASE, self._owner))

    def release(self, key: str) -> None:
        """Let others ask what gave no answer."""
        if self._shared:
            with suppress(sqlite3.Error):
                self._db.execute("DELETE FROM claims WHERE key = ? AND owner = ?", (key, self._owner))

    def forget(self, key: str) -> None:
        """Drop an answer."""
        self._db.execute("DELETE FROM replies WHERE key = ?", (key,))

    def close(self) -> None:
        """Close the file."""
        if self._shared:
            with suppress(sqlite3.Error):
                self._db.execute("DELETE FROM claims WHERE owner = ?", (self._owner,))
        self._db.close()


def _is_gone(owner: str) -> bool:
    """Whether a run of this machine has ended without a word; of others the lease tells."""
    host, pid, _ = owner.rsplit(" ", 2)
    if os.name != "posix" or host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def default_path() -> Path:
    """Where answers are kept unless the caller says so: beside the local platform's files."""
    return home() / "answers.db"
