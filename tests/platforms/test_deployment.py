"""A tuned model is deployed through Azure's management plane, which a double at the HTTP boundary stands for."""

from __future__ import annotations

import json
import pickle

import pytest
from tests.doubles import Outcome, Scripted, serving

import finetune_lib as ft
from finetune_lib.platforms import deployment, patience
from finetune_lib.records import JobRecord

TOKEN = "token-planted-0123456789abcdef"
MODEL = "gpt-4.1-mini.ft-0a1b2c"
PATH = (
    "/subscriptions/s-1/resourceGroups/group/providers/Microsoft.CognitiveServices/accounts/acct/deployments/"
    "gpt-4.1-mini.ft-0a1b2c?api-version=2024-10-01"
)
PUT, GET = (f"{method} {PATH.partition('?')[0]}" for method in ("PUT", "GET"))


@pytest.fixture
def plane(monkeypatch):
    monkeypatch.setattr(deployment, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(patience, "FIRST_WAIT", 0.02)
    with serving(Scripted()) as server:
        yield server


def wanted(plane, token=lambda: TOKEN, **more):
    return ft.AzureDeployment(
        subscription="s-1",
        resource_group="group",
        account="acct",
        token=token,
        management=plane.url.removesuffix("/v1"),
        **more,
    )


def job(kind="azure"):
    record = JobRecord(id="ftjob-1", model="gpt-4.1-mini", status="succeeded", fine_tuned_model=MODEL)
    return ft.Job(record, ft.Platform(kind, "https://res.openai.azure.com/openai/v1/", "planted-key-0123456789"))


def told(state):
    return {"name": MODEL, "properties": {"provisioningState": state, "model": {"name": MODEL}}}


def test_it_is_asked_for_and_waited_for(plane):
    plane.answers(PUT, told("Creating"), status=201)
    plane.answers(GET, told("Creating"), told("Succeeded"))
    assert job().deploy(wanted(plane, sku="GlobalStandard", capacity=5)) == MODEL
    first = plane.asked[0]
    assert first.path == PATH
    assert first.headers["authorization"] == f"Bearer {TOKEN}"
    model = {"format": "OpenAI", "name": MODEL, "version": "1"}
    assert json.loads(first.raw) == {"sku": {"name": "GlobalStandard", "capacity": 5}, "properties": {"model": model}}
    assert plane.calls == [PUT, GET, GET]


def test_a_deployment_that_is_there_is_given(plane):
    plane.answers(PUT, told("Succeeded"))
    assert job().deploy(wanted(plane)) == MODEL
    assert plane.calls == [PUT]


def test_a_lost_answer_is_asked_for_again_with_a_new_token(plane):
    plane.scripts[PUT] = [Outcome(cut=True), Outcome(503), Outcome(200, json.dumps(told("Succeeded")).encode())]
    tokens = iter(["first-token", "second-token", "third-token"])
    assert job().deploy(wanted(plane, lambda: next(tokens))) == MODEL
    assert [asked.headers["authorization"] for asked in plane.asked][-1] == "Bearer third-token"


@pytest.mark.parametrize("state", ["Failed", "Canceled"])
def test_a_failed_deployment_is_told(plane, state):
    plane.answers(PUT, told(state))
    with pytest.raises(ft.PlatformError, match=f"the deployment {MODEL} of {MODEL} is {state.lower()}"):
        job().deploy(wanted(plane))


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "AuthorizationFailed", "message": f"no right for {TOKEN}"}},
        {"error": f"no right for {TOKEN}"},
        f"no right for Bearer {TOKEN}".encode(),
        [f"no right for {TOKEN}"],
    ],
)
def test_a_refusal_is_told_without_the_token(plane, body):
    plane.answers(PUT, body, status=403)
    with pytest.raises(ft.PlatformError, match="no right") as caught:
        job().deploy(wanted(plane))
    assert (caught.value.status_code, caught.value.retryable) == (403, False)
    assert TOKEN not in str(caught.value)
    assert TOKEN not in repr(wanted(plane))


def test_time_that_is_over_leaves_it_going_on(plane):
    plane.answers(PUT, told("Creating"))
    with pytest.raises(ft.PlatformError, match="it goes on: call again"):
        job().deploy(wanted(plane), timeout=0.0)


def test_the_policy_binds_it(plane, tmp_path, monkeypatch):
    from finetune_lib.platforms import policy as policies

    monkeypatch.setattr(policies, "_told", {})
    path = tmp_path / "policy.toml"
    path.write_text('hosts = ["*.openai.azure.com"]')
    monkeypatch.setenv("FINETUNE_LIB_POLICY", str(path))
    where = ft.AzureDeployment(subscription="s", resource_group="g", account="a", token=lambda: TOKEN)
    with pytest.raises(ft.PolicyError, match=r"management\.azure\.com"):
        job().deploy(where)


def test_elsewhere_nothing_is_deployed(plane):
    with pytest.raises(ft.JobError, match="as it is"):
        job("openai").deploy(wanted(plane))
    assert plane.calls == []


def test_the_command_is_told_too():
    command = job().deployment(resource_group="group", account="acct")
    assert f"--deployment-name {MODEL} --model-name {MODEL}" in command
    assert TOKEN.encode() not in pickle.dumps(job())
