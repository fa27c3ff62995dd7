"""The proof that a mended row still says what it said: its texts and numbers, in their order.

What a mend names is left out, and nothing else: roles, weights, the types `text` and `function`, or ids of calls
that it numbers. Arguments of tool calls count as what they mean, so that text and object are the same.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal, cast

Loss = Literal["nothing", "parts", "joints", "characters"]
NUMBERED = re.compile(r"call_\d+")
IDS = frozenset({"id", "tool_call_id"})
FRAME_TYPES = ("text", "function")


def proven(before: Mapping[str, Any], after: Mapping[str, Any], loss: Loss, named: Container[str] = ()) -> bool:
    """Whether `after` says what `before` said.

    Args:
        before: The row as it was.
        after: The row as it would become.
        loss: What the mend may lose: `nothing`; whole `parts`; the `joints` between texts that it puts
            together; or `characters` of texts, which keep their number.
        named: The keys whose values it may add or change.
    """
    try:
        old, new = list(leaves(before, named)), list(leaves(after, named))
    except (ValueError, RecursionError):  # arguments that cannot be read exactly
        return False
    match loss:
        case "nothing":
            return old == new
        case "parts":
            rest = iter(old)
            return all(leaf in rest for leaf in new)
        case "joints":
            return _joined(old) == _joined(new)
        case "characters":
            return len(old) == len(new)


def _joined(texts: Sequence[str]) -> str:
    return "".join(texts).replace("\n", "")


def leaves(value: object, named: Container[str] = (), key: str = "", *, keys: bool = False) -> Iterator[str]:
    """The texts and numbers of a row in their order, but for those of `named` keys; with `keys`, the keys too."""
    if isinstance(value, Mapping):
        for name, inner in cast("Mapping[str, Any]", value).items():
            if keys:
                yield name
            yield from leaves(inner, named, name, keys=keys or name == "arguments")
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from leaves(inner, named, keys=keys)
    elif keys or key not in named or not _is_frame(value, key):
        yield from _leaf(value, key, keys=keys)


def _is_frame(value: object, key: str) -> bool:
    """Whether a value may belong to the frame: of types and ids, only those that a mend writes."""
    if key == "type":
        return value in FRAME_TYPES
    return key not in IDS or (isinstance(value, str) and NUMBERED.fullmatch(value) is not None)


def _leaf(value: object, key: str, *, keys: bool) -> Iterator[str]:
    if key == "arguments" and isinstance(value, str) and (meant := _read(value)) is not None:
        yield from _pairs(meant)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, float) and keys:
        yield _exact(repr(value))
    else:
        yield json.dumps(value, default=repr)


def _read(text: str) -> Any:
    """Arguments in text: objects as lists of pairs, so that a key that stands twice is two; numbers exactly."""
    try:
        meant = json.loads(text, object_pairs_hook=_Pairs, parse_float=_Number, parse_int=_Number)
    except ValueError:
        return None
    return meant if isinstance(meant, _Pairs) else None


class _Pairs(list[tuple[str, Any]]):
    """The pairs of an object."""


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


def _pairs(value: Any) -> Iterator[str]:
    if isinstance(value, _Pairs):
        for name, inner in value:
            yield name
            yield from _pairs(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _pairs(inner)
    elif isinstance(value, _Number):
        yield _exact(value)
    else:
        yield value if isinstance(value, str) else json.dumps(value)


def _exact(number: str) -> str:
    """A number as one text for all its spellings; one beyond floats as it is written."""
    return str(Fraction(number)) if math.isfinite(float(number)) else str(number)
