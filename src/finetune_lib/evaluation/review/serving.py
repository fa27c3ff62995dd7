"""The page served on this machine, for a team: every vote is in SQLite the moment it is given."""

from __future__ import annotations

import hmac
import json
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from os import PathLike
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from finetune_lib.errors import DataError
from finetune_lib.evaluation.review.states import VERSION, state_problems
from finetune_lib.files import hold_version

LOOPBACK = "127.0.0.1"
MOST_BYTES = 16 << 20
WAIT = 30.0  # seconds that one vote waits for another one's write
OFFLINE, SERVED = "default-src 'none';", "default-src 'none'; connect-src 'self';"
NO_ADDRESS = '<meta name="votes" content="">'
SCHEMA = """
CREATE TABLE IF NOT EXISTS reviews (
    set_hash TEXT NOT NULL,
    rater TEXT NOT NULL,
    revision INTEGER NOT NULL,
    state TEXT NOT NULL,
    saved TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (set_hash, rater)
)
"""
KEEP = """
INSERT INTO reviews (set_hash, rater, revision, state) VALUES (?, ?, ?, ?)
ON CONFLICT (set_hash, rater)
DO UPDATE SET revision = excluded.revision, state = excluded.state, saved = CURRENT_TIMESTAMP
WHERE excluded.revision >= revision
"""


class ReviewServer(ThreadingHTTPServer):
    """Serves one page to this machine, and keeps the votes; `serve_forever` runs it.

    Attributes:
        url: What to open; it holds the token, without which nothing is answered.
        database: Where the votes are.
    """

    daemon_threads = True

    def __init__(self, page: Path, *, database: Path, port: int = 0, token: str | None = None) -> None:
        self.token = token or secrets.token_urlsafe(24)
        self.database = database
        text = page.read_text(encoding="utf-8")
        self.set_hash = _set_of(text, page)
        _prepare(database)
        super().__init__((LOOPBACK, port), _Exchange)
        address = f"votes?token={quote(self.token)}"
        self.page = text.replace(OFFLINE, SERVED, 1).replace(NO_ADDRESS, f'<meta name="votes" content="{address}">', 1)

    @property
    def url(self) -> str:
        """The address of the page, with its token."""
        return f"http://{LOOPBACK}:{self.server_address[1]}/?token={quote(self.token)}"

    def keep(self, state: Mapping[str, Any]) -> None:
        """Write one rater's votes; durable when it returns, and an older revision never replaces a newer one."""
        values = (state["set"], state["rater"], state["revision"], json.dumps(state, ensure_ascii=False))
        with closing(_connect(self.database)) as database:
            database.execute(KEEP, values)

    def kept(self, rater: str) -> str | None:
        """One rater's votes as JSON; None where there are none."""
        query = "SELECT state FROM reviews WHERE set_hash = ? AND rater = ?"
        with closing(_connect(self.database)) as database:
            row = database.execute(query, (self.set_hash, rater)).fetchone()
        return row[0] if row else None


def serve_review(
    path: str | PathLike[str],
    *,
    database: str | PathLike[str] | None = None,
    port: int = 0,
    token: str | None = None,
    on_start: Callable[[ReviewServer], object] | None = None,
) -> Path:
    """Serve a review page on this machine until Ctrl-C; each vote is durable in SQLite at once.

    Several people can vote in turn, each under their name. `collect_votes` reads the database.

    Args:
        path: The page that `write_review` wrote.
        database: The SQLite file; by default beside the page, as `review.votes.db`.
        port: 0 takes a free one.
        token: What the address must hold; by default a random one.
        on_start: Called with the server when it answers; its `url` is what to open. By default the address is printed.

    Returns:
        The database.

    Raises:
        DataError: The file is no review page, or the database cannot be used.
        OSError: The port is taken.
    """
    page = Path(path)
    file = Path(database) if database else page.with_suffix(".votes.db")
    with ReviewServer(page, database=file, port=port, token=token) as server:
        if on_start:
            on_start(server)
        else:
            print(f"open {server.url}\nvotes are kept in {server.database}; Ctrl-C ends it", flush=True)
        with suppress(KeyboardInterrupt):
            server.serve_forever()
    return file


class _Exchange(BaseHTTPRequestHandler):
    """One request: the page, one rater's votes, or new votes."""

    server: ReviewServer  # pyright: ignore[reportIncompatibleVariableOverride] - what makes it is no other

    def do_GET(self) -> None:
        place = self._place()
        if place == "/":
            self._answer(HTTPStatus.OK, self.server.page, "text/html")
        elif place == "/votes":
            rater = self._query().get("rater", [""])[0]
            self._answer(HTTPStatus.OK, self.server.kept(rater) or "null")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self._place() != "/votes":
            pass
        elif not length.isdecimal() or int(length) > MOST_BYTES:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "null")
        else:
            problem = self._keep(self.rfile.read(int(length)))
            status = HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK
            self._answer(status, json.dumps({"error": problem}))

    def _keep(self, body: bytes) -> str | None:
        """Keep the votes, or say why not."""
        try:
            state = json.loads(body)
        except ValueError as error:
            return str(error)
        problem = next(state_problems(state), None)
        if problem or state["set"] != self.server.set_hash:
            return problem or "the votes are on another page"
        self.server.keep(state)
        return None

    def _place(self) -> str | None:
        """What is asked for, by somebody who may; None after a refusal."""
        place = urlsplit(self.path).path
        token = self._query().get("token", [""])[0]
        # Another site could point its own name at this machine: only the address itself is answered.
        port = self.server.server_address[1]
        known = self.headers.get("Host") in (f"{LOOPBACK}:{port}", f"localhost:{port}")
        if not known or not hmac.compare_digest(token.encode(), self.server.token.encode()):
            return self._answer(HTTPStatus.FORBIDDEN, "null")
        if place not in ("/", "/votes"):
            return self._answer(HTTPStatus.NOT_FOUND, "null")
        return place

    def _query(self) -> Mapping[str, list[str]]:
        return parse_qs(urlsplit(self.path).query)

    def _answer(self, status: HTTPStatus, text: str, kind: str = "application/json") -> None:
        body = text.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests hold the token: nothing is logged."""


def _set_of(text: str, page: Path) -> str:
    try:
        data = text.split('id="data">', 1)[1].split("</script>", 1)[0]
        return json.loads(data)["set"]
    except (IndexError, ValueError, KeyError) as error:
        raise DataError(f"{page} is no review page: write one with report.review_page()") from error


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, timeout=WAIT)
    database.execute("PRAGMA synchronous=FULL")  # a vote outlives a loss of power, too
    return database


def _prepare(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with closing(_connect(path)) as database:
            hold_version(database, known=VERSION, path=path)
            database.execute("PRAGMA journal_mode=WAL")
            database.execute(SCHEMA)
    except sqlite3.DatabaseError as error:
        raise DataError(f"{path} cannot keep votes ({error}): name another file by database=…") from error
