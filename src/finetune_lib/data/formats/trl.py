"""Hugging Face TRL's conversational shapes, and preferences in texts (`prompt`, `chosen`, `rejected`).

TRL learns from a completion alone, so an assistant turn in its prompt gets OpenAI's weight 0. Where a
preference has no prompt of its own, what its two sides share from the start is the prompt
(huggingface.co/docs/trl/dataset_formats).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

from finetune_lib.data.formats.messages import history_of, message_of_turn, outputs_of
from finetune_lib.data.formats.rows import Message, Translated, chat, preference, split_prompt, without
from finetune_lib.rows.messages import fields_of, items_of

SIDES: Final = (("chosen", "rejected"), ("chosen_response", "rejected_response"), ("preferred", "non_preferred"))
PROMPTS: Final = ("prompt", "question", "query", "input")
HH_TURN: Final = re.compile(r"\n\n(Human|Assistant): ?")


def is_talk(value: object) -> bool:
    """Whether a value is a list of turns with roles."""
    turns = items_of(value)
    return bool(turns) and all(isinstance(turn, dict) and ("role" in turn or "from" in turn) for turn in turns)


def sides_of(data: Mapping[str, Any]) -> tuple[str, str] | None:
    """The names of a preference's two sides."""
    return next((names for names in SIDES if names[0] in data and names[1] in data), None)


def prompt_key(data: Mapping[str, Any]) -> str | None:
    """The one field that holds a preference's prompt."""
    found = [key for key in PROMPTS if key in data]
    return found[0] if len(found) == 1 else None


def translate_completion(data: Mapping[str, Any]) -> Translated | None:
    """A prompt of messages, with or without a completion, as a chat."""
    prompt = _messages(data.get("prompt"))
    answer = outputs_of(data.get("completion"))
    if answer:
        prompt = [{**m, "weight": 0} if m.get("role") == "assistant" else m for m in prompt]
    return Translated(chat([*prompt, *answer], without(data, ["prompt", "completion"])))


def translate_preference(data: Mapping[str, Any]) -> Translated | None:
    """A preference of messages or texts, its prompt given or shared by both sides."""
    names = sides_of(data)
    if names is None:
        return None
    chosen, rejected = (outputs_of(data[name]) for name in names)
    key = prompt_key(data)
    rest = without(data, [*names, "history", *([key] if key else [])])
    prompt = history_of(data.get("history"))
    if not chosen or not rejected or prompt is None:
        return None
    shared = split_prompt(chosen, rejected)
    prompt += _asked(data[key]) if key and not _repeats(data[key], chosen[:shared]) else []
    sides = chosen[shared:], rejected[shared:]
    row = preference([*prompt, *chosen[:shared]], sides, without(rest, _repeated(data, chosen)))
    texts = {"/preferred_output/0/content": names[0], "/non_preferred_output/0/content": names[1]}
    moves = {new: f"/{old}" for new, old in texts.items() if isinstance(data[old], str)}
    asked = {f"/input/messages/{len(row['input']['messages']) - 1}/content": f"/{key}"} if key else {}
    return Translated(row, {**moves, **asked})


def translate_hh(data: Mapping[str, Any]) -> Translated | None:
    """Anthropic's hh-rlhf: two texts of the same dialogue, told apart by its last answer."""
    chosen, rejected = (_hh_turns(str(data[side])) for side in ("chosen", "rejected"))
    shared = split_prompt(chosen, rejected)
    sides = chosen[shared:], rejected[shared:]
    return Translated(preference(chosen[:shared], sides, without(data, ["chosen", "rejected"])))


def _hh_turns(text: str) -> list[Message]:
    """The turns of a dialogue; the speaker's mark before each is not part of its text."""
    _, *found = HH_TURN.split(text)
    roles = {"Human": "user", "Assistant": "assistant"}
    return [{"role": roles[speaker], "content": said} for speaker, said in zip(found[::2], found[1::2], strict=True)]


def _asked(prompt: object) -> list[Message]:
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else _messages(prompt)


def _messages(turns: object) -> list[Message]:
    return [message_of_turn(cast("dict[str, Any]", turn)) for turn in items_of(turns)]


def _repeats(prompt: object, shared: list[Any]) -> bool:
    """Whether a prompt only says again what both sides start with, as UltraFeedback has it."""
    asked = _asked(prompt)
    return bool(shared) and [m for m in shared if fields_of(m).get("role") != "system"][: len(asked)] == asked


def _repeated(data: Mapping[str, Any], chosen: list[Any]) -> list[str]:
    """`messages` beside a preference only says the preferred conversation again, as UltraFeedback has it."""
    return ["messages"] if data.get("messages") == chosen else []
