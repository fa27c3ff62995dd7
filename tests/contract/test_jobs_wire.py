"""/v1/fine_tuning/jobs through the plain `openai` client, as tutorials use it."""

from __future__ import annotations

import csv
import io

import openai
import pytest

ORDER = ["validating_files", "queued", "running", "succeeded"]
EPOCHS, BATCH = 25, 2  # what "auto" means for `tiny` and twelve examples
STEPS = EPOCHS * 12 // BATCH


@pytest.fixture
def events(client, trained):
    """All events, oldest first."""
    return list(client.fine_tuning.jobs.list_events(trained.job.id, limit=100))[::-1]


def test_new_job_is_described_as_asked(trained):
    job = trained.created
    assert job.id.startswith("ftjob-")
    assert (job.object, job.model, job.status) == ("fine_tuning.job", "tiny", "validating_files")
    assert (job.training_file, job.validation_file) == (trained.training_file.id, trained.validation_file.id)
    assert (job.seed, job.metadata) == (7, {"team": "geo", "run": "一"})
    assert job.hyperparameters.n_epochs == "auto"
    assert (job.fine_tuned_model, job.finished_at, job.trained_tokens, job.result_files) == (None, None, None, [])


def test_statuses_come_in_order(trained):
    seen = trained.statuses
    assert seen == [status for status in ORDER if status in seen]
    assert (seen[0], seen[-1]) == (ORDER[0], ORDER[-1])
    assert "running" in seen


def test_finished_job_names_its_model(trained):
    base, organisation, suffix, unique = trained.model.removeprefix("ft:").split(":")
    assert (base, organisation, suffix, len(unique)) == ("tiny", "local", "capitals", 8)
    assert trained.job.finished_at >= trained.job.created_at
    assert trained.job.trained_tokens > 0


def test_numbers_take_the_place_of_auto_once_training_has_started(trained):
    shown = [trained.job.hyperparameters, trained.job.method.supervised.hyperparameters]
    numbers = [(h.n_epochs, h.batch_size, h.learning_rate_multiplier) for h in shown]
    assert numbers == [(EPOCHS, BATCH, 1.0)] * 2


def test_events_tell_the_job_in_openais_words(client, events, trained):
    files = f"training file: {trained.training_file.id} and validation file: {trained.validation_file.id}"
    before = [
        f"Created fine-tuning job: {trained.job.id}",
        f"Validating {files}",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
    ]
    saved = list(client.fine_tuning.jobs.checkpoints.list(trained.job.id))[::-1]
    best = min(saved, key=lambda checkpoint: checkpoint.metrics.full_valid_loss)
    after = [
        f"Best checkpoint by full validation loss ({best.metrics.full_valid_loss:.3f}): "
        f"{best.fine_tuned_model_checkpoint}",
        f"New fine-tuned model created: {trained.model}",
        "The job has successfully completed",
    ]
    messages = [event.message for event in events]
    assert messages[:4] == before
    assert messages[-3:] == after
    assert all(message.startswith(f"Step {n}/{STEPS}: training loss=") for n, message in enumerate(messages[5:-3], 1))


def test_each_step_has_one_metrics_event(events):
    rows = [event.data for event in events if event.type == "metrics"]
    assert [row["step"] for row in rows] == list(range(1, STEPS + 1))
    assert {row["total_steps"] for row in rows} == {STEPS}
    assert all(row["train_loss"] >= 0 and 0 <= row["train_mean_token_accuracy"] <= 1 for row in rows)
    assert rows[-1]["train_loss"] < rows[0]["train_loss"]


def test_validation_is_measured_after_each_epoch(events):
    measured = [event.data["step"] for event in events if event.data.get("full_valid_loss") is not None]
    assert measured == list(range(STEPS // EPOCHS, STEPS + 1, STEPS // EPOCHS))


def test_newest_event_comes_first(client, trained):
    page = client.fine_tuning.jobs.list_events(fine_tuning_job_id=trained.job.id, limit=10)
    assert len(page.data) == 10
    assert page.has_more
    assert page.data[0].message == "The job has successfully completed"
    assert page.data[0].id.startswith("ftevent-")


@pytest.mark.parametrize("limit", [1, 7, 20, 100])
def test_pages_of_events_give_each_once(client, trained, events, limit):
    if limit == 1:  # one page an event: the first ones are enough
        page = client.fine_tuning.jobs.list_events(trained.job.id, limit=1)
        found = [page.data[0].id, page.get_next_page().data[0].id]
        assert found == [event.id for event in events[::-1][:2]]
        return
    found = [event.id for event in client.fine_tuning.jobs.list_events(trained.job.id, limit=limit)]
    assert found == [event.id for event in events[::-1]]
    assert len(set(found)) == len(found) == STEPS + 8


def test_checkpoints_are_the_last_three_epochs_newest_first(client, trained):
    found = list(client.fine_tuning.jobs.checkpoints.list(trained.job.id))
    epoch = STEPS // EPOCHS
    assert [c.step_number for c in found] == [STEPS, STEPS - epoch, STEPS - 2 * epoch]
    for checkpoint in found:
        name = f"{trained.model}:ckpt-step-{checkpoint.step_number}"
        assert checkpoint.fine_tuned_model_checkpoint == name
        assert checkpoint.fine_tuning_job_id == trained.job.id
        assert checkpoint.metrics.step == checkpoint.step_number
        assert checkpoint.metrics.train_loss is not None
        assert checkpoint.metrics.full_valid_loss is not None


def test_pages_of_checkpoints_give_each_once(client, trained):
    paged = [c.id for c in client.fine_tuning.jobs.checkpoints.list(trained.job.id, limit=1)]
    assert paged == [c.id for c in client.fine_tuning.jobs.checkpoints.list(trained.job.id).data]


def test_result_file_is_a_table_of_all_steps(client, trained, events):
    (id,) = trained.job.result_files
    assert client.files.retrieve(id).purpose == "fine-tune-results"
    table = list(csv.DictReader(io.StringIO(client.files.content(id).text)))
    assert list(table[0]) == ["step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy"]
    rows = [event.data for event in events if event.type == "metrics"]
    assert [int(line["step"]) for line in table] == [row["step"] for row in rows]
    assert [float(line["train_loss"]) for line in table] == [row["train_loss"] for row in rows]
    assert table[0]["valid_loss"] == ""
    assert float(table[-1]["valid_loss"]) == rows[-1]["full_valid_loss"]


def few(client, file, **options):
    """A job that trains nothing: its file has too few examples."""
    return client.fine_tuning.jobs.create(training_file=file.id, model="tiny", **options)


@pytest.fixture(scope="module")
def short_file(upload, rows):
    return upload(rows[:9], "short.jsonl")


def ended(client, job):
    return lambda: (found := client.fine_tuning.jobs.retrieve(job.id)).finished_at and found


def test_too_few_examples_fail_the_job(client, short_file, until):
    job = until(ended(client, few(client, short_file)))
    assert (job.status, job.error.code, job.error.param) == ("failed", "invalid_n_examples", "training_file")
    assert job.error.message == "Training file has 9 example(s), but must have at least 10 examples"
    newest = client.fine_tuning.jobs.list_events(job.id).data[0]
    assert (newest.level, newest.message) == ("error", f"The job failed: {job.error.message}")
    assert job.fine_tuned_model is None


def test_invalid_example_fails_the_job_and_is_named(client, upload, rows, until):
    bad = [*rows, {"messages": [{"role": "user", "content": "nobody answers"}]}]
    job = until(ended(client, few(client, upload(bad, "bad.jsonl"))))
    assert (job.status, job.error.code) == ("failed", "invalid_training_file")
    assert f"Example {len(bad)}" in job.error.message


def test_invalid_validation_file_fails_the_job(client, upload, rows, training_file, until):
    bad = upload([{"messages": []}], "bad.jsonl")
    job = until(ended(client, few(client, training_file, validation_file=bad.id)))
    assert (job.status, job.error.code, job.error.param) == ("failed", "invalid_validation_file", "validation_file")


def test_jobs_are_listed_newest_first_in_pages(client, short_file):
    ids = [few(client, short_file).id for _ in range(3)]
    assert [job.id for job in client.fine_tuning.jobs.list().data[:3]] == ids[::-1]
    paged = [job.id for job in client.fine_tuning.jobs.list(limit=2)]
    assert paged == [job.id for job in client.fine_tuning.jobs.list(limit=100)]


def test_jobs_are_filtered_by_metadata(client, short_file):
    mine = few(client, short_file, metadata={"owner": "安", "part": "a b"})
    few(client, short_file, metadata={"owner": "other", "part": "a b"})
    found = client.fine_tuning.jobs.list(metadata={"owner": "安", "part": "a b"})
    assert [job.id for job in found] == [mine.id]
    assert list(client.fine_tuning.jobs.list(metadata={"owner": "nobody"})) == []


def test_seed_is_chosen_where_none_is_given(client, short_file):
    assert few(client, short_file).seed != few(client, short_file).seed
    assert few(client, short_file, seed=0).seed == 0


@pytest.mark.parametrize("place", ["hyperparameters", "method"])
def test_hyperparameters_are_taken_from_both_places(client, short_file, place):
    wanted = {"n_epochs": 2, "learning_rate_multiplier": 0.5}
    method = {"type": "supervised", "supervised": {"hyperparameters": wanted}}
    job = few(client, short_file, **{place: wanted if place == "hyperparameters" else method})
    shown = (job.hyperparameters, job.method.supervised.hyperparameters)
    assert [(h.n_epochs, h.batch_size, h.learning_rate_multiplier) for h in shown] == [(2, "auto", 0.5)] * 2


def test_running_job_is_cancelled(client, training_file, until):
    job = few(client, training_file, hyperparameters={"n_epochs": 50, "batch_size": 1})
    until(lambda: client.fine_tuning.jobs.retrieve(job.id).status == "running")
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    now = client.fine_tuning.jobs.retrieve(job.id)
    assert now.status == "cancelled"
    assert now.finished_at is not None
    assert now.fine_tuned_model is None
    warned = [event.message for event in client.fine_tuning.jobs.list_events(job.id) if event.level == "warn"]
    assert warned == ["Fine tuning process stopping due to job cancellation"]


def test_cancelled_job_lets_go_of_its_worker(client, server, training_file, until, workers):
    job = few(client, training_file, hyperparameters={"n_epochs": 50, "batch_size": 1})
    folder = server.root / "jobs" / job.id
    until(lambda: workers(folder))
    client.fine_tuning.jobs.cancel(job.id)
    until(lambda: not workers(folder))
    assert client.fine_tuning.jobs.retrieve(job.id).status == "cancelled"


def test_ended_job_cannot_be_cancelled(client, trained):
    with pytest.raises(openai.BadRequestError, match="already ended") as caught:
        client.fine_tuning.jobs.cancel(trained.job.id)
    assert caught.value.code == "job_already_ended"
    assert client.fine_tuning.jobs.retrieve(trained.job.id).status == "succeeded"


def test_job_that_diverges_can_still_be_followed(client, training_file, until):
    """Losses that are no numbers any more are not JSON, and must not hide all other events."""
    wanted = {"n_epochs": 2, "batch_size": 6, "learning_rate_multiplier": 1e12}
    job = until(ended(client, few(client, training_file, hyperparameters=wanted)))
    messages = [event.message for event in client.fine_tuning.jobs.list_events(job.id)]
    assert any(message.startswith("Step 1/4") for message in messages)
    assert (job.status, job.error.code) == ("failed", "training_diverged")


async def test_async_client_follows_a_job(server, trained):
    async with openai.AsyncOpenAI(base_url=server.url, api_key=server.token) as client:
        job = await client.fine_tuning.jobs.retrieve(trained.job.id)
        assert job.fine_tuned_model == trained.model
        events = [event async for event in client.fine_tuning.jobs.list_events(job.id, limit=50)]
        assert len({event.id for event in events}) == STEPS + 8
