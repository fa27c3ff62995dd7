"""/v1/storage: beyond OpenAI's protocol, what takes room and what may go."""

from __future__ import annotations

from dataclasses import asdict

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from finetune_lib.local.app.errors import invalid, json_body
from finetune_lib.local.app.services import services
from finetune_lib.local.deleting import collect


async def create(request: Request) -> JSONResponse:
    """POST /storage/collections: delete what nobody can reach, and what is older than `keep_days`"""
    body, platform = await json_body(request), services(request)
    days, dry = body.get("keep_days"), body.get("dry_run", False)
    if days is not None and (not isinstance(days, int | float) or isinstance(days, bool) or not days >= 0):
        raise invalid("keep_days", "a number of days, or null", days)
    if not isinstance(dry, bool):
        raise invalid("dry_run", "true or false", dry)
    removed = await run_in_threadpool(collect, platform.root, platform.store, keep_days=days, dry_run=dry)
    return JSONResponse({"object": "list", "data": [asdict(one) for one in removed]})


routes = [Route("/storage/collections", create, methods=["POST"])]
