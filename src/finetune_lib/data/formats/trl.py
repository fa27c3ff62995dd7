"""Hugging Face TRL's conversational shapes, and preferences in texts (`prompt`, `chosen`, `rejected`).

TRL learns from a completion alone, so an assistant turn in its prompt gets OpenAI's weight 0. Where a
preference has no prompt of its own, what its two sides share from the start is the prompt
(huggingface.co/docs/trl/dataset_formats).

Arguments are objects and pictures a list of their own. TRL has no
weight a message, but it learns from a completion alone: weights of 0 before the first learned turn, and only
assistant turns from there on, say the same as a prompt and a completion. A row that asks and leaves the answer
to be graded becomes a prompt, its further fields the columns that reward functions get.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

from finetune_lib.data.formats.features import joined, pictures, refuse
from finetune_lib.data.formats.format import Format, Shape, Sign, has_sides, is_talk
from finetune_lib.data.formats.images import url_of
from finetune_lib.data.formats.messages import history_of, message_of_turn, outputs_of
from finetune_lib.data.formats.rows import Message, Translated, chat, preference, split_prompt, without
from finetune_lib.data.formats.tools import arguments_as_objects
from finetune_lib.records import Kind
from finetune_lib.rows.messages import OUTPUTS, fields_of, is_list, is_silent, items_of

SIDES: Final = (("chosen", "rejected"), ("chosen_response", "rejected_response"), ("preferred", "non_preferred"))
PROMPTS: Final = ("prompt", "question", "query", "input")
HH_TURN: Final = re.compile(r"\n\n(Human|Assistant): ?")
RESERVED: Final = frozenset(
    {"chosen", "rejected", "images", "image", "system", "system_prompt", "history", "choices", "videos", "audios"}
    | {"rejected_response", "rejected_messages"}
)


def sides_of(data: Mapping[str, Any]) -> tuple[str, str] | None:
    """The names of a preference's two sides."""
    return next((names for names in SIDES if names[0] in data and names[1] in data), None)


def prompt_key(data: Mapping[str, Any]) -> str | None:
    """The one field that holds a preference's prompt."""
    found = [key for key in PROMPTS if key in data]
    return found[0] if len(found) == 1 else None


def read(data: Mapping[str, Any]) -> Translated | None:
    """A prompt of messages, with or without a completion, as a chat."""
    prompt = _turns(data.get("prompt"))
    answer = outputs_of(data.get("completion"))
    if answer:
        prompt = [{**m, "weight": 0} if m.get("role") == "assistant" else m for m in prompt]
    return Translated(chat([*prompt, *answer], without(data, ["prompt", "completion"])))


def read_preference(data: Mapping[str, Any]) -> Translated | None:
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
    if data.get("messages") == chosen:  # only the preferred conversation again, as UltraFeedback has it
        rest = without(rest, ["messages"])
    row = preference([*prompt, *chosen[:shared]], sides, rest)
    texts = {"/preferred_output/0/content": names[0], "/non_preferred_output/0/content": names[1]}
    moves = {new: f"/{old}" for new, old in texts.items() if isinstance(data[old], str)}
    asked = {f"/input/messages/{len(row['input']['messages']) - 1}/content": f"/{key}"} if key else {}
    return Translated(row, {**moves, **asked})


def read_hh(data: Mapping[str, Any]) -> Translated | None:
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
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else _turns(prompt)


def _turns(turns: object) -> list[Message]:
    return [message_of_turn(cast("dict[str, Any]", turn)) for turn in items_of(turns)]


def _repeats(prompt: object, shared: list[Any]) -> bool:
    """Whether a prompt only says again what both sides start with, as UltraFeedback has it."""
    asked = _asked(prompt)
    return bool(shared) and [m for m in shared if fields_of(m).get("role") != "system"][: len(asked)] == asked


def write(data: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """The row in TRL's shape."""
    refuse("trl", [f"other field (/{key}), a name that TRL uses itself" for key in sorted(RESERVED.intersection(data))])
    if kind == "completion":
        return dict(data)
    refuse("trl", [f"other field (/{key})" for key in ("prompt", "completion") if key in data])
    row = arguments_as_objects(data)
    return _preference(row) if kind == "preference" else _chat(row)


def _preference(row: Mapping[str, Any]) -> dict[str, Any]:
    inner = fields_of(row["input"])
    refuse("trl", [f"other field (/{key})" for key in ("tools", "parallel_tool_calls") if key in row])
    spoken = [message for part in (inner["messages"], *map(row.get, OUTPUTS)) for message in items_of(part)]
    refuse("trl", ["weight" for message in spoken if is_silent(message)])
    beside = {key: value for key, value in row.items() if key not in ("input", *OUTPUTS)}
    more = {key: value for key, value in inner.items() if key not in ("messages", "tools", "parallel_tool_calls")}
    refuse("trl", [f"other field (/input/{key})" for key in more])
    tooled = {key: inner[key] for key in ("tools", "parallel_tool_calls") if key in inner}
    sides = {name: _messages(items_of(row[key])) for name, key in zip(SIDES[0], OUTPUTS, strict=True)}
    refuse("trl", ["image in an output"] if any(pictures(items_of(row[key])) for key in OUTPUTS) else [])
    shown = _shown(items_of(inner["messages"]))
    return {"prompt": _messages(items_of(inner["messages"])), **sides, **tooled, **shown, **beside}


def _chat(row: Mapping[str, Any]) -> dict[str, Any]:
    messages = items_of(row["messages"])
    beside = {key: value for key, value in row.items() if key != "messages"}
    shown = _shown(messages)
    roles = [message["role"] for message in messages]
    if any(message.get("weight") not in (None, 1) for message in messages):
        start = _learned_from(messages)
        parts = {"prompt": _messages(messages[:start]), "completion": _messages(messages[start:])}
        return {**parts, **beside, **shown}
    graded = roles[-1:] == ["user"] and ("assistant" not in roles or beside.keys() - {"tools", "parallel_tool_calls"})
    return {"prompt" if graded else "messages": _messages(messages), **beside, **shown}


def _learned_from(messages: list[Any]) -> int:
    """Where the learned turns start.

    Raises:
        ValueError: They are not the assistant turns at the end, so that TRL cannot tell them apart.
    """
    silent = [i for i, m in enumerate(messages) if m["role"] == "assistant" and m.get("weight") == 0]
    start = next((i for i, m in enumerate(messages) if m["role"] == "assistant" and i not in silent), len(messages))
    late = [i for i in silent if i > start] or any(message["role"] != "assistant" for message in messages[start:])
    odd = any(message.get("weight") not in (None, 0, 1) for message in messages)
    odd = odd or any(message.get("weight") == 0 and message["role"] != "assistant" for message in messages)
    refuse("trl", ["weight (only the assistant turns at the end can be the learned ones)"] if late or odd else [])
    refuse("trl", ["weight 0 on every assistant turn"] if start == len(messages) else [])
    return start


def _shown(messages: list[Any]) -> dict[str, Any]:
    found = pictures(messages)
    held = any("<image>" in str(joined(_without_pictures(message))) for message in messages)
    refuse("trl", ["placeholder in text"] if found and held else [])
    return {"images": found} if found else {}


def _without_pictures(message: Mapping[str, Any]) -> Any:
    content = message.get("content")
    return [part for part in content if not url_of(part)] if is_list(content) else content


def _messages(messages: list[Any]) -> list[Any]:
    return [_message(message) for message in messages]


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in message.items() if key != "weight" and (key == "content" or value is not None)}
    if not isinstance(kept.get("content"), list):
        return kept
    if not pictures([message]):
        return {**kept, "content": joined(kept["content"])}
    return {**kept, "content": [{"type": "image"} if url_of(part) else part for part in items_of(kept["content"])]}


def _is_preference(data: Mapping[str, Any]) -> bool:
    names = sides_of(data)
    return names is not None and all(is_talk(data[name]) for name in names)


def _is_text_preference(data: Mapping[str, Any]) -> bool:
    names, key = sides_of(data), prompt_key(data)
    if names is None or key is None or not (isinstance(data[key], str) or is_talk(data[key])):
        return False
    return all(isinstance(data[name], (str, dict)) for name in names)


def _is_hh(data: Mapping[str, Any]) -> bool:
    return all(isinstance(data.get(side), str) and HH_TURN.match(data[side]) for side in ("chosen", "rejected"))


PREFERRED: Final = tuple(name for names in SIDES for name in names)
TRL: Final = Format(
    "trl",
    shapes=(
        Shape(
            "trl-preference",
            read=read_preference,
            alone=Sign(PREFERRED, _is_preference),
            beside=Sign(("chosen",), lambda data: has_sides(data) and _is_preference(data)),
        ),
        Shape("dpo-strings", read=read_preference, alone=Sign(PREFERRED, _is_text_preference)),
        Shape("hh-rlhf", read=read_hh, alone=Sign(("chosen",), _is_hh)),
        Shape(
            "trl-prompt-completion",
            read=read,
            alone=Sign(("prompt",), lambda data: is_talk(data.get("prompt"))),
            judged=True,
        ),
    ),
    write=write,
    carries={"weight", "name", "reasoning", "other field", "developer role", "tools", "parallel_tool_calls", "image"}
    | {"tool calls", "parallel calls", "text beside calls", "placeholder in text"},
)
