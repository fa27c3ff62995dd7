"""Examples that say the same in other words (D802): those that may go, and those that are worth a look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Self

from finetune_lib.data.checks.duplicates.answers import is_another_form
from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic, diagnose, place_name
from finetune_lib.data.together.duplicates import Marks
from finetune_lib.data.together.links import COUNTED, Rows, common_pieces
from finetune_lib.data.together.relating import SAME_ANSWER
from finetune_lib.data.together.rows import look
from finetune_lib.data.together.wording import plain
from finetune_lib.records import Example
from finetune_lib.rows.exchange import last_turns
from finetune_lib.rows.facts import Facts
from finetune_lib.texts.neighbours import View, near_items

NEAR = 0.7  # share of common pieces from which another wording is named
LONGEST_LABEL = 24  # characters
DROPPED = "the same but for wording as"
KEPT = "another wording of"


class Duplicates:
    """Each example that is the same but for wording as an earlier one, at any number of examples (D802).

    Those that differ in script, width or punctuation alone are D803, exact copies D801.
    """

    def __init__(self) -> None:
        self._marks = Marks()
        self._dropped: dict[int, int] = {}

    def look(self, facts: Facts, place: int) -> None:
        """Take up one example."""
        self._marks.look(facts, place)

    def merge(self, later: Self, offset: int) -> None:
        """Take up the survey of the part behind this one."""
        self._marks.merge(later._marks, offset)

    def findings(self, examples: Sequence[Example], rules: Rules) -> Iterator[Diagnostic]:  # noqa: ARG002
        """What was found, in the order of the data: what `Dataset.deduplicate(near=True)` leaves out."""
        self._dropped = self._marks.left_out(examples)
        for place, first in self._dropped.items():
            here, there = examples[place], examples[first]
            if here.data != there.data and not is_another_form(here, there):
                name, way = place_name(there.origin), "deduplicating near duplicates leaves it out"
                yield diagnose("D802", here.origin, related=(there.origin,), first=name, how=DROPPED, way=way)

    def other_wordings(self, examples: Sequence[Example], executor: Executor | None = None) -> Iterator[Diagnostic]:
        """Each example that asks nearly what an earlier one asks and answers the same (D802, a note)."""
        some = map(_question, examples[:: max(1, len(examples) // COUNTED)])
        view = View(_question, key=_label, common=common_pieces([question for one in some for question in one]))
        accept = partial(_says_the_same, Rows(examples))
        for a, b, _ in near_items(examples, view=view, threshold=NEAR, copies=False, accept=accept, executor=executor):
            if b not in self._dropped:
                here, there = examples[b].origin, examples[a].origin
                name, way = place_name(there), "keep it if it is meant: a split keeps both on one side"
                yield diagnose("D802", here, related=(there,), severity="info", first=name, how=KEPT, way=way)


def _says_the_same(rows: Rows, one: int, other: int) -> bool:
    found = rows.related(one, other)
    return found.kind == "duplicate" or found.reason in SAME_ANSWER


def _question(example: Example) -> tuple[str, ...]:
    turns = last_turns.take(example)
    prompt = "\n".join(map(plain, turns.prompt)) if turns else look(example).prompt
    return (prompt,) if prompt else ()


def _label(example: Example) -> str:
    """A short answer, by which equal questions are looked at each."""
    turns = last_turns.take(example)
    return turns.answer if turns and len(turns.answer) <= LONGEST_LABEL else ""
