"""JSON as models write it: among words, in fences, more than once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

MOST_STARTS = 50  # brackets that are tried: a text of brackets alone must not take long
FENCED = re.compile(
    r"(?P<fence>`{3,}|~{3,})[ \t]*(?:[A-Za-z][\w.+-]*)?(?=[\s{\[\"])(?P<inner>.*?)(?P=fence)", re.DOTALL
)
# A text in quotes, or a comma before the bracket that ends a list or an object.
TRAILING_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', re.DOTALL)


def json_in(text: str) -> Any:
    r"""The one JSON value that a text is, or has in a code fence or among its words; objects count before lists.

    Raises:
        ValueError: It has none (RFC 8259: NaN and Infinity are none), several that differ, or one too deep to read.

    Example:
        >>> json_in('The result:\r\n```json\r\n{"a": 1}\r\n```')
        {'a': 1}
    """
    text = text.strip("\ufeff \t\r\n")
    try:
        return whole_json(text)
    except ValueError as error:
        found = list(_fenced(text)) or list(_loose(text))
        if not found:
            raise ValueError(str(error)) from error
    if any(not _same(value, found[0]) for value in found[1:]):
        raise ValueError(f"it has {len(found)} JSON values, which differ")
    return found[0]


def json_values(text: str, *, brackets: str = "{[", lenient: bool = False) -> Iterator[Any]:
    r"""Each outermost JSON value in a text that begins with one of the brackets.

    Args:
        text: The text.
        brackets: What a value may begin with.
        lenient: Whether a comma too much before a closing bracket, and a line's end within a text in quotes, pass.

    Example:
        >>> list(json_values('Sure! ```json\n{"level": "same"}\n``` [1]', brackets="{"))
        [{'level': 'same'}]
        >>> list(json_values('{"level": "same",}', lenient=True))
        [{'level': 'same'}]
    """
    text = TRAILING_COMMA.sub(lambda match: match[1] or "", text) if lenient else text
    decoder, end = json.JSONDecoder(strict=not lenient, parse_constant=_refuse), 0
    for found in islice(re.finditer(f"[{re.escape(brackets)}]", text), MOST_STARTS):
        if found.start() < end:
            continue
        try:
            value, end = decoder.raw_decode(text, found.start())
        except (ValueError, RecursionError):
            continue
        yield value


def _fenced(text: str) -> Iterator[Any]:
    for match in FENCED.finditer(text):
        with suppress(ValueError):
            yield whole_json(match["inner"].strip())


def _loose(text: str) -> list[Any]:
    """Values among words: [1] is as well the mark of a source."""
    found = list(json_values(text))
    return [value for value in found if isinstance(value, dict)] or found


def whole_json(text: str) -> Any:
    """The JSON value that a text is, and nothing else.

    Raises:
        ValueError: It is none, or too deep to read.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
