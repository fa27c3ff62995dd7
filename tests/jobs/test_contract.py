"""One contract for every platform: the real local one over HTTP, and servers that answer as the others do.

What a platform does not offer is a flag in `platforms/kinds.py`; the tests read the flag.
"""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import openai
import pytest
from tests.jobs.scripts import MISSING, ODD, hasten, with_odd

import finetune_lib as ft
from finetune_lib.jobs import planning
from finetune_lib.platforms.wire import Call, wired

SCRIPTED = ("openai", "azure", "compatible")
SHORT = {"n_epochs": 2, "batch_size": 12}
LONG = {"n_epochs": 50, "batch_size": 1}
TRANSPORT = httpx2.HTTPTransport(verify=False)  # of this machine alone; certificates take long to load


@dataclass(frozen=True)
class Subject:
    """A platform, a base that it has, data, and one job that has succeeded there."""

    platform: ft.Platform
    model: str
    data: ft.Dataset
    server: ft.testing.ScriptedPlatform | None
    first: ft.Job
    job: ft.Job
    told: tuple[ft.JobEvent, ...]

    @property
    def kind(self) -> Any:
        return self.platform.kind

    def create(self, data: ft.Dataset | None = None, **options: Any) -> ft.Job:
        """A job; that it was there already is no news here."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            options = {"hyperparameters": SHORT, "platform": self.platform, **options}
            return ft.Job.create(self.data if data is None else data, model=self.model, **options)

    async def asked(self, method: Any, path: str, **more: Any) -> Any:
        """What the platform itself answers."""
        async with wired(self.platform) as wire:
            return await wire.send(Call("look", method, path, **more))


@pytest.fixture(scope="module", params=["local", *SCRIPTED])
def subject(request: Any, data: ft.Dataset, tmp_path_factory: Any) -> Iterator[Subject]:
    with ExitStack() as stack:
        local = request.param == "local"
        server = None if local else stack.enter_context(ft.testing.ScriptedPlatform(request.param))
        platform = server.connect() if server else request.getfixturevalue("platform")
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        hasten(patch.setattr)
        patch.setenv("FINETUNE_LIB_HOME", str(tmp_path_factory.mktemp("record")))
        told = list[ft.JobEvent]()
        model = "tiny" if local else "gpt-4.1-mini"
        options = {"suffix": "contract", "seed": 3, "metadata": {"made": "for the contract"}, "validation": data[:2]}
        first = ft.Job.create(data, model=model, platform=platform, hyperparameters=SHORT, **options)
        job = first.wait(on_event=told.append)
        yield Subject(platform, model, data, server, first, job, tuple(told))


def test_a_new_job_is_described_and_its_end_is_seen(subject):
    first, job = subject.first, subject.job
    assert (first.done, first.fine_tuned_model, first.model) == (False, None, subject.model)
    assert (job.id, job.status, job.done) == (first.id, "succeeded", True)
    assert job.fine_tuned_model
    assert (job.record.seed, job.record.metadata) == (3, {"made": "for the contract"})
    assert job.record.trained_tokens > 0
    assert ft.Job.get(job.id, platform=subject.platform) == job.refresh() == job


def test_the_same_call_gives_the_same_job(subject):
    given = {"suffix": "contract", "seed": 3, "metadata": {"made": "for the contract"}, "validation": subject.data[:2]}
    assert subject.create(**given).id == subject.job.id
    with pytest.warns(UserWarning, match=f"{subject.job.id} .succeeded. is the same job"):
        ft.Job.create(subject.data, model=subject.model, platform=subject.platform, hyperparameters=SHORT, **given)


def test_another_machine_finds_the_job(subject, tmp_path, monkeypatch):
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path))
    given = {"suffix": "contract", "seed": 3, "metadata": {"made": "for the contract"}, "validation": subject.data[:2]}
    same = subject.create(**given).id == subject.job.id
    assert same is subject.kind.metadata


def test_the_files_are_what_was_checked_and_lie_there_once(subject):
    uploaded = [
        subject.platform.client.files.content(id).read()
        for id in (subject.job.record.training_file, subject.job.record.validation_file)
    ]
    mark = b"\xef\xbb\xbf" if subject.kind.name == "azure" else b""
    assert uploaded == [mark + b"".join(part.lines()) for part in (subject.data, subject.data[:2])]


def test_other_settings_share_the_file(subject):
    job = subject.create(suffix="other", validation=subject.data[:2])
    job.cancel()
    assert job.id != subject.job.id
    assert job.record.training_file == subject.job.record.training_file
    assert job.record.validation_file == subject.job.record.validation_file


def test_each_event_is_told_once_oldest_first(subject):
    told = subject.told
    assert tuple(event.content for event in subject.job.events()) == tuple(event.content for event in told)
    assert [event.created_at for event in told] == sorted(event.created_at for event in told)
    assert subject.job.id in told[0].message
    assert "metrics" in {event.kind for event in told}
    steps = [event.data["step"] for event in told if event.kind == "metrics"]
    assert steps == list(range(1, len(steps) + 1))
    if subject.server:
        assert [event.message for event in told] == [e["message"] for e in subject.server.events(subject.job.id)]


def test_events_behind_one_of_them_are_told(subject):
    third = subject.told[2]
    assert [e.content for e in subject.job.events(after=third)] == [e.content for e in subject.told[3:]]
    behind = list[ft.JobEvent]()
    subject.job.wait(after=third, on_event=behind.append)
    assert [e.content for e in behind] == [e.content for e in subject.told[3:]]


async def test_pages_of_events_give_each_once(subject):
    path = f"/fine_tuning/jobs/{subject.job.id}/events"
    async with wired(subject.platform) as wire:
        found = [one async for page in wire.pages(Call("list", "GET", path), size=2) for one in page]
    assert [event["message"] for event in found] == [event.message for event in subject.told][::-1]


def test_metrics_are_one_curve(subject):
    metrics = subject.job.metrics()
    losses = [step.train_loss for step in metrics]
    assert [step.step for step in metrics] == list(range(1, len(metrics) + 1))
    assert losses[-1] < losses[0]
    assert metrics.end["train_loss"] == losses[-1]
    assert metrics.best_step is not None
    assert metrics.plot().svg.startswith("<svg")


def test_checkpoints_are_newest_first_and_each_is_a_candidate(subject):
    found = subject.job.checkpoints()
    steps = [one.step_number for one in found]
    assert steps
    assert steps == sorted(steps, reverse=True)
    assert all(one.fine_tuned_model_checkpoint.startswith(subject.job.fine_tuned_model) for one in found)
    assert subject.job.candidate(checkpoint=found[0]).model == found[0].fine_tuned_model_checkpoint
    assert subject.job.best_checkpoint() in found


async def test_the_model_answers(subject):
    case = ft.Case("1", (ft.Message(role="user", content="?"),))
    said = await subject.job.candidate(max_tokens=4)(case)
    assert said.error is None
    assert said.usage.completion_tokens > 0


def test_jobs_are_listed_newest_first_over_all_pages(subject):
    made = [subject.create(suffix=f"list-{number}", metadata={"list": "yes"}) for number in range(3)]
    try:
        listed = ft.Job.list(limit=None, platform=subject.platform)
        assert [job.id for job in listed if job in made or job.id in {m.id for m in made}] == [j.id for j in made][::-1]
        assert [job.id for job in ft.Job.list(limit=2, platform=subject.platform)] == [job.id for job in listed[:2]]
        mine = ft.Job.list(limit=None, metadata={"list": "yes"}, platform=subject.platform)
        assert {job.id for job in mine} >= {job.id for job in made}
        assert subject.job.id not in {job.id for job in mine}
        ended = ft.Job.list(limit=None, status="succeeded", platform=subject.platform)
        assert subject.job.id in {job.id for job in ended}
        assert {job.status for job in ended} == {"succeeded"}
        assert [j.id for j in ft.Job.list(model=subject.job.fine_tuned_model, platform=subject.platform)] == [
            subject.job.id
        ]
    finally:
        for job in made:
            job.cancel()


async def test_pages_of_jobs_give_each_once(subject):
    async with wired(subject.platform) as wire:
        call = Call("list", "GET", "/fine_tuning/jobs")
        paged = [one["id"] async for page in wire.pages(call, size=1) for one in page]
        whole = [one["id"] async for page in wire.pages(call) for one in page]
    assert paged == whole


def test_a_cancelled_job_says_so_and_does_not_count(subject):
    job = subject.create(suffix="cancelled", hyperparameters=LONG)
    assert job.cancel().status == "cancelled"
    with pytest.raises(ft.JobCancelledError, match=job.id):
        job.wait()
    with pytest.raises(ft.PlatformError) as caught:
        job.cancel()
    assert caught.value.status_code == 400
    again = subject.create(suffix="cancelled", hyperparameters=LONG)
    again.cancel()
    assert again.id != job.id


def test_a_job_pauses_and_goes_on_where_that_is_offered(subject):
    if subject.kind.name == "compatible":
        pytest.skip("some of these services offer it, others do not")
    job = subject.create(suffix="paused", hyperparameters=LONG)
    try:
        with nullcontext() if subject.kind.pauses else pytest.raises(ft.PlatformError):
            assert job.pause().status == "paused"
            assert job.resume().status in {"queued", "running", "validating_files"}
    finally:
        job.cancel()


def test_time_that_is_over_leaves_the_job_running(subject):
    job = subject.create(suffix="late", hyperparameters=LONG)
    try:
        with pytest.raises(ft.JobTimeoutError, match=job.id):
            job.wait(timeout=0.0)
        assert not job.refresh().done
    finally:
        job.cancel()


def test_a_large_file_goes_in_parts_where_that_is_offered(subject, monkeypatch):
    lower = {name: replace(one, upload_bytes=1000) for name, one in planning.profiles().items()}
    monkeypatch.setattr(planning, "profiles", lambda: lower)
    monkeypatch.setattr("finetune_lib.jobs.uploading.PART_BYTES", 400)
    data = ft.Dataset.from_rows(
        {"messages": [{"role": "user", "content": f"large {n}"}, {"role": "assistant", "content": "x" * 60}]}
        for n in range(12)
    )
    begun = subject.server.count("POST /uploads") if subject.server else 0
    job = subject.create(data, suffix="large")
    job.cancel()
    content = subject.platform.client.files.content(job.record.training_file).read().removeprefix(b"\xef\xbb\xbf")
    wanted = b"".join(data.lines())
    assert hashlib.md5(content, usedforsecurity=False).digest() == hashlib.md5(wanted, usedforsecurity=False).digest()
    if subject.server:
        assert subject.server.count("POST /uploads") - begun == subject.kind.uploads


async def test_a_request_that_is_sent_twice_is_known_where_that_is_offered(subject):
    body = {"model": subject.model, "training_file": subject.job.record.training_file, **subject.kind.body}
    headers = {"Idempotency-Key": f"twice on {subject.kind.name}"}
    jobs = [await subject.asked("POST", "/fine_tuning/jobs", body=body, headers=headers) for _ in range(2)]
    try:
        assert (jobs[0]["id"] == jobs[1]["id"]) is subject.kind.idempotent
    finally:
        for id in {job["id"] for job in jobs}:
            await subject.asked("POST", f"/fine_tuning/jobs/{id}/cancel")


def test_two_threads_make_one_job(subject):
    made = list[str]()
    threads = [threading.Thread(target=lambda: made.append(subject.create(suffix="threads").id)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ft.Job.get(made[0], platform=subject.platform).cancel()
    assert (len(made), len(set(made))) == (3, 1)


def test_a_deleted_model_answers_no_more_and_its_job_is_made_anew(subject):
    job = subject.create(suffix="deleted").wait()
    job.delete_model()
    with pytest.raises(ft.PlatformError) as caught:
        job.delete_model()
    assert caught.value.status_code == 404
    again = subject.create(suffix="deleted")
    assert (again.id == job.id) is subject.kind.deploys  # a model that is not deployed cannot be looked for
    if again.id != job.id:
        again.cancel()


def test_an_unknown_job_is_told(subject):
    with pytest.raises(ft.PlatformError, match="ftjob-none") as caught:
        ft.Job.get("ftjob-none", platform=subject.platform)
    assert (caught.value.status_code, caught.value.retryable) == (404, False)


def test_costs_are_told_where_prices_are_known(subject):
    wanted = 0.0 if subject.kind.free else 1700 * 5.0 / 1e6 if subject.kind.listed_prices else None
    assert subject.job.cost() == (wanted if wanted is None else pytest.approx(wanted))


def test_the_run_is_in_the_record(subject):
    (run,) = ft.Run.list(job=subject.job.id)
    assert (run.fine_tuned_model, run.status, run.model) == (subject.job.fine_tuned_model, "succeeded", subject.model)
    assert run.curve["train_loss"] == subject.job.metrics().end["train_loss"]


class Odd(httpx2.BaseTransport):
    """Alters what the platform answers: by the path of the request, and the JSON of its answer."""

    def __init__(self, alter: Callable[[str, Any], Any]) -> None:
        self.alter, self.http = alter, TRANSPORT

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = self.http.handle_request(request)
        answer.read()
        try:
            told = self.alter(request.url.path, answer.json())
        except ValueError:  # a file
            return answer
        return httpx2.Response(answer.status_code, json=told)


def through(subject: Subject, alter: Callable[[str, Any], Any]) -> ft.Platform:
    """The same platform, its answers altered."""
    http = httpx2.Client(transport=Odd(alter))
    address, key = subject.platform.base_url, subject.platform.api_key
    client = openai.OpenAI(base_url=address, api_key=key, http_client=http, max_retries=0)
    return ft.Platform(subject.platform.name, address, own=client)


def odd_in(ending: str, name: str, odd: str) -> Callable[[str, Any], Any]:
    def alter(path: str, told: Any) -> Any:
        if not path.endswith(ending):
            return told
        return {**told, "data": [with_odd(one, name, odd) for one in told["data"]]} if "data" in told else told

    return alter


@pytest.mark.parametrize("odd", [*ODD, MISSING])
async def test_no_odd_field_of_an_event_hides_one(subject, odd):
    path = f"/fine_tuning/jobs/{subject.job.id}/events"
    fields, steps = (await subject.asked("GET", path))["data"][0], len(subject.job.metrics())
    for name in fields:
        platform, told = through(subject, odd_in("/events", name, odd)), list[ft.JobEvent]()
        job = await ft.Job.get_async(subject.job.id, platform=platform)
        ended = await job.wait_async(on_event=told.append, timeout=30)
        assert (ended.status, len(told)) == ("succeeded", len(subject.told)), name
        assert all(str(event) and event.kind for event in told), name
        if name not in {"data", "type"}:
            assert len(await job.metrics_async()) == steps, name


@pytest.mark.parametrize("odd", [*ODD, MISSING])
async def test_no_odd_field_of_a_checkpoint_hides_one(subject, odd):
    path = f"/fine_tuning/jobs/{subject.job.id}/checkpoints"
    wanted = subject.job.checkpoints()
    for name in (await subject.asked("GET", path))["data"][0]:
        job = await ft.Job.get_async(subject.job.id, platform=through(subject, odd_in("/checkpoints", name, odd)))
        found = await job.checkpoints_async()
        assert len(found) == len(wanted), name
        if name != "step_number":
            assert [one.step_number for one in found] == [one.step_number for one in wanted], name


@pytest.mark.parametrize("odd", [*ODD, MISSING])
async def test_no_odd_fields_of_a_file_make_it_useless_or_double(subject, odd):
    """All of them but the id; a status in words that nobody knows is waited through."""
    id = subject.job.record.training_file
    told = await subject.asked("GET", f"/files/{id}")
    names = [name for name in told if name != "id" and (name, odd) != ("status", "a text")]

    def alter(path: str, answer: Any) -> Any:
        for name in names:
            answer = odd_in("/files", name, odd)(path, answer)
            answer = with_odd(answer, name, odd) if "/files" in path and "data" not in answer else answer
        return answer

    given = {"suffix": f"odd-{odd}".replace(" ", "-"), "hyperparameters": LONG, "platform": through(subject, alter)}
    job = await ft.Job.create_async(subject.data, model=subject.model, allow_duplicate=True, **given)
    await job.cancel_async()
    assert job.record.training_file == id


@pytest.mark.parametrize("odd", [*ODD, MISSING])
async def test_no_odd_field_of_a_job_ends_anything(subject, odd):
    for name in await subject.asked("GET", f"/fine_tuning/jobs/{subject.job.id}"):
        if name == "id":
            continue

        def alter(path: str, told: Any, name: str = name) -> Any:
            whole = odd_in("/jobs", name, odd)(path, told)
            return with_odd(whole, name, odd) if path.endswith(subject.job.id) else whole

        platform = through(subject, alter)
        seen = await ft.Job.get_async(subject.job.id, platform=platform)
        assert (seen.id, bool(repr(seen)), bool(seen._repr_html_())) == (subject.job.id, True, True), name
        assert (seen.cost() or 0.0) >= 0, name
        assert seen.status == "succeeded" or name == "status", name
        assert subject.job.id in [job.id for job in await ft.Job.list_async(limit=None, platform=platform)], name
