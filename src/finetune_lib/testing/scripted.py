"""A platform over HTTP that follows a script, with faults in front of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from finetune_lib.testing.faults import FAULTS, Fault
from finetune_lib.testing.requests import Answer, Request, below, refusal
from finetune_lib.testing.service import Service, matches

if TYPE_CHECKING:
    from typing import Self

    from finetune_lib.platforms import Platform

PATHS = {"azure": "/openai/v1"}
POLL_SECONDS = 0.02


@dataclass
class ScriptedPlatform(Service):
    """A platform on a port of this machine, for tests: it answers as OpenAI or Azure do, and counts what it is asked.

    A job moves by one step of its script each time it or its events are looked at, so nothing depends on the clock.

    Attributes:
        kind: As which it answers: `openai`, `azure` or `compatible`.
        key: The key that it takes.
        statuses: Those of a job before its end.
        steps: Of the training.
        ends: The last status of a job.
        failure: The reason (`code`, `message`, `param`) with which jobs fail.
        says: What chats are answered with: a text, or a function of the request's body.
        models: The bases that it lists.
        lag: Seconds until a new job or file stands in the lists.
        quirks: Habits of some platforms: `ignores_after`, `no_events`, `no_has_more`, `no_metadata`, `oldest_first`,
            `ties_in_any_order`, `unstable_ids`.
        alter: A function of each request and its answer that gives what is answered instead.
        seed: Of all chance.
        requests: All that came, in their order.
        fault_rate: The share of requests that one of `FAULTS`, drawn by chance, befalls.
        on_request: Called with each request before it is carried out.
        url: The address, once it is entered.

    Example:
        ```python
        with ft.testing.ScriptedPlatform("openai") as server:
            job = ft.Job.create(train, model="gpt-4.1-mini", platform=server.connect()).wait()
            assert len(server.jobs) == 1
        ```
    """

    _: KW_ONLY
    fault_rate: float = 0.0
    on_request: Callable[[Request], object] | None = None
    url: str = field(default="", init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.statuses:
            raise ValueError('statuses is empty: a job has one before its end, as statuses=("running",)')
        self._script: list[list[Any]] = []
        self._lock, self._closed = threading.RLock(), threading.Event()

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._reply))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{PATHS.get(self.kind, '/v1')}"
        threading.Thread(target=self._server.serve_forever, args=[POLL_SECONDS], daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()

    def connect(self) -> Platform:
        """The platform as `finetune_lib.connect` would give it."""
        from finetune_lib.platforms import Platform

        return Platform(self.kind, self.url, self.key, chosen="a test serves it")

    def fault(self, call: str, fault: Fault, *, times: int = 1) -> None:
        """Let the next requests of a call go wrong.

        Args:
            call: As `POST /files` or `GET /fine_tuning/jobs/*`, where `*` is one word.
            fault: What goes wrong.
            times: With so many of them.
        """
        self._script.append([call, fault, times])

    def _drawn(self, request: Request) -> Fault | None:
        for line in self._script:
            if line[2] > 0 and matches(line[0], request.call):
                line[2] -= 1
                return line[1]
        if self._rng.random() < self.fault_rate:
            return self._rng.choice(list(FAULTS.values()))
        return None

    def _reply(self, request: Request) -> tuple[Answer | None, Fault]:
        """What is answered, and how."""
        with self._lock:
            self.requests.append(request)
            request.fault = self._drawn(request)
        if self.on_request:
            self.on_request(request)
        fault, answer = request.fault or Fault(), None
        if not fault.works:
            self._closed.wait(fault.seconds)
        else:
            with self._lock:
                answer = self.answer(request)
            request.status = answer.status
            self._closed.wait(fault.seconds)
        if fault.status is not None:
            answer = _instead(fault, fault.status)
        return (None if fault.cut else answer), fault


def _instead(fault: Fault, status: int) -> Answer:
    body = refusal(status, "It went wrong.").content if fault.body is None else fault.body
    return Answer(body.encode() if isinstance(body, str) else body, status, fault.retry_after)


def _handler(reply: Callable[[Request], tuple[Answer | None, Fault]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else head and body of an answer wait for each other

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: a test reads the accounts."""

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = dict(parse_qsl(address.query))
            with suppress(ConnectionError):
                request = Request(self.command, below(address.path), query, headers, self._body())
                self._send(*reply(request))

        do_POST = do_DELETE = do_GET  # noqa: N815 - so http.server calls them

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("transfer-encoding", ""):
                size = int(self.headers.get("content-length", 0))
                if len(body := self.rfile.read(size)) < size:
                    raise ConnectionError  # whoever sent it is gone: half a request is none
                return body
            chunks = list[bytes]()
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        def _send(self, answer: Answer | None, fault: Fault) -> None:
            if answer is not None:
                self.send_response(answer.status)
                self.send_header("content-type", answer.type)
                self.send_header("content-length", str(len(answer.raw)))
                self.send_header("x-request-id", "req-scripted")
                if answer.retry_after is not None:
                    self.send_header("retry-after", str(answer.retry_after))
                self.end_headers()
                self.wfile.write(answer.raw[: len(answer.raw) // 2] if fault.half else answer.raw)
            if answer is None or fault.half:
                self.close_connection = True
                with suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)

    return Handler
