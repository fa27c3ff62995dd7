"""Rows of prompt and completion, and rows of text alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from finetune_lib.data.checks.form.contents import check_content
from finetune_lib.data.checks.form.structure import check_keys, check_messages
from finetune_lib.data.checks.form.texts import text_findings
from finetune_lib.data.checks.rules import PAIR_KEYS, Rules
from finetune_lib.data.diagnostics import Diagnostic, Severity, diagnose
from finetune_lib.records import Example

SEVERITIES: dict[str, Severity] = {"prompt": "warning", "completion": "error"}
SPEAKERS = {"prompt": "user", "completion": "assistant"}


def check(example: Example, rules: Rules) -> Iterator[Diagnostic]:
    """Every finding about one pair."""
    yield from check_keys(example.data, PAIR_KEYS, "", example.origin, extra=rules.extra_keys)
    for name, severity in SEVERITIES.items():
        value = example.data.get(name)
        if isinstance(value, str):
            yield from text_findings(value, f"/{name}", example.origin, role=name, empty=severity)
        elif isinstance(value, list) and value:
            yield from _listed(cast("list[Any]", value), name, example, rules)
        else:
            yield diagnose("S316", example.origin, f"/{name}", field=name)


def _listed(value: list[Any], name: str, example: Example, rules: Rules) -> Iterator[Diagnostic]:
    """A side that is a list: messages, as TRL has them, or content parts."""
    if rules.target == "trl" and isinstance(value[0], dict) and "role" in value[0]:
        yield from check_messages(value, f"/{name}", example.origin, rules)
    else:
        message = {"role": SPEAKERS[name], "content": value}
        yield from check_content(message, f"/{name}", example.origin, rules)


def check_text(example: Example, rules: Rules) -> Iterator[Diagnostic]:
    """Every finding about one row of text alone."""
    yield from check_keys(example.data, {"text"}, "", example.origin, extra=rules.extra_keys)
    yield from text_findings(example.data["text"], "/text", example.origin, role="text", empty="error")
