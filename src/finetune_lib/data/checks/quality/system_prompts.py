"""System prompts beside the one that most examples have: nearly the same, of a few examples, or none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Self

from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic, quote
from finetune_lib.records import Example
from finetune_lib.rows.facts import Facts

DISTINCT = 2_000  # prompts told apart; data with more of them has no common one
NAMED = 20
COMMON = 0.5  # of the prompts are the common one
FEWEST = 10
FEW = 0.3  # of the examples lack it
OTHERS = 3  # prompts beside the common one; more of them are meant so
OTHER_SHARE = 0.1  # of the examples have them
EDIT = 24  # characters that a slip of the hand changes
PLACE = "/messages/0/content"
_SPACE = re.compile(r"\s+")


@dataclass(slots=True)
class Prompts:
    """How often a prompt stands in the data, and where first."""

    count: int
    first: int


@dataclass(slots=True)
class SystemPromptSurvey:
    """Counts the first system message of each example."""

    seen: dict[bytes, Prompts] = field(default_factory=dict[bytes, Prompts])
    without: Prompts = field(default_factory=lambda: Prompts(0, 0))
    total: int = 0
    last: tuple[str, bytes] = ("", b"")

    def look(self, facts: Facts, place: int) -> None:
        """Take up the system message of one example."""
        if not facts.is_chat:
            return
        self.total += 1
        text = facts.opening
        if text is None:
            self.without = self.without if self.without.count else Prompts(0, place)
            self.without.count += 1
        else:
            self._count(self._key(text), Prompts(1, place))

    def merge(self, later: Self, offset: int) -> None:
        """Take up what was counted in the part behind this one."""
        self.total += later.total
        if later.without.count:
            first = self.without.first if self.without.count else later.without.first + offset
            self.without = Prompts(self.without.count + later.without.count, first)
        for key, prompts in later.seen.items():
            self._count(key, Prompts(prompts.count, prompts.first + offset))

    def findings(self, examples: Sequence[Example], rules: Rules) -> Iterator[Diagnostic]:  # noqa: ARG002
        """Prompts near the common one, and how many examples have none."""
        if self.total < FEWEST or not self.seen:
            return
        key, common = max(self.seen.items(), key=lambda item: item[1].count)
        if common.count < COMMON * self.total:
            return
        yield from self._missing(examples, common)
        yield from self._drifted(examples, key)
        yield from self._others(examples, key)

    def _missing(self, examples: Sequence[Example], common: Prompts) -> Iterator[Diagnostic]:
        if 0 < self.without.count <= FEW * self.total:
            example, usual = examples[self.without.first], examples[common.first]
            counts = {"count": self.without.count, "most": common.count}
            yield Diagnostic("Q913", example.origin, "/messages", counts, "info", (usual.origin,))

    def _drifted(self, examples: Sequence[Example], common: bytes) -> Iterator[Diagnostic]:
        usual, most = examples[self.seen[common].first], self.seen[common].count
        text = Facts(usual).opening or ""
        rare = [prompts for key, prompts in self.seen.items() if key != common and prompts.count <= FEW * self.total]
        named = 0
        for prompts in sorted(rare, key=lambda prompts: prompts.first):
            example = examples[prompts.first]
            other = Facts(example).opening or ""
            if named < NAMED and near(text, other):
                named += 1
                mark = quote(other, min(_shared(text, other), max(0, len(other) - 1)))
                counts = {"count": prompts.count, "most": most}
                yield Diagnostic("Q901", example.origin, PLACE, counts, "warning", (usual.origin,), mark)

    def _others(self, examples: Sequence[Example], common: bytes) -> Iterator[Diagnostic]:
        """The few examples with a prompt of their own, where nearly all share one."""
        usual, most = examples[self.seen[common].first], self.seen[common].count
        text = Facts(usual).opening or ""
        rare = sorted((other for key, other in self.seen.items() if key != common), key=lambda other: other.first)
        if len(rare) > OTHERS or sum(other.count for other in rare) > OTHER_SHARE * self.total:
            return
        for prompts in rare:
            example = examples[prompts.first]
            other = Facts(example).opening or ""
            if not near(text, other):
                counts = {"count": prompts.count, "most": most}
                mark = quote(other, 0, len(other)) if other else None
                yield Diagnostic("Q914", example.origin, PLACE, counts, "info", (usual.origin,), mark)

    def _key(self, text: str) -> bytes:
        if self.last[0] != text:
            self.last = (text, blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest())
        return self.last[1]

    def _count(self, key: bytes, new: Prompts) -> None:
        if known := self.seen.get(key):
            known.count += new.count
        elif len(self.seen) < DISTINCT:
            self.seen[key] = new


def near(text: str, other: str) -> bool:
    """Whether one text is the other but for spaces, capitals, or one edited place."""
    if _folded(text) == _folded(other):
        return True
    start = _shared(text, other)
    end = _shared(text[start:][::-1], other[start:][::-1])
    edited = max(len(text), len(other)) - start - end
    return edited <= EDIT and start + end >= 2 * edited


def _folded(text: str) -> str:
    return _SPACE.sub("", text).casefold()


def _shared(text: str, other: str) -> int:
    """How many characters two texts have in common from their beginning."""
    low, high = 0, min(len(text), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if text[:middle] == other[:middle] else (low, middle - 1)
    return low
