"""Examples that stand in the data more than once, found with eight bytes a row."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from finetune_lib.checks.rules import Rules
from finetune_lib.diagnostics import Diagnostic, diagnose, place_name
from finetune_lib.records import Example

AT_ONCE = 500_000  # digests that are compared in memory at once


def digest(data: Mapping[str, Any], *, size: int = 16) -> bytes:
    """What equal rows have in common, whatever the order of their keys."""
    return blake2b(_canonical(data), digest_size=size).digest()


def _canonical(data: Mapping[str, Any]) -> bytes:
    """The row as bytes: the texts of a plain chat as they are, anything else as sorted JSON."""
    if len(data) == 1 and (texts := _texts(data.get("messages"))):
        return texts.encode("utf-8", "surrogatepass")
    return json.dumps(data, sort_keys=True, default=repr).encode()


def _texts(messages: Any) -> str:
    """Role and content of each message; nothing where one has more or less than them."""
    try:
        joined = "\0".join([text for message in messages for text in (message["role"], message["content"])])
        whole = joined.count("\0") == 2 * len(messages) - 1 and not any(len(message) != 2 for message in messages)
    except (KeyError, TypeError, IndexError):
        return ""
    return joined if whole else ""


class ExactCopies:
    """The survey that finds them: eight bytes a row are kept, and each pair is read once more to be sure."""

    def __init__(self) -> None:
        self._digests: array[int] = array("Q")

    def look(self, example: Example, place: int) -> None:  # noqa: ARG002 - the place is the number of digests
        """Take up one example."""
        self._digests.append(int.from_bytes(digest(example.data, size=8), "big"))

    def merge(self, later: ExactCopies, offset: int) -> None:  # noqa: ARG002
        """Take up the part behind this one."""
        self._digests += later._digests

    def findings(self, examples: Sequence[Example], rules: Rules) -> Iterator[Diagnostic]:  # noqa: ARG002
        """Each repetition of an earlier example, with the place of the first."""
        repeated = self._repeated()
        firsts: dict[int, list[Example]] = {}
        for place, key in enumerate(self._digests):
            if key in repeated:
                example = examples[place]
                known = next((e for e in firsts.setdefault(key, []) if e.data == example.data), None)
                if known is None:
                    firsts[key].append(example)
                else:
                    yield diagnose("D801", example.origin, related=(known.origin,), first=place_name(known.origin))

    def _repeated(self) -> set[int]:
        """The digests that stand there more than once; looked for in portions, so that memory stays small."""
        repeated: set[int] = set()
        portions = len(self._digests) // AT_ONCE + 1
        for portion in range(portions):
            seen: set[int] = set()
            for key in self._digests:
                if key % portions == portion:
                    if key in seen:
                        repeated.add(key)
                    seen.add(key)
        return repeated
