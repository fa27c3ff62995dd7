"""Takes each batch through its statuses and asks its requests one by one.

Like the supervisor it decides from what lies in the batch's directory and in the store, so that a new server
goes on where a killed one stopped: an answer that is on the disk is never asked for again.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune_lib.local.base_models import find_base
from finetune_lib.local.batches.directory import BatchDirectory
from finetune_lib.local.batches.outputs import answer_line, succeeded, write_outputs
from finetune_lib.local.batches.requests import Examination, problem
from finetune_lib.local.objects import Object, now
from finetune_lib.local.store import Store

# An endpoint and a body of a request; the status and the body that answer it.
Answer = Callable[[str, Mapping[str, Any]], tuple[int, Object]]
TICK_SECONDS, TELL_SECONDS = 0.2, 0.5
OPEN = ("validating", "in_progress", "finalizing", "cancelling")
CANCELLABLE = frozenset({"validating", "in_progress", "cancelling"})
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Work:
    """How far a batch has come."""

    directory: BatchDirectory
    missing: Iterator[Mapping[str, Any]]
    completed: int = 0
    failed: int = 0
    told: float = 0.0

    @staticmethod
    def of(directory: BatchDirectory) -> _Work:
        directory.repair()
        done = {answer["custom_id"]: succeeded(answer) for _, answer in directory.answers()}
        missing = (request for request in directory.requests() if request["custom_id"] not in done)
        return _Work(directory, missing, sum(done.values()), len(done) - sum(done.values()))

    def keep(self, custom_id: str, status: int, body: Object) -> None:
        line = answer_line(custom_id, status, body)
        self.directory.append(line)
        self.completed += succeeded(line)
        self.failed += not succeeded(line)

    def counts(self, total: int) -> Object:
        return {"request_counts": {"total": total, "completed": self.completed, "failed": self.failed}}


class Batches:
    """Runs batches one after the other, in a thread that leaves the models to chats in between."""

    def __init__(self, root: Path, store: Store) -> None:
        self.root, self.store = root, store
        self._work: dict[str, _Work] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, answer: Answer) -> None:
        """Begin to look after the batches."""
        self._thread = threading.Thread(target=self._loop, args=[answer], name="batches", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the request that is being answered; the next server takes the rest up."""
        self._stop.set()
        if self._thread:
            self._thread.join()

    def directory(self, batch: Object) -> BatchDirectory:
        """The directory of a batch."""
        return BatchDirectory(self.root / "batches" / batch["id"])

    def open(self) -> list[Object]:
        """The batches without a final status; of each status the oldest first."""
        pages = (self.store.page("batch", ascending=True, where={"$.status": status})[0] for status in OPEN)
        return [batch for batches in pages for batch in batches]

    def accept(self, batch: Object) -> None:
        """Take a new batch in."""
        self.directory(batch).accept(self.store.blob(batch["input_file_id"]))
        self.store.add("batch", batch)

    def cancel(self, batch: Object) -> Object | None:
        """Ask a batch to stop after the request that is being answered. None where it had ended."""
        with self.store.transaction():
            batch = self.store.get("batch", batch["id"]) or batch
            if batch["status"] not in CANCELLABLE:
                return None
            changes = {"status": "cancelling", "cancelling_at": batch["cancelling_at"] or now()}
            return self.store.update("batch", batch["id"], changes)

    def _loop(self, answer: Answer) -> None:
        while not self._stop.is_set():
            busy = False
            try:
                busy = self._turn(answer)
            except Exception:  # a full disk, say: nothing may end this thread
                log.exception("the batches go on after")
            self._stop.wait(0 if busy else TICK_SECONDS)

    def _turn(self, answer: Answer) -> bool:
        """Move what can be moved at once, and answer one request of the oldest batch; False where nothing is to do."""
        steps: Mapping[str, Callable[[Object], None]] = {
            "validating": self._validate,
            "finalizing": self._finish,
            "cancelling": self._finish,
        }
        batches = self.open()
        moved = [self._try(steps[batch["status"]], batch) for batch in batches if batch["status"] in steps]
        oldest = next((batch for batch in batches if batch["status"] == "in_progress"), None)
        return any(moved) if oldest is None else self._try(lambda batch: self._answer(batch, answer), oldest)

    def _try(self, step: Callable[[Object], None], batch: Object) -> bool:
        """Whether it went well; what may pass, as a full disk, is tried again, anything else ends the batch."""
        try:
            step(batch)
        except Exception as error:
            log.exception("batch %s", batch["id"])
            self._work.pop(batch["id"], None)  # an answer may be half written: read again what is there
            if isinstance(error, OSError | sqlite3.Error) and not isinstance(error, FileNotFoundError):
                return False
            self._fail(batch, [problem("server_error", f"the platform failed: {type(error).__name__}: {error}")])
        return True

    def _validate(self, batch: Object) -> None:
        def exists(model: str) -> bool:
            return bool(self.store.get("model", model) or find_base(model, self.root))

        found = Examination(batch["endpoint"], exists).read(self.directory(batch).input)
        if found.problems:
            self._fail(batch, found.problems)
            return
        counts = {"total": found.total, "completed": 0, "failed": 0}
        self._move(batch, "in_progress", in_progress_at=now(), model=found.model, request_counts=counts)

    def _answer(self, batch: Object, answer: Answer) -> None:
        """Answer the next request; after the last one, the batch is finalized."""
        if batch["id"] not in self._work:
            self._work[batch["id"]] = _Work.of(self.directory(batch))
        work = self._work[batch["id"]]
        request = next(work.missing, None)
        total = batch["request_counts"]["total"]
        if request is None:
            self._move(batch, "finalizing", finalizing_at=now(), **work.counts(total))
            return
        work.keep(request["custom_id"], *answer(batch["endpoint"], request["body"]))
        if time.monotonic() - work.told > TELL_SECONDS:
            self.store.update("batch", batch["id"], work.counts(total))
            work.told = time.monotonic()

    def _finish(self, batch: Object) -> None:
        """Write the files, and list them in the moment in which the batch ends."""
        ended, at = ("completed", "completed_at") if batch["status"] == "finalizing" else ("cancelled", "cancelled_at")
        files, changes = [], {}
        if batch["in_progress_at"]:
            work = _Work.of(self.directory(batch))
            files, changes = write_outputs(self.store, batch, work.directory)
            changes |= work.counts(batch["request_counts"]["total"])
        with self.store.transaction():
            for file in files:
                self.store.add("file", file)
            self._move(batch, ended, **{at: now()}, **changes)
        self._forget(batch)

    def _fail(self, batch: Object, problems: list[Object]) -> None:
        if self._move(batch, "failed", failed_at=now(), errors={"object": "list", "data": problems}):
            self._forget(batch)

    def _forget(self, batch: Object) -> None:
        self._work.pop(batch["id"], None)
        self.directory(batch).remove()

    def _move(self, batch: Object, status: str, **changes: Any) -> bool:
        """Change the status, unless the batch was cancelled meanwhile: False then."""
        with self.store.transaction():
            known = self.store.get("batch", batch["id"]) or batch
            if known["status"] != batch["status"]:
                return False
            self.store.update("batch", batch["id"], {"status": status, **changes})
        return True
