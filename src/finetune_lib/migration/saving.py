"""Save all that can be had into one folder, with a manifest: resumable, nothing overwritten, what is lost is listed.

manifest.json            what lies here, each with its SHA-256, and what could not be had, with the reason
inventory.json           models, jobs, files, checkpoints and dates as first told; later ones: inventory-<n>.json
files/<id>/<name>        training, validation and result files, byte for byte
jobs/<id>.events.jsonl   the events of a job, oldest first
jobs/<id>.json           the job, and the system messages of its training file
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from finetune_lib.concurrency import together
from finetune_lib.data.dataset import Dataset
from finetune_lib.errors import DataError, PlatformError
from finetune_lib.files import write_atomically
from finetune_lib.migration.inventory import FILES, Inventory, Lost, files_of
from finetune_lib.migration.reading import AT_ONCE, LISTING_SECONDS
from finetune_lib.platforms.patience import Patience
from finetune_lib.platforms.wire import Call, Wire
from finetune_lib.rows.messages import INSTRUCTIONS

MANIFEST, INVENTORY = "manifest.json", "inventory.json"
FORM = 1
UNSAFE = re.compile(r"[^\w.-]+")
FREE_ACCOUNT = "free accounts"


@dataclass(frozen=True, slots=True)
class Saved:
    """What was saved; `print` it.

    Attributes:
        folder: Where.
        files: The path of each file that lies there, by its id.
        lost: What could not be had, and why.
        new: How many files came in this run.
    """

    folder: Path
    files: Mapping[str, Path] = field(default_factory=dict[str, Path])
    lost: tuple[Lost, ...] = ()
    new: int = 0

    def dataset(self, file: str) -> Dataset:
        """A saved training or validation file as a dataset.

        Raises:
            KeyError: The file was not saved.
            ReadError: It cannot be read.
        """
        return Dataset.load(self.files[file])

    def __str__(self) -> str:
        lines = [f"{len(self.files)} files in {self.folder}, {self.new} of them new"]
        lines += ["Not to be had:", *(f"- {one}" for one in self.lost)] if self.lost else []
        return "\n".join(lines)


@dataclass
class Saving:
    """Saves what an inventory names.

    Attributes:
        wire: The connection.
        inventory: What lies there.
        folder: Where it goes.
    """

    wire: Wire
    inventory: Inventory
    folder: Path
    _files: dict[str, Path] = field(default_factory=dict[str, Path])
    _sums: dict[str, str] = field(default_factory=dict[str, str])
    _lost: list[Lost] = field(default_factory=list[Lost])
    _new: int = 0

    async def save(self) -> Saved:
        """All of it; what lies there whole already is not asked for again.

        Raises:
            DataError: The folder holds something else, or what lies there is not what was saved.
        """
        self._take_up()
        self._keep_inventory()
        names = {str(one.get("id")): str(one.get("filename") or "file") for one in self.inventory.files}
        if FILES in self.inventory.unread:  # their content may be given all the same
            names = {id: "file" for job in self.inventory.jobs for id in files_of(job)}
        named = {id for job in self.inventory.jobs for id in files_of(job)}
        named |= {str(one.get("id")) for one in self.inventory.orphans}
        wanted = {id: name for id, name in names.items() if id in named}
        waiting = iter([*wanted.items()])

        async def work() -> None:
            for id, name in waiting:
                await self._save_file(id, name)
                self._write_manifest()

        await together(work() for _ in range(min(AT_ONCE, max(len(wanted), 1))))
        for job in self.inventory.jobs:
            await self._save_job(job)
        self._lost = [*self.inventory.lost, *self._lost]
        self._write_manifest()
        return Saved(self.folder, dict(self._files), tuple(self._lost), self._new)

    def _keep_inventory(self) -> None:
        """Beside the earlier ones: once the platform has closed, they alone tell what lay there."""
        told = self.inventory.to_dict()
        earlier = [self.folder / INVENTORY, *self.folder.glob("inventory-*.json")]
        earlier = [path for path in earlier if path.exists()]
        if any({**json.loads(path.read_text(encoding="utf-8")), "day": told["day"]} == told for path in earlier):
            return
        self.inventory.save_json(self.folder / (f"inventory-{len(earlier) + 1}.json" if earlier else INVENTORY))

    def _take_up(self) -> None:
        """What an earlier run has saved, if it is whole."""
        manifest = self.folder / MANIFEST
        if not manifest.exists():
            if self.folder.exists() and any(self.folder.iterdir()):
                raise DataError(f"{self.folder} holds something else: name an empty or a new folder")
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write_manifest()
            return
        told = _read(manifest)
        for id, one in cast("Mapping[str, Mapping[str, str]]", told["files"]).items():
            path = self.folder / one["path"]
            if not path.is_file():
                continue  # it is asked for again
            if hashlib.sha256(path.read_bytes()).hexdigest() != one["sha256"]:
                raise DataError(f"{path} is not what was saved: move it away, and save again")
            self._files[id], self._sums[id] = path, one["sha256"]

    async def _save_file(self, id: str, name: str) -> None:
        path = self.folder / "files" / _safe(id) / _safe(name)
        if id in self._files:
            return
        if path.exists():  # written whole by a run that ended before it could say so
            content = path.read_bytes()
        else:
            try:
                content = await Patience(LISTING_SECONDS).trying(lambda: self.wire.content(id))
            except PlatformError as error:
                self._lost.append(Lost(f"file {id} ({name})", _why(error)))
                return
            write_atomically(path, [content], overwrite=False)
        self._files[id], self._sums[id] = path, hashlib.sha256(content).hexdigest()
        self._new += 1

    async def _save_job(self, job: Mapping[str, Any]) -> None:
        id = str(job.get("id"))
        folder = self.folder / "jobs"
        events, about = folder / f"{_safe(id)}.events.jsonl", folder / f"{_safe(id)}.json"
        if not events.exists():
            call = Call(f"list the events of {id}", "GET", f"/fine_tuning/jobs/{id}/events")

            async def read() -> list[dict[str, Any]]:
                return [one async for page in self.wire.pages(call) for one in page]

            try:
                found = await Patience(LISTING_SECONDS).trying(read)
            except PlatformError as error:
                self._lost.append(Lost(f"events of {id}", _why(error)))
            else:
                found.sort(key=lambda event: event.get("created_at") or 0)
                write_atomically(events, [json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in found])
        said = self._system_messages(str(job.get("training_file")))
        if said or not about.exists():  # what an earlier run knew is not taken back
            told = {"job": dict(job), "system_messages": said}
            write_atomically(about, [json.dumps(told, ensure_ascii=False, indent=1).encode()])

    def _system_messages(self, file: str) -> list[str]:
        """Half of a tuned model is the system message that it was trained under, which people forget."""
        if file not in self._files:
            return []
        try:
            data = Dataset.load(self._files[file])
        except DataError:
            return []
        said = (message for example in data for message in example.messages if message.role in INSTRUCTIONS)
        return list(dict.fromkeys(message.text for message in said))

    def _write_manifest(self) -> None:
        files = {
            id: {"path": path.relative_to(self.folder).as_posix(), "sha256": self._sums[id]}
            for id, path in sorted(self._files.items())
        }
        lost = [{"what": one.what, "reason": one.reason} for one in self._lost]
        told = {"manifest": FORM, "platform": self.inventory.platform, "files": files, "lost": lost}
        write_atomically(self.folder / MANIFEST, [json.dumps(told, ensure_ascii=False, indent=1).encode(), b"\n"])


def _read(manifest: Path) -> Mapping[str, Any]:
    try:
        told = json.loads(manifest.read_text(encoding="utf-8"))
        if told["manifest"] == FORM and all(one["path"] and one["sha256"] for one in told["files"].values()):
            return told
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise DataError(f"{manifest} is no manifest of a migration, or of a later version")


def _safe(name: str) -> str:
    """A name for a file that leads nowhere else, whatever the platform calls it."""
    return UNSAFE.sub("_", name).lstrip(".")[:120] or "file"


def _why(error: PlatformError) -> str:
    if error.status_code == 404:
        return "it was deleted"
    if FREE_ACCOUNT in str(error):
        return "the platform does not give training files back to free accounts; look for your own copy"
    return str(error)
