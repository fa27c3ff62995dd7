"""The names of fields that dialects are known by, from `names.toml` beside this file."""

from __future__ import annotations

import tomllib
from functools import cache

from finetune_lib.files import packaged_text


@cache
def names(of: str) -> frozenset[str]:
    """The names of one kind: `question`, `answer`, `part_of_question` or `transport`."""
    return frozenset(_table()[of])


@cache
def _table() -> dict[str, list[str]]:
    return tomllib.loads(packaged_text("finetune_lib.data.formats", "names.toml"))
