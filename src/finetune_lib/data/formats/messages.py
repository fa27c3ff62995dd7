"""One turn of a foreign conversation as a message of OpenAI's; what cannot be mapped stays for the checks to name.

Roles and keys as LLaMA-Factory (data/README.md), FastChat, Axolotl (`train`), ms-swift (`loss`), Cohere and
mistral-finetune document them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finetune_lib.data.formats.tools import calls_in
from finetune_lib.rows.messages import is_object, items_of

ROLES: Final = {
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bot", "chatbot", "model", "ai", "bing", "bard"), "assistant"),
    **dict.fromkeys(("tool", "observation", "function_response", "tool_response"), "tool"),
    **dict.fromkeys(("function_call", "tool_call", "function-call"), "function_call"),
    "system": "system",
    "developer": "developer",
}
ROLE_KEYS: Final = ("role", "from")
CONTENT_KEYS: Final = ("content", "value", "message", "text")
MASKS: Final = ("loss_weight", "train", "loss")
SPEAKERS: Final = {"system": "system", **dict.fromkeys(("user", "human"), "user")} | dict.fromkeys(
    ("assistant", "gpt", "bot"), "assistant"
)


def messages_of_turn(turn: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The messages that one entry of a conversation stands for: one, or the two of a pair."""
    if any(key in turn for key in ROLE_KEYS):
        return [message_of_turn(turn)]
    if {"input", "output"} <= turn.keys() <= {"system", "input", "output"}:  # XTuner
        turn = {"system": turn.get("system"), "user": turn["input"], "assistant": turn["output"]}
    if turn and turn.keys() <= SPEAKERS.keys():  # ms-swift and Firefly
        return [
            {"role": SPEAKERS[key], "content": text} for key, text in turn.items() if text or SPEAKERS[key] != "system"
        ]
    return [message_of_turn(turn)]


def message_of_turn(turn: Mapping[str, Any]) -> dict[str, Any]:
    """One turn with a role and a text under whatever names, further fields kept."""
    rest = dict(turn)
    role = _taken(rest, ROLE_KEYS)
    content = _taken(rest, CONTENT_KEYS)
    message = {**role_field(role), **({"content": content[0]} if content else {})}
    if message.get("role") == "function_call":
        message = _calling(message)
    return weighted({**message, **rest})


def role_field(role: list[Any]) -> dict[str, Any]:
    """The role by its OpenAI name where it has one, else as it was."""
    return {"role": ROLES.get(str(role[0]).casefold(), role[0])} if role else {}


def _taken(fields: dict[str, Any], names: tuple[str, ...]) -> list[Any]:
    """The value of the first name that is there, taken out; empty where none is."""
    name = next((name for name in names if name in fields), None)
    return [fields.pop(name)] if name else []


def _calling(message: dict[str, Any]) -> dict[str, Any]:
    """A call written as text; it stays text, under its foreign role, where it says no call."""
    calls = calls_in(message.get("content"))
    return {"role": "assistant", "content": None, "tool_calls": calls} if calls else message


def weighted(message: Mapping[str, Any]) -> dict[str, Any]:
    """`loss_weight` (LLaMA-Factory), `train` (Axolotl) and `loss` (ms-swift) as OpenAI's `weight`.

    What OpenAI does anyway needs no field: an assistant turn counts once, another turn never. A share between
    0 and 1, or a user turn that is to be learned, has no place in OpenAI's format and stays as it was.
    """
    given = [key for key in ("weight", *MASKS) if key in message]
    if not given:
        return dict(message)
    spoken = message.get("role") == "assistant"
    kept = {key: value for key, value in message.items() if key not in given or not _is_default(value, spoken)}
    silent = [key for key in given if key in kept and spoken and kept[key] in (0, False)]
    return {**{key: value for key, value in kept.items() if key not in silent}, **({"weight": 0} if silent else {})}


def _is_default(value: object, spoken: bool) -> bool:
    return value is None or (isinstance(value, (int, float)) and value == int(spoken))


def masked(message: Any) -> bool:
    """Whether a message has a mask of another project that says something to OpenAI, too."""
    masks = [key for key in MASKS if key in message] if is_object(message) else []
    return bool(masks) and not all(map(weighted(message).__contains__, masks))


def outputs_of(value: object) -> list[Any]:
    """One side of a preference as assistant messages: from a text, one turn, or several."""
    if isinstance(value, str):
        return [{"role": "assistant", "content": value}]
    if is_object(value):
        return [message_of_turn(value)]
    return [message_of_turn(turn) if is_object(turn) else turn for turn in items_of(value)]


def history_of(value: object) -> list[dict[str, Any]] | None:
    """Earlier turns from pairs of texts or from turns with roles; None where they are neither."""
    if value in (None, "", []):
        return []
    rounds = items_of(value)
    if not rounds or not all(isinstance(turn, Mapping) or _is_round(turn) for turn in rounds):
        return None
    return [message for turn in rounds for message in _round(turn)]


def _is_round(turn: object) -> bool:
    texts = items_of(turn)
    return len(texts) == 2 and all(isinstance(text, str) for text in texts)


def _round(turn: Any) -> list[dict[str, Any]]:
    if is_object(turn):
        return messages_of_turn(turn)
    return [{"role": "user", "content": turn[0]}, {"role": "assistant", "content": turn[1]}]
