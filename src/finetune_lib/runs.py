"""The record of this machine: which data went where, which job came of it, which model, and how it was judged.

One SQLite file, `runs.db` in `FINETUNE_LIB_HOME`, else in `~/.finetune_lib`. What is about to be done stands in it
before it is done, so that nothing paid is lost or done twice, whatever ends the process. No key is ever in it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import sqlite3
import time
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from finetune_lib.errors import DataError
from finetune_lib.extras import require
from finetune_lib.files import home, make_private, require_known
from finetune_lib.records import clock_time
from finetune_lib.shown import Shown

BUSY_SECONDS = 30.0
LOCK_PAUSE = 0.1
DAY = 24 * 3600.0
PARAM = 500  # characters of a parameter that MLflow takes
# Before the request that creates a job, once it may have arrived, once its answer is here, and once it was refused.
State = Literal["intended", "posting", "created", "refused"]
# Each script takes the file one version further; what is released does not change any more.
SCRIPTS = (
    """
CREATE TABLE runs (
    key TEXT NOT NULL, platform TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, job TEXT,
    model TEXT NOT NULL, fine_tuned_model TEXT, status TEXT, started REAL NOT NULL, posted REAL, ended REAL, usd REAL,
    data TEXT NOT NULL, settings TEXT NOT NULL, curve TEXT NOT NULL, PRIMARY KEY (key, platform, number));
CREATE INDEX runs_by_job ON runs (job);
CREATE INDEX runs_by_model ON runs (fine_tuned_model);
CREATE TABLE files (
    platform TEXT NOT NULL, digest TEXT NOT NULL, id TEXT, sent REAL, PRIMARY KEY (platform, digest));
CREATE TABLE uploads (
    platform TEXT NOT NULL, digest TEXT NOT NULL, id TEXT NOT NULL, size INTEGER NOT NULL,
    PRIMARY KEY (platform, digest));
CREATE TABLE parts (
    upload TEXT NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL, PRIMARY KEY (upload, number));
CREATE TABLE evaluations (
    id TEXT PRIMARY KEY, ended REAL NOT NULL, golden TEXT NOT NULL, models TEXT NOT NULL, verdicts TEXT NOT NULL,
    usd REAL, job TEXT);
""",
)
CHECKPOINT = re.compile(r":ckpt-step-\d+$")
LOG = logging.getLogger("finetune_lib.runs")


@dataclass(frozen=True, slots=True)
class Run(Shown):
    """One fine-tuning: from the data to the model; `Run.list()` gives those of this machine.

    Attributes:
        key: What was asked for, told by its content: data, model, method, settings.
        platform: Where.
        state: How far its creation has come.
        job: The id of its job; None while there is none.
        model: The base.
        fine_tuned_model: The model that came of it.
        status: Of the job, when it was last seen.
        started: When it was asked for, in seconds since 1970.
        posted: When the request that creates the job was sent.
        ended: When the job had ended.
        usd: What it cost, as far as it is known; else what it was estimated to cost.
        data: Of each file: its name, digest, examples, and what the checks said of it.
        settings: Method, hyperparameters, suffix, seed, metadata.
        curve: Its last losses, accuracies and rewards, by their names in `Step`, and `best_step`.
        number: Counts the runs of one key.
    """

    key: str
    platform: str
    state: State
    model: str
    job: str | None = None
    fine_tuned_model: str | None = None
    status: str | None = None
    started: float = 0.0
    posted: float | None = None
    ended: float | None = None
    usd: float | None = None
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    curve: Mapping[str, float] = field(default_factory=dict[str, float])
    number: int = 1

    @staticmethod
    def list(*, model: str | None = None, job: str | None = None) -> tuple[Run, ...]:
        """The runs of this machine, newest first.

        Args:
            model: Those that gave this model, or began from it.
            job: The one of this job.
        """
        with Record.open() as record:
            found = record.runs()
        return tuple(
            run
            for run in found
            if (model is None or model in (run.model, run.fine_tuned_model)) and (job is None or run.job == job)
        )

    @staticmethod
    def of(model: str) -> Run | None:
        """The run that a fine-tuned model, or one of its checkpoints, comes from; None where this machine made none."""
        name = CHECKPOINT.sub("", model)
        return next((run for run in Run.list(model=name) if run.fine_tuned_model == name), None)

    @property
    def parent(self) -> Run | None:
        """The run that its base comes from, where that was fine-tuned on this machine."""
        return Run.of(self.model)

    @property
    def evaluations(self) -> tuple[Evaluated, ...]:
        """The evaluations of its model and of its checkpoints on this machine, newest first."""
        with Record.open() as record:
            return tuple(one for one in record.evaluations() if self._is_in(one))

    def _is_in(self, evaluated: Evaluated) -> bool:
        models = {CHECKPOINT.sub("", model) for model in evaluated.models.values()}
        return self.fine_tuned_model in models or (self.job is not None and self.job == evaluated.job)

    def card(self) -> str:
        """A model card in Markdown: data, settings, losses, verdicts, dates, and what only people can fill in."""
        return "\n".join([f"# {self.fine_tuned_model or self.model}", "", *_card(self)]) + "\n"

    def log_mlflow(self, *, run_name: str | None = None) -> str:
        """Log the run with its card in the active experiment of MLflow; gives the id that it has there.

        Raises:
            MissingExtraError: MLflow is not installed.
        """
        mlflow = require("mlflow", extra="mlflow", feature="Logging to MLflow")
        name = run_name or self.fine_tuned_model or self.job or self.key
        with mlflow.start_run(run_name=name, nested=mlflow.active_run() is not None) as run:
            mlflow.log_params(_params(self))
            mlflow.log_metrics({**self.curve, **({} if self.usd is None else {"usd": self.usd})})
            mlflow.log_text(self.card(), "card.md")
        return run.info.run_id


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One evaluation, as the record of this machine has it.

    Attributes:
        id: Of the run.
        ended: In seconds since 1970.
        golden: The fingerprint of the golden set.
        models: The model of each candidate that has one.
        verdicts: In words, by candidate.
        usd: What its calls cost.
        job: The fine-tuning job that was named with it.
    """

    id: str
    ended: float
    golden: str
    models: Mapping[str, str]
    verdicts: Mapping[str, str]
    usd: float | None = None
    job: str | None = None


class Record:
    """The file of runs; `Record.open()` gives it.

    Attributes:
        lasting: Whether it is on disk. Where the folder cannot be written to, it lasts as long as the process.
    """

    def __init__(self, path: Path | None) -> None:
        """Open it.

        Raises:
            DataError: The file is damaged, or of a later version; it is left as it is.
        """
        self.lasting = path is not None
        self._path = path
        try:
            if path is not None:
                make_private(path)
            self._db = sqlite3.connect(
                path or ":memory:", timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            raise DataError(f"{path} cannot be opened ({error}): name another folder in FINETUNE_LIB_HOME") from error
        self._db.row_factory = sqlite3.Row
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise DataError(f"{path} cannot be read ({error}); move it away to begin a new record") from error
        except DataError:
            self._db.close()
            raise

    @staticmethod
    @contextmanager
    def open() -> Generator[Record]:
        """The record of this machine; a fleeting one where its folder cannot be written to."""
        folder = home()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            writable = os.access(folder, os.W_OK)
        except OSError:
            writable = False
        record = Record(folder / "runs.db" if writable else None)
        try:
            yield record
        finally:
            record._db.close()

    def _prepare(self) -> None:
        """Take the file to this version, before anything else is written to it."""
        if self._version() == len(SCRIPTS):
            return
        self._db.execute("BEGIN IMMEDIATE")  # another process may be doing the same: who comes second finds it done
        for script in SCRIPTS[self._version() :]:
            for statement in script.split(";"):
                self._db.execute(statement)
        self._db.execute(f"PRAGMA user_version = {len(SCRIPTS)}")
        self._db.execute("COMMIT")

    def _version(self) -> int:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        require_known(version, known=len(SCRIPTS), path=self._path or ":memory:")
        return version

    def runs(self, key: str | None = None, platform: str | None = None) -> tuple[Run, ...]:
        """The runs, of one key on one platform or all, newest first."""
        rows = self._db.execute(
            "SELECT * FROM runs WHERE (? IS NULL OR key = ?) AND (? IS NULL OR platform = ?) "
            "ORDER BY started DESC, number DESC",
            (key, key, platform, platform),
        )
        return tuple(_run(row) for row in rows)

    def write(self, run: Run) -> None:
        """Put a run in, or in the place of what was known of it."""
        values = {name: _column(getattr(run, name)) for name in Run.__dataclass_fields__}
        names = ", ".join(values)
        self._db.execute(
            f"INSERT OR REPLACE INTO runs ({names}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608 - our own names
            tuple(values.values()),
        )

    def see(self, platform: str, job: str, **seen: Any) -> None:
        """Note what a job has become: status, model, end, cost, curve."""
        changes = ", ".join(f"{name} = ?" for name in seen)
        self._db.execute(
            f"UPDATE runs SET {changes} WHERE platform = ? AND job = ?",  # noqa: S608 - our own names
            (*map(_column, seen.values()), platform, job),
        )

    def file(self, platform: str, digest: str) -> str | None:
        """The id of the file with this content on a platform."""
        return self._one("SELECT id FROM files WHERE platform = ? AND digest = ?", platform, digest)

    def keep_sending(self, platform: str, digest: str) -> None:
        """Note that a file is about to be sent: it may be there from now on, under an id that nobody knows yet."""
        self._db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, NULL, ?)", (platform, digest, time.time()))

    def sent(self, platform: str, digest: str) -> float:
        """When a file was sent whose answer never came, in seconds since 1970; 0 where there is no such."""
        found = self._db.execute("SELECT sent FROM files WHERE platform = ? AND digest = ?", (platform, digest))
        row = found.fetchone()
        return (row["sent"] if row else None) or 0.0

    def keep_file(self, platform: str, digest: str, id: str) -> None:
        """Note the id of a file."""
        self._db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, NULL)", (platform, digest, id))

    def forget_file(self, platform: str, digest: str) -> None:
        """It is there no more."""
        self._db.execute("DELETE FROM files WHERE platform = ? AND digest = ?", (platform, digest))

    def upload(self, platform: str, digest: str) -> tuple[str, int] | None:
        """The id and the size of the parts of an upload that was begun and has not ended."""
        found = self._db.execute("SELECT id, size FROM uploads WHERE platform = ? AND digest = ?", (platform, digest))
        row = found.fetchone()
        return (row["id"], row["size"]) if row else None

    def keep_upload(self, platform: str, digest: str, id: str, size: int) -> None:
        """Note an upload that was begun."""
        self._db.execute("INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?)", (platform, digest, id, size))

    def parts(self, upload: str) -> dict[int, str]:
        """The parts of an upload that have arrived, by their number."""
        rows = self._db.execute("SELECT number, id FROM parts WHERE upload = ?", (upload,))
        return {row["number"]: row["id"] for row in rows}

    def keep_part(self, upload: str, number: int, id: str) -> None:
        """Note a part that has arrived."""
        self._db.execute("INSERT OR REPLACE INTO parts VALUES (?, ?, ?)", (upload, number, id))

    def forget_upload(self, platform: str, digest: str) -> None:
        """It has ended, or is there no more."""
        if found := self.upload(platform, digest):
            self._db.execute("DELETE FROM parts WHERE upload = ?", (found[0],))
        self._db.execute("DELETE FROM uploads WHERE platform = ? AND digest = ?", (platform, digest))

    def keep_evaluation(self, done: Evaluated) -> None:
        """Note an evaluation."""
        values = [_column(getattr(done, name)) for name in Evaluated.__dataclass_fields__]
        self._db.execute("INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def evaluations(self) -> tuple[Evaluated, ...]:
        """All evaluations, newest first."""
        rows = self._db.execute("SELECT * FROM evaluations ORDER BY ended DESC")
        return tuple(_evaluated(row) for row in rows)

    def spent_since(self, moment: float) -> float:
        """US dollars of the jobs and evaluations since a moment, as far as they are known."""
        jobs = "SELECT COALESCE(SUM(usd), 0) FROM runs WHERE started >= ? AND state IN ('posting', 'created')"
        calls = "SELECT COALESCE(SUM(usd), 0) FROM evaluations WHERE ended >= ?"
        return sum(self._db.execute(query, (moment,)).fetchone()[0] for query in (jobs, calls))

    def _one(self, query: str, *values: Any) -> str | None:
        row = self._db.execute(query, values).fetchone()
        return row[0] if row else None


def spent_today() -> float:
    """US dollars that this machine has spent in the last 24 hours, as far as it is known."""
    with Record.open() as record:
        return record.spent_since(time.time() - DAY)


def note(platform: str, job: str, **seen: Any) -> None:
    """Note what a job has become; a record that cannot be written is no reason to lose the job."""
    try:
        with Record.open() as record:
            record.see(platform, job, **seen)
    except (DataError, sqlite3.Error) as error:
        LOG.warning("what became of %s is not in the record: %s", job, error)


def _column(value: object) -> object:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, Mapping) else value


def _run(row: sqlite3.Row) -> Run:
    values: dict[str, Any] = dict(row)
    return Run(**{**values, **{name: json.loads(values[name]) for name in ("data", "settings", "curve")}})


def _evaluated(row: sqlite3.Row) -> Evaluated:
    values: dict[str, Any] = dict(row)
    return Evaluated(**{**values, **{name: json.loads(values[name]) for name in ("models", "verdicts")}})


def _params(run: Run) -> dict[str, Any]:
    told = {"base": run.model, "platform": run.platform, "job": run.job, "status": run.status or run.state}
    digests = {f"{name}_sha256": told.get("sha256") for name, told in run.data.items()}
    return {name: str(value)[:PARAM] for name, value in {**told, **digests, **run.settings}.items() if value}


def _card(run: Run) -> Iterator[str]:
    moments = {"asked for": run.started, "job ended": run.ended}
    facts = {
        "base": run.model,
        "platform": run.platform,
        "job": run.job or "none yet",
        "status": run.status or run.state,
        **({"goes on from": f"job {parent.job} on {parent.model}"} if (parent := run.parent) else {}),
        **{name: clock_time(at) for name, at in moments.items() if at},
        **({} if run.usd is None else {"cost": f"${run.usd:,.2f}"}),
    }
    yield from ("## What it is", "", *(f"- {name}: {value}" for name, value in facts.items()), "")
    yield from ("## Data", "", "| file | name | examples | sha256 | findings of the checks |", "|---|---|---|---|---|")
    for name, told in run.data.items():
        findings = ", ".join(f"{number} {severity}s" for severity, number in told.get("findings", {}).items())
        yield f"| {name} | {told.get('name')} | {told.get('examples')} | `{told.get('sha256', '')[:16]}` | {findings} |"
    yield from ("", "## Settings", "", *(f"- {name}: {value}" for name, value in run.settings.items() if value), "")
    if run.curve:
        yield from ("## Training", "", *(f"- {name}: {value:g}" for name, value in run.curve.items()), "")
    yield from ("## How it was judged", "")
    judged = [f"- {name}: {text}" for one in run.evaluations for name, text in one.verdicts.items()]
    yield from judged or ["Not yet on this machine."]
    blanks = ("Licence of the base", "Licence of the data", "Personal data", "Meant for", "Not meant for", "Contact")
    yield from ("", "## To be filled in by people", "", *(f"- {name}: " for name in blanks))


class Busy(Exception):  # noqa: N818 - no fault: who holds the name will let it go
    """Another thread or process holds the name."""


@contextmanager
def alone(name: str) -> Generator[None]:
    """Hold a name that all threads and processes of this machine share; it is free again however this one ends.

    A write lock of SQLite is one of the operating system on each of them, and needs no further package.

    Raises:
        Busy: Another one holds it.
    """
    folder = home() / "locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(folder / f"{name}.lock", timeout=0, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error):
        yield  # nothing can be kept here: the platform's own lists are all there is
        return
    try:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise Busy from error
        yield
    finally:
        lock.close()


@asynccontextmanager
async def in_turn(name: str) -> AsyncGenerator[None]:
    """As `alone`, once whoever holds the name has let it go."""
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(alone(name))
                break
            except Busy:
                await asyncio.sleep(LOCK_PAUSE)
        yield
