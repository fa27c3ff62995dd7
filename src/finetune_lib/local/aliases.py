"""Names of hosted services that stand for bases of this machine, so that code runs by another address alone.

The table lies in `aliases.json` of the platform's folder, and holds until another one is given.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from finetune_lib.files import write_atomically

NAME = "aliases.json"
TUNED = "ft:"


def parsed(pairs: Sequence[str]) -> dict[str, str]:
    """A table from pairs as `gpt-4o-mini=Qwen/Qwen3-0.6B`; `*` in a name stands for anything.

    Raises:
        ValueError: A pair is none, or names a tuned model.
    """
    table = dict[str, str]()
    for pair in pairs:
        name, equals, base = (part.strip() for part in pair.partition("="))
        if not (name and equals and base) or name.startswith(TUNED):
            raise ValueError(f"an alias is NAME=BASE, as gpt-4o-mini=Qwen/Qwen3-0.6B, not {pair!r}")
        table[name] = base
    return table


def save(root: Path, table: Mapping[str, str]) -> None:
    """Let a table hold from now on."""
    root.mkdir(parents=True, exist_ok=True)
    write_atomically(root / NAME, [json.dumps(table, ensure_ascii=False, indent=2).encode()])


def load(root: Path) -> dict[str, str]:
    """The table that holds.

    Raises:
        ValueError: The file is no table of names.
    """
    path = root / NAME
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}. Mend it, or delete it and start with --alias.") from error
    if not isinstance(table, dict):
        raise ValueError(f"{path} is no table of names: mend it, or delete it and start with --alias.")
    return table  # pyright: ignore[reportUnknownVariableType] - names and bases are looked at where they are used


def base_named(root: Path, model: str) -> str | None:
    """The base that a name stands for: its own entry, else the first whose `*` fits it; a tuned model is no base."""
    table = load(root)
    if model in table or model.startswith(TUNED):
        return table.get(model)
    return next((base for name, base in table.items() if "*" in name and fnmatchcase(model, name)), None)
