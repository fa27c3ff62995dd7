"""Instructions: Alpaca (`instruction`, `input`, `output`), with LLaMA-Factory's `system` and `history`, and Dolly.

Instruction and input are one user turn, joined by a line end as LLaMA-Factory and ms-swift join them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finetune_lib.data.formats.messages import history_of, outputs_of
from finetune_lib.data.formats.rows import Translated, chat, label_in, preference, without

INPUTS: Final = ("input", "context")
OUTPUTS: Final = ("output", "response", "completion", "answer")


def translate(data: Mapping[str, Any]) -> Translated | None:
    """An instruction row as a chat."""
    output = next((key for key in OUTPUTS if key in data), None)
    history, asked = history_of(data.get("history")), _question(data)
    if output is None or history is None or asked is None:
        return None
    rest = without(data, ["instruction", "history", output, *_inputs(data)])
    category = label_in(rest)
    answer = {"role": "assistant", "content": data[output]}
    row = chat([*history, {"role": "user", "content": asked}, answer], rest)
    last = len(row["messages"]) - 1
    moves = {f"/messages/{last - 1}/content": "/instruction", f"/messages/{last}/content": f"/{output}"}
    return Translated(row, {**({"/messages/0/content": "/system"} if data.get("system") else {}), **moves}, category)


def translate_preference(data: Mapping[str, Any]) -> Translated | None:
    """An instruction row with `chosen` and `rejected` as a preference."""
    history, asked = history_of(data.get("history")), _question(data)
    sides = outputs_of(data.get("chosen")), outputs_of(data.get("rejected"))
    if history is None or asked is None or not all(sides):
        return None
    rest = without(data, ["instruction", "history", "chosen", "rejected", *_inputs(data)])
    return Translated(preference([*history, {"role": "user", "content": asked}], sides, rest))


def _inputs(data: Mapping[str, Any]) -> list[str]:
    return [key for key in INPUTS if key in data]


def _question(data: Mapping[str, Any]) -> str | None:
    """Instruction and input together; None where one of them is no text."""
    texts = [text for key in ("instruction", *_inputs(data)) if (text := data.get(key)) not in (None, "")]
    return "\n".join(texts) if all(isinstance(text, str) for text in texts) else None
