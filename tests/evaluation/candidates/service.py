"""A small HTTP double of chat completions and embeddings, for candidates."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

AXES = ("行李", "寵物", "登機", "luggage", "pet", "board")


def vector(text: str) -> list[float]:
    """What a text is about: one axis for each topic, whatever the language."""
    return [float(AXES[at] in text or AXES[at + 3] in text) for at in range(3)] + [0.1]


def echo(request: dict[str, Any]) -> dict[str, Any]:
    """The last turn, said again."""
    return {"role": "assistant", "content": request["messages"][-1]["content"]}


@dataclass
class Service:
    """Answers with the message that `answer` makes; keeps what it was asked."""

    answer: Callable[[dict[str, Any]], dict[str, Any]] = echo
    chats: list[dict[str, Any]] = field(default_factory=list)
    embedded: list[str] = field(default_factory=list)
    url: str = ""

    def reply(self, path: str, request: dict[str, Any]) -> dict[str, Any]:
        if path.endswith("/embeddings"):
            self.embedded += request["input"]
            data = [
                {"object": "embedding", "index": at, "embedding": vector(t)} for at, t in enumerate(request["input"])
            ]
            return {"object": "list", "model": "e", "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}}
        self.chats.append(request)
        message = self.answer(request)
        ended = "tool_calls" if message.get("tool_calls") else "stop"
        choice = {"index": 0, "finish_reason": ended, "message": message}
        usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
        return {
            "id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage,
        }  # fmt: skip


@contextmanager
def serving(service: Service) -> Iterator[Service]:
    """The service on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # head and body in one packet

        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            body = json.dumps(service.reply(self.path, request)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=[0.02], daemon=True)
        thread.start()
        service.url = f"http://127.0.0.1:{http.server_port}/v1"
        yield service
        http.shutdown()
        thread.join()
