"""Alpaca as LLaMA-Factory reads it: `instruction`, `output`, earlier rounds in `history`, and `system`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finetune_lib.data.formats.features import Carries, refuse, refuse_losses
from finetune_lib.data.formats.text import joined
from finetune_lib.records import Kind, conversation
from finetune_lib.rows.messages import fields_of, items_of

CARRIES: Final = Carries(frozenset({"chat", "preference", "completion"}), frozenset({"placeholder in text"}))


def write(data: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """The row in Alpaca's shape."""
    refuse_losses("alpaca", data, kind, CARRIES)
    if kind == "preference":
        sides = [items_of(data["preferred_output"]), items_of(data["non_preferred_output"])]
        refuse("alpaca", ["output of several messages" for side in sides if len(side) != 1])
        rounds = _rounds([*items_of(fields_of(data["input"])["messages"]), *sides[0]])
        chosen, rejected = rounds.pop("output"), joined(sides[1][0].get("content"))
        refuse("alpaca", [] if isinstance(rejected, str) else ["message without text"])
        return {**rounds, "chosen": chosen, "rejected": rejected}
    return _rounds([dict(message) for message in conversation(data)])


def _rounds(messages: list[Any]) -> dict[str, Any]:
    """System text, earlier rounds, and the last question with its answer.

    Raises:
        ValueError: The turns are not questions and answers by turns, or one has no text.
    """
    told = messages[:1] if messages and messages[0]["role"] == "system" else []
    turns = messages[len(told) :]
    texts = [joined(message.get("content")) for message in turns]
    in_turn = all(message["role"] == ("user", "assistant")[i % 2] for i, message in enumerate(turns))
    lost = [] if turns and in_turn and len(turns) % 2 == 0 else ["turns other than questions and answers by turns"]
    lost += ["message without text"] if None in texts else []
    system = [joined(message.get("content")) for message in told]
    refuse("alpaca", lost + ["empty system message" for text in system if not text])
    history = [[texts[i], texts[i + 1]] for i in range(0, len(texts) - 2, 2)]
    row = {"instruction": texts[-2], "input": "", "output": texts[-1]}
    return {**row, **({"system": system[0]} if system else {}), **({"history": history} if history else {})}
