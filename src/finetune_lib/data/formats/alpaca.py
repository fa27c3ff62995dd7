"""Instructions: Alpaca (`instruction`, `input`, `output`), with LLaMA-Factory's `system` and `history`, and Dolly.

Instruction and input are one user turn, joined by a line end as LLaMA-Factory and ms-swift join them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finetune_lib.data.formats.features import joined, refuse
from finetune_lib.data.formats.format import Format, Shape, Sign, has_sides
from finetune_lib.data.formats.messages import history_of, outputs_of
from finetune_lib.data.formats.rows import Translated, chat, label_in, preference, without
from finetune_lib.records import Kind, conversation
from finetune_lib.rows.messages import fields_of, items_of

INPUTS: Final = ("input", "context")
OUTPUTS: Final = ("output", "response", "completion", "answer")


def read(data: Mapping[str, Any]) -> Translated | None:
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


def read_preference(data: Mapping[str, Any]) -> Translated | None:
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


def write(data: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """The row in Alpaca's shape."""
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


def _is_preference(data: Mapping[str, Any]) -> bool:
    return has_sides(data) and isinstance(data.get("instruction"), str)


def _is_alpaca(data: Mapping[str, Any]) -> bool:
    return isinstance(data.get("instruction"), str) and sum(key in data for key in OUTPUTS) == 1


ALPACA: Final = Format(
    "alpaca",
    shapes=(
        Shape("alpaca-preference", read=read_preference, alone=Sign(("chosen",), _is_preference)),
        Shape("alpaca", read=read, alone=Sign(("instruction",), _is_alpaca), judged=True),
    ),
    write=write,
    carries={"placeholder in text"},
)
