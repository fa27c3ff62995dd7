"""A client of the user's on an event loop: each request is sent by the client's own HTTP in a thread."""

from __future__ import annotations

from typing import Any

import httpx2

from finetune_lib.concurrency import call


class ThreadedTransport(httpx2.AsyncBaseTransport):
    """Sends through the synchronous HTTP client of an `openai` client: its proxy, certificates and hooks count."""

    def __init__(self, own: Any) -> None:
        self._http: httpx2.Client = own._client

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        content = await request.aread()
        sent = httpx2.Request(
            request.method, request.url, headers=request.headers, content=content, extensions=request.extensions
        )
        answer: httpx2.Response = await call(self._http.send, sent)
        kept = [(name, value) for name, value in answer.headers.raw if name.lower() != b"content-encoding"]
        return httpx2.Response(answer.status_code, headers=kept, content=answer.content, request=request)
