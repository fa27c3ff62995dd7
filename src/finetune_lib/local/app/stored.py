"""/v1/chat/completions that were asked with `store`: list, get, update, delete, and their messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from finetune_lib.local.app.errors import WireError, json_body
from finetune_lib.local.app.fields import check_metadata
from finetune_lib.local.app.pages import page
from finetune_lib.local.app.services import services
from finetune_lib.local.objects import Object
from finetune_lib.local.store import Store


def keep(store: Store, body: Mapping[str, Any], completion: Object) -> None:
    """Keep an answer with the conversation that it answers."""
    kept: Object = {**completion, "metadata": body.get("metadata") or {}}
    with store.transaction():
        store.add("stored", kept)
        for at, message in enumerate(body["messages"]):
            parts = message.get("content") if isinstance(message.get("content"), list) else None
            text = "".join(part["text"] for part in parts) if parts else message.get("content")
            shown = {**message, "content": text, "content_parts": parts, "refusal": None}
            store.add("message", {**shown, "id": f"{kept['id']}-{at}"}, parent=kept["id"])


async def list_completions(request: Request) -> JSONResponse:
    """GET /chat/completions, the oldest first; also by `model` and `metadata[key]`"""
    query = request.query_params
    pairs = {key[9:-1]: value for key, value in query.items() if key.startswith("metadata[")}
    where = {"$.model": query["model"]} if query.get("model") else None
    return page(request, "stored", default=20, where=where, metadata=pairs, order="asc")


async def retrieve(request: Request) -> JSONResponse:
    """GET /chat/completions/{id}"""
    return JSONResponse(_completion(request))


async def update(request: Request) -> JSONResponse:
    """POST /chat/completions/{id}: other metadata"""
    body, id = await json_body(request), _completion(request)["id"]
    check_metadata(body)
    return JSONResponse(services(request).store.update("stored", id, {"metadata": body.get("metadata") or {}}))


async def delete(request: Request) -> JSONResponse:
    """DELETE /chat/completions/{id}: with its messages"""
    store, id = services(request).store, _completion(request)["id"]
    with store.transaction():
        for message in store.page("message", parent=id)[0]:
            store.delete("message", message["id"])
        store.delete("stored", id)
    return JSONResponse({"id": id, "object": "chat.completion.deleted", "deleted": True})


async def messages(request: Request) -> JSONResponse:
    """GET /chat/completions/{id}/messages: what was asked, the first message first"""
    return page(request, "message", default=20, parent=_completion(request)["id"], order="asc")


def _completion(request: Request) -> Object:
    id = request.path_params["id"]
    found = services(request).store.get("stored", id)
    if found is None:
        message = f"No chat completion with the id '{id}' is stored: ask with store=true."
        raise WireError(404, message, param="completion_id", code="not_found")
    return found


routes = [
    Route("/chat/completions", list_completions),
    Route("/chat/completions/{id}", retrieve),
    Route("/chat/completions/{id}", update, methods=["POST"]),
    Route("/chat/completions/{id}", delete, methods=["DELETE"]),
    Route("/chat/completions/{id}/messages", messages),
]
