"""A small service that speaks chat completions and embeddings over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

import finetune_lib as ft


@dataclass
class Service:
    """`answer` makes the content of each chat reply from the request, `vector` the embedding of each text."""

    answer: Callable[[dict[str, Any]], Any] = lambda _: "?"
    vector: Callable[[str], list[float]] = lambda text: [float(len(text)), 1.0]
    holds_forms: bool = True
    requests: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def reply(self, path: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.requests.append(request)
        if path.endswith("/embeddings"):
            data = [
                {"object": "embedding", "index": n, "embedding": self.vector(text)}
                for n, text in enumerate(request["input"])
            ]
            return 200, {"object": "list", "model": "e", "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}}
        if not self.holds_forms and "response_format" in request:
            return 400, {"error": {"message": "response_format is not supported", "param": "response_format"}}
        content = self.answer(request)
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        return 200, {**body, "usage": usage}


@pytest.fixture(autouse=True)
def answers_of_this_test_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path))


@pytest.fixture
def service():
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16

        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status, body = service.reply(self.path, request)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=[0.02], daemon=True)
        thread.start()
        service.url = f"http://127.0.0.1:{http.server_port}/v1"
        yield service
        http.shutdown()
        thread.join()


@pytest.fixture
def platform(service) -> ft.Platform:
    return ft.connect(service.url, api_key="k")
