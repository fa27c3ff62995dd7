"""/v1/chat/completions"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from finetune_lib.local.app.errors import WireError, json_body, part
from finetune_lib.local.app.models import source_of
from finetune_lib.local.app.services import services
from finetune_lib.local.base_models import ensure_tiny, tiny_folder
from finetune_lib.local.ids import new_id
from finetune_lib.local.inference import Completion, PromptTooLongError, Sampling, Stream
from finetune_lib.local.objects import now

# What would change the answer and is not done here is refused, not passed over.
UNSUPPORTED = (
    "tools",
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


async def create(request: Request) -> Response:
    """POST /chat/completions, in one piece or streamed."""
    body = await json_body(request)
    messages, sampling = _messages(body), _sampling(body)
    usage = bool(part(body, "stream_options").get("include_usage"))
    source = source_of(request, _text(body, "model"))
    platform = services(request)
    head = {"id": new_id("chatcmpl-"), "created": now(), "model": body["model"]}
    if source == str(tiny_folder(platform.root)):
        await run_in_threadpool(ensure_tiny, platform.root)
    if not body.get("stream"):
        with _told():
            whole = await run_in_threadpool(platform.engine.complete, source, messages, sampling)
        return JSONResponse(_completion(head, whole))
    stream = platform.engine.stream(source, messages, sampling)
    pieces = iter(stream)
    with _told():  # errors come before the first byte
        first = await run_in_threadpool(next, pieces)
    return StreamingResponse(_stream(head, first, stream, pieces, usage), media_type="text/event-stream")


@contextmanager
def _told() -> Generator[None]:
    """The engine's errors in the words of the wire."""
    try:
        yield
    except PromptTooLongError as error:
        raise WireError(400, str(error), param="messages", code="context_length_exceeded") from error
    except (OSError, ValueError) as error:
        raise WireError(400, f"the model does not answer: {error}", param="model", code="model_error") from error


def _completion(head: Mapping[str, Any], whole: Completion) -> dict[str, Any]:
    message = {"role": "assistant", "content": whole.text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": whole.finish_reason}
    return {**head, "object": "chat.completion", "choices": [choice], "usage": _usage(whole)}


async def _stream(
    head: Mapping[str, Any],
    first: str | Completion,
    stream: Stream,
    rest: Iterator[str | Completion],
    usage: bool,
) -> AsyncGenerator[str]:
    """Server-sent events: chunks, their end, and the counts where they are asked for."""
    try:
        yield _chunk(head, {"role": "assistant", "content": ""})
        for event in _events(head, first, usage):
            yield event
        async for piece in iterate_in_threadpool(rest):
            for event in _events(head, piece, usage):
                yield event
        yield "data: [DONE]\n\n"
    finally:
        stream.close()


def _events(head: Mapping[str, Any], piece: str | Completion, usage: bool) -> Iterator[str]:
    if isinstance(piece, str):
        yield _chunk(head, {"content": piece})
        return
    yield _chunk(head, {}, finish_reason=piece.finish_reason)
    if usage:
        yield _event({**head, "object": "chat.completion.chunk", "choices": [], "usage": _usage(piece)})


def _chunk(head: Mapping[str, Any], delta: Mapping[str, Any], *, finish_reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return _event({**head, "object": "chat.completion.chunk", "choices": [choice]})


def _event(body: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


def _usage(whole: Completion) -> dict[str, int]:
    total = whole.prompt_tokens + whole.completion_tokens
    counts = {"prompt_tokens": whole.prompt_tokens, "completion_tokens": whole.completion_tokens}
    return {**counts, "total_tokens": total}


def _messages(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _missing("messages")
    for place, message in enumerate(cast("list[object]", messages)):
        fields = cast("dict[str, Any]", message) if isinstance(message, dict) else {}
        if not isinstance(fields.get("role"), str):
            raise WireError(400, f"messages[{place}] must be an object with a role.", param=f"messages[{place}]")
        _check_content(fields.get("content"), f"messages[{place}].content")
    return cast("list[Mapping[str, Any]]", messages)


def _check_content(content: object, param: str) -> None:
    """Text, null, or a list of text parts: these models read nothing else."""
    parts = cast("list[object]", content) if isinstance(content, list) else []
    if not (content is None or isinstance(content, str | list)) or not all(map(_is_text_part, parts)):
        raise WireError(400, f"{param} must be text or a list of text parts.", param=param, code="unsupported_value")


def _is_text_part(value: object) -> bool:
    return isinstance(value, dict) and isinstance(cast("dict[str, object]", value).get("text"), str)


def _sampling(body: Mapping[str, Any]) -> Sampling:
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
        seed=body.get("seed") if isinstance(body.get("seed"), int) else None,
        stop=_stop(body.get("stop")),
    )


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
    return value


def _text(body: Mapping[str, Any], name: str) -> str:
    if not isinstance(body.get(name), str):
        raise _missing(name)
    return body[name]


def _missing(name: str) -> WireError:
    return WireError(400, f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")


def _unsupported(name: str) -> WireError:
    return WireError(400, f"'{name}' is not supported by this platform.", param=name, code="unsupported_parameter")


routes = [Route("/chat/completions", create, methods=["POST"])]
