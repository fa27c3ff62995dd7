"""How large a request may be: what is larger is refused before it is read, or while it comes."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from finetune_lib.local.app.errors import WireError, envelope
from finetune_lib.local.app.files import LARGEST_BYTES
from finetune_lib.local.app.uploads import LARGEST_PART

# JSON is read in one piece, and nobody else is answered meanwhile.
LARGEST_JSON = 16 * 1024 * 1024
FORM = 1024 * 1024  # what a form has around its file


class BodyLimited:
    """A middleware that answers 413 to what is too large."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through, counting what comes of it."""
        limit, read = limit_of(scope), 0
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > limit:
            answer = envelope(413, _words(limit), code="request_too_large")
            answer.headers["connection"] = "close"  # the body is not read, and nothing can follow it
            await answer(scope, receive, send)
            return

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise WireError(413, _words(limit), code="request_too_large")
            return message

        await self.app(scope, counted, send)


def limit_of(scope: Scope) -> int:
    """The most bytes that the body of a call may have."""
    if not Headers(scope=scope).get("content-type", "").startswith("multipart/"):
        return LARGEST_JSON
    return FORM + (LARGEST_PART if scope["path"].endswith("/parts") else LARGEST_BYTES)


def _words(limit: int) -> str:
    return f"The body of the request is too large: the limit is {limit} bytes."
