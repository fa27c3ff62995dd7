"""The server is killed while a batch runs: no request is lost, and no answer that is on the disk is made again."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys

import openai
import pytest

import finetune_lib as ft
from finetune_lib.local.batches import Batches
from finetune_lib.local.batches.directory import BatchDirectory
from finetune_lib.local.objects import batch_object, file_object
from finetune_lib.local.store import Store

CHAT = "/v1/chat/completions"
# A server's batches alone, with answers that cost nothing; each one asked for is noted first.
ALONE = """
import os, sys, time
from pathlib import Path
from finetune_lib.local.batches import Batches
from finetune_lib.local.store import Store

root = Path(sys.argv[1])
store = Store(root)
asked = os.open(root / "asked.txt", os.O_APPEND | os.O_CREAT | os.O_WRONLY)

def answer(endpoint, body):
    os.write(asked, (body["messages"][0]["content"] + "\\n").encode())
    time.sleep(0.01)
    usage = {"prompt_tokens": 1, "completion_tokens": 1}
    return 200, {"choices": [], "usage": usage}

batches = Batches(root, store)
batches.start(answer)
while batches.open():
    time.sleep(0.01)
batches.stop()
"""


def lines_of(number, **options):
    for n in range(number):
        body = {"model": "tiny", "messages": [{"role": "user", "content": str(n)}], **options}
        yield json.dumps({"custom_id": str(n), "method": "POST", "url": CHAT, "body": body}) + "\n"


def answered(content):
    return [json.loads(line)["custom_id"] for line in content.splitlines()]


def test_killed_server_goes_on_with_what_is_missing(own_root, until):
    platform = ft.connect("local", root=own_root)
    content = "".join(lines_of(60, max_tokens=30)).encode()
    file = platform.client.files.create(file=("a.jsonl", content), purpose="batch")
    batch = platform.client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
    kept = own_root / "batches" / batch.id / "answers.jsonl"
    for least in (3, 20):
        until(lambda least=least: kept.exists() and kept.read_bytes().count(b"\n") >= least)
        os.kill(json.loads((own_root / "server.json").read_text())["pid"], signal.SIGKILL)
        before = kept.read_bytes()
        before = before[: before.rfind(b"\n") + 1]
        kept.write_bytes(before + b'{"id": "batch_req_half')
        platform = ft.connect("local", root=own_root)
    client = platform.client
    done = until(lambda: (now := client.batches.retrieve(batch.id)).status == "completed" and now)
    assert done.request_counts.to_dict() == {"total": 60, "completed": 60, "failed": 0}
    output = client.files.content(done.output_file_id).read()
    assert output.startswith(before)
    assert answered(output) == [str(n) for n in range(60)]


def test_stopped_server_ends_cleanly_and_the_next_goes_on(serve, tmp_path, until):
    first = serve(tmp_path)
    content = "".join(lines_of(40, max_tokens=30)).encode()
    with openai.OpenAI(base_url=first.url, api_key=first.token) as client:
        file = client.files.create(file=("a.jsonl", content), purpose="batch")
        batch = client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
        until(lambda: client.batches.retrieve(batch.id).request_counts.completed)
    first.process.terminate()
    assert first.process.wait(60) == 0
    before = (tmp_path / "batches" / batch.id / "answers.jsonl").read_bytes()
    second = serve(tmp_path)
    with openai.OpenAI(base_url=second.url, api_key=second.token) as client:
        done = until(lambda: (now := client.batches.retrieve(batch.id)).status == "completed" and now)
        output = client.files.content(done.output_file_id).read()
    assert output.startswith(before)
    assert answered(output) == [str(n) for n in range(40)]


@pytest.mark.parametrize("seed", range(3))
def test_batches_killed_at_any_point_answer_each_request_once(tmp_path, until, seed):
    number = 150
    store = Store(tmp_path)
    store.blob("file-1").write_text("".join(lines_of(number)))
    store.add("file", file_object("file-1", filename="a.jsonl", purpose="batch", size=1))
    batch = batch_object({"input_file_id": "file-1", "endpoint": CHAT, "completion_window": "24h"})
    Batches(tmp_path, store).accept(batch)
    asked, chance, kills = tmp_path / "asked.txt", random.Random(seed), 0
    asked.touch()
    while (now := store.get("batch", batch["id"]))["status"] != "completed":
        enough = asked.stat().st_size + chance.randint(1, 120)
        with subprocess.Popen([sys.executable, "-c", ALONE, str(tmp_path)]) as process:
            until(lambda e=enough, p=process: asked.stat().st_size >= e or p.poll() is not None)
            kills += process.poll() is None
            process.kill()
    assert kills > 2
    assert now["request_counts"] == {"total": number, "completed": number, "failed": 0}
    assert answered(store.blob(now["output_file_id"]).read_text()) == [str(n) for n in range(number)]
    assert number <= len(asked.read_text().split()) <= number + kills
    assert len(store.page("file")[0]) == 2
    store.close()


def test_batch_killed_while_it_is_finalized_ends_with_the_same_files(tmp_path, until):
    from finetune_lib.local.batches.outputs import answer_line, write_outputs

    store = Store(tmp_path)
    store.blob("file-1").write_text("".join(lines_of(2)))
    asked = {"input_file_id": "file-1", "endpoint": CHAT, "completion_window": "24h"}
    batch = {**batch_object(asked), "status": "finalizing", "in_progress_at": 1}
    batches = Batches(tmp_path, store)
    batches.accept(batch)
    usage = {"usage": {"prompt_tokens": 1, "completion_tokens": 2}}
    directory = BatchDirectory(tmp_path / "batches" / batch["id"])
    directory.append(answer_line("0", 200, usage))
    directory.append(answer_line("1", 500, {"error": {}}))
    files, _ = write_outputs(store, batch, directory)  # and here the first server dies
    batches.start(lambda _: pytest.fail("nothing is left to answer"))
    now = until(lambda: (found := store.get("batch", batch["id"]))["status"] == "completed" and found)
    batches.stop()
    assert [now["output_file_id"], now["error_file_id"]] == [file["id"] for file in files]
    assert sorted(path.name for path in store.blobs.iterdir()) == sorted(["file-1", *(file["id"] for file in files)])
    assert not directory.path.exists()
    store.close()
