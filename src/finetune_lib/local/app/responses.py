"""/v1/responses: what chats can do, in the words of the Responses API; kept unless `store` is false."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from finetune_lib.local.app.chat import again, completions_of, refusals, source_ready
from finetune_lib.local.app.chat_request import question_of, sampling_of, text_of
from finetune_lib.local.app.errors import WireError, json_body, part
from finetune_lib.local.app.fields import check_metadata
from finetune_lib.local.app.pages import page
from finetune_lib.local.app.responses_request import NAMES, chat_of, fields_of_all, items_of, refuse_foreign
from finetune_lib.local.app.services import Services, services
from finetune_lib.local.inference import Completion, Piece
from finetune_lib.local.objects import Object, new_id, now
from finetune_lib.local.serving.engine import Stream, Told

SHOWN = ("instructions", "max_output_tokens", "previous_response_id", "prompt_cache_key", "safety_identifier")


async def create(request: Request) -> Response:
    """POST /responses, in one piece or streamed."""
    body, platform = await json_body(request), services(request)
    refuse_foreign(body)
    check_metadata(body)
    items = items_of(body)
    with _renamed():
        before = _said_before(platform, body)
        chat = chat_of(body, [*before, *items])
        question, sampling = question_of(chat), sampling_of(chat)
        source = await source_ready(request, text_of(body, "model"))
        head = _head(body)
        with refusals():
            stream = await run_in_threadpool(platform.engine.stream, source, question, sampling)
            if not body.get("stream"):
                (answer,) = await completions_of(request, stream)
                whole = _ended(head, _output(answer), answer)
                _keep(platform, whole, before, items)
                return JSONResponse(whole)
            pieces = iter(stream)
            first = await run_in_threadpool(next, pieces)  # errors come before the first byte

    def keep(whole: Object) -> None:
        _keep(platform, whole, before, items)

    return StreamingResponse(_told(head, again(first, pieces), stream, keep), media_type="text/event-stream")


@contextmanager
def _renamed() -> Generator[None]:
    """What the reader of chats refuses, under the name that the caller used."""
    try:
        yield
    except WireError as error:
        name, *rest = (error.param or "").partition(".")
        error.param = "".join([NAMES.get(name, name), *rest]) or None
        raise


def _said_before(platform: Services, body: Mapping[str, Any]) -> list[Object]:
    """The items of the response before, and of those before it."""
    id = body.get("previous_response_id")
    if id is None:
        return []
    before = platform.store.get("response", str(id))
    if before is None:
        message = f"Previous response with id '{id}' not found."
        raise WireError(400, message, param="previous_response_id", code="previous_response_not_found")
    own, _ = platform.store.page("response_item", parent=before["id"], ascending=True)
    return [*own, *before["output"]]


def _head(body: Mapping[str, Any]) -> Object:
    """A response that has just begun."""
    text, tools = part(body, "text"), fields_of_all(body.get("tools"))
    user = {"user": body["user"]} if body.get("user") else {}
    return {
        "id": new_id("resp_", 48),
        "object": "response",
        "created_at": now(),
        "status": "in_progress",
        "background": False,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        **{name: body.get(name) for name in SHOWN},
        **user,
        "max_tool_calls": None,
        "metadata": body.get("metadata") or {},
        "model": body["model"],
        "output": [],
        "parallel_tool_calls": True,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": body.get("store") is not False,
        "temperature": 1.0 if body.get("temperature") is None else body["temperature"],
        "text": {**text, "format": text.get("format") or {"type": "text"}},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": [{"strict": False, "parameters": None, **tool} for tool in tools],
        "top_logprobs": body.get("top_logprobs") or 0,
        "top_p": 1.0 if body.get("top_p") is None else body["top_p"],
        "truncation": "disabled",
        "usage": None,
    }


def _ended(head: Object, output: list[Object], answer: Completion) -> Object:
    cut = answer.finish_reason == "length"
    ends = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}} if cut else {
        "status": "completed",
        "completed_at": now(),
    }  # fmt: skip
    asked, written = answer.prompt_tokens, answer.completion_tokens
    usage = {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": asked + written,
    }
    return {**head, **ends, "output": output, "usage": usage}


def _output(answer: Completion) -> list[Object]:
    """Its thought, its text and its calls; an answer that says nothing is a message without words."""
    status = "incomplete" if answer.finish_reason == "length" else "completed"
    found: list[Object] = []
    if answer.reasoning:
        content = [{"type": "reasoning_text", "text": answer.reasoning}]
        found.append({"id": new_id("rs_"), "type": "reasoning", "summary": [], "content": content, "status": status})
    if answer.text or not answer.tool_calls:
        found.append(_message(status, [_text_part(answer.text, list(answer.logprobs or ()))]))
    for call in answer.tool_calls:
        named = {"name": call["function"]["name"], "arguments": call["function"]["arguments"]}
        found.append(
            {"id": new_id("fc_"), "type": "function_call", "call_id": new_id("call_"), **named, "status": status}
        )
    return found


def _message(status: str, content: list[Object]) -> Object:
    return {"id": new_id("msg_"), "type": "message", "role": "assistant", "status": status, "content": content}


def _text_part(text: str, logprobs: list[Any]) -> Object:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs}


def _keep(platform: Services, whole: Object, before: list[Object], items: list[Object]) -> None:
    """With all that was said before it, so that a response after it needs no other one."""
    if not whole["store"]:
        return
    copied = [{**item, "id": new_id(f"{item['id'].partition('_')[0]}_")} for item in before]
    with platform.store.transaction():
        platform.store.add("response", whole)
        for item in [*copied, *items]:
            platform.store.add("response_item", item, parent=whole["id"])


async def _told(
    head: Object, told: AsyncGenerator[tuple[int, Told]], stream: Stream, keep: Callable[[Object], None]
) -> AsyncGenerator[str]:
    """The events; where nobody waits for them any more, the writing ends."""
    try:
        async for line in _events(head, told, keep):
            yield line
    finally:
        stream.close()


async def _events(
    head: Object, told: AsyncGenerator[tuple[int, Told]], keep: Callable[[Object], None]
) -> AsyncGenerator[str]:
    """Server-sent events in the order of the wire; text is told as it comes, what is beside it at its end."""
    numbers = count()

    def event(kind: str, **fields: Any) -> str:
        body = {"type": kind, "sequence_number": next(numbers), **fields}
        return f"event: {kind}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n"

    yield event("response.created", response=head)
    yield event("response.in_progress", response=head)
    begun: Object | None = None
    held: str | None = None  # the first piece waits: where the answer's end follows it, a thought may stand before it
    async for _, one in told:
        if isinstance(one, Piece):
            if held is None and begun is None:
                held = one.text
                continue
            if begun is None:
                begun = _message("in_progress", [])
                for line in _opened(event, begun, 0):
                    yield line
                yield _delta(event, begun, 0, held or "")
            yield _delta(event, begun, 0, one.text)
            continue
        output = _output(one)
        if begun is not None:  # a text that was told piece by piece has no thought beside it
            output = [{**item, "id": begun["id"]} if item["type"] == "message" else item for item in output]
        for place, item in enumerate(output):
            for line in _item_events(event, item, place, told=begun is not None and item["type"] == "message"):
                yield line
        whole = _ended(head, output, one)
        await run_in_threadpool(keep, whole)
        yield event(f"response.{whole['status']}", response=whole)


def _opened(event: Any, message: Object, place: int) -> Iterator[str]:
    yield event("response.output_item.added", output_index=place, item=message)
    at = {"item_id": message["id"], "output_index": place, "content_index": 0}
    yield event("response.content_part.added", **at, part=_text_part("", []))


def _delta(event: Any, message: Object, place: int, text: str) -> str:
    at = {"item_id": message["id"], "output_index": place, "content_index": 0}
    return event("response.output_text.delta", **at, delta=text, logprobs=[])


def _item_events(event: Any, item: Object, place: int, *, told: bool) -> Iterator[str]:
    """An item from its beginning to its end; of a text that was told already, the end alone."""
    at = {"item_id": item["id"], "output_index": place}
    if item["type"] == "message":
        (text,) = item["content"]
        if not told:
            yield from _opened(event, {**item, "status": "in_progress", "content": []}, place)
            yield _delta(event, item, place, text["text"])
        yield event("response.output_text.done", **at, content_index=0, text=text["text"], logprobs=text["logprobs"])
        yield event("response.content_part.done", **at, content_index=0, part=text)
    else:
        yield event("response.output_item.added", output_index=place, item={**item, "status": "in_progress"})
    if item["type"] == "function_call":
        yield event("response.function_call_arguments.delta", **at, delta=item["arguments"])
        yield event("response.function_call_arguments.done", **at, name=item["name"], arguments=item["arguments"])
    yield event("response.output_item.done", output_index=place, item=item)


async def retrieve(request: Request) -> JSONResponse:
    """GET /responses/{id}"""
    return JSONResponse(_response(request))


async def delete(request: Request) -> JSONResponse:
    """DELETE /responses/{id}: with its input"""
    store, id = services(request).store, _response(request)["id"]
    with store.transaction():
        for item in store.page("response_item", parent=id)[0]:
            store.delete("response_item", item["id"])
        store.delete("response", id)
    return JSONResponse({"id": id, "object": "response", "deleted": True})


async def input_items(request: Request) -> JSONResponse:
    """GET /responses/{id}/input_items, the newest first"""
    return page(request, "response_item", default=20, parent=_response(request)["id"])


async def cancel(request: Request) -> JSONResponse:
    """POST /responses/{id}/cancel: none is written in the background"""
    _response(request)
    raise WireError(400, "Cannot cancel a synchronous response.", param="response_id", code="invalid_value")


def _response(request: Request) -> Object:
    id = request.path_params["id"]
    found = services(request).store.get("response", id)
    if found is None:
        raise WireError(404, f"Response with id '{id}' not found.", param="response_id", code="not_found")
    return found


routes = [
    Route("/responses", create, methods=["POST"]),
    Route("/responses/{id}", retrieve),
    Route("/responses/{id}", delete, methods=["DELETE"]),
    Route("/responses/{id}/input_items", input_items),
    Route("/responses/{id}/cancel", cancel, methods=["POST"]),
]
