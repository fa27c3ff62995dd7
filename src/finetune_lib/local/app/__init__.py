"""The wire: one file a resource, and what they share (errors, authentication, pages)."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount

from finetune_lib.local.app import chat, errors, files, jobs, models
from finetune_lib.local.app.auth import token_required
from finetune_lib.local.app.services import Services
from finetune_lib.local.ids import new_id

__all__ = ["Activity", "create_app"]


@dataclass
class Activity:
    """When the platform was last called, so that an idle one can stop."""

    last: float = field(default_factory=time.monotonic)


def create_app(services: Services, *, token: str, activity: Activity) -> Starlette:
    """The application that serves the wire under `/v1`."""

    async def watch(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
        activity.last = time.monotonic()
        response = await call(request)
        response.headers["x-request-id"] = new_id("req_")
        return response

    routes = [*files.routes, *jobs.routes, *models.routes, *chat.routes]
    app = Starlette(
        routes=[Mount("/v1", routes=routes)],
        middleware=[
            Middleware(BaseHTTPMiddleware, dispatch=watch),
            Middleware(BaseHTTPMiddleware, dispatch=token_required(token)),
        ],
        exception_handlers={
            errors.WireError: errors.answer,
            HTTPException: errors.unknown_route,
            500: _crashed,
        },
    )
    app.state.services = services
    return app


async def _crashed(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001 - the framework's shape
    return errors.envelope(500, f"the server failed: {type(error).__name__}", kind="server_error")
