"""How a job is seen while it is waited for, and in a notebook."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from tests.doubles import Scripted, serving

import finetune_lib as ft

JOB = "/fine_tuning/jobs/ftjob-1"
TOLD = {"id": "ftjob-1", "model": "m", "status": "running", "created_at": 1_790_000_000}
KEY = "sk-planted-KEY-12345678"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr("finetune_lib.pages.bar.sys", SimpleNamespace(stderr=screen, modules={}))
    monkeypatch.setenv("COLUMNS", "120")
    return screen


@pytest.fixture
def service():
    with serving(Scripted()) as service:
        yield service


@pytest.fixture
def platform(service):
    return ft.connect(service.url, api_key=KEY)


def events(*steps, **more):
    found = [
        {"id": f"e{step}", "created_at": 100 + step, "type": "metrics", "message": "", "data": {"step": step, **more}}
        for step in steps
    ]
    return {"object": "list", "data": found[::-1], "has_more": False}


def pictures(screen):
    return [picture.rstrip() for picture in screen.getvalue().split("\r")[1:]]


def test_wait_draws_status_steps_loss_and_time_left(service, platform, screen, monkeypatch):
    monkeypatch.setattr("finetune_lib.jobs.following.SHORT_DELAY", 0.25)
    service.answers(f"GET {JOB}", TOLD, TOLD, TOLD, {**TOLD, "status": "succeeded"})
    more = {"total_steps": 10, "train_loss": 0.5}
    service.answers(
        f"GET {JOB}/events", *[events(1, **more)] * 2, *[events(1, 4, **more)] * 3, events(1, 4, 10, **more)
    )
    told = []
    ft.Job.get("ftjob-1", platform=platform).wait(progress=True, on_event=told.append)
    first, *_, last = pictures(screen)
    assert first == "[##------------------]  10% ftjob-1 running, step 1 of 10, loss 0.50"
    assert any("step 4 of 10, loss 0.50, about 6 s left" in picture for picture in pictures(screen))
    assert last == "[####################] 100% ftjob-1 succeeded, step 10 of 10, loss 0.50"
    assert screen.getvalue().endswith("\n")
    assert [event.data["step"] for event in told] == [1, 4, 10]


def test_wait_draws_nothing_unless_it_is_asked_to(service, platform, screen):
    service.answers(f"GET {JOB}", {**TOLD, "status": "succeeded"})
    service.answers(f"GET {JOB}/events", events(1))
    ft.Job.get("ftjob-1", platform=platform).wait()
    assert screen.getvalue() == ""


def test_last_picture_stays_when_the_wait_ends_early(service, platform, screen):
    service.answers(f"GET {JOB}", TOLD)
    service.answers(f"GET {JOB}/events", events(1, total_steps=None, train_loss=None))
    with pytest.raises(ft.JobTimeoutError):
        ft.Job.get("ftjob-1", platform=platform).wait(progress=True, timeout=0.1)
    assert pictures(screen)[-1] == "ftjob-1 running, step 1"
    assert screen.getvalue().endswith("\n")


async def test_reward_is_drawn_where_there_is_no_loss(service, platform, screen):
    service.answers(f"GET {JOB}", {**TOLD, "status": "succeeded"})
    service.answers(f"GET {JOB}/events", events(2, total_steps=4, scores={"train_reward_mean": 0.25}))
    job = await ft.Job.get_async("ftjob-1", platform=platform)
    await job.wait_async(progress=True)
    assert "step 2 of 4, reward 0.25" in pictures(screen)[-1]


def test_upload_draws_with_the_bar(service, platform, screen, monkeypatch):
    for room in ("creating", "uploading"):
        monkeypatch.setattr(f"finetune_lib.jobs.{room}.SETTLING_SECONDS", 0.2)
    for call in ("GET /models", "GET /files", "GET /fine_tuning/jobs"):
        service.answers(call, {"object": "list", "data": [], "has_more": False})
    service.answers("POST /files", {"id": "file-1"})
    service.answers("GET /files/file-1", {"id": "file-1", "status": "processed"})
    service.answers("POST /fine_tuning/jobs", TOLD)
    turns = ["user", "assistant"]
    rows = [{"messages": [{"role": role, "content": f"{role} {n} drawn"} for role in turns]} for n in range(12)]
    ft.Job.create(ft.Dataset.from_rows(rows), model="m", platform=platform, on_progress=ft.Bar("upload"))
    assert pictures(screen)[-1].startswith("[####################] 100% upload 1,")


def test_job_in_a_notebook_is_short_and_escaped(service, platform):
    error = {"code": "x", "message": f"<script>alert(1)</script> {KEY}", "param": None}
    service.answers(f"GET {JOB}", {**TOLD, "status": "failed", "error": error, "finished_at": 1e300})
    html = ft.Job.get("ftjob-1", platform=platform)._repr_html_()
    assert "<strong>ftjob-1</strong>" in html
    assert ">failed</span>" in html
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert KEY not in html


def test_plan_in_a_notebook_is_its_text_escaped(platform):
    rows = [{"messages": [{"role": role, "content": str(n)} for role in ("user", "assistant")]} for n in range(12)]
    plan = ft.Job.plan(ft.Dataset.from_rows(rows), model="m", suffix="<b>", platform=platform)
    html = plan._repr_html_()
    assert "suffix=&lt;b&gt;" in html
    assert "<b>" not in html
