"""What the calls of one run share: a connection to each platform, a pace for each model, and the places for all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from finetune_lib.concurrency import in_thread
from finetune_lib.platforms import Connection, Platform, default_platform
from finetune_lib.platforms.asking.pacing import Pace

if TYPE_CHECKING:
    from finetune_lib.errors import PlatformError


class Connections:
    """Connections, places and paces; it lives in one event loop.

    Args:
        concurrency: Calls under way at once.
        timeout: Seconds that one call may take.
    """

    def __init__(self, *, concurrency: int, timeout: float) -> None:
        self.loop = asyncio.get_running_loop()
        self.places = asyncio.Semaphore(concurrency)
        self.timeout = timeout
        self._connections: dict[Platform, Connection] = {}
        self._paces: dict[tuple[Platform, str], Pace] = {}
        self._default: Platform | None = None
        self._lock = asyncio.Lock()

    async def default(self) -> Platform:
        """The platform where none is named."""
        if self._default is None:
            async with self._lock:
                self._default = self._default or await in_thread(default_platform)
        return self._default

    def to(self, platform: Platform) -> Connection:
        """The connection to a platform, always the same one."""
        if platform not in self._connections:
            self._connections[platform] = Connection(platform, timeout=self.timeout)
        return self._connections[platform]

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
        """Close all connections."""
        for connection in self._connections.values():
            await connection.close()
