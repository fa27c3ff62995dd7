"""Answers that repeat what they were asked, or give away their instructions."""

from __future__ import annotations

from collections.abc import Iterator

from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic, diagnose, quote
from finetune_lib.records import Example
from finetune_lib.rows.exchange import last_turns

SHORTEST_QUESTION = 8  # shorter ones begin an answer by chance: 你好 → 你好！
SHORTEST_SYSTEM = 20
OPENING = " \t\n\"'“‘「『《>*"


def check(example: Example, rules: Rules) -> Iterator[Diagnostic]:  # noqa: ARG001
    """An answer that begins with the whole question (D806), or that holds the whole system message (D807)."""
    turns = last_turns.read(example)
    if turns is None:
        return
    question, system = turns.question.strip(), turns.system.strip()
    if len(question) >= SHORTEST_QUESTION and turns.answer.lstrip(OPENING).startswith(question):
        start = turns.answer.index(question)
        yield diagnose("D806", example.origin, turns.path, quote=quote(turns.answer, start, len(question)))
    if len(system) >= SHORTEST_SYSTEM and system in turns.answer:
        start = turns.answer.index(system)
        yield diagnose("D807", example.origin, turns.path, quote=quote(turns.answer, start, len(system)))
