"""How a candidate, scorer or judge was set, for the record: what it was told, and how it was sampled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, cast

# What is told elsewhere, is data, or may hold a secret.
UNTOLD = frozenset({"model", "name", "platform", "examples", "corpus", "answers", "schema", "source"})
SECRET = ("header", "key", "token", "secret", "auth", "user", "metadata", "query")
COUNTED = frozenset({"max_tokens", "max_completion_tokens", "max_output_tokens", "max_prompt_tokens"})


def settings_of(thing: object) -> dict[str, Any]:
    """The settings of something of this library, as plain values; nothing of a function."""
    if not is_dataclass(thing) or isinstance(thing, type):
        return {}
    given = ((one.name, getattr(thing, one.name, None)) for one in fields(thing) if one.init)
    told: dict[str, Any] = {}
    for name, value in given:
        if name not in UNTOLD and not name.startswith("_") and value not in (None, "", (), {}, []):
            told |= _plain_options(value) if name == "options" else {name: _plain(value)}
    return told


def _plain_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the call, without those that could let somebody in."""
    return {name: _plain(v) for name, v in options.items() if name in COUNTED or not any(s in name for s in SECRET)}


def _plain(value: object) -> Any:
    """A value that JSON knows; a function by its name."""
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError):
        return str(cast("Any", value))
