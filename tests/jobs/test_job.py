"""ft.Job against the local platform: snapshots, waiting, and how jobs end."""

from __future__ import annotations

import inspect

import pytest

import finetune_lib as ft

LONG = {"n_epochs": 50, "batch_size": 1}
SHORT = {"n_epochs": 1, "batch_size": 12}


@pytest.fixture(scope="module")
def second(trained, data, platform):
    """A job that goes on from a fine-tuned model: its first snapshot, its end, and the events that were told."""
    told = []
    created = ft.Job.create(data, model=trained.model, suffix="again", seed=3, platform=platform, metadata={"n": "2"})
    return created, created.wait(on_event=told.append), told


def test_fine_tuned_model_is_fine_tuned_again(second, trained, client):
    _, job, _ = second
    assert job.model == trained.model
    assert job.fine_tuned_model.startswith("ft:tiny:local:again:")
    question, answer = next(iter(trained.questions.items()))
    messages = [{"role": "user", "content": question}]
    said = client.chat.completions.create(model=job.fine_tuned_model, messages=messages, temperature=0)
    assert said.choices[0].message.content == answer


def test_fine_tuned_model_keeps_the_recipe_of_its_base(second, finished):
    """`auto` is what suits the base, also when training goes on from one of its fine-tunes."""
    assert second[1].record.hyperparameters == finished.record.hyperparameters


def test_snapshot_does_not_change(second):
    created, job, _ = second
    assert (created.status, created.done, created.fine_tuned_model) == ("validating_files", False, None)
    assert (job.status, job.done, job.id) == ("succeeded", True, created.id)
    assert created.refresh() == job
    with pytest.raises(AttributeError):
        created.record = job.record


def test_each_event_is_told_once_oldest_first(second):
    _, job, told = second
    assert [event.id for event in told] == [event.id for event in job.events()]
    assert len({event.id for event in told}) == len(told)
    assert told[0].message == f"Created fine-tuning job: {job.id}"
    assert told[-1].message == "The job has successfully completed"


def test_waiting_for_an_ended_job_tells_all_events(finished):
    told = []
    assert finished.wait(on_event=told.append, timeout=0) == finished
    assert told == list(finished.events())


def test_record_has_what_was_asked(second):
    record = second[1].record
    assert (record.seed, record.metadata, record.error) == (3, {"n": "2"}, None)
    assert record.model_extra["user_provided_suffix"] == "again"
    assert record.trained_tokens > 0


def test_job_is_taken_up_by_its_id(finished, platform):
    again = ft.Job.get(finished.id, platform=platform)
    assert again == finished
    assert ft.Job.get(finished.id) == finished  # the platform of `connect()`
    assert finished.fine_tuned_model in repr(again)


def test_jobs_are_listed_newest_first(second, finished, platform):
    listed = [job.id for job in ft.Job.list(limit=100, platform=platform)]
    assert listed.index(second[1].id) < listed.index(finished.id)
    assert [job.id for job in ft.Job.list(limit=1, platform=platform)] == listed[:1]


def test_metrics_cover_every_step(finished):
    metrics = finished.metrics()
    assert [step.step for step in metrics] == list(range(1, len(metrics) + 1))
    assert metrics[-1].train_loss < metrics[0].train_loss
    assert metrics[-1].full_valid_loss is not None
    assert metrics[0].full_valid_loss is None
    assert all(step.valid_loss is None for step in metrics)
    assert 0 <= metrics[-1].train_mean_token_accuracy <= 1
    assert metrics.plot().svg.startswith("<svg")


def test_checkpoints_are_newest_first(finished):
    steps = [checkpoint.step_number for checkpoint in finished.checkpoints()]
    assert len(steps) == 3
    assert steps == sorted(steps, reverse=True)
    assert steps[0] == finished.metrics()[-1].step


def test_best_checkpoint_has_the_least_validation_loss(finished):
    losses = {step.step: step.full_valid_loss for step in finished.metrics()}
    saved = [checkpoint.step_number for checkpoint in finished.checkpoints()]
    assert finished.best_checkpoint().step_number == min(saved, key=lambda step: (losses[step], step))


def test_metrics_are_the_same_without_the_events(finished, monkeypatch):
    """What the results file tells is what the events told."""
    told = finished.metrics()

    async def none(self):
        return ()

    monkeypatch.setattr(ft.Job, "events_async", none)
    filed = finished.metrics()
    assert [step.train_loss for step in filed] == [step.train_loss for step in told]
    assert filed[-1].valid_loss == told[-1].full_valid_loss


async def test_candidate_answers_a_case(finished, trained):
    question, answer = next(iter(trained.questions.items()))
    case = ft.Case("1", (ft.Message(role="user", content=question),), answer)
    said = await finished.candidate(max_tokens=60)(case)
    assert said.text == answer
    assert said.usage.completion_tokens > 0
    assert finished.candidate().name == "tuned"


def test_unfinished_job_is_no_candidate(second):
    with pytest.raises(ft.JobError, match="no model yet"):
        second[0].candidate()


def test_timeout_leaves_the_job_running_and_cancel_ends_it(data, platform, until):
    job = ft.Job.create(data, model="tiny", hyperparameters=LONG, platform=platform)
    with pytest.raises(ft.JobTimeoutError, match=job.id) as late:
        job.wait(timeout=0.2)
    assert isinstance(late.value, TimeoutError)
    assert late.value.job.id == job.id
    until(lambda: job.refresh().status == "running")
    cancelled = job.cancel()
    assert (cancelled.status, cancelled.done, job.status) == ("cancelled", True, "validating_files")
    with pytest.raises(ft.JobCancelledError, match=job.id) as caught:
        job.wait()
    assert caught.value.job.status == "cancelled"
    assert job.events()[-1].level == "warn"


def test_failed_job_tells_the_reason(data, platform):
    job = ft.Job.create(data, model="nobody/nothing", hyperparameters=SHORT, platform=platform)
    told = []
    with pytest.raises(ft.JobFailedError, match="nobody/nothing does not load") as caught:
        job.wait(on_event=told.append)
    assert caught.value.job.record.error.code == "model_load_failed"
    assert told[-1].level == "error"


async def test_async_twins_do_the_same(data, platform):
    told = []
    created = await ft.Job.create_async(
        data, model="tiny", validation=data[:1], suffix="async", hyperparameters=SHORT, platform=platform
    )
    job = await created.wait_async(on_event=told.append)
    assert job.fine_tuned_model.startswith("ft:tiny:local:async:")
    assert await job.events_async() == tuple(told) == job.events()
    assert await created.refresh_async() == job == await ft.Job.get_async(job.id)
    with pytest.raises(ft.PlatformError, match="already ended") as caught:
        await job.cancel_async()
    assert (caught.value.status_code, caught.value.code) == (400, "job_already_ended")


async def test_wait_async_times_out_and_cancel_async_ends(data, platform):
    job = await ft.Job.create_async(data, model="tiny", hyperparameters=LONG, platform=platform)
    with pytest.raises(ft.JobTimeoutError):
        await job.wait_async(timeout=0.1)
    assert (await job.cancel_async()).status == "cancelled"
    with pytest.raises(ft.JobCancelledError):
        await job.wait_async()


def test_refusals_carry_the_platforms_fields(data, platform):
    with pytest.raises(ft.PlatformError, match="could not create the job") as caught:
        ft.Job.create(data, model="gpt-none", platform=platform)
    error = caught.value
    assert (error.status_code, error.code, error.param) == (400, "model_not_available", "model")
    assert error.request_id.startswith("req_")
    assert not error.retryable


async def test_unknown_job_is_404(platform):
    with pytest.raises(ft.PlatformError, match="ftjob-none") as caught:
        ft.Job.get("ftjob-none", platform=platform)
    assert caught.value.status_code == 404
    with pytest.raises(ft.PlatformError, match="ftjob-none"):
        await ft.Job.get_async("ftjob-none", platform=platform)


def test_ended_job_cannot_be_cancelled(finished):
    with pytest.raises(ft.PlatformError, match="already ended"):
        finished.cancel()


@pytest.mark.parametrize("bad", ["train", "validation"])
def test_bad_data_is_refused_before_anything_is_uploaded(data, client, platform, bad):
    files = [file.id for file in client.files.list()]
    broken = ft.Dataset.from_rows([*(e.data for e in data), {"messages": [{"role": "user", "content": "x"}]}])
    parts = {"train": broken} if bad == "train" else {"train": data, "validation": broken}
    with pytest.raises(ft.InvalidDatasetError) as caught:
        ft.Job.create(model="tiny", platform=platform, **parts)
    assert not caught.value.report.ok
    assert [file.id for file in client.files.list()] == files


def test_too_few_examples_are_refused_before_anything_is_uploaded(data, client, platform):
    files = [file.id for file in client.files.list()]
    with pytest.raises(ft.InvalidDatasetError, match="10"):
        ft.Job.create(data[:9], model="tiny", platform=platform)
    assert [file.id for file in client.files.list()] == files


def test_uploaded_file_is_the_saved_dataset(finished, client, data):
    uploaded = client.files.content(finished.record.training_file).read()
    assert uploaded == b"".join(data.lines())


def parameters(function):
    return {name: (p.kind, p.default) for name, p in inspect.signature(function).parameters.items()}


@pytest.mark.parametrize("name", [name for name in dir(ft.Job) if name.endswith("_async") and name[0] != "_"])
def test_async_twin_takes_the_same_parameters(name):
    twin, original = getattr(ft.Job, name), getattr(ft.Job, name.removesuffix("_async"))
    assert parameters(twin) == parameters(original)
    assert inspect.iscoroutinefunction(twin)
    assert inspect.signature(twin).return_annotation == inspect.signature(original).return_annotation


def test_there_are_async_twins():
    assert {"create_async", "get_async", "refresh_async", "wait_async", "events_async", "cancel_async"} <= set(
        dir(ft.Job)
    )
