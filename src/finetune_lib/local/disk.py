"""What lies on the disk: its size, its removal, and what it means that there is no room left."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from pathlib import Path

# Of the trainer, to go on: its states, and its arguments as a pickle. Nobody needs them once the job has ended.
STATES = ("optimizer.pt", "scheduler.pt", "scaler.pt", "rng_state*.pth", "training_args.bin")
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
SAID = ("No space left on device", "Disk quota exceeded", "database or disk is full")


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; 0 where nothing is there."""
    if path.is_dir() and not path.is_symlink():
        return sum(found.lstat().st_size for found in path.rglob("*") if not found.is_dir())
    return path.lstat().st_size if path.exists() or path.is_symlink() else 0


def remove(path: Path) -> int:
    """Delete a file or a folder; the bytes that it had."""
    size = size_of(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return size


def states_of(folder: Path) -> list[Path]:
    """The trainer's states in the folder of a checkpoint or of a model."""
    return [found for name in STATES for found in folder.glob(name)]


def is_full(error: BaseException) -> bool:
    """Whether an error means that no room is left, be it the system's, SQLite's or a library's."""
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return True
    if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
        return True
    return any(words in str(error) for words in SAID)
