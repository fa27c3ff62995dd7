"""The wire: one file a resource, and what they share (errors, authentication, pages)."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount, Router

from finetune_lib.local.app import (
    batches,
    chat,
    completions,
    embeddings,
    errors,
    estimates,
    files,
    graders,
    health,
    jobs,
    models,
    permissions,
    responses,
    storage,
    stored,
    uploads,
)
from finetune_lib.local.app.limits import BodyLimited
from finetune_lib.local.app.middleware import Activity, TokenRequired, Watched
from finetune_lib.local.app.services import Services

__all__ = ["Activity", "create_app"]


def create_app(services: Services, *, token: str, activity: Activity) -> Starlette:
    """The application that serves the wire under `/v1`."""
    rooms = (
        *(files, uploads, jobs, permissions, graders, estimates, models, storage),
        *(chat, stored, completions, responses, embeddings, batches),
    )
    routes = [route for room in rooms for route in room.routes]
    app = Starlette(
        routes=[*health.routes, Mount("/v1", app=Router(routes, redirect_slashes=False))],
        middleware=[
            Middleware(Watched, activity=activity),
            Middleware(TokenRequired, token=token),
            Middleware(BodyLimited),
        ],
        exception_handlers={errors.WireError: errors.answer, HTTPException: errors.unknown_route, 500: errors.failed},
    )
    app.router.redirect_slashes = False  # a redirect would repeat the Host that a caller sent
    app.state.services = services
    app.state.activity = activity
    return app
