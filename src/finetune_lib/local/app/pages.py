"""Lists in pages, with OpenAI's cursor: `after` is the id that the page before ended with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from finetune_lib.local.app.errors import WireError
from finetune_lib.local.app.services import services
from finetune_lib.local.objects import Object
from finetune_lib.local.store import Kind, UnknownCursorError

LONGEST_LIMIT = 9


def page(
    request: Request,
    kind: Kind,
    *,
    default: int,
    largest: int = 100,
    parent: str | None = None,
    where: Mapping[str, str | None] | None = None,
    metadata: Mapping[str, str] | None = None,
    order: str = "desc",
    shown: Callable[[Object], Any] = lambda body: body,
) -> JSONResponse:
    """One page of the objects of a kind, by the request's `after`, `limit` and `order`."""
    query = request.query_params
    try:
        found, more = services(request).store.page(
            kind,
            parent=parent,
            after=query.get("after"),
            limit=_limit(query.get("limit"), default, largest),
            ascending=query.get("order", order) == "asc",
            where=where,
            metadata=metadata,
        )
    except UnknownCursorError as error:
        raise WireError(400, f"Given after argument was not found in items: {error}", param="after") from error
    ids = [body["id"] for body in found]
    ends = {"first_id": ids[0] if ids else "", "last_id": ids[-1] if ids else ""}  # some lists must have texts there
    return JSONResponse({"object": "list", "data": [shown(body) for body in found], **ends, "has_more": more})


def _limit(text: str | None, default: int, largest: int) -> int:
    if text is None:
        return default
    if not text.isdecimal() or len(text) > LONGEST_LIMIT or int(text) > largest:
        raise WireError(400, f"limit must be a number from 0 to {largest}, not {text!r}", param="limit")
    return int(text)
