"""A chat of OpenAI's whose turns say by another project's field whether they are learned; read as its `weight`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finetune_lib.data.formats.format import Format, Shape, Sign
from finetune_lib.data.formats.messages import masked
from finetune_lib.data.formats.rows import Translated, chat, without


def read(data: Mapping[str, Any]) -> Translated:
    """The chat with weights."""
    return Translated(chat(data["messages"], without(data, ["messages"])))


def _has_masks(data: Mapping[str, Any]) -> bool:
    return any(map(masked, data["messages"]))


MASKS: Final = Format("loss-masks", shapes=(Shape("loss-masks", read=read, within=Sign((), _has_masks)),))
