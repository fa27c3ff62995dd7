"""Examples that stand in the data more than once, word for word."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from heapq import nsmallest
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any, Self

from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic, diagnose, place_name
from finetune_lib.data.reading.json.fast import TypedMessage
from finetune_lib.data.together.spill import PARTITIONS, Spill
from finetune_lib.records import Example, Origin
from finetune_lib.rows.facts import Facts

ROLE_AND_CONTENT, ITS_ROLE_AND_CONTENT = itemgetter("role", "content"), attrgetter("role", "content")
VERIFIED = 10_000  # repetitions that are read again and compared whole; beyond, 64-bit digests are taken at their word


def digest(data: Mapping[str, Any], *, size: int = 16) -> bytes:
    """What equal rows have in common, whatever the order of their keys."""
    return blake2b(_canonical(data), digest_size=size).digest()


def _number(content: bytes) -> int:
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little")


def _canonical(data: Mapping[str, Any]) -> bytes:
    """The row as bytes: the texts of a plain chat as they are, anything else as sorted JSON."""
    if len(data) == 1 and (texts := _texts(data.get("messages"))):
        return texts.encode("utf-8", "surrogatepass")
    try:
        return json.dumps(data, sort_keys=True, default=repr).encode()
    except TypeError:  # keys of several types, which only a row from memory can have
        return repr(sorted(data.items(), key=repr)).encode("utf-8", "backslashreplace")


def _texts(messages: Any) -> str:
    """Role and content of each message; nothing where one has more or less than them."""
    try:
        joined = "\0".join(chain.from_iterable(map(ROLE_AND_CONTENT, messages)))
        whole = joined.count("\0") == 2 * len(messages) - 1 and set(map(len, messages)) == {2}
    except (KeyError, TypeError, IndexError):
        return ""
    return joined if whole else ""


class ExactDuplicates:
    """Each repetition of an earlier example (D801), by digests of 64 bits that are written out where they are many."""

    def __init__(self) -> None:
        self._digests = Spill(2)

    def look(self, facts: Facts, place: int) -> None:
        """Take up one example."""
        self._digests.add(_number(_canonical(facts.example.data)), place)

    def look_plain(self, chats: Iterable[Sequence[TypedMessage]], place: int) -> None:
        """Take up plain chats; `place` is the index of the first."""
        for number, chat in enumerate(chats, start=place):
            texts = "\0".join(chain.from_iterable(map(ITS_ROLE_AND_CONTENT, chat)))
            self._digests.add(_number(texts.encode()), number)

    def merge(self, later: Self, offset: int) -> None:
        """Take up the survey of the part behind this one."""
        self._digests.merge(later._digests, offset)

    def findings(self, examples: Sequence[Example], rules: Rules) -> Iterator[Diagnostic]:  # noqa: ARG002
        """Each repetition with the place of the first, in the order of the data."""
        found, more = _repetitions(self._digests)
        for place, first in found:
            here, there = examples[place], examples[first]
            if here.data == there.data:
                yield diagnose("D801", here.origin, related=(there.origin,), first=place_name(there.origin))
        for _ in range(more):
            yield diagnose("D801", Origin(examples[0].origin.source), first="")


def _repetitions(digests: Spill) -> tuple[list[tuple[int, int]], int]:
    """The earliest repetitions with the places of their firsts, and how many more there are."""
    found: list[tuple[int, int]] = []
    distinct = 0
    for number in range(PARTITIONS):
        firsts: dict[int, int] = {}
        repeated = (
            (place, first)
            for rows in digests.partition(number)
            for key, place in zip(rows[::2], rows[1::2], strict=True)
            if (first := firsts.setdefault(key, place)) != place
        )
        found = nsmallest(VERIFIED, chain(found, repeated))
        distinct += len(firsts)
    return found, len(digests) - distinct - len(found)
