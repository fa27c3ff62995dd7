"""What a chat request asks for; each wrong or unsupported part is refused by its name, none is passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from finetune_lib.local.app.errors import WireError, missing, part
from finetune_lib.local.inference import Question, Sampling

# What would change the answer and is not done here is refused, not passed over.
UNSUPPORTED = (
    "functions",
    "logprobs",
    "top_logprobs",
    "audio",
    "logit_bias",
    "presence_penalty",
    "frequency_penalty",
)
# Below it, drawing is the same as taking the likeliest token, and the arithmetic fails.
COLDEST = 1e-5
MOST_STOPS = 4


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


def sampling_of(body: Mapping[str, Any]) -> Sampling:
    for name in UNSUPPORTED:
        if body.get(name):
            raise _unsupported(name)
    if body.get("n") not in (None, 1):
        raise _unsupported("n")
    if part(body, "response_format").get("type", "text") != "text":
        raise _unsupported("response_format")
    temperature, top_p = _number(body, "temperature", low=0, high=2), _number(body, "top_p", low=0, high=1)
    limits = [_number(body, name, low=1, high=1e9) for name in ("max_completion_tokens", "max_tokens")]
    limit = next((value for value in limits if value is not None), None)
    return Sampling(
        temperature=1.0 if temperature is None else temperature if temperature > COLDEST else 0.0,
        top_p=1.0 if top_p is None else top_p,
        max_tokens=None if limit is None else int(limit),
        seed=_seed(body.get("seed")),
        stop=_stop(body.get("stop")),
    )


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
