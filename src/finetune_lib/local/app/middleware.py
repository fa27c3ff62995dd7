"""What stands before every route: an id and the time for each call, and the token that it must carry."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from finetune_lib.local.app.errors import envelope
from finetune_lib.local.objects import new_id


@dataclass
class Activity:
    """Whether the platform is at work for a caller, and when it last was, so that an idle one can stop."""

    last: float = field(default_factory=time.monotonic)
    calls: int = 0

    def quiet(self) -> float:
        """Seconds since the last call ended; 0 while one is being answered, however long that takes."""
        return 0.0 if self.calls else time.monotonic() - self.last


class Watched:
    """A middleware that notes each call from its begin to its end, and gives its answer an `x-request-id`."""

    def __init__(self, app: ASGIApp, *, activity: Activity) -> None:
        self.app = app
        self.activity = activity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on."""
        self.activity.calls += 1

        async def identified(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = new_id("req_")
            await send(message)

        try:
            await self.app(scope, receive, identified)
        finally:
            self.activity.calls -= 1
            self.activity.last = time.monotonic()


class TokenRequired:
    """A middleware that answers 401 to everything without `Authorization: Bearer <token>`."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self.app = app
        self.expected = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through, or refuse it."""
        scheme, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and secrets.compare_digest(given.strip().encode(), self.expected):
            await self.app(scope, receive, send)
            return
        message = "Incorrect API key provided. This server's token is in server.json of its folder."
        await envelope(401, message, code="invalid_api_key")(scope, receive, send)
