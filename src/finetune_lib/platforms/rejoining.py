"""Calls that find their server again: one that has stopped because nobody called is started anew.

A connection that is refused has sent nothing, so the call is made again without harm.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import httpx2


class Rejoin:
    """Where a server answers now, shared by all clients of a platform.

    Args:
        find: Joins or starts the server; its address and key.
    """

    def __init__(self, url: str, find: Callable[[], tuple[str, str]]) -> None:
        self._find, self._lock = find, threading.Lock()
        self._first = self._url = httpx2.URL(url)
        self._key: str | None = None

    def again(self, tried: httpx2.URL) -> None:
        """Find the server, once for all that ask for it at the same time."""
        with self._lock:
            if (tried.host, tried.port) == (self._url.host, self._url.port):
                url, self._key = self._find()
                self._url = httpx2.URL(url)

    def directed(self, request: httpx2.Request) -> httpx2.Request:
        """The request on its way to where the server answers now."""
        if self._key is not None:
            request.url = request.url.copy_with(host=self._url.host, port=self._url.port)
            request.headers["Host"] = request.url.netloc.decode()
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class RejoiningTransport(httpx2.BaseTransport):
    """Makes a call again once its server is found again."""

    def __init__(self, rejoin: Rejoin, **options: Any) -> None:
        self._rejoin, self._inner = rejoin, httpx2.HTTPTransport(**options)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request."""
        try:
            return self._inner.handle_request(self._rejoin.directed(request))
        except httpx2.ConnectError:
            self._rejoin.again(request.url)
            return self._inner.handle_request(self._rejoin.directed(request))

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class AsyncRejoiningTransport(httpx2.AsyncBaseTransport):
    """The same for asynchronous clients."""

    def __init__(self, rejoin: Rejoin, **options: Any) -> None:
        self._rejoin, self._inner = rejoin, httpx2.AsyncHTTPTransport(**options)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request."""
        try:
            return await self._inner.handle_async_request(self._rejoin.directed(request))
        except httpx2.ConnectError:
            await asyncio.to_thread(self._rejoin.again, request.url)
            return await self._inner.handle_async_request(self._rejoin.directed(request))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()
