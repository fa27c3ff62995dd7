"""What is deleted is gone from the disk, what nobody can reach is collected, and a full disk is told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import openai
import pytest

import finetune_lib as ft
from finetune_lib import local
from finetune_lib.local.base_models import BUILT_IN
from finetune_lib.local.deleting import InUseError, delete_file, delete_model
from finetune_lib.local.objects import checkpoint_object, file_object, job_object, model_object
from finetune_lib.local.store import Store

TERMINAL = {"succeeded", "failed", "cancelled"}
PICKLES = {".pt", ".pth", ".bin", ".pkl"}


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_deleted_file_and_model_leave_neither_rows_nor_weights(own_root, data):
    platform = ft.connect("local", root=own_root)
    job = ft.Job.create(data, model="tiny", hyperparameters={"n_epochs": 2}, platform=platform).wait()
    told, client = platform.client.fine_tuning.jobs.retrieve(job.id), platform.client
    directory = own_root / "jobs" / job.id
    assert not [path for path in directory.rglob("*") if path.suffix in PICKLES]
    assert [model.id for model in client.models.list() if "ckpt" in model.id]
    client.chat.completions.create(
        model=told.fine_tuned_model, messages=[{"role": "user", "content": "日本?"}], max_tokens=1
    )

    before = size(own_root / "files")
    deleted = client.files.delete(told.training_file).to_dict()
    assert deleted["freed_bytes"] == before - size(own_root / "files") > 0
    assert not [
        path for path in directory.rglob("*.*") if path.is_file() and "日本" in path.read_text(errors="replace")
    ]

    weights = sum(size(folder) for folder in directory.iterdir() if folder.is_dir())
    assert client.models.delete(told.fine_tuned_model).to_dict()["freed_bytes"] == weights > 3_000_000
    assert not list(directory.rglob("*.safetensors"))
    assert {model.id for model in client.models.list()} <= set(BUILT_IN)
    assert client.fine_tuning.jobs.checkpoints.list(job.id).data == []
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model=told.fine_tuned_model, messages=[{"role": "user", "content": "x"}])
    assert client.fine_tuning.jobs.retrieve(job.id).status == "succeeded"


def ended(store, root, *, status="succeeded", model="tiny", created=None, checkpoints=()):
    """A job that has ended, with its model and what an earlier version has left beside it."""
    job = job_object({"training_file": "file-1"}, model=model, seed=1, hyperparameters={}) | {"status": status}
    store.add("job", job)
    directory = root / "jobs" / job["id"]
    name = f"ft:{job['id']}"
    for folder in ("final", *(f"checkpoint-{step}" for step in checkpoints)):
        (directory / folder).mkdir(parents=True)
        (directory / folder / "model.safetensors").write_bytes(b"w" * 100)
        (directory / folder / "optimizer.pt").write_bytes(b"o" * 50)
    (directory / "train.jsonl").write_bytes(b"t" * 10)
    if status == "succeeded":
        told = model_object(name, path=str(directory / "final"))
        store.add("model", told | ({"created": created} if created else {}))
        for step in checkpoints:
            checkpoint = checkpoint_object(job["id"], name, step=step, metrics={})
            store.add("checkpoint", checkpoint, parent=job["id"])
            path = str(directory / f"checkpoint-{step}")
            store.add("model", model_object(checkpoint["fine_tuned_model_checkpoint"], path=path))
    return job, name, directory


def test_copy_that_an_earlier_version_left_goes_with_its_file(tmp_path):
    with closing(Store(tmp_path)) as store:
        _, _, directory = ended(store, tmp_path)
        store.add("file", file_object("file-1", filename="a", purpose="fine-tune", size=7))
        store.blob("file-1").write_bytes(b"1234567")
        assert delete_file(tmp_path, store, "file-1") == 7 + 10
        assert not (directory / "train.jsonl").exists()
        assert delete_file(tmp_path, store, "file-1") is None


def test_checkpoint_is_deleted_alone_and_a_model_with_its_checkpoints(tmp_path):
    with closing(Store(tmp_path)) as store:
        _, name, directory = ended(store, tmp_path, checkpoints=[3, 30])
        _, beside, _ = ended(store, tmp_path, checkpoints=[3])
        assert delete_model(tmp_path, store, f"{name}:ckpt-step-3") == (150, [str(directory / "checkpoint-3")])
        assert (directory / "checkpoint-30").exists()
        freed, _ = delete_model(tmp_path, store, name) or (0, [])
        assert freed == 300
        left = {model["id"] for model in store.page("model")[0]}
        assert left == {beside, f"{beside}:ckpt-step-3"}
        assert [one["step_number"] for one in store.page("checkpoint")[0]] == [3]


def test_what_something_stands_on_is_not_deleted(tmp_path):
    with closing(Store(tmp_path)) as store:
        _, base, directory = ended(store, tmp_path)
        _, adapter, folder = ended(store, tmp_path)
        config = {"base_model_name_or_path": str(directory / "final")}
        (folder / "final" / "adapter_config.json").write_text(json.dumps(config))
        with pytest.raises(InUseError, match=adapter):
            delete_model(tmp_path, store, base)
        delete_model(tmp_path, store, adapter)
        waiting = job_object({"training_file": "f"}, model=base, seed=1, hyperparameters={})
        store.add("job", waiting)
        with pytest.raises(InUseError, match=waiting["id"]):
            delete_model(tmp_path, store, base)
        assert (directory / "final" / "model.safetensors").exists()


def test_model_outside_of_the_folder_is_forgotten_and_left(tmp_path):
    with closing(Store(tmp_path / "platform")) as store:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "weights").write_bytes(b"w")
        store.add("model", model_object("ft:x", path=str(elsewhere)))
        delete_model(tmp_path / "platform", store, "ft:x")
        assert (elsewhere / "weights").exists()


def littered(root):
    """A folder with one thing of each kind that nobody can reach, beside one that somebody can."""
    with closing(Store(root)) as store:
        _, name, kept = ended(store, root)
        _, _, cancelled = ended(store, root, status="cancelled", checkpoints=[5])
        _, _, hidden = ended(store, root)
        store.delete("model", f"ft:{hidden.name}")  # as an earlier version deleted it
        running = job_object({"training_file": "f"}, model="tiny", seed=1, hyperparameters={}) | {"status": "running"}
        store.add("job", running)
        store.add("file", file_object("file-kept", filename="a", purpose="fine-tune", size=1))
    young = [root / "jobs" / "ftjob-young", root / "batches" / "batch_young"]
    old = [root / "jobs" / "ftjob-nobody", root / "batches" / "batch_nobody", root / "bases" / ".tiny-half"]
    for folder in (root / "jobs" / running["id"] / "checkpoint-1", *young, *old):
        folder.mkdir(parents=True)
        (folder / "x").write_bytes(b"x" * 20)
    for file in ("file-kept", ".file-cut.tmp"):
        (root / "files" / file).write_bytes(b"y")
    for path in (*old, root / "files" / ".file-cut.tmp"):
        os.utime(path, (time.time() - 7200,) * 2)
    going = {
        *(str(path.relative_to(root)) for path in (*old, root / "files" / ".file-cut.tmp")),
        *(f"jobs/{cancelled.name}/{part}" for part in ("final", "checkpoint-5", "train.jsonl")),
        *(f"jobs/{hidden.name}/{part}" for part in ("final", "train.jsonl")),
        *(f"jobs/{kept.name}/{part}" for part in ("train.jsonl", "final/optimizer.pt")),
    }
    return name, kept, running, young, going


@pytest.mark.parametrize("running", [True, False], ids=["with a server", "without"])
def test_gc_deletes_what_nobody_can_reach_and_nothing_else(tmp_path, serve, running):
    _, kept, job, young, going = littered(tmp_path)
    if running:
        with closing(Store(tmp_path)) as store:  # a server would take it up
            store.update("job", job["id"], {"status": "validating_files"})
        going -= set()
        serve(tmp_path)
    assert {removed.name for removed in local.gc(tmp_path, dry_run=True)} == going
    before = size(tmp_path / "jobs") + size(tmp_path / "batches") + size(tmp_path / "bases") + size(tmp_path / "files")
    removed = local.gc(tmp_path)
    after = size(tmp_path / "jobs") + size(tmp_path / "batches") + size(tmp_path / "bases") + size(tmp_path / "files")
    assert {one.name for one in removed} == going
    assert sum(one.bytes for one in removed) == before - after
    assert (kept / "final" / "model.safetensors").exists()
    assert all(folder.exists() for folder in young)
    assert (tmp_path / "files" / "file-kept").exists()
    assert local.gc(tmp_path) == []


def test_days_to_keep_spare_what_is_younger_or_in_use(tmp_path):
    with closing(Store(tmp_path)) as store:
        old = int(time.time()) - 10 * 86_400
        _, aged, folder = ended(store, tmp_path, created=old, checkpoints=[1])
        _, used, _ = ended(store, tmp_path, created=old)
        _, young, _ = ended(store, tmp_path)
        store.add("job", job_object({"training_file": "f"}, model=used, seed=1, hyperparameters={}))
        for id, created in (("file-old", old), ("file-new", old + 5 * 86_400)):
            store.add("file", file_object(id, filename="a", purpose="batch", size=3) | {"created_at": created})
            store.blob(id).write_bytes(b"abc")
    told = {one.name: one.bytes for one in local.gc(tmp_path, keep_days=7, dry_run=True)}
    assert (told["file-old"], told[aged]) == (3, 300)
    local.gc(tmp_path, keep_days=7)
    with closing(Store(tmp_path)) as store:
        assert {model["id"] for model in store.page("model")[0]} == {used, young}
        assert {file["id"] for file in store.page("file")[0]} == {"file-new"}
    assert not (folder / "final").exists()


def test_gc_on_the_command_line_says_what_it_freed(tmp_path):
    littered(tmp_path)
    command = [sys.executable, "-m", "finetune_lib", "local", "gc", "--root", str(tmp_path)]
    dry = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, timeout=60, check=True)
    assert "would free 0.0 MB" in dry.stdout
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "jobs/ftjob-nobody" in done.stdout
    assert done.stdout.splitlines()[-1] == "freed 0.0 MB"
    refused = subprocess.run([*command, "--keep-days=-1"], capture_output=True, text=True, timeout=60)
    assert refused.returncode == 2
    assert "keep_days" in refused.stderr


def test_server_with_days_to_keep_deletes_at_its_start(tmp_path, until):
    with closing(Store(tmp_path)) as store:
        store.add("file", file_object("file-old", filename="a", purpose="batch", size=3) | {"created_at": 1})
        store.blob("file-old").write_bytes(b"abc")
    command = [sys.executable, "-m", "finetune_lib", "serve", "--root", str(tmp_path)]
    environment = {**os.environ, "FINETUNE_LIB_KEEP_DAYS": "30"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until(lambda: not (tmp_path / "files" / "file-old").exists(), seconds=60)
        process.terminate()
    environment["FINETUNE_LIB_KEEP_DAYS"] = "ten"
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert (refused.returncode, "FINETUNE_LIB_KEEP_DAYS" in refused.stderr) == (2, True)


def small_disk() -> bool:
    """Whether a file system of a few megabytes can be mounted for one process."""
    if not shutil.which("unshare"):
        return False
    tried = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/tmp"]  # noqa: S108 - its own, gone with the process
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


@pytest.fixture
def cramped(tmp_path):
    """A server whose disk has 28 MB, of which a run needs 15."""
    if not small_disk():
        pytest.skip("no file system of its own can be mounted here")
    root = tmp_path / "small"
    root.mkdir()
    script = 'mount -t tmpfs -o size=28m none "$0" && exec "$1" -m finetune_lib serve --root "$0" --token t'
    command = ["unshare", "-rm", "sh", "-c", script, str(root), sys.executable]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().removeprefix("serving ").strip()
        yield openai.OpenAI(base_url=url, api_key="t", timeout=120)
        process.terminate()


def test_full_disk_is_an_event_and_507_and_the_job_goes_on_when_there_is_room(cramped, write_rows, rows, until):
    path = write_rows(rows)
    data = cramped.files.create(file=path, purpose="fine-tune")
    filler = cramped.files.create(file=("filler", b"x" * 19_000_000), purpose="user_data")
    with pytest.raises(openai.InternalServerError) as caught:
        cramped.files.create(file=("large", b"x" * 12_000_000), purpose="user_data")
    assert (caught.value.status_code, caught.value.code) == (507, "insufficient_storage")
    assert len(cramped.files.list().data) == 2

    jobs = cramped.fine_tuning.jobs
    options = {"method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1, "batch_size": 4}}}}
    job = jobs.create(model="tiny", training_file=data.id, **options)
    until(lambda: any("is full" in event.message for event in jobs.list_events(job.id)), seconds=120)
    assert jobs.retrieve(job.id).status not in TERMINAL
    cramped.files.delete(filler.id)
    until(lambda: jobs.retrieve(job.id).status in TERMINAL, seconds=120)
    done = jobs.retrieve(job.id)
    assert done.status == "succeeded", done.error
    told = [event.message for event in jobs.list_events(job.id) if "is full" in event.message]
    assert len(told) == 1
