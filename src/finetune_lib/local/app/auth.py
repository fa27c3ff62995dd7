"""Every call carries the token."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from finetune_lib.local.app.errors import envelope

Call = Callable[[Request], Awaitable[Response]]


def token_required(token: str) -> Callable[[Request, Call], Awaitable[Response]]:
    """A middleware that answers 401 to everything without `Authorization: Bearer <token>`."""
    expected = f"Bearer {token}".encode()

    async def check(request: Request, call: Call) -> Response:
        given = request.headers.get("authorization", "").encode()
        if secrets.compare_digest(given, expected):
            return await call(request)
        message = "Incorrect API key provided. This server's token is in server.json of its folder."
        return envelope(401, message, code="invalid_api_key")

    return check
