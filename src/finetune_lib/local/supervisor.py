"""The supervisor: takes each job through its statuses, starts workers, and tells their events exactly once.

It decides from what lies in the job's directory and in the store, never from its own memory, so that a new
server goes on where a killed one stopped.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from finetune_lib.catalog import base_of
from finetune_lib.local.base_models import find_base
from finetune_lib.local.disk import is_full
from finetune_lib.local.job_directory import JobDirectory, Order
from finetune_lib.local.launchers import end, spawn
from finetune_lib.local.objects import (
    OWN_FIELDS,
    TERMINAL,
    Object,
    checkpoint_object,
    event_object,
    file_object,
    model_name,
    model_object,
    new_id,
    now,
    with_hyperparameters,
)
from finetune_lib.local.results import checkpoint_metrics, results_csv
from finetune_lib.local.store import Store
from finetune_lib.local.training_files import problem_of

TICK_SECONDS = 0.2
ATTEMPTS, FULL_SECONDS = 3, 10.0
OPEN = ("running", "queued", "validating_files")
log = logging.getLogger(__name__)


class Supervisor:
    """Runs jobs one after the other; each in a process of its own that outlives this one."""

    def __init__(self, root: Path, store: Store) -> None:
        self.root, self.store = root, store
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="supervisor", daemon=True)

    def start(self) -> None:
        """Begin to look after the jobs."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking; workers go on, and the next supervisor takes them up."""
        self._stop.set()
        self._thread.join()

    def directory(self, job: str) -> JobDirectory:
        """The directory of a job."""
        return JobDirectory(self.root / "jobs" / job)

    def open_jobs(self) -> list[Object]:
        """The jobs without a final status; of each status the oldest first."""
        return self._jobs(*OPEN)

    def _jobs(self, *statuses: str) -> list[Object]:
        pages = (self.store.page("job", ascending=True, where={"$.status": status})[0] for status in statuses)
        return [job for jobs in pages for job in jobs]

    def accept(self, job: Object) -> None:
        """Copy a new job's files into its directory: who deletes a file harms no job."""
        directory = self.directory(job["id"])
        directory.path.mkdir(parents=True, exist_ok=True)
        copies = {"training_file": directory.train, "validation_file": directory.validation}
        for name, path in copies.items():
            if job[name]:
                shutil.copyfile(self.store.blob(job[name]), path)

    def forget(self, job: Object) -> None:
        """Take back what `accept` has copied."""
        shutil.rmtree(self.directory(job["id"]).path, ignore_errors=True)

    def cancel(self, job: Object) -> Object | None:
        """Cancel a job: told at once; its worker stops at its next step, or is ended. None where it had ended."""
        with self.store.transaction():
            if self._status(job) in TERMINAL:
                return None
            self._tell(job["id"], "Fine tuning process stopping due to job cancellation", level="warn")
            changed = self.store.update("job", job["id"], {"status": "cancelled", "finished_at": now()})
        self._end_worker(job["id"])
        self.directory(job["id"]).drop_copies()
        return changed

    def pause(self, job: Object) -> Object | None:
        """Let a job rest: told at once; its worker saves and ends after its step. None where it is not open."""
        with self.store.transaction():
            if self._status(job) not in OPEN:
                return None
            self.directory(job["id"]).pause()
            self._tell(job["id"], "The job is paused", level="warn")
            return self.store.update("job", job["id"], {"status": "paused"})

    def resume(self, job: Object) -> Object | None:
        """Let a paused job wait for its turn again; None where it is not paused."""
        directory = self.directory(job["id"])
        with self.store.transaction():
            if self._status(job) != "paused":
                return None
            directory.resume()
            self.store.set_run(job["id"], attempt=0, offset=self.store.run(job["id"])[1])
            self._tell(job["id"], "The job is resumed")
            return self.store.update("job", job["id"], {"status": "queued" if directory.placed else "validating_files"})

    def _end_worker(self, job: str) -> None:
        """Stop what may be training still: by word, which reaches a worker of an earlier server too, and by signal."""
        directory = self.directory(job)
        if directory.path.exists():
            directory.cancel()
        if worker := self._workers.pop(job, None):
            threading.Thread(target=end, args=[worker], daemon=True).start()

    def _loop(self) -> None:
        while not self._stop.wait(TICK_SECONDS):
            try:
                for job in self._jobs(*OPEN, "paused"):
                    self._try_to_advance(job)
            except Exception:  # a full disk, say: nothing may end this thread
                log.exception("the supervisor goes on after")

    def _try_to_advance(self, job: Object) -> None:
        """What may pass, as a full disk, is tried again at the next tick; anything else ends the job."""
        try:
            self._advance(job)
        except (OSError, sqlite3.Error) as error:
            log.exception("job %s waits after", job["id"])
            if is_full(error):
                self._tell_full(job["id"])
        except Exception as error:
            log.exception("job %s", job["id"])
            message = f"the platform failed: {type(error).__name__}: {error}"
            self._fail(job, {"code": "server_error", "message": message, "param": None})
            self._end_worker(job["id"])

    def _advance(self, job: Object) -> None:
        steps: Mapping[str, Callable[[Object], None]] = {
            "validating_files": self._validate,
            "queued": self._begin,
            "running": self._follow,
            "paused": self._rest,
        }
        steps[job["status"]](job)

    def _validate(self, job: Object) -> None:
        """Check the files as they lie in the job's directory."""
        problem = problem_of(self.directory(job["id"]), job)
        if problem:
            self._fail(job, problem)
            return
        with self.store.transaction():
            self._tell(job["id"], "Files validated, moving job to queued state", mark="validated")
            self._set(job, status="queued")

    def _begin(self, job: Object) -> None:
        """Start the oldest queued job where none runs."""
        if any(other["status"] == "running" for other in self.open_jobs()):
            return
        known, base = self.store.get("model", job["model"]), find_base(job["model"], self.root)
        source = known["path"] if known else base.source if base else job["model"]
        day = date.fromtimestamp(job["created_at"]).isoformat()
        method = job["method"]["type"]
        own = {name: job[name] for name in OWN_FIELDS if name in job}
        grader, asked = job["method"][method].get("grader"), job["method"][method]["hyperparameters"]
        order = Order(source, job["seed"], asked, day, method=method, grader=grader, **own)
        self.directory(job["id"]).place(order)
        with self.store.transaction():
            self._tell(job["id"], "Fine-tuning job started", mark="started")
            self._set(job, status="running")
        # Not cancelled or paused meanwhile; a worker that was paused for a moment is there still.
        if self._status(job) == "running" and not self.directory(job["id"]).alive():
            self._launch(job)

    def _launch(self, job: Object) -> None:
        """Count the attempt first: a crash in between costs an attempt, never a second worker."""
        directory = self.directory(job["id"])
        if directory.full.exists():
            self._try_again(job["id"], directory)
            return
        attempt, offset = self.store.run(job["id"])
        if attempt == ATTEMPTS:
            tail = self.directory(job["id"]).log.read_text(errors="replace")[-400:]
            message = f"the worker died {ATTEMPTS} times without a new step: {tail}"
            self._fail(job, {"code": "worker_crashed", "message": message, "param": None})
            return
        self.store.set_run(job["id"], attempt=attempt + 1, offset=offset)
        if attempt:
            self._tell(job["id"], "The worker was lost; training goes on from the last checkpoint", level="warn")
        self._workers[job["id"]] = spawn(self.directory(job["id"]))

    def _try_again(self, job: str, directory: JobDirectory) -> None:
        """A worker that ended because the disk is full has used up no attempt; the next one begins after a while."""
        self._tell_full(job)
        if time.time() - directory.full.stat().st_mtime > FULL_SECONDS:
            directory.full.unlink()
            self._workers[job] = spawn(directory)

    def _tell_full(self, job: str) -> None:
        """Once for each place that a run has reached; as long as the store has no room either, later."""
        message = (
            f"The disk of {self.root} is full: the job waits, and goes on from its last checkpoint when there is room. "
            "`finetune-lib local gc` frees what nobody needs; models and files can be deleted."
        )
        try:
            self._tell(job, message, level="warn", mark=f"disk full {self.store.run(job)[1]}")
        except sqlite3.Error:
            log.exception("no room for the event of job %s", job)

    def _follow(self, job: Object) -> None:
        """Tell what is new; then act on the outcome, or on a worker that died without one."""
        directory = self.directory(job["id"])
        worker = self._workers.get(job["id"])
        alive = (worker is not None and worker.poll() is None) or directory.alive()
        outcome = directory.outcome()
        self._ingest(job, directory)
        if outcome:
            self._workers.pop(job["id"], None)
            (self._succeed if outcome[0] == "result" else self._fail)(job, outcome[1])
        elif not alive:
            self._launch(job)

    def _rest(self, job: Object) -> None:
        """A worker that was asked to rest ends its step: it is told, too."""
        self._ingest(job, self.directory(job["id"]))

    def _ingest(self, job: Object, directory: JobDirectory) -> None:
        """Store new events and how far they are read in one transaction: each is told exactly once.

        A worker that got on to a step that no worker had reached has the attempts of a first one.
        """
        attempt, offset = self.store.run(job["id"])
        with self.store.transaction():
            for end, event in directory.events(offset):
                attempt = 1 if self._take(job, event) else attempt
                offset = end
            self.store.set_run(job["id"], attempt=attempt, offset=offset)

    def _take(self, job: Object, event: Mapping[str, Any]) -> bool:
        """Whether it tells of a step that was not told before."""
        if event["type"] == "resolved":
            method = job["method"]["type"]
            grader = job["method"][method].get("grader")
            self._set(job, **with_hyperparameters(event["hyperparameters"], method, grader))
            return False
        kind, data, at = event["type"], event.get("data", {}), event["created_at"]
        told = event_object(event["message"], level=event["level"], kind=kind, data=data, at=at)
        if kind == "message":
            self.store.add("event", told, parent=job["id"], mark=event["message"])
            return False
        if finish := data.get("estimated_finish"):
            self._set(job, estimated_finish=finish)
        return self.store.add("event", told, parent=job["id"], mark=f"step {data['step']}")

    def _succeed(self, job: Object, result: Mapping[str, Any]) -> None:
        """Register the model and its checkpoints, write the table of metrics, and end the job."""
        name, directory = self._new_name(job), self.directory(job["id"])
        with self.store.transaction():
            if self._status(job) != job["status"]:
                return
            table = self._save_results(job)
            self.store.add("model", model_object(name, path=str(directory.final)), parent=job["id"], mark="model")
            self._add_checkpoints(job["id"], name, directory)
            self._tell(job["id"], f"New fine-tuned model created: {name}")
            changes = {"fine_tuned_model": name, "trained_tokens": result["trained_tokens"], "result_files": [table]}
            self._finish(job, "succeeded", "The job has successfully completed", **changes)

    def _new_name(self, job: Object) -> str:
        base = find_base(base_of(job["model"]), self.root)
        return model_name(base.name if base else base_of(job["model"]), job["user_provided_suffix"])

    def _add_checkpoints(self, job: str, model: str, directory: JobDirectory) -> None:
        """Register each checkpoint that lies there as a model, and tell which one validated best."""
        validated = dict[str, float]()
        for step, folder in directory.checkpoints().items():
            metrics = checkpoint_metrics(folder, step)
            checkpoint = checkpoint_object(job, model, step=step, metrics=metrics)
            self.store.add("checkpoint", checkpoint, parent=job, mark=f"checkpoint {step}")
            name = checkpoint["fine_tuned_model_checkpoint"]
            self.store.add("model", model_object(name, path=str(folder)))
            if (loss := metrics.get("full_valid_loss")) is not None:
                validated[name] = loss
        if validated:
            best = min(validated, key=validated.__getitem__)
            self._tell(job, f"Best checkpoint by full validation loss ({validated[best]:.3f}): {best}")

    def _save_results(self, job: Object) -> str:
        content = results_csv(self.store.page("event", parent=job["id"], ascending=True)[0])
        name = new_id("file-", 22)
        self.store.blob(name).write_bytes(content)
        size = len(content)
        self.store.add("file", file_object(name, filename="step_metrics.csv", purpose="fine-tune-results", size=size))
        return name

    def _fail(self, job: Object, error: Mapping[str, Any]) -> None:
        """What was saved before it failed can be used, as that of a job that succeeded."""
        directory = self.directory(job["id"])
        if directory.checkpoints() and self._status(job) == job["status"]:
            self._add_checkpoints(job["id"], self._new_name(job), directory)
        self._finish(job, "failed", f"The job failed: {error['message']}", error=error)

    def _finish(self, job: Object, status: str, message: str, **changes: Any) -> None:
        with self.store.transaction():
            if self._status(job) != job["status"]:
                return
            self.directory(job["id"]).drop_copies()
            self.directory(job["id"]).drop_states()
            self._tell(job["id"], message, level="info" if status == "succeeded" else "error")
            self._set(job, status=status, finished_at=now(), **changes)

    def _set(self, job: Object, **changes: Any) -> None:
        """Change a job, unless it was cancelled meanwhile; its status, unless it was paused, too."""
        with self.store.transaction():
            found = self._status(job)
            if found not in TERMINAL and (found == job["status"] or "status" not in changes):
                self.store.update("job", job["id"], changes)

    def _status(self, job: Object) -> str:
        return (self.store.get("job", job["id"]) or job)["status"]

    def _tell(self, job: str, message: str, *, level: str = "info", mark: str | None = None) -> None:
        self.store.add("event", event_object(message, level=level), parent=job, mark=mark)
