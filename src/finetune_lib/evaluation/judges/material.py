"""What models that judge or grade are shown beside their instructions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from finetune_lib.records import Case

# Written so, they read the same as JSON, and no text can end the material or look like a mark of the chat itself.
DISARMED = {"</": r"<\/", "<|": r"\u003c|"}


def material(shown: Mapping[str, Any]) -> str:
    """Texts that are to be judged and not obeyed, as JSON between two tags."""
    text = json.dumps(shown, ensure_ascii=False, default=str).encode("utf-8", "replace").decode()
    for mark, disarmed in DISARMED.items():
        text = text.replace(mark, disarmed)
    return f"<material>\n{text}\n</material>"


def with_pictures(text: str, case: Case) -> str | list[Any]:
    """What of the question is no text, as pictures, goes along as it is."""
    contents = (message.content for message in case.messages if isinstance(message.content, list))
    others = [part for content in contents for part in content if part.get("type") != "text"]
    return [{"type": "text", "text": text}, *others] if others else text
