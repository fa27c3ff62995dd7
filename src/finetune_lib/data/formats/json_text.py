"""JSON inside a string, as tool arguments and tool lists have it; read only where nothing is lost."""

from __future__ import annotations

import json
import math
from typing import Any, Final, cast

UNREAD: Final = object()


def value_of(text: str) -> Any:
    """The value that a JSON text says; `UNREAD` where it is not JSON or would not come back the same."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refused, parse_float=_finite)
    except (ValueError, RecursionError):
        return UNREAD


def object_of(text: object) -> dict[str, Any] | None:
    """The object that a JSON text says; None where it says none."""
    value = value_of(text) if isinstance(text, str) else UNREAD
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def text_of(value: object) -> str:
    """The JSON text of a value, characters beyond ASCII as they are."""
    return json.dumps(value, ensure_ascii=False)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _refused(constant: str) -> Any:
    raise ValueError(constant)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number
