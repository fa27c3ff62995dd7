"""/v1/batches"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Message

from finetune_lib.local.app import chat, completions, embeddings, errors
from finetune_lib.local.app.errors import WireError, invalid, json_body, not_found
from finetune_lib.local.app.fields import check_metadata, expiry_of, told
from finetune_lib.local.app.pages import page
from finetune_lib.local.app.services import Services, require_file, services
from finetune_lib.local.batches.runner import Answer
from finetune_lib.local.objects import Object, batch_object

WINDOW = "24h"
ENDPOINTS = {
    "/v1/chat/completions": chat.create,
    "/v1/completions": completions.create,
    "/v1/embeddings": embeddings.create,
}


def answering(app: Starlette) -> Answer:
    """What answers the requests of a batch: the very route that answers the same call."""
    return lambda endpoint, body: asyncio.run(_answered(app, endpoint, body))


async def _answered(app: Starlette, endpoint: str, body: Mapping[str, Any]) -> tuple[int, Object]:
    async def receive() -> Message:
        return {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}

    request = Request({"type": "http", "method": "POST", "path": endpoint, "headers": [], "app": app}, receive)
    try:
        if body.get("stream"):
            raise WireError(400, "A batch streams no answers.", param="stream", code="unsupported_parameter")
        answer = await ENDPOINTS[endpoint](request)
    except WireError as error:
        answer = await errors.answer(request, error)
    except Exception as error:
        answer = errors.envelope(500, f"the server failed: {type(error).__name__}: {error}", kind="server_error")
    return answer.status_code, json.loads(bytes(answer.body))


async def create(request: Request) -> JSONResponse:
    """POST /batches: the input is looked at while the batch is `validating`."""
    body, platform = await json_body(request), services(request)
    _check(body, platform)
    batch = batch_object(body)
    await run_in_threadpool(platform.batches.accept, batch)
    return JSONResponse(_shown(batch))


def _check(body: Mapping[str, Any], platform: Services) -> None:
    if body.get("endpoint") not in list(ENDPOINTS):  # whatever it is: lists cannot be looked up in a table
        raise invalid("endpoint", f"one of {', '.join(ENDPOINTS)}", body.get("endpoint"))
    if body.get("completion_window") != WINDOW:
        raise invalid("completion_window", f"{WINDOW!r}, the only one here", body.get("completion_window"))
    require_file(platform, body.get("input_file_id"), purpose="batch", param="input_file_id")
    check_metadata(body)
    expiry_of(body.get("output_expires_after"), param="output_expires_after")


async def list_batches(request: Request) -> JSONResponse:
    """GET /batches, the newest first"""
    return page(request, "batch", default=20, shown=_shown)


async def retrieve(request: Request) -> JSONResponse:
    """GET /batches/{id}"""
    return JSONResponse(_shown(_batch(request)))


async def cancel(request: Request) -> JSONResponse:
    """POST /batches/{id}/cancel: it is `cancelling` until the request that is being answered has its answer"""
    cancelled = services(request).batches.cancel(_batch(request))
    if cancelled is None:
        batch = _batch(request)
        raise WireError(400, f"Cannot cancel a batch with status '{batch['status']}'.", code="batch_already_ended")
    return JSONResponse(_shown(cancelled))


def _shown(batch: Object) -> Object:
    return told({name: value for name, value in batch.items() if name != "output_expires_after"})


def _batch(request: Request) -> Object:
    id = request.path_params["id"]
    batch = services(request).store.get("batch", id)
    if batch is None:
        raise not_found("Batch", id, param="batch_id")
    return batch


routes = [
    Route("/batches", create, methods=["POST"]),
    Route("/batches", list_batches),
    Route("/batches/{id}/cancel", cancel, methods=["POST"]),
    Route("/batches/{id}", retrieve),
]
