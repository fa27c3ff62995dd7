"""Tool calls: their shape, and arguments that are JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from finetune_lib.diagnostics import Diagnostic, diagnose
from finetune_lib.records import Origin


def check_calls(message: Mapping[str, Any], path: str, origin: Origin) -> Iterator[Diagnostic]:
    """Every finding about the tool calls of one message."""
    calls = message.get("tool_calls")
    if calls is None:
        return
    if not isinstance(calls, list):
        yield diagnose("F512", origin, path)
        return
    for index, call in enumerate(cast("list[object]", calls)):
        yield from _call(call, f"{path}/{index}", origin)


def _call(call: object, path: str, origin: Origin) -> Iterator[Diagnostic]:
    fields = cast("dict[str, Any]", call) if isinstance(call, dict) else {}
    function = fields.get("function")
    inner = cast("dict[str, Any]", function) if isinstance(function, dict) else {}
    if not all(isinstance(value, str) for value in (fields.get("id"), inner.get("name"), inner.get("arguments"))):
        yield diagnose("F512", origin, path)
    elif not _is_object(inner["arguments"]):
        yield diagnose("F502", origin, f"{path}/function/arguments")


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
