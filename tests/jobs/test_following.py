"""A job is followed to its end: each event once, within one budget of time, whatever the platform's habits are."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.jobs.scripts import MISSING, ODD, create, with_odd

import finetune_lib as ft
from finetune_lib.testing import Fault

EVENTS = "GET /fine_tuning/jobs/*/events"
JOB = "GET /fine_tuning/jobs/*"
LONG = "FINETUNE_LIB_LONG_TESTS"
QUIRKS = ("ignores_after", "no_has_more", "oldest_first", "ties_in_any_order", "unstable_ids")
ALWAYS = 1_000_000


def followed(job: ft.Job, **options: Any) -> tuple[ft.Job, list[str]]:
    """The job at its end, and the messages of the events that were told."""
    told = list[str]()
    job = job.wait(**{"on_event": lambda event: told.append(event.message), "on_stall": lambda _: None, **options})
    return job, told


def messages(server, job: ft.Job) -> list[str]:
    return [event["message"] for event in server.events(job.id)]


@pytest.mark.parametrize("kind", ["openai", "azure", "compatible"])
def test_each_event_is_told_once_oldest_first(scripted, kind):
    server = scripted(kind)
    job, told = followed(create(server))
    assert (job.status, told) == ("succeeded", messages(server, job))
    assert [event.message for event in job.events()] == told


@pytest.mark.parametrize("steps", [6, 150])
@pytest.mark.parametrize("quirks", [*((quirk,) for quirk in QUIRKS), ("unstable_ids", "no_has_more")], ids="-".join)
def test_each_event_is_told_once_over_odd_lists(scripted, quirks, steps):
    server = scripted(quirks=quirks, steps=steps)
    job, told = followed(create(server))
    assert job.status == "succeeded"
    if "ties_in_any_order" in quirks:  # over pages, such a list loses events by itself
        assert not Counter(told) - Counter(messages(server, job))
        assert len(told) == len(messages(server, job)) or steps > 100
    else:  # while all events are of one second, nothing tells which way a list runs
        assert told[3:] == messages(server, job)[3:]
        assert sorted(told[:3]) == sorted(messages(server, job)[:3])


def test_events_alike_are_told_as_often_as_they_stand_there(scripted):
    server = scripted()
    job = create(server)
    for _ in range(3):
        server.tell(job.id, "the same")
    job, told = followed(job)
    assert told.count("the same") == 3
    assert sorted(told) == sorted(messages(server, job))


def test_a_late_event_is_told_though_it_is_older(scripted):
    server = scripted()
    told = list[str]()

    def hear(event: ft.JobEvent) -> None:
        told.append(event.message)
        if event.kind == "metrics" and "late" not in told and not server_told:
            server_told.append(server.tell(event_job, "late", at=time.time() - 100))

    server_told = list[object]()
    event_job = create(server).id
    job, _ = followed(ft.Job.get(event_job, platform=server.connect()), on_event=hear)
    assert told.count("late") == 1
    assert sorted(told) == sorted(messages(server, job))


def test_a_burst_is_told_in_order_where_pages_cannot_be_turned(scripted):
    """Once a list is known to run newest first, small pages are read: without `after` they do not reach back."""

    def hear(request: ft.testing.Request) -> None:
        looks.append(request.path.endswith("/events"))
        if sum(looks) == 3 and looks[-1]:
            for number in range(60):
                server.tell(server.jobs[0]["id"], f"burst {number}", at=moment + number)

    looks, moment = list[bool](), time.time() - 200
    server = scripted(on_request=hear, quirks=("ignores_after",))
    job = create(server)
    server.tell(job.id, "long ago", at=moment - 1)
    told = followed(job)[1]
    assert [message for message in told if message.startswith("burst")] == [f"burst {number}" for number in range(60)]


def test_what_comes_behind_the_end_is_told(scripted):
    def hear(request: ft.testing.Request) -> None:
        ended = server.jobs and server.jobs[0]["status"] == "succeeded"
        if ended and request.path.endswith("/events") and not behind:
            behind.append(request)
            server.tell(server.jobs[0]["id"], "behind the end")

    behind = list[object]()
    server = scripted(on_request=hear)
    job, told = followed(create(server))
    assert told == messages(server, job)
    assert told[-1] == "behind the end"


def test_following_goes_on_behind_an_event(scripted):
    server = scripted()
    job = create(server)
    job.refresh(), job.refresh(), job.refresh()
    third = job.events()[2]
    job, told = followed(job, after=third)
    assert told == messages(server, job)[3:]
    assert [event.message for event in job.events(after=third)] == told


@pytest.mark.parametrize("how", ["no_events", 404, 405, 500, 501])
def test_a_platform_without_events_is_followed_by_the_job_alone(scripted, how):
    server = scripted(quirks=("no_events",) if how == "no_events" else ())
    if how != "no_events":
        server.fault(EVENTS, Fault(status=how), times=ALWAYS)
    job, told = followed(create(server))
    assert (job.status, told) == ("succeeded", [])


@pytest.mark.parametrize("word", ["succeeded", "SUCCESS", "Succeeded", "completed"])
def test_words_for_success_end_it(scripted, word):
    server = scripted(ends=word, steps=1)
    job, _ = followed(create(server), timeout=20)
    assert (job.status, job.fine_tuned_model) == ("succeeded", server.jobs[0]["fine_tuned_model"])


@pytest.mark.parametrize("word", ["cancelled", "canceled", "Canceled", "deleted"])
def test_words_for_a_cancelled_job_end_it(scripted, word):
    server = scripted(ends=word, steps=1)
    with pytest.raises(ft.JobCancelledError) as caught:
        followed(create(server), timeout=20)
    assert caught.value.job.status == "cancelled"


@pytest.mark.parametrize("word", ["failed", "FAILED", "error", "FAILED_VALIDATION"])
def test_words_for_failure_end_it_with_the_reason_and_the_rows(scripted, word):
    reason = {"code": "invalid_training_file", "message": "Examples 2, 5 and 99 are bad", "param": "training_file"}
    server = scripted(ends=word, failure=reason, steps=1)
    with pytest.raises(ft.JobFailedError, match="Examples 2, 5 and 99 are bad") as caught:
        followed(create(server), timeout=20)
    error = caught.value
    assert (error.code, error.param, error.job.status) == (reason["code"], "training_file", "failed")
    assert [origin.row for origin in error.rows] == [2, 5]


def test_a_job_cancelled_elsewhere_ends_it(scripted):
    server = scripted()
    job = create(server)
    assert job.cancel().status == "cancelled"
    with pytest.raises(ft.JobCancelledError):
        followed(job)


def test_a_lost_answer_to_a_cancel_is_looked_up(scripted):
    server = scripted()
    job = create(server)
    server.fault("POST /fine_tuning/jobs/*/cancel", Fault(cut=True, done=True))
    assert job.cancel().status == "cancelled"
    assert server.count("POST /fine_tuning/jobs/*/cancel") == 1


def test_a_paused_job_is_told_of_once_and_goes_on(scripted):
    server = scripted()
    job, said = create(server).pause(), list[str]()
    assert job.status == "paused"
    with pytest.raises(ft.JobTimeoutError) as caught:
        followed(job, timeout=0.5, on_stall=said.append)
    assert caught.value.job.status == "paused"
    assert [text for text in said if "paused" in text] == [f"{job.id} is paused; job.resume() lets it go on"]
    assert job.resume().status == "running"
    assert followed(job)[0].status == "succeeded"


@pytest.mark.parametrize("words", [("pending", "running"), ("notRunning", "Running"), ("queued", "in_progress")])
def test_words_on_the_way_are_known_and_nothing_is_said_of_them(scripted, words):
    server, said = scripted("azure", statuses=words, quirks=("no_events",)), list[str]()
    job = create(server)
    assert job.status == "queued"
    assert followed(job, on_stall=said.append)[0].status == "succeeded"
    assert said == []


def test_an_unknown_word_is_told_of_once_and_waited_through(scripted):
    server = scripted(statuses=("queued", "warming_up", "running"), quirks=("no_events",))
    said = list[str]()
    job, _ = followed(create(server), on_stall=said.append)
    assert job.status == "succeeded"
    assert [text for text in said if "warming_up" in text] == [
        f"{job.id} is 'warming_up', a word that is not known here"
    ]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(seconds=30),
        Fault(status=429, retry_after=600),
        Fault(status=503, retry_after=15),
        Fault(cut=True),
        Fault(status=200, body="<html>sign in</html>"),
    ],
    ids=["hanging", "retry after 600", "retry after 15", "an outage", "pages"],
)
def test_the_budget_of_time_is_kept(scripted, fault):
    server = scripted()
    job = create(server)
    server.fault(JOB, fault, times=ALWAYS)
    server.fault(EVENTS, fault, times=ALWAYS)
    began = time.monotonic()
    with pytest.raises(ft.JobTimeoutError, match=r"it goes on\. Follow it again"):
        followed(job, timeout=1)
    assert 0.9 <= time.monotonic() - began <= 3.0  # one call may take a second, however little is left


@pytest.mark.parametrize(
    "fault",
    [Fault(cut=True), Fault(status=502, body="<html>502</html>"), Fault(half=True), Fault(status=200, body="<html>")],
    ids=["cut", "a proxy's page", "half answers", "a sign-in page"],
)
def test_an_outage_is_waited_out_and_told(scripted, fault):
    server = scripted()
    job, said = create(server), list[str]()
    for call in (JOB, EVENTS):
        server.fault(call, fault, times=12)
    job, told = followed(job, on_stall=said.append)
    assert (job.status, told) == ("succeeded", messages(server, job))
    assert any("Trying again in" in text for text in said)


def test_the_time_that_a_platform_asks_for_is_given(scripted):
    arrivals = list[float]()
    server = scripted(on_request=lambda request: arrivals.append(time.monotonic()))
    job = create(server)
    arrivals.clear()
    server.fault(JOB, Fault(status=429, retry_after=0.7))
    job.refresh()
    assert len(arrivals) == 2
    assert arrivals[1] - arrivals[0] >= 0.7


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_to_tell_of_the_job_is_told(scripted, status):
    server = scripted()
    job = create(server)
    server.fault(JOB, Fault(status=status), times=ALWAYS)
    with pytest.raises(ft.PlatformError) as caught:
        followed(job, timeout=20)
    assert caught.value.status_code == status


def test_it_ends_when_the_model_answers(scripted):
    server = scripted(steps=1)
    told = {"error": {"message": "The model does not exist", "code": "model_not_found", "type": "x", "param": None}}
    server.fault("POST /chat/completions", Fault(status=404, body=told), times=3)
    followed(create(server))
    assert server.count("POST /chat/completions") == 4


def test_an_interrupted_wait_leaves_the_job_running_and_says_how_to_go_on(scripted):
    seen = threading.Event()

    def interrupt(event: ft.JobEvent) -> None:
        if event.message == "The job is running":
            os.kill(os.getpid(), signal.SIGINT)
            seen.wait(10)  # no further look, which would move the job

    server = scripted(statuses=("queued", *["running"] * 3))
    job = create(server)
    with pytest.raises(KeyboardInterrupt, match=rf"goes on. Follow it again: Job.get\('{job.id}'\).wait\(\)"):
        followed(job, on_event=interrupt)
    seen.set()
    assert server.jobs[0]["status"] == "running"
    assert followed(ft.Job.get(job.id, platform=server.connect()))[0].status == "succeeded"


@pytest.mark.parametrize("kind", ["openai", "azure", "compatible"])
@pytest.mark.parametrize("odd", [*ODD, MISSING])
def test_no_odd_field_of_a_job_ends_anything(scripted, odd, kind):
    server = scripted(kind, steps=1, statuses=("queued",))
    job = create(server).wait()
    for name in server.jobs[0]:
        server.alter = lambda request, answer, name=name: (
            {**answer, "data": [with_odd(one, name, odd) for one in answer["data"]]}
            if "data" in answer
            else with_odd(answer, name, odd)
        )
        if name != "id":
            seen = job.refresh()
            assert seen.id == job.id, name
            assert repr(seen), name
            assert (seen.cost() or 0.0) >= 0, name
            assert seen.status == "succeeded" or name == "status", name
        assert len(ft.Job.list(platform=server.connect())) == 1, name


@pytest.mark.parametrize("kind", ["openai", "azure", "compatible"])
@pytest.mark.parametrize("odd", [*ODD, MISSING])
def test_no_odd_field_of_an_event_loses_one(scripted, odd, kind):
    server = scripted(kind, steps=2, statuses=("queued",))
    for name in ("object", "id", "created_at", "level", "message", "type", "data"):
        server.alter = lambda request, answer, name=name: (
            {**answer, "data": [with_odd(one, name, odd) for one in answer["data"]]}
            if request.path.endswith("/events")
            else answer
        )
        job, told = followed(create(server, f"{odd}-{name}"), timeout=30)
        assert (job.status, len(told)) == ("succeeded", len(server.events(job.id))), name
        assert len(job.metrics()) == 2 or name in {"data", "type"}, name


@pytest.mark.parametrize("kind", ["openai", "azure", "compatible"])
@pytest.mark.parametrize("odd", [*ODD, MISSING])
def test_no_odd_field_of_a_checkpoint_hides_one(scripted, odd, kind):
    server = scripted(kind, steps=4, statuses=("queued",))
    job = create(server).wait()
    wanted = job.checkpoints()
    for name in ("object", "id", "created_at", "fine_tuned_model_checkpoint", "step_number", "metrics"):
        server.alter = lambda request, answer, name=name: (
            {**answer, "data": [with_odd(one, name, odd) for one in answer["data"]]}
            if request.path.endswith("/checkpoints")
            else answer
        )
        found = job.checkpoints()
        assert len(found) == len(wanted) == 2, name
        if name != "step_number":
            assert [one.step_number for one in found] == [4, 2], name
            best = job.best_checkpoint()
            assert best, name
            assert best.step_number == 4, name


@pytest.mark.parametrize("data", [None, {}, "x", [None], [7], ["x"], [[]]], ids=repr)
def test_an_odd_list_of_events_ends_nothing(scripted, data):
    server = scripted(steps=1)
    server.alter = lambda request, answer: (
        {"object": "list", "data": data} if request.path.endswith("/events") else answer
    )
    assert followed(create(server), timeout=30)[0].status == "succeeded"


def schedule(seed: int) -> str:
    """A person creates a job and follows it, and runs the failed cell again; what was wrong in the end, in words."""
    rng = random.Random(seed)
    options: dict[str, Any] = {
        "kind": rng.choice(["openai", "azure", "compatible"]),
        "fault_rate": rng.choice([0.1, 0.25, 0.4]),
        "lag": rng.choice([0.0, 0.1, 0.3]),
        "quirks": tuple(quirk for quirk in QUIRKS if rng.random() < 0.25),
    }
    with ft.testing.ScriptedPlatform(seed=seed, **options) as server:
        job = rerun(lambda: create(server, seed))
        told = list[str]()
        job = rerun(lambda: (told.clear(), followed(job, on_event=lambda event: told.append(event.message)))[1][0])
        server.fault_rate = 0.0
        wanted = messages(server, job)
        in_order = told == wanted or {"oldest_first", "ties_in_any_order"} & set(options["quirks"])
        right = in_order and sorted(told) == sorted(wanted) and job.status == "succeeded"
        found = len(server.jobs), len(server.files), right
        return "" if found == (1, 1, True) else f"{seed} {options}: {found}, {len(told)} of {len(wanted)} events"


def rerun(cell: Any) -> ft.Job:
    last = None
    for _ in range(40):
        try:
            return cell()
        except ft.FinetuneError as error:
            last = error
    raise AssertionError(f"it never came through: {last}")


@pytest.mark.usefixtures("own_home")
@pytest.mark.parametrize("block", range(4))
def test_forty_schedules_of_faults_double_and_lose_nothing(block):
    with ThreadPoolExecutor(5) as pool:
        assert [wrong for wrong in pool.map(schedule, range(block * 10, block * 10 + 10)) if wrong] == []


@pytest.mark.skipif(not os.environ.get(LONG), reason=f"{LONG} is not set: it takes minutes")
@pytest.mark.usefixtures("own_home")
def test_two_hundred_schedules_of_faults_double_and_lose_nothing():
    first = int(os.environ[LONG]) if os.environ[LONG].isdecimal() else 1000
    with ThreadPoolExecutor(5) as pool:
        assert [wrong for wrong in pool.map(schedule, range(first, first + 200)) if wrong] == []
