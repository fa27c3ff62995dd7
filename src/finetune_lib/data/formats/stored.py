"""What OpenAI's platform keeps of calls: stored completions, batch lines, and items of the Responses API.

A request and its answer become a chat that ends with the answer. What only the transport knows (ids, times,
usage, sampling settings) has no place in training data; further choices stay beside the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from finetune_lib.data.formats.format import Format, Shape, Sign
from finetune_lib.data.formats.images import image_part, text_part
from finetune_lib.data.formats.rows import Message, Translated, chat, without
from finetune_lib.data.formats.tools import call
from finetune_lib.rows.messages import fields_of, items_of

ENVELOPES: Final = (("request", "response"), ("input", "output"), ("body", "response"))
CARRIED: Final = ("tools", "parallel_tool_calls")
TRANSPORT: Final = (  # what only the transport of a call knows
    *("id", "object", "created", "created_at", "model", "usage", "service_tier", "system_fingerprint", "request_id"),
    *(
        "custom_id",
        "method",
        "url",
        "store",
        "temperature",
        "top_p",
        "n",
        "seed",
        "max_tokens",
        "max_completion_tokens",
    ),
    *("max_output_tokens", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs", "stop", "stream"),
    *("user", "status", "error"),
)


def envelope_of(data: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any], list[str]] | None:
    """The request, the response, and the fields of the row that held them; None where there is no such pair."""
    for asked, answered in ENVELOPES:
        request, response = fields_of(data.get(asked)), fields_of(data.get(answered))
        request, response = fields_of(request.get("body")) or request, fields_of(response.get("body")) or response
        if isinstance(request.get("messages"), list) and (response or asked != "input"):  # else a preference's input
            return request, response, [asked, answered]
    if isinstance(data.get("choices"), list) and isinstance(data.get("messages"), list):
        return data, data, ["messages", "choices", *CARRIED]
    return None


def is_stored(data: Mapping[str, Any]) -> bool:
    """Whether a row is a request with its answer, also one of the Responses API."""
    return envelope_of(data) is not None or _is_responses(data)


def _is_responses(data: Mapping[str, Any]) -> bool:
    output = items_of(data.get("output"))
    return isinstance(data.get("input"), (str, list)) and bool(output) and all("type" in fields_of(i) for i in output)


def read(data: Mapping[str, Any]) -> Translated | None:
    """A stored call as a chat."""
    found = envelope_of(data)
    if found is None:
        return _of_responses(data)
    request, response, used = found
    choices = items_of(response.get("choices"))
    answers = [message for choice in choices if (message := fields_of(fields_of(choice).get("message")))]
    answers = answers or ([response] if isinstance(response.get("role"), str) else [])
    if not all(isinstance(message, dict) for message in request["messages"]):
        return None
    rest = without(data, {*used, *TRANSPORT}) | {key: request[key] for key in CARRIED if key in request}
    others = {"choices": choices} if len(answers) > 1 else {}
    return Translated(chat([*request["messages"], *map(_spoken, answers[:1])], {**rest, **others}))


def _spoken(message: Mapping[str, Any]) -> Message:
    """An answer without the fields that are null or empty because nothing of their kind was said."""
    return {key: value for key, value in message.items() if key == "content" or value not in (None, [], {})}


def _of_responses(data: Mapping[str, Any]) -> Translated | None:
    given = [{"role": "user", "content": data["input"]}] if isinstance(data["input"], str) else items_of(data["input"])
    items = [cast("dict[str, Any]", item) for item in [*given, *items_of(data["output"])]]
    told = [{"role": "system", "content": text}] if isinstance(text := data.get("instructions"), str) else []
    messages = [message for item in items for message in _of_item(fields_of(item))]
    rest = without(data, {"input", "output", *TRANSPORT, *(["instructions"] if told else [])})
    return Translated(chat(_joined([*told, *messages]), rest))


def _of_item(item: Mapping[str, Any]) -> list[Message]:
    match item.get("type", "message"):
        case "message":
            return [_message(item)]
        case "function_call":
            made = {**call(item.get("name"), item.get("arguments")), "id": item.get("call_id")}
            return [{"role": "assistant", "content": None, "tool_calls": [made]}]
        case "function_call_output":
            return [{"role": "tool", "tool_call_id": item.get("call_id"), "content": item.get("output")}]
        case "reasoning":
            texts = [str(fields_of(part).get("text", "")) for part in items_of(item.get("summary"))]
            return [{"role": "assistant", "reasoning_content": "\n".join(texts)}] if any(texts) else []
        case _:
            return [dict(item)]


def _message(item: Mapping[str, Any]) -> Message:
    parts = items_of(item.get("content"))
    message: Message = {"role": item.get("role"), "content": item.get("content")}
    if not parts:
        return message
    if refusals := [fields_of(part)["refusal"] for part in parts if "refusal" in fields_of(part)]:
        return {"role": message["role"], "content": None, "refusal": "".join(map(str, refusals))}
    made = [_part(fields_of(part)) for part in parts]
    only_text = all(part.get("type") == "text" for part in made)
    return {**message, "content": "".join(str(part["text"]) for part in made) if only_text else made}


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    match part.get("type"):
        case "input_text" | "output_text":
            return text_part(part.get("text", ""))
        case "input_image":
            made = image_part(part.get("image_url"))
            return made | {"image_url": made["image_url"] | ({"detail": part["detail"]} if "detail" in part else {})}
        case _:
            return dict(part)


def _joined(messages: list[Message]) -> list[Message]:
    """Thoughts, text and calls of one assistant turn, which the Responses API lists apart, in one message."""
    done: list[Message] = []
    for message in messages:
        last = done[-1] if done else {}
        if message.get("role") == last.get("role") == "assistant" and _fits(last, message):
            calls = [*last.get("tool_calls", ()), *message.get("tool_calls", ())]
            kept = {key: value for key, value in message.items() if value is not None and key != "tool_calls"}
            done[-1] = {"content": None, **last, **kept, **({"tool_calls": calls} if calls else {})}
        else:
            done.append(message)
    return done


def _fits(last: Message, message: Message) -> bool:
    """Whether a message says only what the one before it left open; text after a call is a new turn."""
    spoken = [key for key in message if key not in ("role", "tool_calls") and message[key] is not None]
    return not any(last.get(key) for key in spoken) and not ("tool_calls" in last and spoken)


def _has_choices(data: Mapping[str, Any]) -> bool:
    return any(fields_of(choice).get("message") for choice in items_of(data.get("choices")))


CALL: Final = Shape(
    "openai-stored",
    read=read,
    alone=Sign(("request", "input", "body"), is_stored),
    beside=Sign(("choices",), _has_choices),
)
STORED: Final = Format("openai-stored", shapes=(CALL,))
