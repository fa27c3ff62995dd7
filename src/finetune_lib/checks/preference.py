"""The shape of preference rows (DPO): a conversation, the preferred answer and the other one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from finetune_lib.checks.rules import Rules
from finetune_lib.checks.structure import check_messages
from finetune_lib.diagnostics import Diagnostic, diagnose, name_of
from finetune_lib.records import Example

SIDES = ("preferred_output", "non_preferred_output")


def check(example: Example, rules: Rules) -> Iterator[Diagnostic]:  # noqa: ARG001 - the checks share one shape
    """Every finding about one preference row."""
    given = example.data.get("input")
    if isinstance(given, dict):
        messages = cast("Mapping[str, Any]", given).get("messages")
        yield from check_messages(messages, "/input/messages", example.origin)
    else:
        yield diagnose("S304", example.origin, "/input", field="input.messages", what=name_of(given))
    for side in SIDES:
        yield from _side(example, side)


def _side(example: Example, side: str) -> Iterator[Diagnostic]:
    output = example.data.get(side)
    messages = cast("list[Any]", output) if isinstance(output, list) else []
    if len(messages) != 1:
        yield diagnose("P602", example.origin, f"/{side}", field=side)
        return
    yield from check_messages(messages, f"/{side}", example.origin)
    if isinstance(messages[0], dict) and cast("dict[str, Any]", messages[0]).get("role") != "assistant":
        yield diagnose("P602", example.origin, f"/{side}/0/role", field=side)
