"""The content of a message: text, or parts of the kinds that its role may have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from finetune_lib.data.checks.form.images import check_image
from finetune_lib.data.checks.form.texts import text_findings
from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic, Severity, diagnose, name_of
from finetune_lib.records import Origin
from finetune_lib.rows.messages import RESULTS, fields_of

# Source: OpenAI's OpenAPI document f85dbe2, ChatCompletionRequest…MessageContentPart.
PART_TYPES = frozenset({"text", "image_url", "input_audio", "file", "refusal"})
USER_PARTS = frozenset({"text", "image_url", "input_audio", "file"})
OTHER_PARTS = {"assistant": frozenset({"text", "refusal"}), "user": USER_PARTS}
TEXT_ALONE = frozenset({"text"})
UNTYPED = "an object without one"
SPOKEN = ("tool_calls", "function_call", "refusal", "audio")


def check_content(message: Mapping[str, Any], path: str, origin: Origin, rules: Rules) -> Iterator[Diagnostic]:
    """Every finding about the content of one message; `path` is that of the content."""
    content, role = message.get("content"), str(message.get("role"))
    if isinstance(content, str):
        yield from text_findings(content, path, origin, role=role, empty=_empty_severity(message))
    elif content is None:
        if not speaks_otherwise(message) and role != "function":
            yield diagnose("S312", origin, path, role=role)
    elif isinstance(content, list):
        if not content:
            yield from text_findings("", path, origin, role=role, empty=_empty_severity(message))
        yield from _parts(cast("list[object]", content), path, origin, role, rules)
    else:
        whole_number = isinstance(content, int) and not isinstance(content, bool)
        yield diagnose("S311", origin, path, what=name_of(content), mendable=whole_number)


def speaks_otherwise(message: Mapping[str, Any]) -> bool:
    """An assistant turn may be a call or a refusal instead of content."""
    return message.get("role") == "assistant" and any(message.get(key) for key in SPOKEN)


def _empty_severity(message: Mapping[str, Any]) -> Severity | None:
    """An empty answer teaches silence; an empty question is odd; an empty tool result is ordinary."""
    if message.get("role") == "assistant":
        return None if speaks_otherwise(message) else "error"
    return None if message.get("role") in RESULTS else "warning"


def _parts(parts: Sequence[object], path: str, origin: Origin, role: str, rules: Rules) -> Iterator[Diagnostic]:
    for index, part in enumerate(parts):
        place = f"{path}/{index}"
        fields = fields_of(part)
        if not isinstance(fields.get("type"), str):
            yield diagnose("S314", origin, place, what=UNTYPED if fields else name_of(part))
        else:
            yield from _part(fields, place, origin, role, rules)


def _part(part: Mapping[str, Any], path: str, origin: Origin, role: str, rules: Rules) -> Iterator[Diagnostic]:
    kind = part["type"]
    if kind not in PART_TYPES:
        yield diagnose("S321", origin, f"{path}/type", kind=kind)
    elif kind not in OTHER_PARTS.get(role, TEXT_ALONE) and role in rules.profile.roles:
        yield diagnose("S320", origin, f"{path}/type", kind=kind, role=role)
    elif kind == "image_url":
        yield from check_image(part, path, origin, rules)
    text = part.get("text")
    if isinstance(text, str):
        yield from text_findings(text, f"{path}/text", origin, role="part", empty=None)
    elif kind == "text":
        yield diagnose("S316", origin, f"{path}/text", field="text")
