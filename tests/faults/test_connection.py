"""Connections that break: followers go on, and what cannot be reached is told."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

import finetune_lib as ft
from finetune_lib import local
from finetune_lib.jobs import job as job_module
from finetune_lib.local.objects import job_object
from finetune_lib.local.store import Store
from finetune_lib.local.supervisor import Supervisor
from finetune_lib.platforms import Platform

QUICK = {"n_epochs": 4, "batch_size": 1}


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_wait_goes_on_when_the_server_comes_back(serve, own_root, data):
    port = free_port()
    first = serve(own_root, port=port)
    platform = Platform("local", first.url, first.token)
    job = ft.Job.create(data, model="tiny", hyperparameters=QUICK, platform=platform)
    told, servers = [], [first]

    def restart(event):
        told.append(event)
        if event.message == "Fine-tuning job started":
            first.process.kill()
            first.process.wait()
            servers.append(serve(own_root, port=port))

    done = job.wait(on_event=restart)
    assert len(servers) == 2
    assert [event.id for event in told] == [event.id for event in done.events()]
    assert [step.step for step in done.metrics()] == list(range(1, 4 * 12 + 1))


def test_job_goes_on_while_no_server_runs(own_root, data, until):
    platform = ft.connect("local", root=own_root)
    job = ft.Job.create(data, model="tiny", hyperparameters=QUICK, platform=platform)
    until(lambda: job.refresh().status == "running")
    assert local.stop(own_root)
    until(lambda: (own_root / "jobs" / job.id / "result.json").exists())
    done = ft.Job.get(job.id, platform=ft.connect("local", root=own_root)).wait()
    assert len(done.metrics()) == 4 * 12


@pytest.fixture
def gone(monkeypatch):
    """A job of a platform that does not answer; the pauses between questions are short."""
    monkeypatch.setattr("finetune_lib.jobs.following.LONGEST_DELAY", 0.01)
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.01)
    platform = ft.connect(f"http://127.0.0.1:{free_port()}/v1", api_key="k")
    return ft.Job(job_module.JobRecord(id="ftjob-1", model="m", status="running"), platform)


def test_wait_stays_with_a_platform_that_is_away_for_as_long_as_there_is_time_and_says_so(gone):
    told = []
    with pytest.raises(ft.JobTimeoutError, match="it goes on"):
        gone.wait(timeout=1.5, on_stall=told.append)
    assert told
    assert all("no answer" in text for text in told)


async def test_wait_async_stays_with_a_platform_that_is_away_for_as_long_as_there_is_time(gone):
    with pytest.raises(ft.JobTimeoutError):
        await gone.wait_async(timeout=1.0)


def test_timeout_counts_also_while_the_platform_is_away(gone):
    with pytest.raises(ft.JobTimeoutError):
        gone.wait(timeout=0)


def test_job_without_its_file_ends(tmp_path, until):
    """It must not stay in `validating_files` for ever."""
    with closing(Store(tmp_path)) as store:
        request = {"training_file": "file-deleted"}
        job = job_object(request, model="tiny", seed=1, hyperparameters={})
        store.add("job", job)
        supervisor = Supervisor(tmp_path, store)
        supervisor.start()
        try:
            until(lambda: store.get("job", job["id"])["status"] == "failed")
        finally:
            supervisor.stop()
        assert "No such file" in store.get("job", job["id"])["error"]["message"]
