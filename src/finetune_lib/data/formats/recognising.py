"""Which project's row shape a row has, told by its keys and the first signs in its messages.

This runs on every row, so a chat of plain texts, the usual case, is passed by one look at each message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, cast

from finetune_lib.data.formats import alpaca, anthropic, gemini, llamafactory, questions, sharegpt, stored, trl
from finetune_lib.data.formats.images import addresses
from finetune_lib.rows.messages import NOTHING, fields_of, items_of

ROLES: Final = ("user", "assistant", "system", "tool", "developer", "function")  # a role may be unhashable
BESIDE: Final = frozenset(
    {"chosen", "rejected", "rejected_response", "rejected_messages", "images", "image", "label", "kto_tag"}
    | {"system", "system_prompt", "choices"}
)
LABELS: Final = ("label", "kto_tag")
TEXT_BESIDE: Final = frozenset(["text", "id", "meta", "metadata", "source", "url", "timestamp"])
EVALS_KEYS: Final = frozenset({"input", "sample", "id", "metadata"})


class Sign(NamedTuple):
    """How a dialect is known: by any of its fields, and by a look at what they hold."""

    dialect: str
    fields: frozenset[str]
    holds: Callable[[Mapping[str, Any]], bool]


def dialect_of(data: Mapping[str, Any]) -> str | None:
    """The dialect of a row, or None where it has one of OpenAI's own shapes or none that is known."""
    messages = data.get("messages")
    if type(messages) is not list:
        return _without_messages(data) if messages is None else None
    if not BESIDE.isdisjoint(data) and (found := _beside_messages(data)):
        return found
    for message in cast("list[Any]", messages):
        if not _is_plain(message):
            return _of_messages(cast("list[Any]", messages), data)
    return None


def _is_plain(message: Any) -> bool:
    if type(message) is not dict:
        return False
    fields = cast("dict[str, Any]", message)
    content = fields.get("content")
    return (type(content) is str or content is None) and fields.get("role") in ROLES


def _without_messages(data: Mapping[str, Any]) -> str | None:
    if ("prompt" in data and type(data.get("completion")) is str and type(data["prompt"]) is str) or _is_own(data):
        return "kto" if _is_judged(data) else None
    found = next((sign.dialect for sign in _possible(tuple(data)) if sign.holds(data)), None)
    return "kto" if found in JUDGED and _is_judged(data) else found


@lru_cache(maxsize=256)
def _possible(keys: tuple[str, ...]) -> tuple[Sign, ...]:
    """The dialects that a row may have by its fields; the rows of a file share theirs."""
    return tuple(sign for sign in SIGNS if not sign.fields or not sign.fields.isdisjoint(keys))


def _is_own(data: Mapping[str, Any]) -> bool:
    """Whether a row is a preference in OpenAI's shape, complete or not."""
    asked = data.get("input")
    asks = isinstance(asked, dict) and "messages" in asked and _has_sides(data)  # its sides are misnamed: P603
    return asks or "preferred_output" in data or "non_preferred_output" in data


def _is_judged(data: Mapping[str, Any]) -> bool:
    """Whether an answer has a verdict, as unpaired preferences (KTO) have."""
    asks = "prompt" in data and "completion" not in data  # a grader's field, not a verdict on an answer
    return not asks and any(isinstance(data.get(label), bool) for label in LABELS)


def _has_sides(data: Mapping[str, Any]) -> bool:
    return "chosen" in data and "rejected" in data


def _is_trl_preference(data: Mapping[str, Any]) -> bool:
    names = trl.sides_of(data)
    return names is not None and all(trl.is_talk(data[name]) for name in names)


def _is_text_preference(data: Mapping[str, Any]) -> bool:
    names, key = trl.sides_of(data), trl.prompt_key(data)
    if names is None or key is None or not (isinstance(data[key], str) or trl.is_talk(data[key])):
        return False
    return all(isinstance(data[name], (str, dict)) for name in names)


def _is_hh(data: Mapping[str, Any]) -> bool:
    return all(isinstance(data.get(side), str) and trl.HH_TURN.match(data[side]) for side in ("chosen", "rejected"))


def _is_evals(data: Mapping[str, Any]) -> bool:
    asked = data.get("input", data.get("sample"))
    return (
        trl.is_talk(asked) if data.keys() <= EVALS_KEYS else "ideal" in data and (trl.is_talk(asked) or _is_text(asked))
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_alpaca(data: Mapping[str, Any]) -> bool:
    return isinstance(data.get("instruction"), str) and sum(key in data for key in alpaca.OUTPUTS) == 1


def _sign(dialect: str, fields: Iterable[str], holds: Callable[[Mapping[str, Any]], bool]) -> Sign:
    return Sign(dialect, frozenset(fields), holds)


PREFERRED: Final = [name for names in trl.SIDES for name in names]
SIGNS: Final = (
    _sign("sharegpt-preference", ["chosen"], lambda data: _has_sides(data) and sharegpt.key_of(data) is not None),
    _sign("sharegpt", sharegpt.KEYS, lambda data: sharegpt.key_of(data) is not None),
    _sign("gemini", ["contents"], gemini.is_gemini),
    _sign("llamafactory-preference", llamafactory.SIDES[:1], llamafactory.is_preference),
    _sign("openai-old-preference", ["preferred_completion"], lambda data: "non_preferred_completion" in data),
    _sign("alpaca-preference", ["chosen"], lambda data: _has_sides(data) and _is_text(data.get("instruction"))),
    _sign("alpaca", ["instruction"], _is_alpaca),
    _sign("trl-preference", PREFERRED, _is_trl_preference),
    _sign("dpo-strings", PREFERRED, _is_text_preference),
    _sign("hh-rlhf", ["chosen"], _is_hh),
    _sign("openai-stored", ["request", "input", "body"], stored.is_stored),
    _sign("openai-evals", ["ideal", "input", "sample"], _is_evals),
    _sign("trl-prompt-completion", ["prompt"], lambda data: trl.is_talk(data.get("prompt"))),
    _sign("swift-preference", ["rejected_response"], lambda data: questions.pair_of(data) is not None),
    _sign("query-response", ["query"], lambda data: questions.pair_of(data) == ("query", "response")),
    _sign("question-answer", (), lambda data: questions.pair_of(data) is not None),
    _sign("text", ["text"], lambda data: _is_text(data.get("text")) and data.keys() <= TEXT_BESIDE),
)
JUDGED: Final = ("alpaca", "sharegpt", "trl-prompt-completion", "query-response", "question-answer")


def _beside_messages(data: Mapping[str, Any]) -> str | None:
    """What a field beside the messages says; a reinforcement row may use any name for what its grader reads."""
    if _has_sides(data):
        return "trl-preference" if _is_trl_preference(data) else "sharegpt-preference"
    last = fields_of(items_of(data["messages"])[-1]) if data["messages"] else NOTHING
    answered = last.get("role", last.get("from")) in ("assistant", "gpt")
    if any(fields_of(choice).get("message") for choice in items_of(data.get("choices"))):
        return "openai-stored"
    if answered and ("rejected_response" in data or "rejected_messages" in data):
        return "swift-preference"
    if answered and _is_judged(data):
        return "kto"
    if any(data.get(key) and addresses(data[key]) for key in ("images", "image")):
        return "image-placeholders"
    told = data.get("system", data.get("system_prompt"))
    return "anthropic" if answered and isinstance(told, str) and not _of_messages(data["messages"], data) else None


def _of_messages(messages: list[Any], data: Mapping[str, Any]) -> str | None:
    """What the first unusual message or part says."""
    turns = [fields_of(message) for message in messages]
    if turns and all("from" in turn and "value" in turn and "role" not in turn for turn in turns):
        return "sharegpt"
    roles = {turn.get("role") for turn in turns if isinstance(turn.get("role"), str)}
    if {"Chatbot", "CHATBOT"} & roles and roles <= {"System", "SYSTEM", "User", "USER", "Chatbot", "CHATBOT", "Tool"}:
        return "cohere"
    parts = [part for turn in turns for part in items_of(turn.get("content"))]
    if any(map(llamafactory.is_block, parts)):
        return "llamafactory-messages"
    if any(map(anthropic.is_block, parts)) or isinstance(data.get("system"), list):
        return "anthropic" if not _is_bedrock(parts) else "bedrock"
    return "bedrock" if _is_bedrock(parts) else None


def _is_bedrock(parts: list[Any]) -> bool:
    """Whether content parts are named by their one key, as Bedrock's conversation schema has them."""
    keys = ({"text"}, {"image"}, {"toolUse"}, {"toolResult"}, {"document"}, {"video"})
    return bool(parts) and all(isinstance(part, dict) and {*cast("dict[str, Any]", part)} in keys for part in parts)
