"""A job is created once, whatever happens; the server counts."""

from __future__ import annotations

import asyncio
import os
import queue
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.jobs.scripts import KILLED_SECONDS, MODEL, allow, create, examples, process

import finetune_lib as ft
from finetune_lib.testing import Fault

POST = "POST /fine_tuning/jobs"
LIST = "GET /fine_tuning/jobs"
REQUESTS = 6  # of one creation, at least
DONE = {
    "cut": Fault(cut=True, done=True),
    "half": Fault(half=True),
    "a page": Fault(status=200, body="<html>sign in</html>", done=True),
    "no id": Fault(status=200, body={}, done=True),
    "a null id": Fault(status=200, body={"id": None, "object": "fine_tuning.job"}, done=True),
    "a list": Fault(status=200, body=[], done=True),
    "null": Fault(status=200, body=b"null", done=True),
    "nothing": Fault(status=200, body=b"", done=True),
    "broken JSON": Fault(status=200, body=b'{"id": "ftjob-1", "obj', done=True),
    "500": Fault(status=500, done=True),
    "504": Fault(status=504, body="<html>504</html>", done=True),
    "409": Fault(status=409, done=True),
}
NOT_DONE = {
    "cut": Fault(cut=True),
    "500": Fault(status=500),
    "a page": Fault(status=200, body="<html>sign in</html>"),
    "no id": Fault(status=200, body={}),
}


def counted(server) -> tuple[int, int]:
    return len(server.jobs), len(server.files)


def refused(message: str, **error: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **error}}


@pytest.mark.parametrize("kind", ["openai", "azure", "compatible"])
def test_the_same_call_gives_the_same_job(scripted, kind):
    server = scripted(kind)
    first = create(server)
    with pytest.warns(UserWarning, match=f"{first.id}.*the same job"):
        second = ft.Job.create(examples(), model=MODEL, platform=server.connect())
    assert second.id == first.id == server.jobs[0]["id"]
    assert (server.count(POST), *counted(server)) == (1, 1, 1)


def test_other_data_or_settings_are_another_job(scripted):
    server = scripted()
    jobs = [create(server), create(server, "b"), create(server, seed=3), create(server, suffix="faq")]
    assert len({job.id for job in jobs}) == 4
    assert counted(server) == (4, 2)


def test_a_duplicate_is_made_where_it_is_asked_for(scripted):
    server = scripted()
    assert create(server).id != create(server, allow_duplicate=True).id
    assert counted(server) == (2, 1)


def test_threads_share_one_job(scripted):
    server = scripted(lag=0.3)
    with ThreadPoolExecutor(4) as pool:
        ids = {job.id for job in pool.map(lambda _: create(server), range(4))}
    assert (len(ids), *counted(server)) == (1, 1, 1)


def test_jobs_side_by_side_share_one_file(scripted):
    server = scripted(lag=0.3)
    with ThreadPoolExecutor(4) as pool:
        ids = {job.id for job in pool.map(lambda seed: create(server, seed=seed), range(4))}
    assert (len(ids), *counted(server)) == (4, 4, 1)


def test_tasks_share_one_job(scripted):
    server = scripted()

    async def main() -> set[str]:
        plan = await ft.Job.plan_async(examples(), model=MODEL, platform=server.connect())
        with pytest.warns(UserWarning, match="the same job"):
            return {job.id for job in await asyncio.gather(*(plan.submit_async() for _ in range(4)))}

    assert len(asyncio.run(main())) == 1
    assert counted(server) == (1, 1)


def test_processes_share_one_job(scripted, own_home):
    server = scripted(lag=0.3)
    children = [process(server, own_home) for _ in range(3)]
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert counted(server) == (1, 1)


def test_another_machine_finds_the_job_by_its_mark(scripted, own_home, monkeypatch):
    server = scripted()
    first = create(server)
    monkeypatch.setenv("FINETUNE_LIB_HOME", f"{own_home}-of-another-machine")
    assert create(server).id == first.id
    assert counted(server) == (1, 1)


@pytest.mark.parametrize("number", range(1, REQUESTS + 1))
def test_killed_at_a_request_it_is_found_again(scripted, own_home, number, monkeypatch):
    """The request is carried out, and nobody is there for the answer."""
    allow(KILLED_SECONDS, monkeypatch.setattr)
    victims: queue.Queue[int] = queue.Queue()

    def kill(_: object) -> None:
        if len(server.requests) == number:
            os.kill(victims.get(timeout=20), signal.SIGKILL)

    server = scripted(on_request=kill, lag=0.2)
    child = process(server, own_home)
    victims.put(child.pid)
    child.join(60)
    assert (child.exitcode, len(server.requests)) in {(-signal.SIGKILL, number), (0, len(server.requests))}
    job = create(server)
    assert (job.id, *counted(server)) == (server.jobs[0]["id"], 1, 1)


def test_killed_at_any_moment_it_is_found_again(scripted, own_home, monkeypatch):
    """Several times in one creation, until one comes through."""
    allow(KILLED_SECONDS, monkeypatch.setattr)
    server, rng = scripted(lag=0.2), random.Random(20261201)
    for _ in range(6):
        before = len(server.requests)
        child = process(server, own_home)
        while child.is_alive() and len(server.requests) == before:
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.06))
        child.kill()
        child.join(20)
    job = create(server)
    assert (job.id, *counted(server)) == (server.jobs[0]["id"], 1, 1)


@pytest.mark.parametrize("call", [LIST, "POST /files", POST])
def test_interrupted_it_is_found_again(scripted, call):
    def interrupt(request: ft.testing.Request) -> None:
        if request.call == call and server.count(call) == 1:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)

    server = scripted(on_request=interrupt)
    with pytest.raises(KeyboardInterrupt):
        create(server)
    job = create(server)
    assert (job.id, *counted(server)) == (server.jobs[0]["id"], 1, 1)


@pytest.mark.parametrize("number", range(1, REQUESTS + 1))
async def test_cancelled_at_a_request_it_is_found_again(scripted, number):
    loop = asyncio.get_running_loop()

    def cancel(_: object) -> None:
        if len(server.requests) == number:
            loop.call_soon_threadsafe(task.cancel)
            time.sleep(0.1)

    server = scripted(on_request=cancel, lag=0.1)
    task = asyncio.create_task(ft.Job.create_async(examples(), model=MODEL, platform=server.connect()))
    try:
        await task
        assert len(server.requests) < number
    except asyncio.CancelledError:
        pass
    job = await asyncio.to_thread(create, server)
    assert (job.id, *counted(server)) == (server.jobs[0]["id"], 1, 1)


@pytest.mark.parametrize("lag", [0.0, 0.3])
@pytest.mark.parametrize("kind", ["openai", "azure"])
@pytest.mark.parametrize("fault", DONE.values(), ids=DONE)
def test_a_lost_answer_is_looked_up(scripted, fault, kind, lag):
    if lag and kind == "azure":
        pytest.skip("as OpenAI")
    server = scripted(kind, lag=lag)
    server.fault(POST, fault)
    job = create(server)
    assert (server.count(POST), *counted(server), job.id) == (1, 1, 1, server.jobs[0]["id"])
    assert create(server).id == job.id


def test_a_lost_answer_is_looked_up_by_the_file_where_no_metadata_are_kept(scripted):
    server = scripted("compatible", quirks=("no_metadata",), lag=0.2)
    platform = ft.Platform("nebius", server.url, server.key)
    server.fault(POST, Fault(cut=True, done=True))
    job = create(server, platform=platform)
    assert (server.count(POST), *counted(server), job.id) == (1, 1, 1, server.jobs[0]["id"])


@pytest.mark.parametrize("fault", NOT_DONE.values(), ids=NOT_DONE)
def test_what_cannot_be_found_is_uncertain_and_the_next_call_makes_it(scripted, fault):
    server = scripted()
    server.fault(POST, fault)
    with pytest.raises(ft.JobUncertainError, match="may have been done all the same") as caught:
        create(server)
    assert (server.count(POST), *counted(server)) == (1, 0, 1)
    assert not caught.value.retryable
    create(server)
    assert (server.count(POST), *counted(server)) == (2, 1, 1)
    assert server.jobs[0]["metadata"]["finetune_lib_key"] == caught.value.key


def test_what_comes_to_light_late_is_found_by_the_next_call(scripted):
    """The list lags longer than one waits: then nothing is told, and nothing doubled."""
    server = scripted(lag=1.5)
    server.fault(POST, Fault(cut=True, done=True))
    with pytest.raises(ft.JobUncertainError):
        create(server)
    time.sleep(1.0)
    assert create(server).id == server.jobs[0]["id"]
    assert counted(server) == (1, 1)


def test_a_closed_organisation_is_told_before_the_upload(scripted):
    server = scripted()
    server.fault(LIST, Fault(status=403, body=refused("Fine-tuning is not available to your organization")))
    with pytest.raises(ft.PlatformError, match=r"Ways on: the local platform") as caught:
        create(server)
    assert (caught.value.status_code, counted(server)) == (403, (0, 0))


def test_a_refused_job_is_told_with_the_ways_on(scripted):
    server = scripted()
    server.fault(POST, Fault(status=403))
    with pytest.raises(ft.PlatformError, match=r"Ways on: the local platform") as caught:
        create(server)
    assert not isinstance(caught.value, ft.JobUncertainError)
    create(server)
    assert counted(server) == (1, 1)


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422])
def test_a_refusal_is_told_as_it_is_and_the_next_call_asks_again(scripted, status):
    server = scripted()
    server.fault(POST, Fault(status=status, body=refused("the platform's own reason")))
    with pytest.raises(ft.PlatformError, match="the platform's own reason") as caught:
        create(server)
    assert (caught.value.status_code, caught.value.retryable) == (status, False)
    assert not isinstance(caught.value, ft.JobUncertainError)
    create(server)
    assert counted(server) == (1, 1)


def test_haste_with_a_time_is_waited_out(scripted):
    server = scripted()
    server.fault(POST, Fault(status=429, retry_after=0.3), times=2)
    began = time.monotonic()
    create(server)
    assert time.monotonic() - began >= 0.6
    assert (server.count(POST), *counted(server)) == (3, 1, 1)


def test_haste_without_a_time_is_told(scripted):
    server = scripted()
    server.fault(POST, Fault(status=429))
    with pytest.raises(ft.PlatformError) as caught:
        create(server)
    assert (caught.value.status_code, caught.value.retryable, server.count(POST)) == (429, True, 1)
    create(server)
    assert counted(server) == (1, 1)


def test_an_empty_account_is_told_at_once(scripted):
    server = scripted()
    server.fault(POST, Fault(status=429, retry_after=0.1, body=refused("quota", code="insufficient_quota")))
    with pytest.raises(ft.PlatformError) as caught:
        create(server)
    assert (caught.value.code, caught.value.retryable) == ("insufficient_quota", False)
    assert (server.count(POST), *counted(server)) == (1, 0, 1)


def test_a_file_that_is_still_read_is_waited_for(scripted):
    server = scripted()
    told = "File 'file-1' is still being processed and is not ready to be used for fine-tuning."
    server.fault(POST, Fault(status=400, body=refused(told)), times=2)
    create(server)
    assert (server.count(POST), *counted(server)) == (3, 1, 1)


def test_a_platform_that_is_not_there_gets_no_second_thought(scripted, own_home):
    """Refused connections are certain: nothing was done. Here even the look ahead is refused."""
    server = scripted()
    platform = ft.Platform("openai", "http://127.0.0.1:9/v1", "sk-nobody")
    with pytest.raises(ft.PlatformError) as caught:
        asyncio.run(asyncio.wait_for(_submitted(platform), 1.0))
    assert not isinstance(caught.value, ft.JobUncertainError)
    assert server.requests == []


async def _submitted(platform: ft.Platform) -> ft.Job:
    try:
        return await ft.Job.create_async(examples(), model=MODEL, platform=platform)
    except asyncio.CancelledError:
        raise ft.PlatformError("it goes on asking") from None


def test_what_ended_badly_or_is_gone_does_not_count(scripted):
    server = scripted(steps=1, statuses=("queued",))
    gone = create(server).wait()
    gone.delete_model()
    cancelled = create(server)
    assert cancelled.id != gone.id
    cancelled.cancel()
    last = create(server)
    assert len({gone.id, cancelled.id, last.id}) == 3
    assert create(server).id == last.id
    assert counted(server) == (3, 1)


def test_a_succeeded_job_counts(scripted):
    server = scripted(steps=1, statuses=("queued",))
    done = create(server).wait()
    again = create(server)
    assert (again.id, again.status) == (done.id, "succeeded")
    assert counted(server) == (1, 1)


ODD = {
    "null": None,
    "a number": 7,
    "a fraction": 0.5,
    "a text": "x",
    "a list": [1],
    "an object": {"x": 1},
    "true": True,
}


@pytest.mark.parametrize("odd", [*ODD, "missing"])
def test_no_odd_field_of_a_job_loses_it(scripted, odd):
    """Nothing that a platform says of a paid job may raise; without an id it is looked up, which needs one."""
    server = scripted()
    create(server, "plain")

    def alter(request: ft.testing.Request, answer: Any) -> Any:
        if request.call != POST:
            return answer
        kept = {key: value for key, value in answer.items() if key != name}
        return kept if odd == "missing" else {**kept, name: ODD[odd]}

    server.alter = alter
    for name in sorted(server.jobs[0]):
        job = create(server, f"{odd}-{name}")
        assert repr(job), name
        assert job.id == server.jobs[-1]["id"] or (name == "id" and job.id == str(ODD.get(odd))), name
    assert server.count(POST) == len(server.jobs)
