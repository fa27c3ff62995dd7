"""OpenAI Evals (`input`, `ideal`), and its few-shot files (`sample`).

Of several ideal answers the first becomes the assistant's turn; the list stays beside it, as none may be lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finetune_lib.data.formats.format import Format, Shape, Sign, is_talk
from finetune_lib.data.formats.messages import message_of_turn
from finetune_lib.data.formats.rows import Translated, chat, without
from finetune_lib.rows.messages import is_list, items_of

KEYS: Final = frozenset({"input", "sample", "id", "metadata"})


def read(data: Mapping[str, Any]) -> Translated | None:
    """A case of an eval as a chat that ends with its ideal answer."""
    asked = data["sample"] if "sample" in data else data["input"]
    turns = [{"role": "user", "content": asked}] if isinstance(asked, str) else items_of(asked)
    if not turns or not all(isinstance(turn, dict) for turn in turns):
        return None
    ideal = data.get("ideal")
    answers = ideal if is_list(ideal) else [ideal]
    told = [{"role": "assistant", "content": answers[0]}] if "ideal" in data and answers else []
    rest = without(data, ["sample", "input", *([] if len(answers) > 1 else ["ideal"])])
    row = chat([*map(message_of_turn, turns), *told], rest)
    moves = {"/messages/0/content": "/input"} if isinstance(asked, str) and not data.get("system") else {}
    last = {f"/messages/{len(row['messages']) - 1}/content": "/ideal"} if told else {}
    return Translated(row, {**moves, **last})


def _is_evals(data: Mapping[str, Any]) -> bool:
    asked = data.get("input", data.get("sample"))
    return is_talk(asked) if data.keys() <= KEYS else "ideal" in data and (is_talk(asked) or isinstance(asked, str))


CASE: Final = Shape("openai-evals", read=read, alone=Sign(("ideal", "input", "sample"), _is_evals))
EVALS: Final = Format("openai-evals", shapes=(CASE,))
