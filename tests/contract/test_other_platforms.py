"""Services that speak OpenAI's protocol with an accent, replayed over real HTTP."""

from __future__ import annotations

import base64

import pytest
from tests.doubles import Scripted, serving

import finetune_lib as ft

JOBS = "/fine_tuning/jobs"
JOB = f"{JOBS}/ftjob-1"
AZURE_JOB = {
    "id": "ftjob-1",
    "object": "fine_tuning.job",
    "model": "gpt-4.1-mini-2025-04-14",
    "status": "pending",
    "created_at": 1_790_000_000,
    "finished_at": None,
    "fine_tuned_model": None,
    "organization_id": None,
    "result_files": None,
    "training_file": "file-1",
    "validation_file": None,
    "hyperparameters": {"n_epochs": -1, "batch_size": -1, "learning_rate_multiplier": 1},
    "trained_tokens": None,
    "seed": None,
    "error": {},
    "suffix": "azure",
}
FILE = {
    "id": "file-1",
    "object": "file",
    "bytes": 1,
    "created_at": 1,
    "filename": "a.jsonl",
    "purpose": "fine-tune",
    "status": "pending",
}
NO_RETRY = {"x-should-retry": "false"}  # the client's own retries sleep; ours are what is tested


def event(number, **fields):
    body = {"object": "fine_tuning.job.event", "id": f"ftevent-{number}", "created_at": 1_790_000_000 + number}
    return {**body, "level": "info", "message": f"event {number}", "type": "message", "data": None, **fields}


def events(*found):
    return {"object": "list", "data": list(found)[::-1], "has_more": False}


@pytest.fixture
def service():
    with serving(Scripted()) as service:
        yield service


@pytest.fixture
def elsewhere(service):
    return ft.connect(service.url, api_key="k")


@pytest.fixture
def azure(service, elsewhere):
    service.answers(f"GET {JOB}", AZURE_JOB)
    return ft.Job.get("ftjob-1", platform=elsewhere)


def test_azures_job_reads(azure):
    assert (azure.status, azure.done, azure.fine_tuned_model) == ("queued", False, None)
    assert azure.record.hyperparameters["n_epochs"] == -1
    assert azure.record.result_files is None
    assert azure.record.error is None
    assert azure.record.model_extra["suffix"] == "azure"
    assert azure.record.model_extra["organization_id"] is None


@pytest.mark.parametrize("error", [None, {}, {"code": None, "message": None, "param": None}])
def test_every_form_of_a_healthy_error_is_none(service, elsewhere, error):
    service.answers(f"GET {JOB}", {**AZURE_JOB, "status": "succeeded", "error": error})
    service.answers(f"GET {JOB}/events", events())
    assert ft.Job.get("ftjob-1", platform=elsewhere).wait().record.error is None


def test_key_is_sent(service, azure):
    assert service.asked[0].headers["authorization"] == "Bearer k"


def test_wait_goes_from_unknown_status_to_the_end(service, elsewhere):
    done = {**AZURE_JOB, "status": "succeeded", "fine_tuned_model": "gpt-4.1-mini-2025-04-14.ft-1-azure"}
    service.answers(
        f"GET {JOB}", AZURE_JOB, {**AZURE_JOB, "status": "paused"}, {**AZURE_JOB, "status": "running"}, done
    )
    moderation = event(2, type="moderation_checks", data={"blocked": False, "results": []})
    service.answers(f"GET {JOB}/events", events(event(1)), events(event(1), moderation), events(event(1), moderation))
    told = []
    job = ft.Job.get("ftjob-1", platform=elsewhere).wait(on_event=told.append)
    assert job.fine_tuned_model == "gpt-4.1-mini-2025-04-14.ft-1-azure"
    assert [e.id for e in told] == ["ftevent-1", "ftevent-2"]
    assert (told[1].type, told[1].data) == ("moderation_checks", {"blocked": False, "results": []})


def test_failed_job_carries_the_platforms_reason(service, elsewhere):
    fault = {"code": "invalid_training_file", "message": "Line 3 is odd", "param": "training_file"}
    service.answers(f"GET {JOB}", {**AZURE_JOB, "status": "failed", "error": fault})
    service.answers(f"GET {JOB}/events", events())
    with pytest.raises(ft.JobFailedError, match="Line 3 is odd") as caught:
        ft.Job.get("ftjob-1", platform=elsewhere).wait()
    assert caught.value.job.record.error.code == "invalid_training_file"


def test_failed_job_without_a_reason_says_so(service, elsewhere):
    service.answers(f"GET {JOB}", {**AZURE_JOB, "status": "failed"})
    service.answers(f"GET {JOB}/events", events())
    with pytest.raises(ft.JobFailedError, match="gives no reason"):
        ft.Job.get("ftjob-1", platform=elsewhere).wait()


def test_pages_without_has_more_are_walked_to_their_end(service, azure):
    pages = [{"object": "list", "data": [event(2), event(1)]}, {"object": "list", "data": []}]
    service.answers(f"GET {JOB}/events", *pages)
    assert [e.id for e in azure.events()] == ["ftevent-1", "ftevent-2"]


def test_metrics_are_read_from_foreign_events(service, azure):
    row = {"step": 1, "train_loss": 0.5, "valid_loss": 0.7, "train_mean_token_accuracy": 0.9, "new_field": "x"}
    service.answers(f"GET {JOB}/events", events(event(1), event(2, type="metrics", data=row), event(3, type="metrics")))
    (step,) = azure.metrics()
    assert (step.train_loss, step.valid_loss, step.train_mean_token_accuracy) == (0.5, 0.7, 0.9)


def test_metrics_come_from_events_and_the_results_file(service, elsewhere):
    service.answers(f"GET {JOB}", {**AZURE_JOB, "status": "succeeded", "result_files": [{"id": "file-9"}]})
    row = {"step": 2, "train_loss": 0.5, "valid_loss": -1}
    service.answers(f"GET {JOB}/events", events(event(1, type="metrics", data=row)))
    table = b"step,train_loss,valid_loss,full_valid_loss\n1,1.5,,\n2,0.5,,0.7\n"
    service.answers("GET /files/file-9/content", base64.b64encode(table))
    told = [
        (step.step, step.train_loss, step.full_valid_loss)
        for step in ft.Job.get("ftjob-1", platform=elsewhere).metrics()
    ]
    assert told == [(1, 1.5, None), (2, 0.5, 0.7)]


@pytest.mark.parametrize(("status", "body"), [(404, b"{}"), (403, b"<html>"), (200, b"<html>a page</html>")])
def test_unreadable_results_file_never_loses_the_events(service, elsewhere, status, body):
    service.answers(f"GET {JOB}", {**AZURE_JOB, "status": "succeeded", "result_files": ["file-9"]})
    service.answers(f"GET {JOB}/events", events(event(1, type="metrics", data={"step": 1, "train_loss": 0.5})))
    service.answers("GET /files/file-9/content", body, status=status)
    assert [step.train_loss for step in ft.Job.get("ftjob-1", platform=elsewhere).metrics()] == [0.5]


async def test_results_file_is_enough_where_there_are_no_events(service, elsewhere):
    service.answers(f"GET {JOB}", {**AZURE_JOB, "status": "succeeded", "result_files": ["file-9"]})
    service.answers(f"GET {JOB}/events", {"error": "no such route"}, status=404)
    service.answers("GET /files/file-9/content", b"step,train_loss\n1,0.5\n")
    service.answers(f"GET {JOB}/checkpoints", {"object": "list", "data": [], "has_more": False})
    job = await ft.Job.get_async("ftjob-1", platform=elsewhere)
    assert [step.train_loss for step in await job.metrics_async()] == [0.5]
    assert await job.best_checkpoint_async() is None


@pytest.fixture
def quiet(service, monkeypatch):
    """A platform that has nothing yet, and whose lists lag behind by no more than a moment."""
    for room in ("creating", "uploading"):
        monkeypatch.setattr(f"finetune_lib.jobs.{room}.SETTLING_SECONDS", 0.2)
    for call in ("GET /models", "GET /files", f"GET {JOBS}"):
        service.answers(call, {"object": "list", "data": [], "has_more": False})
    service.answers("GET /files/file-1", {**FILE, "status": "processed"})


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("status", [500, 502, 408, 409, 429])
def test_job_is_posted_exactly_once_even_when_it_fails(service, elsewhere, data, status):
    service.answers("POST /files", FILE)
    service.answers(f"POST {JOBS}", {"error": {"message": "busy", "code": "oops"}}, status=status)
    with pytest.raises(ft.PlatformError, match="busy") as caught:
        ft.Job.create(data, model="gpt-4.1-mini", platform=elsewhere)
    assert service.calls.count(f"POST {JOBS}") == 1
    # Only a 429 says that nothing was begun; after the others the job may exist, and cost.
    assert (caught.value.status_code, caught.value.retryable, caught.value.code) == (status, status == 429, "oops")
    assert ("may have been done all the same" in str(caught.value)) == (status != 429)


@pytest.mark.usefixtures("quiet")
def test_refusal_carries_all_fields(service, elsewhere, data):
    service.answers("POST /files", FILE)
    body = {"error": {"message": "no such model", "type": "x", "code": "model_not_found", "param": "model"}}
    service.answers(f"POST {JOBS}", body, status=400, headers={"x-request-id": "req_9"})
    with pytest.raises(ft.PlatformError, match="could not create the job") as caught:
        ft.Job.create(data, model="gpt-4.1-mini", platform=elsewhere)
    error = caught.value
    assert (error.code, error.param, error.request_id, error.retryable) == ("model_not_found", "model", "req_9", False)


def test_error_without_an_envelope_is_told(service, elsewhere):
    service.answers(f"GET {JOB}", {"detail": "not here"}, status=404)
    with pytest.raises(ft.PlatformError) as caught:
        ft.Job.get("ftjob-1", platform=elsewhere)
    assert (caught.value.status_code, caught.value.code, caught.value.retryable) == (404, None, False)


@pytest.mark.parametrize("call", [f"GET {JOB}", f"GET {JOB}/events"])
@pytest.mark.parametrize("status", [429, 503])
def test_wait_tolerates_a_busy_platform(service, azure, call, status):
    done = {**AZURE_JOB, "status": "succeeded"}
    service.scripts.clear()
    service.answers(call, *[{"error": {"message": "slow down"}}] * 2, status=status, headers=NO_RETRY)
    service.answers(f"GET {JOB}", done)
    service.answers(f"GET {JOB}/events", events(event(1)))
    told = []
    assert azure.wait(on_event=told.append).status == "succeeded"
    assert [e.id for e in told] == ["ftevent-1"]


async def test_wait_async_tolerates_a_busy_platform(service, azure):
    service.scripts.clear()
    service.answers(f"GET {JOB}/events", {"error": {"message": "slow down"}}, status=429, headers=NO_RETRY)
    service.answers(f"GET {JOB}", {**AZURE_JOB, "status": "succeeded"})
    service.answers(f"GET {JOB}/events", events(event(1)))
    told = []
    assert (await azure.wait_async(on_event=told.append)).status == "succeeded"
    assert [e.id for e in told] == ["ftevent-1"]


def test_wait_does_not_tolerate_a_refusal(service, azure):
    service.scripts.clear()
    service.answers(f"GET {JOB}", {"error": {"message": "revoked", "code": "invalid_api_key"}}, status=401)
    with pytest.raises(ft.PlatformError, match="revoked") as caught:
        azure.wait()
    assert (caught.value.status_code, caught.value.retryable) == (401, False)


def test_broken_callback_is_not_taken_for_a_busy_platform(service, azure):
    """What `on_event` raises is the caller's; it ends the wait."""
    service.answers(f"GET {JOB}/events", events(event(1)))

    def broken(_):
        raise ft.PlatformError("the caller's own platform is away", retryable=True)

    with pytest.raises(ft.PlatformError, match="the caller's own"):
        azure.wait(on_event=broken, timeout=60)


@pytest.mark.parametrize("answer", ["<html>not an API</html>", [], {"status": "running"}])
def test_an_answer_that_is_not_the_protocol_is_told_as_such(service, elsewhere, answer):
    service.answers(f"GET {JOBS}/ftjob-1", answer)
    with pytest.raises(ft.PlatformError, match="not OpenAI's protocol"):
        ft.Job.get("ftjob-1", platform=elsewhere)


@pytest.mark.usefixtures("quiet")
def test_data_that_json_cannot_hold_is_no_fault_of_the_platform(service, elsewhere):
    rows = [{"prompt": f"q{number}", "completion": "a", "tools": {1, 2}} for number in range(10)]
    with pytest.raises(ft.DataError):
        ft.Job.create(ft.Dataset.from_rows(rows), model="gpt-4.1-mini", platform=elsewhere)
    assert service.calls == []
