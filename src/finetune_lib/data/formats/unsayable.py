"""Known shapes that no format of OpenAI's can say: plain text, and a single answer with a verdict (KTO)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finetune_lib.data.formats.format import LABELS, Format, Shape, is_answered, is_judged, is_text, sign

TEXT_BESIDE: Final = frozenset(["text", "id", "meta", "metadata", "source", "url", "timestamp"])


def _is_plain_text(data: Mapping[str, Any]) -> bool:
    return is_text(data.get("text")) and data.keys() <= TEXT_BESIDE


def _is_verdict(data: Mapping[str, Any]) -> bool:
    return is_answered(data) and is_judged(data)


TEXT: Final = Format(name="text", shapes=(Shape(name="text", read=None, alone=sign("text", holds=_is_plain_text)),))
KTO: Final = Format(name="kto", shapes=(Shape(name="kto", read=None, beside=sign(*LABELS, holds=_is_verdict)),))
