"""/v1/chat/completions"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from jinja2 import TemplateError
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from finetune_lib.errors import MissingExtraError
from finetune_lib.local.app import stored
from finetune_lib.local.app.chat_request import question_of, refuse_foreign, sampling_of, text_of
from finetune_lib.local.app.errors import WireError, json_body, part
from finetune_lib.local.app.fields import check_metadata
from finetune_lib.local.app.models import source_of
from finetune_lib.local.app.services import services
from finetune_lib.local.base_models import ensure_made
from finetune_lib.local.inference import Completion, Piece, PromptTooLongError, SchemaError, ToolsError
from finetune_lib.local.objects import Object, new_id, now
from finetune_lib.local.serving.engine import Stream, Told
from finetune_lib.local.store import Store

LOOK_SECONDS = 0.2


async def create(request: Request) -> Response:
    """POST /chat/completions, in one piece or streamed."""
    body = await json_body(request)
    refuse_foreign(body)
    question, sampling = question_of(body), sampling_of(body)
    check_metadata(body)
    usage = bool(part(body, "stream_options").get("include_usage"))
    source, platform = await source_ready(request, text_of(body, "model")), services(request)
    head = {"id": new_id("chatcmpl-"), "created": now(), "model": body["model"]}
    with refusals():  # errors come before the first byte
        stream = await run_in_threadpool(platform.engine.stream, source, question, sampling)
        if not body.get("stream"):
            answer = _whole(head, await completions_of(request, stream))
            if body.get("store"):
                stored.keep(platform.store, body, answer)
            return JSONResponse(answer)
        pieces = _kept(iter(stream), sampling.n, platform.store, body, head) if body.get("store") else iter(stream)
        first = await run_in_threadpool(next, pieces)
    return StreamingResponse(_stream(head, first, stream, pieces, usage), media_type="text/event-stream")


def _kept(
    pieces: Iterator[tuple[int, Told]], answers: int, store: Store, body: Mapping[str, Any], head: Mapping[str, Any]
) -> Iterator[tuple[int, Told]]:
    """The pieces as they come; the whole answers are kept before the last one's end is told."""
    ended = dict[int, Completion]()
    for place, told in pieces:
        if isinstance(told, Completion):
            ended[place] = told
            if len(ended) == answers:
                stored.keep(store, body, _whole(head, [ended[at] for at in sorted(ended)]))
        yield place, told


async def completions_of(request: Request, stream: Stream) -> list[Completion]:
    """The answers; where nobody waits for them any more, their writing ends."""
    waiting = asyncio.ensure_future(run_in_threadpool(stream.completions))
    try:
        while not (await asyncio.wait([waiting], timeout=LOOK_SECONDS))[0]:
            if await request.is_disconnected():
                stream.close()
        return await waiting
    finally:
        stream.close()


@contextmanager
def refusals(*passed: type[Exception]) -> Generator[None]:
    """The engine's errors in the words of the wire; those that are passed are the caller's own to tell."""
    try:
        yield
    except passed:
        raise
    except PromptTooLongError as error:
        raise WireError(400, str(error), param="messages", code="context_length_exceeded") from error
    except ToolsError as error:
        raise WireError(400, str(error), param="tools", code="unsupported_parameter") from error
    except SchemaError as error:
        raise WireError(400, str(error), param="response_format", code="invalid_value") from error
    except MissingExtraError as error:
        raise WireError(400, str(error), param="response_format", code="unsupported_parameter") from error
    except (OSError, ValueError, KeyError, TypeError, TemplateError) as error:  # the template's word on odd messages
        raise WireError(400, f"the model does not answer: {error}", param="model", code="model_error") from error


def _whole(head: Mapping[str, Any], answers: list[Completion]) -> Object:
    choices = [_choice(place, answer) for place, answer in enumerate(answers)]
    return {**head, "object": "chat.completion", "choices": choices, "usage": _usage(answers)}


def _choice(place: int, answer: Completion) -> Object:
    message = {"role": "assistant", "content": answer.text, "refusal": None, **_beside(answer)}
    chances = None if answer.logprobs is None else {"content": list(answer.logprobs), "refusal": None}
    return {"index": place, "message": message, "logprobs": chances, "finish_reason": answer.finish_reason}


async def _stream(
    head: Mapping[str, Any], first: tuple[int, Told], stream: Stream, rest: Iterator[tuple[int, Told]], usage: bool
) -> AsyncGenerator[str]:
    """Server-sent events: chunks, their end, and the counts where they are asked for."""
    begun, ended = set[int](), list[Completion]()
    try:
        async for place, told in again(first, rest):
            if place not in begun:
                begun.add(place)
                yield _chunk(head, place, {"role": "assistant", "content": ""})
            for event in _events(head, place, told):
                yield event
            if isinstance(told, Completion):
                ended.append(told)
        if usage:
            yield _event({**head, "object": "chat.completion.chunk", "choices": [], "usage": _usage(ended)})
        yield "data: [DONE]\n\n"
    finally:
        stream.close()


async def again(first: tuple[int, Told], rest: Iterator[tuple[int, Told]]) -> AsyncGenerator[tuple[int, Told]]:
    """What was looked at, and what follows it."""
    yield first
    async for told in iterate_in_threadpool(rest):
        yield told


def _events(head: Mapping[str, Any], place: int, told: Told) -> Iterator[str]:
    if isinstance(told, Piece):
        chances = {"content": list(told.logprobs), "refusal": None} if told.logprobs else None
        yield _chunk(head, place, {"content": told.text}, logprobs=chances)
        return
    if beside := _beside(told, numbered=True):
        yield _chunk(head, place, beside)
    yield _chunk(head, place, {}, finish_reason=told.finish_reason)


def _beside(whole: Completion, *, numbered: bool = False) -> Object:
    """What an answer has beside its text: thoughts and calls; in a stream the calls have numbers."""
    found: Object = {"reasoning_content": whole.reasoning} if whole.reasoning else {}
    if whole.tool_calls:
        calls = [{"id": new_id("call_"), **call} for call in whole.tool_calls]
        found["tool_calls"] = [{"index": at, **call} for at, call in enumerate(calls)] if numbered else calls
    return found


def _chunk(
    head: Mapping[str, Any],
    place: int,
    delta: Mapping[str, Any],
    *,
    logprobs: Object | None = None,
    finish_reason: str | None = None,
) -> str:
    choice = {"index": place, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}
    return _event({**head, "object": "chat.completion.chunk", "choices": [choice]})


def _event(body: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


def _usage(answers: list[Completion]) -> dict[str, int]:
    """Of several answers to one question, which counts once."""
    asked, written = answers[0].prompt_tokens, sum(answer.completion_tokens for answer in answers)
    return {"prompt_tokens": asked, "completion_tokens": written, "total_tokens": asked + written}


def usage_of(*answers: Completion) -> dict[str, int]:
    """The tokens of answers to several questions together."""
    asked = sum(answer.prompt_tokens for answer in answers)
    written = sum(answer.completion_tokens for answer in answers)
    return {"prompt_tokens": asked, "completion_tokens": written, "total_tokens": asked + written}


async def source_ready(request: Request, model: str) -> str:
    """Where a model is loaded from; a base that this machine makes is made where it is not there yet.

    Raises:
        WireError: There is no such model.
    """
    return await run_in_threadpool(ensure_made, source_of(request, model))


routes = [Route("/chat/completions", create, methods=["POST"])]
