"""What a client of OpenAI's takes for granted around the resources: headers, lists, expiry, pause and resume."""

from __future__ import annotations

import json
import sqlite3
import time

import httpx2
import openai
import pytest

LINE = b'{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}\n'
LONG = {"n_epochs": 50, "batch_size": 1}


@pytest.fixture
def job(client, training_file):
    """Makes jobs, and cancels what still runs."""
    made = []

    def create(**options):
        made.append(client.fine_tuning.jobs.create(model="tiny", training_file=training_file.id, **options).id)
        return made[-1]

    yield create
    for id in made:
        if client.fine_tuning.jobs.retrieve(id).finished_at is None:
            client.fine_tuning.jobs.cancel(id)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_word_before_the_key_may_be_written_in_any_case(server, scheme):
    headers = {"Authorization": f"{scheme} {server.token}"}
    assert httpx2.get(f"{server.url}/models", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["files/", "fine_tuning/jobs/", "models/"])
def test_nobody_is_sent_to_the_host_that_a_caller_names(http, path):
    answer = http.get(path, headers={"Host": "evil.example"}, follow_redirects=False)
    assert (answer.status_code, answer.headers.get("location")) == (404, None)
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("path", ["files", "fine_tuning/jobs", "batches"])
def test_a_limit_of_nothing_gives_nothing(http, trained, path):
    page = http.get(path, params={"limit": 0}).raise_for_status().json()
    assert page["data"] == []


def test_jobs_are_found_by_metadata_of_any_name(client, job):
    names = {'a"b': "1", "c.d": "2", "鍵 [x]": "3", "$": "4"}
    id = job(metadata=names, hyperparameters={"n_epochs": 1})
    for name, value in names.items():
        assert [found.id for found in client.fine_tuning.jobs.list(metadata={name: value})] == [id]
        assert list(client.fine_tuning.jobs.list(metadata={name: "other"})) == []


def test_integrations_are_taken_and_said_to_be_without_effect(client, job):
    given = [{"type": "wandb", "wandb": {"project": "p"}}]
    id = job(integrations=given, hyperparameters={"n_epochs": 1})
    kept = client.fine_tuning.jobs.retrieve(id).integrations
    assert [one.model_dump(exclude_none=True) for one in kept] == given
    told = [event.message for event in client.fine_tuning.jobs.list_events(id) if event.level == "warn"]
    assert any("without effect" in message for message in told)


def test_a_file_is_gone_when_its_time_is_over(client, http, server):
    policy = {"anchor": "created_at", "seconds": 3600}
    file = client.files.create(file=("f.jsonl", LINE), purpose="fine-tune", expires_after=policy)
    assert file.expires_at == file.created_at + 3600
    stays = client.files.create(file=("g.jsonl", LINE), purpose="fine-tune")
    assert "expires_at" not in http.get(f"files/{stays.id}").json()
    with sqlite3.connect(server.root / "platform.db") as db:  # as if an hour had passed
        over = json.dumps(int(time.time()) - 1)
        db.execute("UPDATE objects SET body = json_set(body, '$.expires_at', json(?)) WHERE id = ?", (over, file.id))
    with pytest.raises(openai.BadRequestError, match="does not exist"):
        client.fine_tuning.jobs.create(model="tiny", training_file=file.id)
    with pytest.raises(openai.NotFoundError):
        client.files.content(file.id)
    ids = [one.id for one in client.files.list()]
    assert file.id not in ids
    assert stays.id in ids
    assert not (server.root / "files" / file.id).exists()


@pytest.mark.parametrize(
    "policy",
    [
        {"anchor": "created_at", "seconds": 3599},
        {"anchor": "created_at", "seconds": 2_592_001},
        {"anchor": "last_active_at", "seconds": 3600},
        {"anchor": "created_at"},
        {"anchor": "created_at", "seconds": "1e9"},
    ],
    ids=str,
)
def test_an_expiry_that_is_none_is_refused(client, policy):
    with pytest.raises(openai.BadRequestError, match="expires_after"):
        client.files.create(file=("f.jsonl", LINE), purpose="fine-tune", expires_after=policy)


def test_a_paused_job_rests_keeps_its_steps_and_goes_on_to_its_end(client, job, until):
    id = job(hyperparameters=LONG)

    def steps():
        found = client.fine_tuning.jobs.list_events(id, limit=100)
        return [event.data["step"] for event in found if event.type == "metrics"][::-1]

    until(lambda: len(steps()) > 5)
    assert client.fine_tuning.jobs.pause(id).status == "paused"
    with pytest.raises(openai.BadRequestError, match="cannot be paused"):
        client.fine_tuning.jobs.pause(id)
    until(lambda: (before := len(steps())) and not time.sleep(1) and len(steps()) == before)
    rested = len(steps())
    assert client.fine_tuning.jobs.retrieve(id).status == "paused"
    assert client.fine_tuning.jobs.resume(id).status == "queued"
    with pytest.raises(openai.BadRequestError, match="cannot be resumed"):
        client.fine_tuning.jobs.resume(id)
    until(lambda: client.fine_tuning.jobs.retrieve(id).finished_at)
    done = client.fine_tuning.jobs.retrieve(id)
    assert (done.status, rested < len(steps())) == ("succeeded", True)
    assert steps() == list(range(1, len(steps()) + 1))[-100:] or steps() == sorted(set(steps()))
    told = [event.message for event in client.fine_tuning.jobs.list_events(id, limit=100)]
    assert not any("lost" in message for message in told)


def test_a_job_that_is_paused_at_once_is_still_checked_and_trained(client, job, until):
    id = job(hyperparameters={"n_epochs": 1})
    client.fine_tuning.jobs.pause(id)
    client.fine_tuning.jobs.resume(id)
    until(lambda: client.fine_tuning.jobs.retrieve(id).finished_at)
    assert client.fine_tuning.jobs.retrieve(id).status == "succeeded"
    told = [event.message for event in client.fine_tuning.jobs.list_events(id, limit=100)]
    assert told.count("Files validated, moving job to queued state") == 1


def test_a_paused_job_can_be_cancelled_and_an_ended_one_not_paused(client, job):
    id = job(hyperparameters=LONG)
    client.fine_tuning.jobs.pause(id)
    assert client.fine_tuning.jobs.cancel(id).status == "cancelled"
    for move in (client.fine_tuning.jobs.pause, client.fine_tuning.jobs.resume):
        with pytest.raises(openai.BadRequestError, match="its status is 'cancelled'"):
            move(id)


def test_health_needs_no_token_and_tells_nothing_else(server):
    address = server.url.removesuffix("/v1")
    answer = httpx2.get(f"{address}/health")
    assert (answer.status_code, sorted(answer.json())) == (200, ["status", "version"])
    assert answer.json()["status"] == "ok"
    for path in ("/metrics", "/health/", "/health/../v1/models", "/v1/health", "//health"):
        assert httpx2.get(f"{address}{path}").status_code in (401, 404)


def test_metrics_count_calls_and_jobs_as_prometheus_reads_them(server, trained):
    address, headers = server.url.removesuffix("/v1"), {"Authorization": f"Bearer {server.token}"}

    def told():
        answer = httpx2.get(f"{address}/metrics", headers=headers)
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    before = told()
    assert before['finetune_lib_jobs{status="succeeded"}'] >= 1
    assert before['finetune_lib_files{purpose="fine-tune"}'] >= 1
    assert before['finetune_lib_disk_bytes{kind="free"}'] > 0
    httpx2.get(f"{server.url}/models/none", headers=headers)
    refused = 'finetune_lib_http_requests_total{method="GET",status="404"}'
    assert told()[refused] == before.get(refused, 0) + 1
    assert told()["finetune_lib_http_request_seconds_total"] > before["finetune_lib_http_request_seconds_total"]
    names = " ".join(before)
    assert "tiny" not in names
    assert trained.model not in names
