"""OpenAI's own rows, and its preferences by the names that its API description had before its guide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finetune_lib.data.formats.format import Format, Shape, Sign, has_sides
from finetune_lib.data.formats.rows import Translated
from finetune_lib.records import Kind

OLD_SIDES: Final = {"preferred_completion": "preferred_output", "non_preferred_completion": "non_preferred_output"}


def is_own(data: Mapping[str, Any]) -> bool:
    """Whether a row without `messages` is a pair of texts, or a preference in OpenAI's shape, complete or not."""
    if "prompt" in data and type(data.get("completion")) is str and type(data["prompt"]) is str:
        return True
    asked = data.get("input")
    asks = isinstance(asked, dict) and "messages" in asked and has_sides(data)  # its sides are misnamed: P603
    return asks or "preferred_output" in data or "non_preferred_output" in data


def _old(data: Mapping[str, Any]) -> Translated:
    return Translated({OLD_SIDES.get(key, key): value for key, value in data.items()})


def _write(data: Mapping[str, Any], _: Kind) -> dict[str, Any]:
    return dict(data)


OLD: Final = Shape(
    "openai-old-preference", read=_old, alone=Sign((*OLD_SIDES,), lambda data: data.keys() >= OLD_SIDES.keys())
)
OPENAI: Final = Format("openai", shapes=(OLD,), write=_write)
