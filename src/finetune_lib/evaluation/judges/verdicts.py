"""The form of a model's verdict, and how it is read out of what the model says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from finetune_lib.evaluation.judges.judge import LEVELS, Level, Verdict
from finetune_lib.evaluation.judges.protocol import form, objects_in, reason_in
from finetune_lib.platforms.asking import Reply, UnreadableAnswerError

# The reason comes first: a level that is written first would only be defended by it.
FORM = form({"reason": {"type": "string"}, "level": {"type": "string", "enum": list(LEVELS)}})
LONGEST_QUOTE = 200
AROUND = re.compile(r"[\s\-]+")


def verdict_in(reply: Reply) -> Verdict:
    """The verdict in a reply: JSON, alone or among words, or a level and nothing else.

    Raises:
        UnreadableAnswerError: There is none, or there are two that differ.
    """
    if level := level_named(reply.text.strip().strip("\"'`*.")):
        return Verdict(level)
    found = [verdict for value in objects_in(reply.text) if (verdict := _verdict(value))]
    if len({verdict.level for verdict in found}) == 1:
        return found[-1]
    raise UnreadableAnswerError(_problem(reply, len(found)))


def level_named(text: object) -> Level | None:
    """The level of that name, whatever its case, with spaces or hyphens too; None for anything else."""
    name = AROUND.sub("_", text.strip().lower()) if isinstance(text, str) and len(text) < LONGEST_QUOTE else ""
    return next((level for level in LEVELS if level == name), None)


def _verdict(value: Mapping[str, Any]) -> Verdict | None:
    level = level_named(value.get("level"))
    return Verdict(level, reason_in(value)) if level else None


def _problem(reply: Reply, found: int) -> str:
    if found:
        return "the judge's answer holds verdicts that differ from each other"
    if reply.finish_reason in {"length", "content_filter"}:
        return f"the judge's answer ended early (finish_reason {reply.finish_reason}), without a verdict"
    quote = reply.text[:LONGEST_QUOTE]
    return f"the judge's answer holds no verdict: {quote!r}" if quote.strip() else "the judge's answer is empty"
