"""JSON set out in lines to be read: only the space between its tokens changes, never a number or a key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_OPEN, _CLOSE = "[{", "]}"


def pretty_text(text: str) -> str | None:
    """An object or list written as JSON, indented; None where the text is something else."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    return "".join(_indented(_TOKEN.findall(text)))


def pretty(value: Any) -> str:
    """Any value as indented JSON, or as Python writes it where JSON has no form for it."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=2, default=str)
    except (ValueError, TypeError, RecursionError):
        return _as_python(value)


def _as_python(value: Any) -> str:
    try:
        return repr(value)
    except RecursionError:
        return f"<{type(value).__name__}>"


def _indented(tokens: Iterable[str]) -> Iterator[str]:
    depth, before = 0, ""
    for token in tokens:
        depth -= token in _CLOSE
        yield _gap(before, token, depth) + _plain(token)
        depth += token in _OPEN
        before = token


def _gap(before: str, token: str, depth: int) -> str:
    """What stands between two tokens: a new line behind a bracket and a comma, a space behind a colon."""
    if before == ":":
        return " "
    empty = before in _OPEN and token in _CLOSE
    breaks = before == "," or (before in _OPEN) != (token in _CLOSE)
    return "\n" + "  " * depth if before and breaks and not empty and token not in ",:" else ""


def _plain(token: str) -> str:
    r"""A text with its `\u4e2d` written as the character."""
    return json.dumps(json.loads(token), ensure_ascii=False) if "\\u" in token else token
