"""What a platform says of a job before it is sent: the days of its model, and what training takes on this machine."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from tests.jobs.scripts import MODEL, create, examples

import finetune_lib as ft
from finetune_lib import catalog
from finetune_lib.testing import Fault

TELLS = f"GET /models/{MODEL}"
SOON = catalog.today() + timedelta(days=40)


def telling(server: ft.testing.ScriptedPlatform, **told: Any) -> ft.testing.ScriptedPlatform:
    """A server whose models say that of themselves."""
    server.alter = lambda request, answer: {**answer, **told} if request.call == TELLS else answer
    return server


def planned(server: ft.testing.ScriptedPlatform, **options: Any) -> Any:
    return ft.Job.plan(examples(), model=MODEL, platform=server.connect(), **options)


def test_the_day_that_the_platform_tells_comes_before_the_catalogue(scripted):
    plan = planned(telling(scripted(), shutdown_date=SOON.isoformat()))
    assert plan.warnings[0] == f"openai says: {MODEL} stops answering on {SOON}"
    assert any("2027-01-14" in warning for warning in plan.warnings[1:])
    assert f"note: {plan.warnings[0]}" in str(plan)


def test_azure_tells_two_moments(scripted):
    moment = time.mktime((SOON.year, SOON.month, SOON.day, 12, 0, 0, 0, 0, -1))
    server = telling(scripted("azure"), deprecation={"fine_tune": moment - 86400, "inference": moment})
    assert planned(server).warnings[:2] == (
        f"azure says: {MODEL} stops answering on {SOON}",
        f"azure says: {MODEL} is trained no more on {SOON - timedelta(days=1)}",
    )


@pytest.mark.parametrize("day", [catalog.today(), date(2026, 10, 23)])
def test_a_model_that_has_stopped_gets_no_file(scripted, day):
    server = telling(scripted(), shutdown_date=day.isoformat())
    with pytest.raises(ValueError, match=f"openai says that {MODEL} has stopped on {day}: name another"):
        create(server)
    assert "PROBLEM: openai says" in str(planned(server))
    assert {request.call for request in server.requests} == {TELLS}


@pytest.mark.parametrize("odd", [None, "", "soon", 7.5, -1, 10**30, float("inf"), True, [], {}, "2027-13-45"])
def test_odd_days_are_passed_over(scripted, odd):
    server = telling(scripted(), shutdown_date=None if odd == 7.5 else odd, deprecation={"inference": None, "x": odd})
    said = " ".join(planned(server).warnings)
    assert "openai says" not in said
    assert "openai says" not in " ".join(planned(telling(server, deprecation=odd)).warnings)


@pytest.mark.parametrize(
    "fault", [Fault(status=404), Fault(status=500), Fault(cut=True), Fault(status=200, body="<p>")]
)
def test_a_platform_that_does_not_tell_holds_nothing_up(scripted, fault):
    server = scripted()
    server.fault(TELLS, fault)
    assert "openai says" not in str(planned(server))
    server.fault(TELLS, fault)
    assert create(server).id == server.jobs[0]["id"]


def test_nobody_is_asked_about_a_model_of_this_machine(scripted):
    server = scripted()
    ft.Job.plan(examples(), model="tiny", platform=server.connect())
    assert server.requests == []


def test_the_local_platform_tells_what_it_takes(data, platform):
    plan = ft.Job.plan(data, model="tiny", validation=data[:2], platform=platform)
    needs = plan.outlook.needs
    assert needs.seconds > 0
    assert 0.5e9 < needs.memory_bytes < needs.free_memory_bytes
    assert 0 < needs.disk_bytes < needs.free_disk_bytes
    assert needs.bases["tiny"]
    said = str(plan)
    assert "it costs no money\n  it takes about" in said
    assert "bases here that fit: tiny" in said
    assert "PROBLEM" not in said
    assert "of memory, and" not in said


def test_longer_training_takes_longer(data, platform):
    few, many = (
        ft.Job.plan(data, model="tiny", hyperparameters={"n_epochs": n}, platform=platform).outlook.needs
        for n in (1, 50)
    )
    assert few.seconds < many.seconds
    assert few.disk_bytes < many.disk_bytes


def test_what_does_not_fit_is_said(data, platform):
    plan = ft.Job.plan(data, model="tiny", platform=platform)
    needs = replace(plan.outlook.needs, memory_bytes=9 * 10**9, free_memory_bytes=10**9)
    said = replace(plan, outlook=replace(plan.outlook, needs=needs)).warnings
    assert "it needs about 9.0 GB of memory, and 1.0 GB are free" in said


def test_a_base_that_is_not_here_is_not_guessed_at(data, platform):
    plan = ft.Job.plan(data, model="nobody/nothing", platform=platform)
    assert plan.outlook.needs is None
    assert "it takes" not in str(plan)
