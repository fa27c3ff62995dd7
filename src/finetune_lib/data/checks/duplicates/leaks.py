"""Answers that repeat what they were asked, or give away their instructions."""

from __future__ import annotations

from finetune_lib.data.diagnostics import Diagnostic, diagnose, quote
from finetune_lib.rows.exchange import Turns
from finetune_lib.rows.facts import Facts

SHORTEST_QUESTION = 8  # shorter ones begin an answer by chance: 你好 → 你好！
SHORTEST_SYSTEM = 20
OPENING = " \t\n\"'“‘「『《>*"


def check(facts: Facts) -> list[Diagnostic]:
    """An answer that begins with the whole question (D806), or that holds the whole system message (D807)."""
    turns = facts.turns
    found: list[Diagnostic] = []
    if turns is None:
        return found
    question, system = turns.question.strip(), turns.system.strip()
    if len(question) >= SHORTEST_QUESTION and turns.answer.lstrip(OPENING).startswith(question):
        start = turns.answer.index(question)
        found.append(_repeated("D806", facts, turns, start, len(question)))
    if len(system) >= SHORTEST_SYSTEM and system in turns.answer:
        start = turns.answer.index(system)
        found.append(_repeated("D807", facts, turns, start, len(system)))
    return found


def _repeated(code: str, facts: Facts, turns: Turns, start: int, size: int) -> Diagnostic:
    return diagnose(code, facts.example.origin, turns.path, quote=quote(turns.answer, start, size))
