"""The fastest JSON parser at hand: msgspec (the extra `fast`) where it is installed, else pydantic's own."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

from pydantic_core import from_json


def decoder() -> tuple[Callable[[bytes], Any], tuple[type[Exception], ...]]:
    """What decodes strict JSON but for equal keys, of which it keeps the last; and the errors it raises."""
    if find_spec("msgspec") is None:
        return partial(from_json, allow_inf_nan=False, cache_strings="keys"), (ValueError,)
    msgspec: Any = importlib.import_module("msgspec")
    return msgspec.json.Decoder().decode, (msgspec.DecodeError, ValueError, RecursionError)
