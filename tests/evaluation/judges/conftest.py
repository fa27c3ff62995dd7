"""A service that speaks chat completions, and judges that ask it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

import finetune_lib as ft
from finetune_lib.evaluation.judges import PairwiseJudge
from finetune_lib.platforms.asking import Session, within

FINE = {"reason": "It names the day.", "level": "first_slightly_better"}


@dataclass
class Service:
    """`answers` are given one after another, the last one for ever: JSON, a text, (status, error), or a message."""

    answers: list[Any] = field(default_factory=lambda: [FINE])
    finish_reason: str = "stop"
    requests: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def reply(self, request: dict[str, Any]) -> tuple[int, bytes]:
        self.requests.append(request)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, tuple):
            return answer[0], json.dumps({"error": answer[1]}).encode()
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        refused = isinstance(answer, dict) and "refusal" in answer
        message = {"role": "assistant", **({"content": None, **answer} if refused else {"content": text})}
        choice = {"index": 0, "finish_reason": self.finish_reason, "message": message}
        usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
        body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
        return 200, json.dumps(body).encode()

    @property
    def material(self) -> Any:
        """What the last request gave to be judged."""
        lines = self.requests[-1]["messages"][-1]["content"].splitlines()
        return json.loads(lines[1])


@pytest.fixture
def service():
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16

        def do_POST(self):
            status, body = service.reply(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(status)
            for name, value in {"content-type": "application/json", "retry-after-ms": "5"}.items():
                self.send_header(name, value)
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


@pytest.fixture
def judge(service) -> Callable[..., Any]:
    """Have the service compare two answers to a case, in a run of its own."""

    def judge(case, first, second, **options):
        async def run():
            async with within(Session(platform=ft.connect(service.url, api_key="k"), store=":memory:")) as session:
                verdict = await PairwiseJudge("m", **options)(case, first, second)
                return verdict, session.purse.spent

        return asyncio.run(run())

    return judge


@pytest.fixture
def case() -> ft.Case:
    return ft.Case(
        "7", (ft.Message(role="user", content="退票要多久？"),), "七個工作天。", metadata={"owner": "SECRET"}
    )
