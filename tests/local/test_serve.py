"""`finetune-lib serve`: how it starts, refuses and stops."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys

import openai
import pytest

import finetune_lib as ft

HELLO = [{"role": "user", "content": "x"}]
SERVE = [sys.executable, "-m", "finetune_lib", "serve"]


def refused(*options):
    done = subprocess.run([*SERVE, *options], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return done.stderr


def test_first_line_is_the_address(serve, tmp_path):
    server = serve(tmp_path)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", server.url)
    left = json.loads((tmp_path / "server.json").read_text())
    assert left == {"url": server.url, "token": server.token, "pid": server.process.pid}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_it_cleanly(serve, tmp_path, number):
    server = serve(tmp_path)
    server.process.send_signal(number)
    assert server.process.wait(120) == 0
    assert not (tmp_path / "server.json").exists()
    client = openai.OpenAI(base_url=server.url, api_key=server.token, max_retries=0)
    with client, pytest.raises(openai.APIConnectionError):
        client.models.list()


def test_what_was_uploaded_is_there_after_a_restart(serve, tmp_path):
    first = serve(tmp_path)
    with openai.OpenAI(base_url=first.url, api_key=first.token) as client:
        file = client.files.create(file=("a.jsonl", b"{}\n"), purpose="fine-tune")
    first.process.terminate()
    assert first.process.wait(120) == 0
    second = serve(tmp_path)
    with openai.OpenAI(base_url=second.url, api_key=second.token) as client:
        assert client.files.retrieve(file.id) == file
        assert client.files.content(file.id).read() == b"{}\n"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.1", "example.com", "::"])  # noqa: S104 - refused
def test_host_outside_of_this_machine_is_refused(tmp_path, host):
    assert "loopback" in refused("--root", str(tmp_path), "--host", host)
    assert not (tmp_path / "server.json").exists()


def test_localhost_is_this_machine(serve, tmp_path):
    server = serve(tmp_path, host="localhost")
    assert ft.connect("local", root=tmp_path).base_url == server.url


def test_folder_is_served_once(server):
    complaint = refused("--root", str(server.root))
    assert "is served already" in complaint
    assert server.url in complaint
    assert ft.connect("local").base_url == server.url


def test_taken_port_is_told(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert port in refused("--root", str(tmp_path), "--port", port)


def test_chosen_port_is_taken(serve, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert serve(tmp_path, port=port).url == f"http://127.0.0.1:{port}/v1"


def test_token_of_the_environment_is_taken_and_not_shown(tmp_path):
    environment = {**os.environ, "FINETUNE_LIB_TOKEN": "token-of-the-environment"}
    command = [*SERVE, "--root", str(tmp_path)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        first = process.stdout.readline()
        assert ft.connect("local", root=tmp_path).api_key == "token-of-the-environment"
        process.terminate()
        rest, errors = process.communicate(timeout=120)
    assert "token-of-the-environment" not in first + rest + errors


@pytest.fixture
def fresh(serve, tmp_path):
    """A server of one test alone, to be put under stress."""
    server = serve(tmp_path)
    yield server
    server.process.kill()


def test_stream_that_is_left_early_frees_the_model(fresh):
    with openai.OpenAI(base_url=fresh.url, api_key=fresh.token, timeout=120, max_retries=0) as client:

        def ask(**options):
            return client.chat.completions.create(model="tiny", messages=HELLO, temperature=0, **options)

        for _ in range(3):
            assert ask(max_tokens=2).usage.completion_tokens == 2
            stream = ask(stream=True)
            next(iter(stream))
            stream.close()
        assert ask(max_tokens=2).usage.completion_tokens == 2


async def test_many_streams_at_once_are_all_answered(fresh):
    """More of them than a pool of threads has places."""
    options = {"model": "tiny", "messages": HELLO, "max_tokens": 3, "temperature": 0}
    async with openai.AsyncOpenAI(base_url=fresh.url, api_key=fresh.token, timeout=120, max_retries=0) as client:

        async def finish():
            stream = await client.chat.completions.create(**options, stream=True)
            return [chunk.choices[0].finish_reason async for chunk in stream][-1]

        assert await finish() == "length"
        assert await asyncio.gather(*(finish() for _ in range(60))) == ["length"] * 60
        assert await finish() == "length"
