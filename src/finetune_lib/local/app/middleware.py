"""What stands before every route: an id and the time for each call, and the token that it must carry."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from finetune_lib.local.app.errors import envelope
from finetune_lib.local.objects import new_id

UNWATCHED = "/health"


@dataclass
class Activity:
    """Whether the platform is at work for a caller, and when it last was, so that an idle one can stop.

    Attributes:
        last: The moment in which the last call ended.
        calls: Those that are being answered.
        answered: How many were, by method and status.
        seconds: How long all of them took.
    """

    last: float = field(default_factory=time.monotonic)
    calls: int = 0
    answered: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    seconds: float = 0.0

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
        # who asks whether it lives does not keep it alive
        if scope["type"] == "http" and scope["path"] == UNWATCHED:
            await self.app(scope, receive, send)
            return
        self.activity.calls += 1
        began = time.monotonic()

        async def identified(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = new_id("req_")
                self.activity.answered[scope["method"], message["status"]] += 1
            await send(message)

        try:
            await self.app(scope, receive, identified)
        finally:
            self.activity.calls -= 1
            self.activity.last = time.monotonic()
            self.activity.seconds += self.activity.last - began


class TokenRequired:
    """A middleware that answers 401 to everything but /health without `Authorization: Bearer <token>`."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self.app = app
        self.expected = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through, or refuse it."""
        scheme, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
        open_to_all = scope["type"] == "http" and scope["path"] == UNWATCHED
        if open_to_all or (
            scheme.lower() == "bearer" and secrets.compare_digest(given.strip().encode(), self.expected)
        ):
            await self.app(scope, receive, send)
            return
        message = "Incorrect API key provided. This server's token is in server.json of its folder."
        await envelope(401, message, code="invalid_api_key")(scope, receive, send)
