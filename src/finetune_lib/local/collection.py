"""Free the disk of a platform, whether its server runs or not."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any, cast

from finetune_lib.files import home
from finetune_lib.local.connection import answering, require_platform
from finetune_lib.local.deleting import Removed, collect
from finetune_lib.local.store import Store
from finetune_lib.platforms import Platform


def gc(
    root: str | PathLike[str] | None = None, *, keep_days: float | None = None, dry_run: bool = False
) -> list[Removed]:
    """Delete what nobody can reach any more, and say what that freed.

    Of jobs that have ended these are the copies of their files, checkpoints that are no models, and the states of the
    optimizer; besides, what uploads and deletions that were cut short have left. What is younger than an hour and may
    still be written is left alone.

    Args:
        root: The folder of the platform; by default `FINETUNE_LIB_HOME`, else `~/.finetune_lib`.
        keep_days: Also delete files and models that are older, but for those that something stands on.
        dry_run: Delete nothing; the list tells what would go.

    Raises:
        MissingExtraError: Without `pip install "finetune_lib[local]"`.
        PlatformError: The server of the folder does not answer.
        ValueError: `keep_days` is negative.
    """
    require_platform()
    from filelock import FileLock

    if keep_days is not None and not keep_days >= 0:
        raise ValueError(f"keep_days is a number of days, not {keep_days!r}")
    folder = Path(root or home()).absolute()
    if not folder.is_dir():
        return []
    if address := answering(folder):
        return _asked(Platform("local", address.url, address.token), keep_days, dry_run)
    with FileLock(folder / "server.lock"):
        store = Store(folder)
        try:
            return collect(folder, store, keep_days=keep_days, dry_run=dry_run)
        finally:
            store.close()


def _asked(platform: Platform, keep_days: float | None, dry_run: bool) -> list[Removed]:
    body = {"keep_days": keep_days, "dry_run": dry_run}
    with platform.calls("free the disk"):
        told = platform.client.post("/storage/collections", cast_to=object, body=body)
    return [Removed(**one) for one in cast("dict[str, list[dict[str, Any]]]", told)["data"]]
