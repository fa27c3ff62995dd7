"""The batches of a server alone: their room without HTTP and without a model."""

from __future__ import annotations

import errno
import json
import time

import pytest

from finetune_lib.local.app import Activity
from finetune_lib.local.batches import Batches
from finetune_lib.local.batches.directory import BatchDirectory
from finetune_lib.local.batches.requests import LARGEST_BYTES, Examination
from finetune_lib.local.objects import batch_object, file_object
from finetune_lib.local.server import IDLE_SECONDS, _Idle
from finetune_lib.local.store import Store
from finetune_lib.local.supervisor import Supervisor

CHAT = "/v1/chat/completions"
GOOD = 200, {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def batches(tmp_path, store):
    batches = Batches(tmp_path, store)
    yield batches
    batches.stop()


@pytest.fixture
def batch(batches, store):
    body = {"model": "tiny", "messages": []}
    requests = [{"custom_id": str(n), "method": "POST", "url": CHAT, "body": {**body, "n": n}} for n in range(5)]
    store.blob("file-1").write_text("".join(json.dumps(request) + "\n" for request in requests))
    store.add("file", file_object("file-1", filename="a.jsonl", purpose="batch", size=1))
    batch = batch_object({"input_file_id": "file-1", "endpoint": CHAT, "completion_window": "24h"})
    batches.accept(batch)
    return batch


@pytest.fixture
def ended(store, until):
    def ended(batch):
        open_ = {"validating", "in_progress", "finalizing", "cancelling"}
        return until(lambda: (now := store.get("batch", batch["id"]))["status"] not in open_ and now)

    return ended


def custom_ids(store, file):
    return [json.loads(line)["custom_id"] for line in store.blob(file).read_text().splitlines()]


def test_too_large_input_is_not_read(tmp_path):
    path = tmp_path / "large.jsonl"
    with path.open("wb") as file:
        file.truncate(LARGEST_BYTES + 1)
    (problem,) = Examination(CHAT, bool).read(path).problems
    assert problem["code"] == "file_too_large"


def test_problems_beyond_the_first_thousand_are_counted(tmp_path):
    path = tmp_path / "broken.jsonl"
    path.write_bytes(b"no json\n" * 2_500)
    problems = Examination(CHAT, bool).read(path).problems
    assert [problem["line"] for problem in problems] == [*range(1, 1_001), None]
    assert problems[-1]["message"].startswith("There are 1500 more")


def test_half_line_is_cut_and_whole_ones_stay(tmp_path):
    directory = BatchDirectory(tmp_path)
    directory.repair()
    assert list(directory.answers()) == []
    for n in range(3):
        directory.append({"custom_id": f"日{n}"})
    whole = (tmp_path / "answers.jsonl").read_bytes()
    for half in (b"", b"{", b'{"custom_id": "3"}'):
        (tmp_path / "answers.jsonl").write_bytes(whole + half)
        directory.repair()
        assert b"".join(line for line, _ in directory.answers()) == whole


def test_full_disk_costs_time_but_no_request(batches, batch, store, ended, monkeypatch):
    full, append, tried = [True, True], BatchDirectory.append, []

    def append_or_fail(directory, answer):
        tried.append(answer["custom_id"])
        if answer["custom_id"] == "2" and full:
            full.pop()
            with (directory.path / "answers.jsonl").open("ab") as file:
                file.write(b'{"custom_id": "2", "resp')
            raise OSError(errno.ENOSPC, "No space left on device")
        append(directory, answer)

    monkeypatch.setattr(BatchDirectory, "append", append_or_fail)
    batches.start(lambda *_: GOOD)
    done = ended(batch)
    assert tried == ["0", "1", "2", "2", "2", "3", "4"]
    assert custom_ids(store, done["output_file_id"]) == ["0", "1", "2", "3", "4"]


def test_fault_of_the_platform_ends_the_batch_and_says_so(batches, batch, ended):
    def answer(*_):
        raise RuntimeError("out of order")

    batches.start(answer)
    done = ended(batch)
    assert (done["status"], done["errors"]["data"][0]["code"]) == ("failed", "server_error")
    assert "out of order" in done["errors"]["data"][0]["message"]


def test_batch_whose_requests_are_gone_ends_and_says_so(batches, batch, ended):
    batches.directory(batch).remove()
    batches.start(lambda *_: GOOD)
    done = ended(batch)
    assert (done["status"], done["errors"]["data"][0]["code"]) == ("failed", "server_error")


def test_batch_cancelled_before_it_was_looked_at_has_no_files(batches, batch, store, ended, until):
    assert batches.cancel(batch)["status"] == "cancelling"
    batches.start(lambda *_: GOOD)
    done = ended(batch)
    assert (done["status"], done["output_file_id"], done["error_file_id"]) == ("cancelled", None, None)
    assert batches.cancel(batch) is None
    until(lambda: not batches.directory(batch).path.exists())


def test_server_is_not_idle_while_a_batch_runs(tmp_path, batches, batch, store, ended):
    activity = Activity(last=time.monotonic() - IDLE_SECONDS - 1)
    idle = _Idle(activity, Supervisor(tmp_path, store), batches, enabled=True)
    assert not idle.over()
    batches.start(lambda *_: GOOD)
    ended(batch)
    assert idle.over()


def test_batches_run_one_after_the_other_the_oldest_first(batches, batch, store, ended):
    second = batch_object({"input_file_id": "file-1", "endpoint": CHAT, "completion_window": "24h"})
    batches.accept(second)
    asked = []
    batches.start(lambda _, body: (asked.append(body["n"]), GOOD)[1])
    ended(second)
    assert asked == [0, 1, 2, 3, 4] * 2
