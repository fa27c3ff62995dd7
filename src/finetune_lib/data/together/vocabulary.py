"""The words by which texts are compared: `vocabulary.toml`, read once."""

from __future__ import annotations

import tomllib
from functools import cache

from finetune_lib.files import packaged_text


def words(name: str) -> frozenset[str]:
    """The words of one list."""
    return frozenset(_lists()[name].split())


@cache
def _lists() -> dict[str, str]:
    return tomllib.loads(packaged_text("finetune_lib.data.together", "vocabulary.toml"))
