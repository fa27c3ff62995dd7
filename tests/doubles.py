"""Doubles of platforms over real HTTP: one small server, a service that answers chats, and one with a script."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

Body = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request as it came; names of headers are in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def call(self) -> str:
        """The method and the path, as `GET /files`."""
        return f"{self.method} {self.path.partition('?')[0].removeprefix('/v1')}"

    @property
    def body(self) -> Body:
        return json.loads(self.raw)


@dataclass(frozen=True)
class Outcome:
    """What comes back: `cut` closes the connection instead, and `seconds` come before either."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    cut: bool = False


def tokens(prompt: int, completion: int) -> Body:
    """The usage of an answer."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def completion(said: str | Body, *, model: str = "m", usage: Body | None = None, finish_reason: str = "stop") -> bytes:
    """The body of a completion that says a text or a message."""
    message = {"role": "assistant", **(said if isinstance(said, dict) else {"content": said})}
    ended = "tool_calls" if message.get("tool_calls") else finish_reason
    choice = {"index": 0, "finish_reason": ended, "message": message}
    whole = {"id": "c", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}
    return json.dumps(whole).encode()


def listed(models: list[str]) -> bytes:
    """The body of a list of models."""
    return json.dumps({"object": "list", "data": [{"id": name, "object": "model"} for name in models]}).encode()


def refusal(status: int, message: str = "no", *, headers: dict[str, str] | None = None, **error: Any) -> Outcome:
    """An error in OpenAI's envelope."""
    return Outcome(status, json.dumps({"error": {"message": message, **error}}).encode(), headers or {})


def in_turn(*answers: Any) -> Callable[[Body], Any]:
    """One answer after another, the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def without_forms(answer: Callable[[Body], Any]) -> Callable[[Body], Any]:
    """As a platform answers that knows no structured output."""

    def plain(request: Body) -> Any:
        if "response_format" in request:
            return refusal(400, "response_format is not supported", param="response_format")
        return answer(request)

    return plain


@dataclass
class Service:
    """Chat completions and embeddings; `answer` says what comes of each chat.

    It makes a text, a message (with a role), an `Outcome`, or anything else, which is said as JSON.
    """

    answer: Callable[[Body], Any] = lambda _: "?"
    vector: Callable[[str], list[float]] = lambda text: [float(len(text)), 1.0]
    usage: Body | None = field(default_factory=lambda: tokens(100, 50))
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    models: list[str] | None = None
    requests: list[Body] = field(default_factory=list)
    url: str = ""
    under_way: int = 0
    most_under_way: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def reply(self, asked: Asked) -> Outcome:
        if asked.call == "GET /models":
            return refusal(404) if self.models is None else Outcome(body=listed(self.models))
        with self.lock:
            self.requests.append(asked.body)
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            outcome = self._embedded(asked.body) if asked.call == "POST /embeddings" else self._said(asked.body)
            time.sleep(outcome.seconds)
            return outcome
        finally:
            with self.lock:
                self.under_way -= 1

    def _said(self, request: Body) -> Outcome:
        said = self.answer(request)
        if isinstance(said, Outcome):
            return said
        if not isinstance(said, str) and not (isinstance(said, dict) and "role" in said):
            said = json.dumps(said, ensure_ascii=False)
        return Outcome(body=completion(said, usage=self.usage), headers=self.headers, seconds=self.seconds)

    def _embedded(self, request: Body) -> Outcome:
        data = [
            {"object": "embedding", "index": at, "embedding": self.vector(text)}
            for at, text in enumerate(request["input"])
        ]
        whole = {"object": "list", "model": "e", "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}}
        return Outcome(body=json.dumps(whole).encode())

    @property
    def chats(self) -> list[Body]:
        return [request for request in self.requests if "messages" in request]

    @property
    def asked(self) -> list[str]:
        """The last turn of each chat."""
        return [chat["messages"][-1]["content"] for chat in self.chats]

    @property
    def embedded(self) -> list[str]:
        return [text for request in self.requests if "input" in request for text in request["input"]]


@dataclass
class Scripted:
    """Answers each call, as `GET /files`, with the next line of its script; the last one is repeated."""

    scripts: dict[str, list[Outcome]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def answers(self, call: str, *bodies: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        for body in bodies:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.scripts.setdefault(call, []).append(Outcome(status, raw, headers or {}))

    def reply(self, asked: Asked) -> Outcome:
        self.asked.append(asked)
        lines = self.scripts[asked.call]
        return lines.pop(0) if len(lines) > 1 else lines[0]

    @property
    def calls(self) -> list[str]:
        return [asked.call for asked in self.asked]


class Replies(Protocol):
    """What can be served: `reply` is a coroutine, or a function, which has a thread of its own for each call."""

    url: str
    reply: Callable[[Asked], Any]


Served = TypeVar("Served", bound=Replies)


@contextmanager
def serving(service: Served) -> Iterator[Served]:
    """The service on a port of this machine, in a thread."""
    loop, ready, pool = asyncio.new_event_loop(), threading.Event(), ThreadPoolExecutor(64)

    async def main() -> None:
        server = await asyncio.start_server(lambda r, w: _serve(service, pool, r, w), "127.0.0.1", 0, limit=1 << 26)
        service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        ready.set()
        with suppress(asyncio.CancelledError):
            await server.serve_forever()

    def run() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        for left in asyncio.all_tasks(loop):
            left.cancel()
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()

    task = loop.create_task(main())
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield service
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(10)
        pool.shutdown()


async def _serve(
    service: Replies, pool: ThreadPoolExecutor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while asked := await _asked(reader):
                outcome = await _outcome(service, pool, asked)
                if outcome.cut:
                    break
                writer.write(_wire(outcome))
                await writer.drain()
    finally:
        with suppress(Exception):
            writer.close()


async def _outcome(service: Replies, pool: ThreadPoolExecutor, asked: Asked) -> Outcome:
    if asyncio.iscoroutinefunction(service.reply):
        return await service.reply(asked)
    return await asyncio.get_running_loop().run_in_executor(pool, service.reply, asked)


async def _asked(reader: asyncio.StreamReader) -> Asked:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
    if "chunked" in headers.get("transfer-encoding", ""):
        raise AssertionError("chunked bodies are not read")
    return Asked(method, path, headers, await reader.readexactly(int(headers.get("content-length", 0))))


def _wire(outcome: Outcome) -> bytes:
    told = {"content-type": "application/json", **outcome.headers, "content-length": str(len(outcome.body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"HTTP/1.1 {outcome.status} Whatever\r\n{head}\r\n".encode() + outcome.body
