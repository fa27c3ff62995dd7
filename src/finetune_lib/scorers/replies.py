"""What graders that are models say, read; and what they are shown beside text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, cast

from finetune_lib.asking import Reply
from finetune_lib.records import Case

START = re.compile(r"\{")
MOST_STARTS = 50  # an answer of brackets alone must not take long


def object_in(text: str) -> Mapping[str, Any] | None:
    """The last outermost JSON object in a text; None where there is none."""
    return next(iter(reversed(list(_objects(text)))), None)


def _objects(text: str) -> Iterator[Mapping[str, Any]]:
    decoder, end = json.JSONDecoder(), 0
    for found in islice(START.finditer(text), MOST_STARTS):
        if found.start() >= end:
            try:
                value, end = decoder.raw_decode(text, found.start())
            except (ValueError, RecursionError):
                continue
            yield cast("Mapping[str, Any]", value)


def ended_early(reply: Reply) -> str | None:
    """Why a reply is cut off; None where it is whole."""
    if reply.finish_reason in {"length", "content_filter"}:
        return f"the grader's answer ended early (finish_reason {reply.finish_reason})"
    return None


def with_pictures(text: str, case: Case) -> str | list[Any]:
    """What of the question is no text, as pictures, goes along as it is."""
    contents = (message.content for message in case.messages if isinstance(message.content, list))
    others = [part for content in contents for part in content if part.get("type") != "text"]
    return [{"type": "text", "text": text}, *others] if others else text
