"""/v1/completions: a prompt is asked as one message of the user's, as prompt/completion pairs are trained here."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any, cast

from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from finetune_lib.local.app.chat import refusals, source_ready, usage_of
from finetune_lib.local.app.chat_request import sampling_of, text_of
from finetune_lib.local.app.errors import WireError, json_body, part
from finetune_lib.local.app.services import services
from finetune_lib.local.inference import Completion, Piece, Question, Sampling
from finetune_lib.local.objects import Object, new_id, now
from finetune_lib.local.serving.engine import Engine

DEFAULT_TOKENS, MOST_PROMPTS = 16, 64


async def create(request: Request) -> Response:
    """POST /completions, in one piece or streamed."""
    body = await json_body(request)
    prompts, echo = _prompts(body), bool(body.get("echo"))
    refused = [name for name in ("best_of", "suffix", "n") if body.get(name) not in (None, 1, "")]
    for name in [*refused, *(["logprobs"] if body.get("logprobs") else [])]:
        message = f"'{name}' is not supported by this platform."
        raise WireError(400, message, param=name, code="unsupported_parameter")
    sampling = sampling_of({"max_tokens": DEFAULT_TOKENS, **body})
    source, engine = await source_ready(request, text_of(body, "model")), services(request).engine
    head = {"id": new_id("cmpl-"), "object": "text_completion", "created": now(), "model": body["model"]}
    if body.get("stream"):
        usage = bool(part(body, "stream_options").get("include_usage"))
        events = _stream(engine, source, prompts, sampling, head, echo, usage)
        first = await anext(events)  # errors come before the first byte
        return StreamingResponse(_chained(first, events), media_type="text/event-stream")
    answers = list[Completion]()
    for prompt in prompts:
        with refusals():
            answers.append(await run_in_threadpool(engine.complete, source, _question(prompt), sampling))
    choices = [
        _choice(at, (prompt if echo else "") + answer.text, answer.finish_reason)
        for at, (prompt, answer) in enumerate(zip(prompts, answers, strict=True))
    ]
    return JSONResponse({**head, "choices": choices, "usage": usage_of(*answers)})


def _prompts(body: Mapping[str, Any]) -> list[str]:
    given: Any = body.get("prompt")
    prompts = cast("list[object]", given) if isinstance(given, list) else [given]
    if not 1 <= len(prompts) <= MOST_PROMPTS or not all(isinstance(one, str) and one for one in prompts):
        message = f"'prompt' must be text, or 1 to {MOST_PROMPTS} texts; tokens of another model mean nothing here."
        raise WireError(400, message, param="prompt", code="invalid_value")
    return cast("list[str]", prompts)


def _question(prompt: str) -> Question:
    return Question([{"role": "user", "content": prompt}])


def _choice(at: int, text: str, finish_reason: str | None = None) -> Object:
    return {"index": at, "text": text, "logprobs": None, "finish_reason": finish_reason}


async def _stream(
    engine: Engine, source: str, prompts: list[str], sampling: Sampling, head: Object, echo: bool, usage: bool
) -> AsyncGenerator[str]:
    """Server-sent events, one prompt after the other."""
    answers = list[Completion]()
    for at, prompt in enumerate(prompts):
        with refusals():
            stream = await run_in_threadpool(engine.stream, source, _question(prompt), sampling)
        try:
            if echo:
                yield _event({**head, "choices": [_choice(at, prompt)]})
            with refusals():
                async for _, piece in iterate_in_threadpool(stream):
                    if isinstance(piece, Piece):
                        yield _event({**head, "choices": [_choice(at, piece.text)]})
                    else:
                        answers.append(piece)
                        yield _event({**head, "choices": [_choice(at, "", piece.finish_reason)]})
        finally:
            stream.close()
    if usage:
        yield _event({**head, "choices": [], "usage": usage_of(*answers)})
    yield "data: [DONE]\n\n"


async def _chained(first: str, rest: AsyncGenerator[str]) -> AsyncGenerator[str]:
    try:
        yield first
        async for event in rest:
            yield event
    finally:
        await rest.aclose()


def _event(body: Object) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


routes = [Route("/completions", create, methods=["POST"])]
