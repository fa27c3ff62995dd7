"""What a grader reads of each row. Source: OpenAI's graders, whose templates read `{{item.field}}`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

TEMPLATE = re.compile(r"\{\{\s*item\s*(?:\.\s*([^\s.{}\[\]|]+)|\[\s*['\"]([^'\"]+)['\"]\s*\])")
PYTHON = re.compile(r"\bitem\[\s*['\"]([^'\"]+)['\"]\s*\]")


def grader_fields(grader: Mapping[str, Any]) -> frozenset[str]:
    """The fields of a row that a grader reads: by its templates, and by the source of a Python grader.

    Args:
        grader: The grader as the platform takes it, of any type, `multi` included.
    """
    return frozenset(_fields(grader, ""))


def _fields(value: object, key: str) -> Iterator[str]:
    if isinstance(value, str):
        reading = PYTHON if key == "source" else TEMPLATE
        for found in reading.finditer(value):
            yield next(name for name in found.groups() if name)
    elif isinstance(value, Mapping):
        for name, inner in cast("Mapping[str, Any]", value).items():
            yield from _fields(inner, name)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _fields(inner, key)
