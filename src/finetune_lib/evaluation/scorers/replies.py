"""What graders that are models say, read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from finetune_lib.platforms.asking import Reply
from finetune_lib.texts.json_values import json_values


def object_in(text: str) -> Mapping[str, Any] | None:
    """The last outermost JSON object in a text; None where there is none."""
    return next(iter(reversed(list(json_values(text, brackets="{")))), None)


def ended_early(reply: Reply) -> str | None:
    """Why a reply is cut off; None where it is whole."""
    if reply.finish_reason in {"length", "content_filter"}:
        return f"the grader's answer ended early (finish_reason {reply.finish_reason})"
    return None
