"""When the platform was last called, and an id for each call."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from finetune_lib.local.ids import new_id


@dataclass
class Activity:
    """When the platform was last called, so that an idle one can stop."""

    last: float = field(default_factory=time.monotonic)


class Watched:
    """A middleware that notes each call and gives its answer an `x-request-id`."""

    def __init__(self, app: ASGIApp, *, activity: Activity) -> None:
        self.app = app
        self.activity = activity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on."""
        self.activity.last = time.monotonic()

        async def identified(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = new_id("req_")
            await send(message)

        await self.app(scope, receive, identified)
