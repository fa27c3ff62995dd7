"""`migrate …`: leave a platform that closes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from finetune_lib.cli.codes import CLEAN
from finetune_lib.cli.where import Where, print_json

if TYPE_CHECKING:
    from finetune_lib.migration import Migration


def inventory(*, where: Where | None = None, json: bool = False) -> int:
    """What lies on a platform, and until when each model answers.

    Args:
        where: the platform
        json: print one JSON value
    """
    found = _migration(where).inventory()
    print_json(found.to_dict()) if json else print(found)
    return CLEAN


def save(folder: Path, /, *, where: Where | None = None, json: bool = False) -> int:
    """Save all that can be had into one folder.

    The same command again goes on where it was stopped.

    Args:
        folder: a new or empty folder, or that of an earlier call
        where: the platform
        json: print one JSON value
    """
    saved = _migration(where).save(folder)
    if json:
        lost = [{"what": one.what, "reason": one.reason} for one in saved.lost]
        print_json({"folder": str(saved.folder), "files": {id: str(p) for id, p in saved.files.items()}, "lost": lost})
    else:
        print(saved)
    return CLEAN


def _migration(where: Where | None) -> Migration:
    from finetune_lib.migration import Migration

    return Migration((where or Where()).connect())
