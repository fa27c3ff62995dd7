"""One server and one trained job for the whole session, in temporary folders; every server is stopped at the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import finetune_lib as ft
from finetune_lib import local

os.environ["FINETUNE_LIB_LANG"] = "en"  # whatever the locale of the machine
os.environ["FINETUNE_LIB_TODAY"] = "2026-12-01"  # models that the tests name stop within weeks of it
# Other tests have the other cores: threads of torch that wait for one another would only burn them.
os.environ["OMP_NUM_THREADS"] = "1"
# Ctrl-C is tried also where the suite runs in the background of a shell, which has it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Tests run beside each other: how long an example takes says nothing about it.
settings.register_profile("beside", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("beside")
TOKEN = "token-of-the-tests"
CAPITALS = {
    "日本": "東京",
    "韓國": "首爾",
    "泰國": "曼谷",
    "法國": "巴黎",
    "德國": "柏林",
    "英國": "倫敦",
    "埃及": "開羅",
    "印度": "新德里",
    "越南": "河內",
    "秘魯": "利馬",
    "古巴": "哈瓦那",
    "希臘": "雅典",
}


@dataclass(frozen=True)
class Server:
    """A `finetune-lib serve` that runs."""

    root: Path
    url: str
    token: str
    process: subprocess.Popen[str]


@dataclass(frozen=True)
class Trained:
    """The job of the session: how it was asked for, each status it was seen in, and its end."""

    created: Any
    job: Any
    statuses: list[str]
    training_file: Any
    validation_file: Any
    questions: dict[str, str] = field(default_factory=dict)

    @property
    def model(self) -> str:
        return self.job.fine_tuned_model


def pytest_xdist_auto_num_workers() -> int:
    """One more process than there are cores: now and then a test waits."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("FINETUNE_LIB_HOME", str(folder))
        patch.setenv("HF_HUB_OFFLINE", "1")
        for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "FINETUNE_LIB_TOKEN"):
            patch.delenv(name, raising=False)
        yield folder


def _poll(probe: Callable[[], Any], *, seconds: float = 300) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := probe()):
        assert time.monotonic() < deadline, f"still waiting after {seconds:g} s"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="session")
def until() -> Callable[..., Any]:
    """Ask again and again until the answer is true; generous, because the machine may be busy."""
    return _poll


def _workers(root: Path) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "finetune_lib.local.worker" in command and any(part.startswith(str(root)) for part in command):
            found.append(int(entry.name))
    return found


@pytest.fixture(scope="session")
def workers() -> Callable[[Path], list[int]]:
    """The process ids of the training workers below a folder."""
    # Only Linux tells which process works on which folder without a further package; the faults themselves are
    # portable, and Linux is where the gate runs.
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("processes are found through /proc")
    return _workers


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[..., Server]]:
    """Run `finetune-lib serve` on a folder until the session ends."""
    started: list[subprocess.Popen[str]] = []

    def start(root: Path, *, token: str = TOKEN, port: int = 0, host: str = "127.0.0.1") -> Server:
        options = ["--root", str(root), "--port", str(port), "--token", token, "--host", host]
        command = [sys.executable, "-m", "finetune_lib", "serve", *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        started.append(process)
        line = process.stdout.readline() if process.stdout else ""
        assert line.startswith("serving "), f"the server said {line!r}"
        return Server(root, line.removeprefix("serving ").rstrip("\n"), token, process)

    yield start
    for process in started:
        _stop(process)


@pytest.fixture(scope="session")
def server(serve: Callable[..., Server], home: Path) -> Server:
    return serve(home)


@pytest.fixture
def own_root(tmp_path: Path) -> Iterator[Path]:
    """A folder for a server of one test alone; whatever runs there is ended with the test."""
    root = tmp_path / "platform"
    yield root
    local.stop(root)
    for pid in _workers(root):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[Any]:
    """The plain `openai` client."""
    from openai import OpenAI

    with OpenAI(base_url=server.url, api_key=server.token) as client:
        yield client


@pytest.fixture(scope="session")
def http(server: Server) -> Iterator[Any]:
    """HTTP as it is, for what the `openai` client would not send or would hide."""
    import httpx2

    headers = {"Authorization": f"Bearer {server.token}"}
    # A connection of its own for each call: a failed answer must not disturb the next one.
    limits = httpx2.Limits(max_keepalive_connections=0)
    with httpx2.Client(base_url=server.url, headers=headers, limits=limits, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def platform(server: Server) -> ft.Platform:
    return ft.connect("local")


@pytest.fixture(scope="session")
def rows() -> list[dict[str, Any]]:
    """Twelve chats that `tiny` learns by heart."""
    return [
        {
            "messages": [
                {"role": "user", "content": f"{country}?"},
                {"role": "assistant", "content": f"{capital} 🏙 OK"},
            ]
        }
        for country, capital in CAPITALS.items()
    ]


@pytest.fixture(scope="session")
def data(rows: list[dict[str, Any]]) -> ft.Dataset:
    return ft.Dataset.from_rows(rows)


@pytest.fixture(scope="session")
def write_rows(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    def write(rows: list[dict[str, Any]], name: str = "train.jsonl") -> Path:
        path = tmp_path_factory.mktemp("data") / name
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def upload(client: Any, write_rows: Callable[..., Path]) -> Callable[..., Any]:
    """Upload rows the way tutorials do."""

    def send(rows: list[dict[str, Any]], name: str = "train.jsonl") -> Any:
        with write_rows(rows, name).open("rb") as file:
            return client.files.create(file=file, purpose="fine-tune")

    return send


@pytest.fixture(scope="session")
def training_file(upload: Callable[..., Any], rows: list[dict[str, Any]]) -> Any:
    return upload(rows)


@pytest.fixture(scope="session")
def trained(client: Any, upload: Callable[..., Any], training_file: Any, rows: list[dict[str, Any]]) -> Trained:
    """A finished job of `tiny`, made with the plain `openai` client alone."""
    validation = upload(rows[:2], "validation.jsonl")
    created = client.fine_tuning.jobs.create(
        training_file=training_file.id,
        validation_file=validation.id,
        model="tiny",
        suffix="capitals",
        seed=7,
        metadata={"team": "geo", "run": "一"},
    )
    statuses = [created.status]

    def ended() -> Any:
        job = client.fine_tuning.jobs.retrieve(created.id)
        if job.status != statuses[-1]:
            statuses.append(job.status)
        return job if job.finished_at else None

    job = _poll(ended)
    assert job.status == "succeeded", job.error
    questions = {row["messages"][0]["content"]: row["messages"][1]["content"] for row in rows}
    return Trained(created, job, statuses, training_file, validation, questions)


@pytest.fixture
def finished(trained: Trained, platform: ft.Platform) -> ft.Job:
    """The job of the session as the library sees it."""
    return ft.Job.get(trained.job.id, platform=platform)
