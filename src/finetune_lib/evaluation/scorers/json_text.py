"""Where two JSON values differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

SHOWN = 80
MISSING: Any = object()


class Rules(NamedTuple):
    """What counts as equal.

    Attributes:
        tolerance: How far numbers may be apart.
        ordered: Whether the order of lists counts.
    """

    tolerance: float = 0.0
    ordered: bool = True


USUAL = Rules()


class Field(NamedTuple):
    """One place of a value, with what differs there; nothing where it is equal."""

    path: str
    difference: str = ""


def equal(expected: Any, given: Any, rules: Rules = USUAL) -> bool:
    """Whether two JSON values are the same; 1 and 1.0 are, 1 and true are not."""
    return not any(field.difference for field in fields(expected, given, rules))


def fields(expected: Any, given: Any, rules: Rules, path: str = "$") -> Iterator[Field]:
    """Each leaf of the expected value, compared; what is given beyond it is a field with a difference, too."""
    if isinstance(expected, Mapping) and isinstance(given, Mapping):
        yield from _of_objects(cast("Mapping[str, Any]", expected), cast("Mapping[str, Any]", given), rules, path)
    elif isinstance(expected, list) and isinstance(given, list):
        each = _in_order if rules.ordered else _in_any_order
        yield from each(cast("list[Any]", expected), cast("list[Any]", given), rules, path)
    elif _same(expected, given, rules.tolerance):
        yield Field(path)
    else:
        told = f"{_shown(given)} instead of {_shown(expected)}"
        yield Field(path, told if given is not MISSING else "missing")


def _of_objects(expected: Mapping[str, Any], given: Mapping[str, Any], rules: Rules, path: str) -> Iterator[Field]:
    for key in expected:
        yield from fields(expected[key], given.get(key, MISSING), rules, f"{path}.{key}")
    yield from (Field(f"{path}.{key}", "not expected") for key in given if key not in expected)
    if not expected and not given:
        yield Field(path)


def _in_order(expected: Sequence[Any], given: Sequence[Any], rules: Rules, path: str) -> Iterator[Field]:
    for place, value in enumerate(expected):
        yield from fields(value, given[place] if place < len(given) else MISSING, rules, f"{path}[{place}]")
    yield from (Field(f"{path}[{place}]", "not expected") for place in range(len(expected), len(given)))
    if not expected and not given:
        yield Field(path)


def _in_any_order(expected: Sequence[Any], given: Sequence[Any], rules: Rules, path: str) -> Iterator[Field]:
    left = list(given)
    for place, value in enumerate(expected):
        found = next((index for index, other in enumerate(left) if equal(value, other, rules)), None)
        if found is None:
            yield Field(f"{path}[{place}]", f"{_shown(value)} is missing")
        else:
            del left[found]
            yield Field(f"{path}[{place}]")
    yield from (Field(path, f"{_shown(value)} is not expected") for value in left)
    if not expected and not given:
        yield Field(path)


def _same(expected: Any, given: Any, tolerance: float) -> bool:
    if _is_number(expected) and _is_number(given):
        return expected == given or abs(expected - given) <= tolerance
    return type(expected) is type(given) and expected == given


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
