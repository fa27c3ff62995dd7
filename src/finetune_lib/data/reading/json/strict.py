"""JSON as RFC 8259 has it: a fast way for sound lines, and a careful one that names what is wrong.

Refused beyond the grammar is what would not come back as it was: a key twice in one object, a number that Python
cannot hold, more levels than `MOST_LEVELS`.
"""

from __future__ import annotations

import json
import re
from math import isinf
from typing import Any, Never

from finetune_lib.data.diagnostics import Diagnostic
from finetune_lib.data.reading.json.causes import cause
from finetune_lib.data.reading.json.fast import decoder
from finetune_lib.data.reading.json.plain_chat import is_plain
from finetune_lib.data.reading.json.scanning import MOST_LEVELS, scan
from finetune_lib.records import Origin

DECODE, REFUSALS = decoder()
ESCAPE = re.compile(rb"\\.", re.DOTALL)


def parse(text: str, origin: Origin) -> tuple[Any, Diagnostic | None]:
    """The value of one JSON text, or the diagnostic that tells why there is none."""
    try:
        return strict(text), None
    except (RecursionError, ValueError):
        return None, cause(text, origin)


def strict(text: str) -> Any:
    """The value of one JSON text.

    Raises:
        ValueError: It is not strict JSON.
        RecursionError: It has too many levels.
    """
    value = DECODER.decode(text)
    if text.count("[") + text.count("{") > MOST_LEVELS and scan(text) is not None:
        raise ValueError("too many levels")
    return value


def parse_line(raw: bytes) -> Any:
    """The value of one line, faster than `parse`.

    The fast parser keeps the last of two equal keys. That none was lost is proved by counting quotes: in sound JSON
    there are two for each key and each text, besides those that a backslash escapes.

    Raises:
        ValueError: It is not JSON, or a key may stand twice: ask `parse`.
    """
    return parse_record(raw)[0]


def parse_record(raw: bytes) -> tuple[Any, bool]:
    """The value of one line as `parse_line` gives it, and whether it is a plain chat.

    Raises:
        ValueError: As `parse_line`.
    """
    try:
        value = DECODE(raw)
    except REFUSALS as error:
        raise ValueError(str(error)) from error
    plain = value.__class__ is dict and is_plain(value)
    if not plain and raw.count(b"[") + raw.count(b"{") > MOST_LEVELS:
        raise ValueError("it may have too many levels")
    strings = 1 + 4 * len(value["messages"]) if plain else _strings(value)
    lost = raw.count(b'"') - 2 * strings
    if lost:
        odd = b'\\\\"' in raw  # a backslash that is itself escaped may stand before a closing quote
        if lost != (ESCAPE.findall(raw) if odd else raw).count(b'\\"'):
            raise ValueError("a key may stand twice")
    return value, plain


def _strings(value: Any) -> int:
    """How many keys and texts a value has."""
    strings = 0
    pending: list[Any] = [value]
    for item in pending:  # grows while it is read
        kind = type(item)  # pyright: ignore[reportUnknownVariableType]
        if kind is str:
            strings += 1
        elif kind is dict:
            strings += len(item)
            pending += item.values()
        elif kind is list:
            pending += item
        elif kind is float and isinf(item):
            raise ValueError("a number overflows")
    return strings


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice")
    return result


def _no_constant(value: str) -> Never:
    raise ValueError(f"{value} is no JSON number")


def _finite(number: str) -> float:
    value = float(number)
    if isinf(value):
        raise ValueError("a number overflows")
    return value


DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_no_constant, parse_float=_finite)
LAST_KEY_WINS = json.JSONDecoder(parse_constant=_no_constant)


def decode_at(text: str, position: int) -> tuple[Any, int]:
    """The value that begins there and where it ends.

    Raises:
        ValueError: It is not strict JSON.
        RecursionError: It has too many levels.
    """
    value, end = LAST_KEY_WINS.raw_decode(text, position)
    lost = text.count('"', position, end) - 2 * _strings(value)
    if lost and (lost != text.count('\\"', position, end) or text.find('\\\\"', position, end) >= 0):
        value, end = DECODER.raw_decode(text, position)
    if end - position > MOST_LEVELS and text.count("[", position, end) + text.count("{", position, end) > MOST_LEVELS:
        strict(text[position:end])
    return value, end
