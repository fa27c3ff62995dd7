"""Calls and their results: each call is answered before the conversation goes on, and each result names its call.

An example may end in calls: then they are what is learned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.records import Origin
from finetune_lib.rows.messages import fields_of, items_of


def check_pairs(messages: Sequence[Mapping[str, Any]], path: str, origin: Origin) -> Iterator[Diagnostic]:
    """Calls without a result, results without a call, and ids that stand twice."""
    waiting, seen = dict[str, str](), set[str]()
    for place, message in enumerate(messages):
        if message.get("role") == "tool":
            yield from _result(message, f"{path}/{place}/tool_call_id", origin, waiting)
            continue
        yield from _unanswered(waiting, origin)
        waiting = dict[str, str]()
        for where, id in _ids(message, f"{path}/{place}/tool_calls"):
            if id in seen:
                severity = None if id in waiting else "warning"
                yield diagnose("F508", origin, f"{where}/id", id=id, severity=severity)
            seen.add(id)
            waiting[id] = where
    if messages and messages[-1].get("role") == "tool":
        yield from _unanswered(waiting, origin)


def _result(message: Mapping[str, Any], path: str, origin: Origin, waiting: dict[str, str]) -> Iterator[Diagnostic]:
    id = message.get("tool_call_id")
    if isinstance(id, str) and id in waiting:
        del waiting[id]
        return
    yield diagnose("F506", origin, path, id="" if id is None else str(id))
    if waiting:  # most likely meant as the answer to the first call: that is no second finding
        del waiting[next(iter(waiting))]


def _unanswered(waiting: Mapping[str, str], origin: Origin) -> Iterator[Diagnostic]:
    for id, where in waiting.items():
        yield diagnose("F505", origin, where, id=id)


def _ids(message: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for index, call in enumerate(items_of(message.get("tool_calls"))):
        if isinstance(id := fields_of(call).get("id"), str):
            yield f"{path}/{index}", id
