"""Every call carries the token."""

from __future__ import annotations

import secrets

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from finetune_lib.local.app.errors import envelope


class TokenRequired:
    """A middleware that answers 401 to everything without `Authorization: Bearer <token>`."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self.app = app
        self.expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through, or refuse it."""
        given = Headers(scope=scope).get("authorization", "").encode()
        if secrets.compare_digest(given, self.expected):
            await self.app(scope, receive, send)
            return
        message = "Incorrect API key provided. This server's token is in server.json of its folder."
        await envelope(401, message, code="invalid_api_key")(scope, receive, send)
