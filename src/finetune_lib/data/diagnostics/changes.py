"""What fixes change, line by line, and the diff that shows it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from finetune_lib.data.diagnostics.catalogue import FixKind
from finetune_lib.records import Origin
from finetune_lib.shown import Shown


@dataclass(frozen=True, slots=True)
class Change(Shown):
    """What a fix does to one example or line.

    Attributes:
        origin: The example or line.
        codes: The findings that it mends.
        kind: `safe` or `unsafe`.
        before: The line as it was.
        after: The line as it becomes; empty where the row is left out.
    """

    origin: Origin
    codes: tuple[str, ...]
    kind: FixKind
    before: str
    after: str


def unified_diff(source: str, changes: Iterable[Change]) -> str:
    """Changes of single lines as a unified diff, each hunk with the codes that it mends."""
    hunks = [_hunk(change) for change in changes]
    return "".join([f"--- {source}\n+++ {source} (fixed)\n", *hunks]) if hunks else ""


def _hunk(change: Change) -> str:
    place = change.origin.line or change.origin.row or 0
    before, after = change.before.splitlines(), change.after.splitlines()
    body = [line for line in difflib.ndiff(before, after) if not line.startswith("?")]
    lines = "\n".join(f"{line[0]}{line[2:]}" for line in body)
    return f"@@ -{place},{len(before)} +{place},{len(after)} @@ {' '.join(change.codes)} ({change.kind})\n{lines}\n"
