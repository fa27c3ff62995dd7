"""A mock of chat completions with a fixed latency: raw ASGI on uvicorn, in one process.

    python benchmarks/mock_chat.py PORT

Answers have about 0.9 kB, with usage. `GET /stats` tells how many calls came since the last question, how long from
the first to the last answer, and how many were under way at once.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

LATENCY = 0.05  # seconds
TEXT = "The answer is 42. " + "Further words make it as long as answers usually are. " * 8
MESSAGE = {"role": "assistant", "content": TEXT, "refusal": None, "annotations": []}
BODY = {
    "id": "chatcmpl-0123456789abcdef",
    "object": "chat.completion",
    "created": 1_760_000_000,
    "model": "gpt-4.1-mini",
    "choices": [{"index": 0, "message": MESSAGE, "logprobs": None, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 120, "completion_tokens": 95, "total_tokens": 215},
    "service_tier": "default",
    "system_fingerprint": "fp_0123456789",
}
ANSWER = json.dumps(BODY).encode()
LIMITS = {"x-ratelimit-limit-requests": "30000", "x-ratelimit-remaining-requests": "29999"}


@dataclass
class Stats:
    """What came since the last question."""

    calls: int = 0
    first: float = 0.0
    last: float = 0.0
    under_way: int = 0
    most: int = 0

    def told(self) -> bytes:
        return json.dumps({"calls": self.calls, "seconds": self.last - self.first, "most": self.most}).encode()


stats = Stats()


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/stats":
        await _send(send, stats.told())
        stats.__init__()
        return
    if scope["method"] == "GET":  # the list of models, which is asked for once
        await _send(send, b'{"object": "list", "data": []}')
        return
    await _answer(send)


async def _answer(send: Any) -> None:
    stats.calls += 1
    stats.first = stats.first or time.perf_counter()
    stats.under_way += 1
    stats.most = max(stats.most, stats.under_way)
    await asyncio.sleep(LATENCY)
    stats.under_way -= 1
    stats.last = time.perf_counter()
    await _send(send, ANSWER)


async def _send(send: Any, body: bytes) -> None:
    told = {"content-type": "application/json", "content-length": str(len(body)), **LIMITS}
    headers = [(name.encode(), value.encode()) for name, value in told.items()]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False, timeout_keep_alive=60)
