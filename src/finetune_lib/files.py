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
        _publish(temporary, path, overwrite=overwrite)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _publish(temporary: Path, path: Path, *, overwrite: bool) -> None:
    if overwrite:
        temporary.replace(path)
        return
    try:
        path.hardlink_to(temporary)  # unlike rename, refuses an existing target in one step
    except FileExistsError:
        raise FileExistsError(
            f"{path} exists and is left as it is. Choose another name or pass overwrite=True."
        ) from None
