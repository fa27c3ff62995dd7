"""The platform's memory: objects and events in SQLite (WAL), file contents beside it.

Each object is kept as the JSON that the wire shows; columns hold only what is searched or ordered by. Only
the server process writes.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from finetune_lib.files import hold_version

Kind = Literal[
    "file",
    "job",
    "event",
    "checkpoint",
    "model",
    "batch",
    "upload",
    "part",
    "permission",
    "stored",
    "message",
    "response",
    "response_item",
]
Object = dict[str, Any]

VERSION = 1  # of the whole folder: of this file, and of the directories of jobs and batches
SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    parent TEXT,
    mark TEXT,
    body TEXT NOT NULL,
    UNIQUE (parent, mark)
);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, parent, seq);
CREATE INDEX IF NOT EXISTS objects_by_expiry ON objects (kind, json_extract(body, '$.expires_at'))
    WHERE json_extract(body, '$.expires_at') IS NOT NULL;
CREATE TABLE IF NOT EXISTS runs (
    job TEXT PRIMARY KEY,
    attempt INTEGER NOT NULL DEFAULT 0,
    offset INTEGER NOT NULL DEFAULT 0
);
"""


class UnknownCursorError(LookupError):
    """`after` names no object of the list."""


class Store:
    """Objects by kind and id; safe from several threads of one process.

    Raises:
        DataError: A later version has written them.
    """

    def __init__(self, root: Path) -> None:
        self.blobs = root / "files"
        self.blobs.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        path = root / "platform.db"
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        hold_version(self._db, known=VERSION, path=path)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All of its writes happen, or none; nests."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def add(self, kind: Kind, body: Object, *, parent: str | None = None, mark: str | None = None) -> bool:
        """Add an object; one with a known parent and mark is left out (False): it is the same, told again."""
        return bool(
            self._execute(
                "INSERT INTO objects (kind, id, parent, mark, body) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (parent, mark) DO NOTHING RETURNING seq",
                (kind, body["id"], parent, mark, _dump(body)),
            )
        )

    def get(self, kind: Kind, id: str) -> Object | None:
        """One object, or None."""
        rows = self._execute("SELECT body FROM objects WHERE kind = ? AND id = ?", (kind, id))
        return json.loads(rows[0][0]) if rows else None

    def marked(self, parent: str, mark: str) -> Object | None:
        """The object that was added with this parent and mark, or None."""
        rows = self._execute("SELECT body FROM objects WHERE parent = ? AND mark = ?", (parent, mark))
        return json.loads(rows[0][0]) if rows else None

    def update(self, kind: Kind, id: str, changes: Mapping[str, Any]) -> Object:
        """Change fields of an object that is there; give it as it is then."""
        with self.transaction():
            body = {**(self.get(kind, id) or {}), **changes}
            self._execute("UPDATE objects SET body = ? WHERE kind = ? AND id = ?", (_dump(body), kind, id))
        return body

    def delete(self, kind: Kind, id: str) -> bool:
        """Delete an object; False where there is none."""
        with self.transaction():
            there = self.get(kind, id) is not None
            self._execute("DELETE FROM objects WHERE kind = ? AND id = ?", (kind, id))
        return there

    def counted(self, kind: Kind, path: str) -> dict[str, int]:
        """How many objects of a kind have each value at a JSON path of the body, as `$.status`."""
        counts = "SELECT json_extract(body, ?), COUNT(*) FROM objects WHERE kind = ? GROUP BY 1 ORDER BY 1"
        return {str(value): many for value, many in self._execute(counts, (path, kind))}

    def page(
        self,
        kind: Kind,
        *,
        parent: str | None = None,
        after: str | None = None,
        limit: int | None = None,
        ascending: bool = False,
        where: Mapping[str, str | None] | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> tuple[list[Object], bool]:
        """Objects of a kind in the order they came, the newest first unless `ascending`, and whether more follow.

        Args:
            kind: The kind.
            parent: Only those of this parent.
            after: The id that the page before ended with.
            limit: Objects at most; None for all.
            ascending: The oldest first.
            where: JSON paths in the body (`$.purpose`) and the text that must stand there, or None for null.
            metadata: Pairs that the body's metadata must have, whatever characters their names are of.

        Raises:
            UnknownCursorError: `after` is not in this list.
        """
        sign, order = (">", "ASC") if ascending else ("<", "DESC")
        clauses, values = ["kind = ?"], [kind]
        if parent is not None:
            clauses, values = [*clauses, "parent = ?"], [*values, parent]
        for path, value in (where or {}).items():
            clauses, values = [*clauses, "json_extract(body, ?) IS ?"], [*values, path, value]
        for pair in (metadata or {}).items():
            has = "EXISTS (SELECT 1 FROM json_each(objects.body, '$.metadata') AS m WHERE m.key = ? AND m.value = ?)"
            clauses, values = [*clauses, has], [*values, *pair]
        if after is not None:
            clauses, values = [*clauses, f"seq {sign} ?"], [*values, self._seq(kind, after)]
        query = f"SELECT body FROM objects WHERE {' AND '.join(clauses)} ORDER BY seq {order} LIMIT ?"  # noqa: S608 - no value in it
        rows = self._execute(query, (*values, -1 if limit is None else limit + 1))
        found = [json.loads(row[0]) for row in rows]
        return found[:limit], limit is not None and len(found) > limit

    def _seq(self, kind: Kind, id: str) -> Any:
        rows = self._execute("SELECT seq FROM objects WHERE kind = ? AND id = ?", (kind, id))
        if not rows:
            raise UnknownCursorError(id)
        return rows[0][0]

    def expired(self, kind: Kind, moment: int) -> list[Object]:
        """The objects of a kind whose `expires_at` has come."""
        due = "kind = ? AND json_extract(body, '$.expires_at') <= ?"
        rows = self._execute(f"SELECT body FROM objects WHERE {due}", (kind, moment))  # noqa: S608 - no value in it
        return [json.loads(row[0]) for row in rows]

    def run(self, job: str) -> tuple[int, int]:
        """How often a job's worker was started since it last got on, and how far its events are read."""
        rows = self._execute("SELECT attempt, offset FROM runs WHERE job = ?", (job,))
        return rows[0] if rows else (0, 0)

    def set_run(self, job: str, *, attempt: int, offset: int) -> None:
        """Remember both."""
        self._execute("INSERT OR REPLACE INTO runs (job, attempt, offset) VALUES (?, ?, ?)", (job, attempt, offset))

    def blob(self, id: str) -> Path:
        """Where the content of a file lies."""
        return self.blobs / id

    def _execute(self, statement: str, values: tuple[Any, ...] | list[Any]) -> list[Any]:
        with self._lock:
            return self._db.execute(statement, values).fetchall()


def _dump(body: Object) -> str:
    return json.dumps(body, ensure_ascii=False)
