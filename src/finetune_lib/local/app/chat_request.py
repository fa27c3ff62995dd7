"""What a chat request asks for; each wrong or unsupported part is refused by its name, none is passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from finetune_lib.local.app.errors import WireError, invalid, missing, part
from finetune_lib.local.app.fields import refuse_unknown
from finetune_lib.local.inference import Question, Sampling

# What would change the answer and is not done here is refused, not passed over.
UNSUPPORTED = frozenset(
    {
        "audio",
        "function_call",
        "functions",
        "moderation",
        "prediction",
        "reasoning_effort",
        "verbosity",
        "web_search_options",
    }
)
TAKEN = frozenset(
    {
        *("model", "messages", "tools", "tool_choice", "stream", "stream_options", "response_format", "stop", "seed"),
        *("temperature", "top_p", "max_tokens", "max_completion_tokens", "n", "logprobs", "top_logprobs"),
        *("presence_penalty", "frequency_penalty", "logit_bias"),
    }
)
# These change no answer.
BESIDE = frozenset(
    {
        *("metadata", "modalities", "parallel_tool_calls", "prompt_cache_key", "prompt_cache_retention"),
        *("safety_identifier", "service_tier", "store", "user", "prompt_cache_options"),
    }
)
# Below it, drawing is the same as taking the likeliest token, and the arithmetic fails.
COLDEST = 1e-5
MOST_STOPS, MOST_ANSWERS, MOST_TOP, STRONGEST = 4, 16, 20, 100
ANY_OBJECT: Mapping[str, Any] = {"type": "object"}


def messages_of(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise missing("messages")
    for place, message in enumerate(cast("list[object]", messages)):
        fields = cast("dict[str, Any]", message) if isinstance(message, dict) else {}
        if not isinstance(fields.get("role"), str):
            raise WireError(400, f"messages[{place}] must be an object with a role.", param=f"messages[{place}]")
        _check_content(fields.get("content"), f"messages[{place}].content")
    return cast("list[Mapping[str, Any]]", messages)


def question_of(body: Mapping[str, Any]) -> Question:
    """The conversation and the tools that may be called."""
    tools: object = body.get("tools") or []
    choice = body.get("tool_choice") or "auto"
    if choice not in ("auto", "none"):
        raise _unsupported("tool_choice")
    if not isinstance(tools, list) or not all(map(_is_tool, cast("list[object]", tools))):
        raise WireError(400, "'tools' must be a list of functions with names.", param="tools", code="invalid_value")
    return Question(messages_of(body), cast("list[Mapping[str, Any]]", tools) if choice == "auto" else ())


def _is_tool(value: object) -> bool:
    function = cast("dict[str, Any]", value).get("function") if isinstance(value, dict) else None
    return isinstance(function, dict) and isinstance(cast("dict[str, Any]", function).get("name"), str)


def _check_content(content: object, param: str) -> None:
    """Text, null, or a list of text parts: these models read nothing else."""
    parts = cast("list[object]", content) if isinstance(content, list) else []
    if not (content is None or isinstance(content, str | list)) or not all(map(_is_text_part, parts)):
        raise WireError(400, f"{param} must be text or a list of text parts.", param=param, code="unsupported_value")


def _is_text_part(value: object) -> bool:
    return isinstance(value, dict) and isinstance(cast("dict[str, object]", value).get("text"), str)


def refuse_foreign(body: Mapping[str, Any]) -> None:
    """Refuse the fields that are not known, or that would change the answer and are not done here.

    Raises:
        WireError: There is one.
    """
    refuse_unknown(body, TAKEN | BESIDE | UNSUPPORTED)
    for name in sorted(UNSUPPORTED):
        if body.get(name):
            raise _unsupported(name)


def sampling_of(body: Mapping[str, Any]) -> Sampling:
    """How the answer shall be drawn.

    Raises:
        WireError: A field has a wrong value.
    """
    temperature, top_p = _number(body, "temperature", low=0, high=2), _number(body, "top_p", low=0, high=1)
    limits = [_number(body, name, low=1, high=1e9) for name in ("max_completion_tokens", "max_tokens")]
    limit = next((value for value in limits if value is not None), None)
    return Sampling(
        temperature=1.0 if temperature is None else temperature if temperature > COLDEST else 0.0,
        top_p=1.0 if top_p is None else top_p,
        max_tokens=None if limit is None else int(limit),
        seed=_seed(body.get("seed")),
        stop=_stop(body.get("stop")),
        n=_whole(body, "n", low=1, high=MOST_ANSWERS) or 1,
        logprobs=_logprobs(body),
        presence_penalty=_number(body, "presence_penalty", low=-2, high=2) or 0.0,
        frequency_penalty=_number(body, "frequency_penalty", low=-2, high=2) or 0.0,
        bias=_bias(part(body, "logit_bias")),
        schema=_schema(body),
    )


def _logprobs(body: Mapping[str, Any]) -> int | None:
    top = _whole(body, "top_logprobs", low=0, high=MOST_TOP)
    if body.get("logprobs") not in (None, True, False):
        raise invalid("logprobs", "true or false", body["logprobs"])
    if body.get("logprobs"):
        return top or 0
    if top:
        raise invalid("top_logprobs", "left out where logprobs is not true", top)
    return None


def _bias(given: Mapping[str, Any]) -> tuple[tuple[int, float], ...]:
    for token in given:
        if not token.isdecimal():
            raise invalid("logit_bias", "an object from numbers of tokens to weights", token)
    weights = {int(token): _number(given, token, low=-STRONGEST, high=STRONGEST) for token in given}
    return tuple((token, weight) for token, weight in weights.items() if weight)


def _schema(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The JSON schema that the answer keeps to; None where it is free."""
    wanted = part(body, "response_format")
    kind = wanted.get("type", "text")
    if kind == "text":
        return None
    if body.get("tools"):
        message = "'response_format' is not supported together with 'tools'."
        raise WireError(400, message, param="response_format", code="unsupported_parameter")
    if kind == "json_object":
        return ANY_OBJECT
    if kind != "json_schema":
        raise invalid("response_format.type", "'text', 'json_object' or 'json_schema'", kind)
    schema = part(wanted, "json_schema").get("schema")
    if not isinstance(schema, dict):
        raise missing("response_format.json_schema.schema")
    return cast("dict[str, Any]", schema)


def _whole(body: Mapping[str, Any], name: str, *, low: int, high: int) -> int | None:
    value = _number(body, name, low=low, high=high)
    if value is not None and value != int(value):
        raise invalid(name, "a whole number", value)
    return None if value is None else int(value)


def _seed(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63):
        return value
    raise WireError(400, "'seed' must be a whole number of 64 bits.", param="seed", code="invalid_value")


def _stop(value: object) -> tuple[str, ...]:
    words = cast("list[object]", value) if isinstance(value, list) else [] if value is None else [value]
    if len(words) > MOST_STOPS or not all(isinstance(word, str) and word for word in words):
        raise WireError(400, f"'stop' must be text or up to {MOST_STOPS} texts.", param="stop", code="invalid_value")
    return tuple(str(word) for word in words)


def _number(body: Mapping[str, Any], name: str, *, low: float, high: float) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        message = f"'{name}' must be a number from {low:g} to {high:g}, not {value!r}."
        raise WireError(400, message, param=name, code="invalid_value")
    return float(value)


def text_of(body: Mapping[str, Any], name: str) -> str:
    if not isinstance(body.get(name), str):
        raise missing(name)
    return body[name]


def _unsupported(name: str) -> WireError:
    return WireError(400, f"'{name}' is not supported by this platform.", param=name, code="unsupported_parameter")
