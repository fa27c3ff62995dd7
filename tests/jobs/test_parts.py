"""Uploads on the wire: in parts above the platform's limit, taken up where they were interrupted, and streamed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tests.doubles import Asked, Outcome, refusal, serving

import finetune_lib as ft
from finetune_lib.jobs import uploading
from finetune_lib.jobs.uploading import Upload, Uploader
from finetune_lib.platforms.patience import Patience
from finetune_lib.platforms.wire import wired
from finetune_lib.runs import Record

PART = 4096


@dataclass
class Uploads:
    """The Uploads API: parts that came, what became of each upload, and files."""

    seconds: float = 0.0
    url: str = ""
    begun: dict[str, dict] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    came: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Outcome] = field(default_factory=list)
    under_way: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, asked: Asked) -> Outcome:
        if match := re.fullmatch(r"POST /uploads(?:/([\w-]+)/(\w+))?", asked.call):
            id, what = match.groups()
            return self.begin(asked) if id is None else getattr(self, f"on_{what}")(id, asked)
        if asked.call == "POST /files":
            return Outcome(body=json.dumps(self.keep(_content(asked), _filename(asked))).encode())
        if asked.call == "GET /files":
            data = [{"id": id, "filename": name, "status": "processed"} for id, name in self.names.items()]
            return Outcome(body=json.dumps({"data": data, "has_more": False}).encode())
        if asked.call.startswith("GET /files/"):
            id = asked.call.rpartition("/")[2]
            return (
                Outcome(body=json.dumps({"id": id, "status": "processed"}).encode())
                if id in self.files
                else refusal(404)
            )
        raise AssertionError(asked.call)

    def begin(self, asked: Asked) -> Outcome:
        id = f"upload-{len(self.begun) + 1}"
        self.begun[id] = {**asked.body, "parts": {}, "state": "pending"}
        return Outcome(body=json.dumps({"id": id}).encode())

    def on_parts(self, id: str, asked: Asked) -> Outcome:
        with self.lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        time.sleep(self.seconds)
        with self.lock:
            self.under_way -= 1
            if self.begun.get(id, {}).get("state") != "pending":
                return refusal(404, "no such upload")
            if self.faults:
                return self.faults.pop(0)
            part = f"part-{len(self.came) + 1}"
            content = _content(asked)
            self.came.append((id, hashlib.sha256(content).hexdigest()))
            self.begun[id]["parts"][part] = content
        return Outcome(body=json.dumps({"id": part}).encode())

    def on_complete(self, id: str, asked: Asked) -> Outcome:
        upload = self.begun[id]
        if upload["state"] != "pending":
            return refusal(400, "the upload is completed")
        whole = b"".join(upload["parts"][part] for part in asked.body["part_ids"])
        if hashlib.md5(whole, usedforsecurity=False).hexdigest() != asked.body["md5"] or len(whole) != upload["bytes"]:
            return refusal(400, "md5 or size does not match")
        upload["state"] = "completed"
        answer = Outcome(body=json.dumps({"id": id, "file": self.keep(whole, upload["filename"])}).encode())
        return replace(answer, cut=True) if upload.get("cut") else answer

    def on_cancel(self, id: str, _asked: Asked) -> Outcome:
        self.begun[id]["state"] = "cancelled"
        return Outcome(body=json.dumps({"id": id, "status": "cancelled"}).encode())

    def keep(self, content: bytes, name: str) -> dict:
        id = f"file-{len(self.files) + 1}"
        self.files[id], self.names[id] = content, name
        return {"id": id, "status": "processed"}


def _content(asked: Asked) -> bytes:
    boundary = asked.headers["content-type"].partition("boundary=")[2].encode()
    part = next(part for part in asked.raw.split(b"--" + boundary) if b"filename=" in part[:300])
    return part.partition(b"\r\n\r\n")[2][:-2]


def _filename(asked: Asked) -> str:
    return re.search(rb'filename="([^"]+)"', asked.raw[:1000]).group(1).decode()


@pytest.fixture
def service():
    with serving(Uploads()) as service:
        yield service


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    monkeypatch.setattr(uploading, "PART_BYTES", PART)
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path / "home"))


def data(rows=300):
    return ft.Dataset.from_rows([row(f"第 {n} 題", "答" * 40) for n in range(rows)], name="data")


def row(question, answer):
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def uploaded(service, data, *, limit=1, seconds=20.0, on_progress=None):
    """The content of the file that came of it."""

    async def work():
        async with wired(ft.connect(service.url, api_key="k")) as wire:
            with Record.open() as record:
                return await Uploader(wire, record, limit, Patience(seconds), on_progress).file(Upload(data))

    return service.files[asyncio.run(work())]


def lines(data):
    return b"".join(data.lines())


def test_parts_go_at_once_and_make_the_file(service):
    service.seconds = 0.05
    rows, told = data(), []
    assert uploaded(service, rows, on_progress=lambda *sent: told.append(sent)) == lines(rows)
    assert len(service.came) == -(-len(lines(rows)) // PART) > 8
    assert service.most == uploading.PARTS_AT_ONCE
    assert told == sorted(told)
    assert told[-1] == (len(lines(rows)), len(lines(rows)))


def test_below_the_limit_it_goes_in_one_request(service):
    rows = data()
    assert uploaded(service, rows, limit=10**6) == lines(rows)
    assert service.begun == {}


def test_the_same_bytes_are_sent_once(service):
    assert uploaded(service, data()) == uploaded(service, data())
    assert len(service.files) == len(service.begun) == 1


def test_a_part_that_fails_is_sent_again_alone(service):
    service.faults = [refusal(503), Outcome(cut=True)]
    rows = data()
    assert uploaded(service, rows) == lines(rows)
    assert len(set(service.came)) == len(service.came) == -(-len(lines(rows)) // PART)


def test_a_refused_part_is_an_error_of_the_platform_and_the_upload_is_cancelled(service):
    service.faults = [refusal(400, "no space")] * 99
    with pytest.raises(ft.PlatformError, match="no space"):
        uploaded(service, data())
    assert [upload["state"] for upload in service.begun.values()] == ["cancelled"]


def test_a_key_that_is_refused_leaves_what_has_arrived(service):
    rows = data()
    service.came.clear()
    service.faults = [refusal(401, "who are you?")]
    with pytest.raises(ft.PlatformError, match="who are you"):
        uploaded(service, rows)
    assert uploaded(service, rows) == lines(rows)
    assert list(service.begun) == ["upload-1"]


@pytest.mark.parametrize("state", ["expired", "cancelled"])
def test_an_upload_that_the_platform_forgot_begins_again(service, state):
    service.faults = [refusal(401, "later")]
    rows = data()
    with pytest.raises(ft.PlatformError, match="later"):
        uploaded(service, rows)
    service.begun["upload-1"]["state"] = state
    assert uploaded(service, rows) == lines(rows)
    assert [upload["state"] for upload in service.begun.values()] == ["cancelled", "completed"]


def test_a_lost_answer_to_the_last_step_makes_no_second_file(service):
    rows, begin = data(), service.begin

    def cutting(asked):
        begun = begin(asked)
        service.begun["upload-1"]["cut"] = True
        return begun

    service.begin = cutting
    assert uploaded(service, rows) == lines(rows)
    assert (len(service.begun), len(service.files)) == (1, 1)


SCRIPT = """
import asyncio, contextlib, pathlib, re, sys
import finetune_lib as ft
from finetune_lib.jobs import uploading
from finetune_lib.jobs.uploading import Upload, Uploader
from finetune_lib.platforms.patience import Patience
from finetune_lib.platforms.wire import wired
from finetune_lib.runs import Record

url, path, part, limit = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
uploading.PART_BYTES = part

def peak():
    status = pathlib.Path("/proc/self/status")
    return int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text()).group(1)) if status.exists() else 0

async def main():
    async with wired(ft.connect(url, api_key="k")) as wire:
        with Record.open() as record:
            await wire.client.get("/files", cast_to=object)
            data = ft.Dataset.load(path)
            with contextlib.suppress(OSError):
                pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak begins at what is used now
            before = peak()
            print(await Uploader(wire, record, limit, Patience(60)).file(Upload(data)))
            print(peak() - before)

asyncio.run(main())
"""


def started(service, path, part, limit=1):
    command = [sys.executable, "-c", SCRIPT, service.url, str(path), str(part), str(limit)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
@pytest.mark.parametrize("parts", [1, 7])
def test_killed_and_run_again_no_part_that_arrived_is_sent_twice(service, tmp_path, until, parts):
    path = data(600).save(tmp_path / "data.jsonl")
    content = Path(path).read_bytes()
    service.seconds = 0.1
    first = started(service, path, PART)
    until(lambda: len(service.came) >= parts, seconds=60)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    time.sleep(0.3)  # what was under way has ended
    told = len(service.came)
    second = started(service, path, PART)
    out, err = second.communicate(timeout=120)
    assert second.returncode == 0, err
    assert service.files[out.split()[0]] == content
    assert list(service.begun) == ["upload-1"]
    # Only those that were under way when it was killed, and whose answers nobody heard, can come again.
    again = len(service.came) - len(set(service.came))
    assert again <= uploading.PARTS_AT_ONCE
    assert len(service.came) > told


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is asked of Linux")
@pytest.mark.parametrize("limit", [1, 10**9], ids=["in parts", "whole"])
def test_memory_does_not_grow_with_the_file(service, tmp_path, limit):
    path = tmp_path / "data.jsonl"
    path.write_text(f"{json.dumps(row('q' * 900, 'a' * 900))}\n" * 20_000)
    out, err = started(service, path, 2**20, limit).communicate(timeout=300)
    assert out, err
    file, grown = out.split()
    assert len(service.files[file]) == path.stat().st_size > 36e6
    assert int(grown) < 20_000  # KiB; half of the file
