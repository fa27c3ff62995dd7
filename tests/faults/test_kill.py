"""What is killed while a job trains: the script, the worker, the server. Nothing is lost and nothing told twice."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

import pytest

import finetune_lib as ft

LONG = {"n_epochs": 20, "batch_size": 1}
SCRIPT = """
import sys
import finetune_lib as ft
job = ft.Job.create(
    ft.Dataset.load(sys.argv[1]), model="tiny", suffix="script", hyperparameters={"n_epochs": 20, "batch_size": 1}
)
print(job.id, flush=True)
job.wait()
"""


def far_enough(job):
    """A checkpoint lies there, and much is still to do."""
    return lambda: len(job.metrics()) > 15


def assert_each_step_is_told_once(job):
    told = [event for event in job.events() if event.type == "metrics"]
    total = told[0].data["total_steps"]
    assert total == 20 * 12
    assert [event.data["step"] for event in told] == list(range(1, total + 1))
    assert [int(re.match(r"Step (\d+)/", event.message)[1]) for event in told] == list(range(1, total + 1))


def warnings(job):
    return [event.message for event in job.events() if event.level == "warn"]


def test_job_outlives_the_script_that_started_it(platform, write_rows, rows, until):
    command = [sys.executable, "-c", SCRIPT, str(write_rows(rows))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as script:
        job = ft.Job.get(script.stdout.readline().strip(), platform=platform)
        until(far_enough(job))
        script.send_signal(signal.SIGKILL)
        script.wait()
    assert not job.refresh().done
    done = ft.Job.get(job.id, platform=platform).wait()
    assert done.fine_tuned_model.startswith("ft:tiny:local:script:")
    assert ft.Job.get(job.id, platform=platform).fine_tuned_model == done.fine_tuned_model
    assert_each_step_is_told_once(done)
    assert warnings(done) == []


def test_killed_worker_is_replaced_and_goes_on(platform, server, data, until, workers):
    job = ft.Job.create(data, model="tiny", hyperparameters=LONG, seed=1, platform=platform)
    until(far_enough(job))
    (pid,) = workers(server.root / "jobs" / job.id)
    os.kill(pid, signal.SIGKILL)
    done = job.wait()
    assert_each_step_is_told_once(done)
    assert warnings(done) == ["The worker was lost; training goes on from the last checkpoint"]
    assert done.candidate().model == done.fine_tuned_model
    assert [c.step_number for c in done.checkpoints()] == [240, 228, 216]


def test_worker_that_always_dies_fails_the_job(platform, server, data, until, workers):
    job = ft.Job.create(data, model="tiny", hyperparameters=LONG, platform=platform)
    killed = set()

    def ended():
        for pid in workers(server.root / "jobs" / job.id):
            if pid not in killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
        return job.refresh().done

    until(ended)
    with pytest.raises(ft.JobFailedError, match="died 3 times") as caught:
        job.wait()
    assert caught.value.job.record.error.code == "worker_crashed"
    assert len(killed) == 3


def test_worker_that_gets_on_is_replaced_as_often_as_it_dies(platform, server, data, until, workers):
    job = ft.Job.create(data, model="tiny", hyperparameters=LONG, seed=2, platform=platform)
    for steps in (15, 40, 65, 90):
        until(lambda: len(job.metrics()) > steps)  # noqa: B023 - waited for at once
        (pid,) = workers(server.root / "jobs" / job.id)
        os.kill(pid, signal.SIGKILL)
    done = job.wait()
    assert done.status == "succeeded"
    assert_each_step_is_told_once(done)
    assert len(warnings(done)) == 4


def test_what_a_job_saved_before_it_failed_is_served(client, platform, server, data, until, workers):
    job = ft.Job.create(data, model="tiny", hyperparameters=LONG, seed=3, platform=platform)
    until(far_enough(job))
    (pid,) = workers(server.root / "jobs" / job.id)
    os.kill(pid, signal.SIGSTOP)
    (server.root / "jobs" / job.id / "error.json").write_text(
        '{"code": "training_failed", "message": "m", "param": null}'
    )
    with pytest.raises(ft.JobFailedError):
        job.wait()
    os.kill(pid, signal.SIGKILL)
    saved = job.checkpoints()
    assert saved
    asked = {"messages": [{"role": "user", "content": "甲？"}], "max_tokens": 2}
    assert client.chat.completions.create(model=saved[0].fine_tuned_model_checkpoint, **asked).choices


def test_killed_server_is_replaced_and_its_job_goes_on(own_root, data, until, workers):
    platform = ft.connect("local", root=own_root)
    job = ft.Job.create(data, model="tiny", hyperparameters=LONG, platform=platform)
    until(far_enough(job))
    before = workers(own_root)
    os.kill(json.loads((own_root / "server.json").read_text())["pid"], signal.SIGKILL)
    again = ft.Job.get(job.id, platform=platform)  # which starts another server, and finds it
    assert workers(own_root) == before
    done = again.wait()
    assert done.fine_tuned_model is not None
    assert_each_step_is_told_once(done)
    assert warnings(done) == []
