"""/v1/chat/completions"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from jinja2 import TemplateError
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from finetune_lib.local.app import stored
from finetune_lib.local.app.chat_request import question_of, sampling_of, text_of
from finetune_lib.local.app.errors import WireError, json_body, part
from finetune_lib.local.app.fields import check_metadata
from finetune_lib.local.app.models import source_of
from finetune_lib.local.app.services import services
from finetune_lib.local.base_models import ensure_tiny, tiny_folder
from finetune_lib.local.inference import Completion, PromptTooLongError, Stream, ToolsError
from finetune_lib.local.objects import Object, new_id, now
from finetune_lib.local.store import Store


async def create(request: Request) -> Response:
    """POST /chat/completions, in one piece or streamed."""
    body = await json_body(request)
    question, sampling = question_of(body), sampling_of(body)
    check_metadata(body)
    usage = bool(part(body, "stream_options").get("include_usage"))
    source, platform = await source_ready(request, text_of(body, "model")), services(request)
    head = {"id": new_id("chatcmpl-"), "created": now(), "model": body["model"]}
    if not body.get("stream"):
        with refusals():
            whole = await run_in_threadpool(platform.engine.complete, source, question, sampling)
        answer = _answer(head, whole)
        if body.get("store"):
            stored.keep(platform.store, body, answer)
        return JSONResponse(answer)
    stream = platform.engine.stream(source, question, sampling)
    pieces = _kept(iter(stream), platform.store, body, head) if body.get("store") else iter(stream)
    with refusals():  # errors come before the first byte
        first = await run_in_threadpool(next, pieces)
    return StreamingResponse(_stream(head, first, stream, pieces, usage), media_type="text/event-stream")


def _kept(
    pieces: Iterator[str | Completion], store: Store, body: Mapping[str, Any], head: Mapping[str, Any]
) -> Iterator[str | Completion]:
    """The pieces as they come; the whole answer is kept before its end is told."""
    for piece in pieces:
        if isinstance(piece, Completion):
            stored.keep(store, body, _answer(head, piece))
        yield piece


def _answer(head: Mapping[str, Any], whole: Completion) -> Object:
    message = {"role": "assistant", "content": whole.text, "refusal": None, **_beside(whole)}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": whole.finish_reason}
    return {**head, "object": "chat.completion", "choices": [choice], "usage": usage_of(whole)}


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
    except (OSError, ValueError, KeyError, TypeError, TemplateError) as error:  # the template's word on odd messages
        raise WireError(400, f"the model does not answer: {error}", param="model", code="model_error") from error


async def _stream(
    head: Mapping[str, Any], first: str | Completion, stream: Stream, rest: Iterator[str | Completion], usage: bool
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
    if beside := _beside(piece, numbered=True):
        yield _chunk(head, beside)
    yield _chunk(head, {}, finish_reason=piece.finish_reason)
    if usage:
        yield _event({**head, "object": "chat.completion.chunk", "choices": [], "usage": usage_of(piece)})


def _beside(whole: Completion, *, numbered: bool = False) -> Object:
    """What an answer has beside its text: thoughts and calls; in a stream the calls have numbers."""
    found: Object = {"reasoning_content": whole.reasoning} if whole.reasoning else {}
    if whole.tool_calls:
        calls = [{"id": new_id("call_"), **call} for call in whole.tool_calls]
        found["tool_calls"] = [{"index": at, **call} for at, call in enumerate(calls)] if numbered else calls
    return found


def _chunk(head: Mapping[str, Any], delta: Mapping[str, Any], *, finish_reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return _event({**head, "object": "chat.completion.chunk", "choices": [choice]})


def _event(body: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


def usage_of(*answers: Completion) -> dict[str, int]:
    """The tokens of answers together."""
    asked = sum(answer.prompt_tokens for answer in answers)
    written = sum(answer.completion_tokens for answer in answers)
    return {"prompt_tokens": asked, "completion_tokens": written, "total_tokens": asked + written}


async def source_ready(request: Request, model: str) -> str:
    """Where a model is loaded from; the built-in base is made where it is not there yet.

    Raises:
        WireError: There is no such model.
    """
    source, root = source_of(request, model), services(request).root
    if source == str(tiny_folder(root)):
        await run_in_threadpool(ensure_tiny, root)
    return source


routes = [Route("/chat/completions", create, methods=["POST"])]
