"""Files that are never half-written: bytes go to a temporary file beside the target, then it is renamed."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from pathlib import Path


def write_atomically(path: Path, chunks: Iterable[bytes], *, overwrite: bool = True) -> Path:
    """Write `chunks` to `path`, whole or not at all.

    Raises:
        FileExistsError: The file is there and `overwrite` is False; it is left as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        if not overwrite:
            _reserve(path)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _reserve(path: Path) -> None:
    """Take a name that nobody has, in one step."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        raise FileExistsError(
            f"{path} exists and is left as it is. Choose another name or pass overwrite=True."
        ) from None
