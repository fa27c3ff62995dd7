"""One file for the same bytes: known again, taken up where it broke off, and ready before the job is asked for."""

from __future__ import annotations

import os
import queue
import random
import signal
from typing import Any

import pytest
from tests.jobs.scripts import create, examples, in_parts, process

import finetune_lib as ft
from finetune_lib.testing import FAULTS, Fault

UPLOAD = "POST /files"
PART, COMPLETE = "POST /uploads/*/parts", "POST /uploads/*/complete"
POST = "POST /fine_tuning/jobs"
PART_BYTES = 256


def bytes_of(tag: object = "") -> bytes:
    return b"".join(examples(tag).lines())


def test_the_file_is_the_saved_dataset(scripted):
    server = scripted()
    job = create(server)
    assert server.files == {job.record.training_file: bytes_of()}


def test_it_is_told_how_far_it_has_come(scripted):
    sent = list[tuple[int, int]]()
    create(scripted(), on_progress=lambda done, whole: sent.append((done, whole)))
    assert sent[-1] == (len(bytes_of()), len(bytes_of()))
    assert sent == sorted(sent)


def test_validation_data_are_a_file_of_their_own_and_the_same_bytes_are_one(scripted):
    server = scripted()
    job = create(server, validation=examples("held out"))
    assert [server.files[job.record.training_file], server.files[job.record.validation_file]] == [
        bytes_of(),
        bytes_of("held out"),
    ]
    create(server, seed=2, validation=examples("held out"))
    assert len(server.files) == 2


@pytest.mark.parametrize("lag", [0.0, 0.3])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_makes_no_second_file(scripted, fault, lag):
    server = scripted(lag=lag)
    server.fault(UPLOAD, fault)
    create(server)
    assert list(server.files.values()) == [bytes_of()]


@pytest.mark.parametrize("body", ["<html>sign in</html>", {}, {"id": None}, [], "null", ""], ids=repr)
def test_an_odd_answer_makes_no_second_file(scripted, body):
    server = scripted(lag=0.2)
    server.fault(UPLOAD, Fault(status=200, body=body, done=True))
    for _ in range(2):
        try:
            create(server)
            break
        except ft.PlatformError:
            continue  # a person runs the cell again
    assert (len(server.files), len(server.jobs)) == (1, 1)


def test_a_refused_file_is_told_and_makes_no_job(scripted):
    server = scripted()
    server.fault(UPLOAD, Fault(status=400))
    with pytest.raises(ft.PlatformError) as caught:
        create(server)
    assert (caught.value.status_code, server.count(UPLOAD), server.count(POST)) == (400, 1, 0)
    create(server)
    assert (len(server.files), len(server.jobs)) == (1, 1)


def test_the_job_is_asked_for_once_the_file_is_ready(scripted):
    left = ["pending", "running", "processed"]

    def alter(request: ft.testing.Request, answer: Any) -> Any:
        if request.call.startswith("GET /files/"):
            return {**answer, "status": left.pop(0)}
        return answer

    server = scripted(alter=alter)
    create(server)
    assert left == []
    assert server.requests[-1].call == POST


def test_a_file_that_the_platform_cannot_read_is_an_error(scripted):
    def alter(request: ft.testing.Request, answer: Any) -> Any:
        if request.call.startswith("GET /files/"):
            return {**answer, "status": "error", "status_details": "Invalid file format. Example 3 cannot be parsed."}
        return answer

    server = scripted(alter=alter)
    with pytest.raises(ft.PlatformError, match=r"error\): Invalid file format. Example 3") as caught:
        create(server)
    assert (caught.value.code, server.count(POST)) == ("error", 0)


def test_a_file_that_is_gone_is_sent_again(scripted):
    server = scripted()
    create(server)
    server.alter = lambda request, answer: {**answer, "data": []} if request.call == "GET /files" else answer
    server.fault("GET /files/*", Fault(status=404))
    create(server, seed=2)
    assert list(server.files.values()) == [bytes_of()] * 2


@pytest.fixture
def parts(monkeypatch):
    """Uploads go in parts; how many they are."""
    in_parts(monkeypatch.setattr, part=PART_BYTES, at_once=4)
    return -(-len(bytes_of()) // PART_BYTES)


def test_a_large_file_goes_in_parts(scripted, parts):
    server = scripted()
    job = create(server)
    assert server.files == {job.record.training_file: bytes_of()}
    assert (server.count(PART), list(server.uploads.values()), server.count(UPLOAD)) == (parts, ["completed"], 0)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("call", ["POST /uploads", PART, COMPLETE])
def test_a_fault_at_a_part_spoils_no_file(scripted, parts, call, fault):
    server = scripted()
    server.fault(call, fault)
    job = create(server)
    assert server.files == {job.record.training_file: bytes_of()}
    assert parts <= server.count(PART) <= parts + 1


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_a_part_it_goes_on_where_it_was(scripted, own_home, parts, seed):
    """Of the parts that were answered none is sent again."""
    number, victims = random.Random(seed).randint(1, parts), queue.Queue[int]()

    def kill(request: ft.testing.Request) -> None:
        if request.call.endswith("/parts") and server.count(PART) == number:
            os.kill(victims.get(timeout=20), signal.SIGKILL)

    server = scripted(on_request=kill)
    child = process(server, own_home, part=PART_BYTES)
    victims.put(child.pid)
    child.join(60)
    assert (child.exitcode, server.count(PART)) == (-signal.SIGKILL, number)
    job = create(server)
    assert server.files == {job.record.training_file: bytes_of()}
    assert server.count(PART) == parts + 1
    assert list(server.uploads.values()) == ["completed"]


def test_an_upload_that_is_gone_begins_again(scripted, own_home, parts):
    server = scripted()
    server.fault(PART, Fault(status=403))
    with pytest.raises(ft.PlatformError):
        create(server)
    for upload in server.uploads:
        server.connect().client.uploads.cancel(upload)
    job = create(server)
    assert server.files == {job.record.training_file: bytes_of()}
