"""The order of a conversation whose messages are sound by themselves: turns, the system's place, and the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.records import Origin
from finetune_lib.rows.messages import INSTRUCTIONS, RESULTS, calls_of, is_silent

Messages = Sequence[Mapping[str, Any]]


def check_order(messages: Messages, path: str, origin: Origin, rules: Rules) -> Iterator[Diagnostic]:
    """Turns of one role in a row, a late system message, and an assistant that speaks first."""
    roles = [message["role"] for message in messages]
    begun = next((place for place, role in enumerate(roles) if role not in INSTRUCTIONS), len(roles))
    for place in range(1, len(roles)):
        where = f"{path}/{place}/role"
        if roles[place] in INSTRUCTIONS and place > begun:
            yield diagnose("C405", origin, where, role=roles[place])
        elif roles[place] == roles[place - 1] and not _goes_on(messages[place - 1]):
            severity = "error" if roles[place] in rules.profile.refused_repeats else None
            yield diagnose("C404", origin, where, role=roles[place], severity=severity)
    if roles[begun : begun + 1] == ["assistant"] and "user" in roles:
        yield diagnose("C403", origin, f"{path}/{begun}/role")


def _goes_on(message: Mapping[str, Any]) -> bool:
    """Whether a turn may well be followed by one of the same role: results of parallel calls, and calls."""
    return message["role"] in RESULTS or bool(calls_of(message))


def check_ending(messages: Messages, path: str, origin: Origin, rules: Rules) -> Iterator[Diagnostic]:
    """Whether there is something to learn, and whether the last message suits the method."""
    last, place = messages[-1]["role"], f"{path}/{len(messages) - 1}/role"
    if rules.method == "reinforcement":
        if last != "user":
            yield diagnose("P606", origin, place, role=last)
        return
    answers = [message for message in messages if message["role"] == "assistant"]
    if not answers:
        yield diagnose("C401", origin, path)
    elif all(is_silent(message) for message in answers):
        yield diagnose("C407", origin, path)
    elif last in RESULTS:
        yield diagnose("C409", origin, place, role=last)
    elif last != "assistant":
        yield diagnose("C402", origin, place, role=last)
    if not any(message["role"] == "user" for message in messages):
        yield diagnose("C408", origin, path)
