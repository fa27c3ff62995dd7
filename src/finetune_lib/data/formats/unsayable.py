"""Known shapes that no format of OpenAI's can say: plain text, and a single answer with a verdict (KTO)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finetune_lib.data.formats.format import LABELS, Format, Shape, Sign, is_answered, is_judged

TEXT_BESIDE: Final = frozenset(["text", "id", "meta", "metadata", "source", "url", "timestamp"])


def _is_plain_text(data: Mapping[str, Any]) -> bool:
    return isinstance(data.get("text"), str) and data.keys() <= TEXT_BESIDE


def _is_verdict(data: Mapping[str, Any]) -> bool:
    return is_answered(data) and is_judged(data)


TEXT: Final = Format("text", shapes=(Shape("text", read=None, alone=Sign(("text",), _is_plain_text)),))
KTO: Final = Format("kto", shapes=(Shape("kto", read=None, beside=Sign(LABELS, _is_verdict)),))
