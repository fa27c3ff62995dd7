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


def _indented(parts: Iterable[str]) -> Iterator[str]:
    depth, before = 0, ""
    for part in parts:
        depth -= part in _CLOSE
        yield _gap(before, part, depth) + _plain(part)
        depth += part in _OPEN
        before = part


def _gap(before: str, part: str, depth: int) -> str:
    """What stands between two tokens: a new line behind a bracket and a comma, a space behind a colon."""
    if before == ":":
        return " "
    opened, closing = before in _OPEN, part in _CLOSE
    breaks = before == "," or (opened != closing and part not in ",:")
    return "\n" + "  " * depth if before and breaks else ""


def _plain(part: str) -> str:
    r"""A text with its `\u4e2d` written as the character."""
    return json.dumps(json.loads(part), ensure_ascii=False) if "\\u" in part else part
