"""A row read as what is asked and what is answered, whatever its format."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, cast

from finetune_lib.records import Example, kind_of
from finetune_lib.rows.messages import INSTRUCTIONS, OUTPUTS, calls_of, fields_of, is_list, is_object, items_of
from finetune_lib.texts.folding import fold

LEARNED_BESIDE = ("tools", "functions", "label")
TEXT_FIELDS = ("messages", "prompt", "completion", "text")


class Turns(NamedTuple):
    """The texts of a row.

    Attributes:
        system: The system or developer message; empty where there is none.
        prompt: The conversation up to the last answer, one text a turn.
        question: The last user turn before the answer.
        answer: The last answer of the assistant; the preferred one of a pair.
        rejected: The other answer of a preference pair.
        calls: Whether the answer calls tools.
        path: The JSON pointer of the answer.
    """

    system: str
    prompt: tuple[str, ...]
    question: str
    answer: str
    rejected: str | None = None
    calls: bool = False
    path: str = ""


def turns_of(example: Example) -> Turns | None:
    """The texts of a row; None where it has no answer or is not of a known shape."""
    data = example.data
    messages = data.get("messages")
    if type(messages) is list:
        return _of_chat(cast("list[Any]", messages))
    kind = kind_of(data)
    if kind == "preference":
        return _of_preference(data)
    prompt, completion = data.get("prompt"), data.get("completion")
    if kind == "completion" and isinstance(prompt, str) and isinstance(completion, str):
        return Turns("", (prompt,), prompt, completion, path="/completion")
    return None


class LastTurns:
    """The texts of the row that was read last, for the next who ask for the same row.

    A view on rows asks for each of them more than once, as for its question and for its label.
    """

    def __init__(self) -> None:
        self._last: tuple[Example, Turns | None] | None = None

    def read(self, example: Example) -> Turns | None:
        """The texts of a row, kept for those who take them."""
        turns = turns_of(example)
        self._last = example, turns
        return turns

    def take(self, example: Example) -> Turns | None:
        """The texts of a row, read again where it was not the last one."""
        return self._last[1] if self._last and self._last[0] is example else self.read(example)


last_turns = LastTurns()


class Spoken(NamedTuple):
    """All that a row says, by who says it.

    Attributes:
        system: The instructions; empty where there are none.
        turns: Role and text of each turn, instructions left out; plain text counts as asked by the user.
        rejected: The other answer of a preference pair; empty where there is none.
        rest: What else the row holds that changes what is learned: tools, a label; where nothing is answered, also
            what graders read.
    """

    system: str
    turns: tuple[tuple[str, str], ...]
    rejected: str
    rest: Mapping[str, Any]


def spoken(example: Example) -> Spoken:
    """All that a row of any format says; what is malformed is passed over."""
    data = example.data
    match kind_of(data):
        case "preference":
            asked, rejected = fields_of(data.get("input")), _side(data.get(OUTPUTS[1])) or ""
            answer = {"role": "assistant", "content": _side(data.get(OUTPUTS[0])) or ""}
            return _spoken([*items_of(asked.get("messages")), answer], rejected, {"tools": asked.get("tools")})
        case "chat":
            messages = items_of(data["messages"])
        case "completion":
            sides = (("user", data.get("prompt")), ("assistant", data.get("completion")))
            messages = [{"role": role, "content": text} for role, text in sides if isinstance(text, str)]
        case "unknown":
            text = data.get("text")
            messages = [{"role": "user", "content": text}] if isinstance(text, str) else []
    answered = any(fields_of(message).get("role") == "assistant" for message in messages)
    beside = (key for key in data if (key in LEARNED_BESIDE if answered else key not in TEXT_FIELDS))
    return _spoken(messages, "", {key: data[key] for key in beside})


def _spoken(messages: Sequence[Any], rejected: str, rest: Mapping[str, Any]) -> Spoken:
    said = [(str(message.get("role")), _text(message)) for message in filter(is_object, messages)]
    system = "\n".join(text for role, text in said if role in INSTRUCTIONS)
    return Spoken(system, tuple(turn for turn in said if turn[0] not in INSTRUCTIONS), rejected, rest)


def fold_prompt(example: Example) -> str:
    """The folded conversation up to the last answer, without instructions; empty where there is no answer."""
    turns = turns_of(example)
    return "\n".join(map(fold, turns.prompt)) if turns else ""


def _of_chat(messages: Sequence[Any]) -> Turns | None:
    system, texts, asked, found = "", list[str](), "", None
    for index, message in enumerate(messages):
        fields: dict[str, Any] = message
        if type(message) is not dict:
            return None
        role, text = fields.get("role"), fields.get("content")
        if type(text) is not str or len(fields) != 2:
            text = _text(fields)
        if role == "user":
            asked = text
        elif role == "assistant":
            found = (len(texts), asked, index)
        elif role in INSTRUCTIONS:
            system = f"{system}\n{text}" if system else text
            continue
        texts.append(text)
    if found is None:
        return None
    last, asked, index = found
    calls = bool(calls_of(messages[index]))
    path = f"/messages/{index}/{'tool_calls' if calls else 'content'}"
    return Turns(system, tuple(texts[:last]), asked, texts[last], None, calls, path)


def _of_preference(data: Mapping[str, Any]) -> Turns | None:
    messages = fields_of(data.get("input")).get("messages")
    sides = [_side(data.get(name)) for name in OUTPUTS]
    if not is_list(messages) or None in sides:
        return None
    turns = _of_chat([*messages, {"role": "assistant", "content": sides[0]}])
    return turns and turns._replace(rejected=sides[1], path=f"/{OUTPUTS[0]}/0/content")


def _side(messages: object) -> str | None:
    """The text of one side of a pair."""
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in cast("list[Any]", messages)):
        return None
    return "\n".join(map(_text, cast("list[dict[str, Any]]", messages)))


def _text(message: Mapping[str, Any]) -> str:
    """All that a message says: its text, and the rest (calls, pictures) as JSON."""
    content = message.get("content")
    if type(content) is str and len(message) == 2:
        return content
    said = [content] if isinstance(content, str) else _parts(content)
    calls = calls_of(message)
    beside = [*([message["refusal"]] if message.get("refusal") else []), *([_calls(calls)] if calls else [])]
    return "\n".join([*said, *(value if isinstance(value, str) else as_json(value) for value in beside)])


def _calls(calls: object) -> str:
    """What is called with which arguments; the ids of calls say nothing."""
    return as_json([_call(call) for call in (calls if is_list(calls) else [calls])])


def _call(call: Any) -> object:
    """Name and arguments, these as what their JSON says; anything else as it is."""
    fields = fields_of(call)
    function: Any = fields.get("function", fields)
    try:
        arguments = function["arguments"]
        return [function["name"], json.loads(arguments) if isinstance(arguments, str) else arguments]
    except (KeyError, TypeError, ValueError, RecursionError):
        return cast("object", call)


def _parts(content: object) -> list[str]:
    if is_list(content):
        return [_part(part) for part in content]
    return [] if content is None else [as_json(content)]


def _part(part: Any) -> str:
    text = fields_of(part).get("text")
    return text if isinstance(text, str) else _named(as_json(part))


def _named(part: str) -> str:
    """A picture or a file by a number of its own: two of them are the same or not, never alike."""
    return f"#{int.from_bytes(blake2b(part.encode('utf-8', 'surrogatepass'), digest_size=8).digest(), 'big')}"


def as_json(value: object) -> str:
    """JSON with its keys in order; `repr` stands for what JSON has no form for."""
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, default=repr)
    except (TypeError, ValueError):
        return repr(value)
