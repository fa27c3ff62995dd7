"""A training job as a directory: all that the server and the worker know of each other.

job.json            the order and the version of its form, written before the worker starts
train.jsonl         the data; validation.jsonl beside it where there is one. Both go when the job has ended
events.jsonl        whole lines, appended by the worker
checkpoint-*/       complete once trainer_state.json is in it, which is written last
final/              the model, moved there in one step
result.json         success;  error.json: failure by a known cause. Neither, and the lock free: a crash
lock                held by the worker as long as it lives, freed by the kernel however it dies
cancel              asks the worker to stop
pause               asks it to save a checkpoint and end; another goes on from there once it is gone
full                the worker ended because no room was left; it is started again later
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from finetune_lib.files import require_known, write_atomically
from finetune_lib.local.disk import states_of

VERSION = 4  # of job.json; one that tells none is of version 1
CHECKPOINT = "checkpoint-"


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker shall do.

    Attributes:
        base: Where transformers loads the base from.
        seed: For initialisation and order of the data.
        hyperparameters: `n_epochs`, `batch_size`, `learning_rate_multiplier`, each a number or `auto`.
        day: The day that chat templates print which tell today's, as `2026-12-01`; None for today.
        chat_template: In place of the base's own: a name that the platform knows, or a template.
        method: How it learns: `supervised`, `dpo` of preferences, or `reinforcement` of rewards.
        strategy: What is trained of the base, as `lora` or `{"type": "lora", "rank": 16}`; None leaves it to the rule.
        early_stopping: Validations without a better loss after which the run ends; None goes on to the end.
        grader: What gives a reward, as OpenAI's graders are written.
        max_completion_tokens: Tokens of an answer that is given while learning from rewards; None for 256.
    """

    base: str
    seed: int
    hyperparameters: Mapping[str, Any]
    day: str | None = None
    chat_template: str | None = None
    method: str = "supervised"
    strategy: Mapping[str, Any] | str | None = None
    early_stopping: int | None = None
    grader: Mapping[str, Any] | None = None
    max_completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class JobDirectory:
    """The directory of one job."""

    path: Path

    @property
    def train(self) -> Path:
        """The training data."""
        return self.path / "train.jsonl"

    @property
    def validation(self) -> Path:
        """The validation data; may be missing."""
        return self.path / "validation.jsonl"

    @property
    def copies(self) -> dict[str, Path]:
        """The copies of a job's files, by the field of the job that names the file."""
        return {"training_file": self.train, "validation_file": self.validation}

    def drop_copies(self) -> None:
        """Once the job has ended: whoever deletes the files has then deleted all of them."""
        for copy in self.copies.values():
            copy.unlink(missing_ok=True)

    @property
    def final(self) -> Path:
        """The trained model."""
        return self.path / "final"

    @property
    def partial(self) -> Path:
        """Where the trained model is written before it moves to its place."""
        return self.path / "final.tmp"

    @property
    def log(self) -> Path:
        """What the worker prints."""
        return self.path / "log.txt"

    @property
    def cancelled(self) -> bool:
        """Whether the worker is asked to stop."""
        return (self.path / "cancel").exists()

    def cancel(self) -> None:
        """Ask the worker to stop."""
        (self.path / "cancel").touch()

    @property
    def paused(self) -> bool:
        """Whether the worker is asked to rest."""
        return (self.path / "pause").exists()

    def pause(self) -> None:
        """Ask the worker to save what it has and end."""
        (self.path / "pause").touch()

    def resume(self) -> None:
        """Let a worker go on."""
        (self.path / "pause").unlink(missing_ok=True)

    def place(self, order: Order) -> None:
        """Write the order, the last thing before a worker may start."""
        self._write("job.json", {"version": VERSION, **asdict(order)})

    @property
    def placed(self) -> bool:
        """Whether the order is written."""
        return (self.path / "job.json").exists()

    def order(self) -> Order:
        """Read the order.

        Raises:
            DataError: A later version has written it.
        """
        path = self.path / "job.json"
        told = json.loads(path.read_text())
        require_known(told.pop("version", VERSION), known=VERSION, path=path)
        return Order(**told)

    def append(self, event: Mapping[str, Any]) -> None:
        """Append one event as a whole line."""
        line = json.dumps({"created_at": int(time.time()), **event}, ensure_ascii=False)
        with (self.path / "events.jsonl").open("ab") as file:
            file.write(line.encode() + b"\n")

    def repair(self) -> None:
        """Cut the half line and the half checkpoints that a killed worker left."""
        events = self.path / "events.jsonl"
        if events.exists() and not (data := events.read_bytes()).endswith(b"\n"):
            os.truncate(events, data.rfind(b"\n") + 1)  # in its place: a full disk has no room for a copy
        shutil.rmtree(self.partial, ignore_errors=True)
        for folder in self.path.glob(f"{CHECKPOINT}*"):
            if not (folder / "trainer_state.json").exists():
                shutil.rmtree(folder)

    def events(self, offset: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """The whole lines from a byte offset on, each with the offset behind it."""
        try:
            file = (self.path / "events.jsonl").open("rb")
        except FileNotFoundError:
            return
        with file:
            file.seek(offset)
            for line in file:
                if line.endswith(b"\n"):
                    offset += len(line)
                    yield offset, json.loads(line)

    def checkpoints(self) -> dict[int, Path]:
        """The complete checkpoints by step, the oldest first."""
        folders = [f for f in self.path.glob(f"{CHECKPOINT}*") if (f / "trainer_state.json").exists()]
        return dict(sorted((int(folder.name.removeprefix(CHECKPOINT)), folder) for folder in folders))

    def weights(self) -> list[Path]:
        """The folders of models, whole or half written."""
        found = [*self.path.glob(f"{CHECKPOINT}*"), *self.path.glob("final*"), *self.path.glob("tmp-checkpoint*")]
        return sorted(folder for folder in found if folder.is_dir())

    def drop_states(self) -> None:
        """Once the job has ended: only what answers stays."""
        for state in (state for folder in self.weights() for state in states_of(folder)):
            state.unlink(missing_ok=True)

    @property
    def full(self) -> Path:
        """Marks that the worker ended because the disk is full; it has no content, which would need room."""
        return self.path / "full"

    def succeed(self, result: Mapping[str, Any]) -> None:
        """Declare success; the model lies in `final` by now."""
        self._write("result.json", result)

    def fail(self, code: str, message: str) -> None:
        """Declare failure by a known cause."""
        self._write("error.json", {"code": code, "message": message, "param": None})

    def outcome(self) -> tuple[str, dict[str, Any]] | None:
        """`("result" | "error", its content)` once the worker has declared it."""
        for kind in ("result", "error"):
            path = self.path / f"{kind}.json"
            if path.exists():
                return kind, json.loads(path.read_text())
        return None

    def lock(self) -> FileLock:
        """The worker's sign of life."""
        return FileLock(self.path / "lock")

    def alive(self) -> bool:
        """Whether a worker holds the lock."""
        try:
            with self.lock().acquire(timeout=0):
                return False
        except Timeout:
            return True

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        write_atomically(self.path / name, [json.dumps(content, ensure_ascii=False).encode()])
