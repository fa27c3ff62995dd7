"""What the calls of one run share: a client for each platform, a pace for each model, and the places for all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from finetune_lib.asking.pacing import Pace
from finetune_lib.platforms import Platform, default_platform

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from finetune_lib.errors import PlatformError

CLIENTS_TIMEOUT = 600.0  # seconds; the client's own limit, which would end a longer call


class Connections:
    """Clients, places and paces; it lives in one event loop.

    Args:
        concurrency: Calls under way at once.
        timeout: Seconds that one call may take.
    """

    def __init__(self, *, concurrency: int, timeout: float) -> None:
        self.loop = asyncio.get_running_loop()
        self.places = asyncio.Semaphore(concurrency)
        self.timeout = timeout
        self._clients: dict[Platform, AsyncOpenAI] = {}
        self._paces: dict[tuple[Platform, str], Pace] = {}
        self._default: Platform | None = None
        self._lock = asyncio.Lock()

    async def default(self) -> Platform:
        """The platform where none is named."""
        if self._default is None:
            async with self._lock:
                self._default = self._default or await asyncio.to_thread(default_platform)
        return self._default

    def client(self, platform: Platform) -> AsyncOpenAI:
        """The client of a platform, always the same one; a call that fails is made again here, not by the client."""
        if platform not in self._clients:
            client = platform.async_client().with_options(max_retries=0)
            long = self.timeout > CLIENTS_TIMEOUT
            self._clients[platform] = client.with_options(timeout=self.timeout) if long else client
        return self._clients[platform]

    def pace(self, platform: Platform, model: str) -> Pace:
        """How fast calls to a model begin: platforms have limits for each."""
        if (platform, model) not in self._paces:
            self._paces[platform, model] = Pace()
        return self._paces[platform, model]

    @property
    def closed(self) -> PlatformError | None:
        """The first reason for which a model is asked no more."""
        return next((pace.closed for pace in self._paces.values() if pace.closed), None)

    async def close(self) -> None:
        """Close all clients."""
        for client in self._clients.values():
            await client.close()
