"""What is deleted is gone: files with their copies, models with their checkpoints, and what nobody can reach.

The store forgets first, then the disk: a crash in between leaves what `collect` finds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from finetune_lib.local.disk import remove, size_of, states_of
from finetune_lib.local.job_directory import JobDirectory
from finetune_lib.local.objects import TERMINAL, Object
from finetune_lib.local.store import Store

DAY, HOUR = 86_400, 3600
ENDED_BATCHES = frozenset({"completed", "failed", "expired", "cancelled"})


class InUseError(Exception):
    """Something else still needs what shall be deleted; the message names it."""


@dataclass(frozen=True, slots=True)
class Removed:
    """One thing that was deleted, or would be.

    Attributes:
        name: A model, a file, or a path below the folder of the platform.
        bytes: What it held.
        why: Why nobody needs it.
    """

    name: str
    bytes: int
    why: str


def delete_file(root: Path, store: Store, id: str) -> int | None:
    """Delete a file and the copies of it that ended jobs hold; the bytes freed, None where there is no such file.

    A job that has not ended keeps its copy until then.
    """
    if not store.delete("file", id):
        return None
    return remove(store.blob(id)) + sum(map(remove, _copies(root, store, id)))


def _copies(root: Path, store: Store, file: str) -> Iterator[Path]:
    for name in ("training_file", "validation_file"):
        for job in store.page("job", where={f"$.{name}": file})[0]:
            if job["status"] in TERMINAL:
                yield JobDirectory(root / "jobs" / job["id"]).copies[name]


def delete_model(root: Path, store: Store, id: str) -> tuple[int, list[str]] | None:
    """Delete a model; with the model of a job go its checkpoints. The bytes freed, and the folders that are gone.

    Raises:
        InUseError: A job that has not ended begins with it, or an adapter stands on it.
    """
    with store.transaction():
        model = store.get("model", id)
        if model is None:
            return None
        models = [model, *_checkpoints(store, id)]
        _require_unused(store, models)
        for one in models:
            store.delete("model", one["id"])
            _forget_checkpoint(store, one["id"])
    folders = [Path(one["path"]) for one in models]
    return sum(remove(folder) for folder in folders if folder.is_relative_to(root)), list(map(str, folders))


def _checkpoints(store: Store, model: str) -> list[Object]:
    return [one for one in store.page("model")[0] if one["id"].startswith(f"{model}:ckpt-step-")]


def _forget_checkpoint(store: Store, model: str) -> None:
    for checkpoint in store.page("checkpoint", where={"$.fine_tuned_model_checkpoint": model})[0]:
        store.delete("checkpoint", checkpoint["id"])


def _require_unused(store: Store, models: list[Object]) -> None:
    names, folders = {one["id"] for one in models}, {one["path"] for one in models}
    for job in store.page("job")[0]:
        if job["status"] not in TERMINAL and job["model"] in names:
            raise InUseError(f"the job {job['id']} begins with {job['model']}: wait for its end, or cancel it")
    for other in store.page("model")[0]:
        if other["id"] not in names and _base_of_adapter(Path(other["path"])) in folders:
            raise InUseError(f"{other['id']} is an adapter that stands on it: delete that one first, or export it")


def _base_of_adapter(folder: Path) -> str | None:
    try:
        return json.loads((folder / "adapter_config.json").read_bytes())["base_model_name_or_path"]
    except (OSError, ValueError, KeyError):
        return None


def collect(root: Path, store: Store, *, keep_days: float | None = None, dry_run: bool = False) -> list[Removed]:
    """Delete what nobody can reach, and files and models that are older than is wished.

    Args:
        root: The folder of the platform.
        store: Its objects.
        keep_days: Files and models that are older go, but for those in use; None keeps them all.
        dry_run: Delete nothing, tell what would go.
    """
    aged = [] if keep_days is None else list(_aged(root, store, time.time() - keep_days * DAY, dry_run=dry_run))
    lost = [(path, Removed(str(path.relative_to(root)), size_of(path), why)) for path, why in _unreachable(root, store)]
    for path, _ in lost if not dry_run else ():
        remove(path)
    return aged + [removed for _, removed in lost]


def _aged(root: Path, store: Store, before: float, *, dry_run: bool) -> Iterator[Removed]:
    why = "older than the days to keep"
    for file in store.page("file")[0]:
        if file["created_at"] < before:
            freed = file["bytes"] if dry_run else delete_file(root, store, file["id"]) or 0
            yield Removed(file["id"], freed, why)
    models = [one for one in store.page("model")[0] if one["created"] < before and ":ckpt-step-" not in one["id"]]
    for model in models:
        try:
            _require_unused(store, [model, *_checkpoints(store, model["id"])])
        except InUseError:
            continue
        paths = [one["path"] for one in (model, *_checkpoints(store, model["id"]))]
        size = sum(size_of(Path(path)) for path in paths)
        if not dry_run:
            delete_model(root, store, model["id"])
        yield Removed(model["id"], size, why)


def _unreachable(root: Path, store: Store) -> Iterator[tuple[Path, str]]:
    """What no object leads to; the youngest is left alone, since its object may be on the way."""
    reached = {model["path"] for model in store.page("model")[0]}
    for folder in _children(root / "jobs"):
        job = store.get("job", folder.name)
        if job is None and _is_old(folder):
            yield folder, "no job has this directory"
        elif job and job["status"] in TERMINAL and not JobDirectory(folder).alive():
            yield from _of_ended_job(JobDirectory(folder), reached)
    for path in _children(root / "files"):
        if store.get("file", path.name) is None and _is_old(path):
            yield path, "no file has this content"
    for path in _children(root / "batches"):
        batch = store.get("batch", path.name)
        if (batch is None or batch["status"] in ENDED_BATCHES) and _is_old(path):
            yield path, "its batch has ended"
    yield from ((path, "half made") for path in _children(root / "bases") if path.name[0] == "." and _is_old(path))


def _of_ended_job(directory: JobDirectory, reached: set[str]) -> Iterator[tuple[Path, str]]:
    for copy in directory.copies.values():
        if copy.exists():
            yield copy, "its job has ended"
    for folder in directory.weights():
        if str(folder) not in reached:
            yield folder, "no model leads to it"
        else:
            yield from ((state, "its job has ended") for state in states_of(folder))


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _is_old(path: Path) -> bool:
    return time.time() - path.lstat().st_mtime > HOUR
