"""Kinds of platforms on the wire: Azure by both of its addresses, users' own clients, and what each is told."""

from __future__ import annotations

import asyncio

import httpx2
import openai
import pytest
from tests.doubles import Scripted, completion, serving

import finetune_lib as ft
from finetune_lib.platforms.kinds import kind_at, status_of

KEY = "planted-0123456789abcdef"
DATE = "2025-04-01-preview"


@pytest.fixture
def server():
    with serving(Scripted()) as server:
        yield server


@pytest.fixture
def azure(server, monkeypatch):
    """Azure's variables lead to the server; a function that connects."""
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", host(server))
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    for name in ("AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION"):
        monkeypatch.delenv(name, raising=False)
    return server


def host(server):
    return server.url.removesuffix("/v1")


def said(server, call):
    server.answers(call, completion("yes"))


def asked(platform, model="mine"):
    candidate = ft.ChatModel(model, platform=platform)
    return asyncio.run(candidate(ft.Case("1", (ft.Message(role="user", content="?"),), None))).text


def test_azures_v1_address(azure):
    said(azure, "POST /openai/v1/chat/completions")
    platform = ft.connect("azure")
    assert asked(platform) == "yes"
    (request,) = azure.asked
    assert request.path == "/openai/v1/chat/completions"
    assert request.body["model"] == "mine"


def test_azures_dated_address_names_the_deployment_in_the_path(azure, monkeypatch):
    monkeypatch.setenv("AZURE_OPENAI_API_VERSION", DATE)
    said(azure, "POST /openai/deployments/mine/chat/completions")
    assert asked(ft.connect("azure")) == "yes"
    (request,) = azure.asked
    assert request.path == f"/openai/deployments/mine/chat/completions?api-version={DATE}"
    assert request.headers["api-key"] == KEY


@pytest.mark.parametrize("end", ["", "/", "/openai", "/openai/v1/"])
def test_azures_endpoint_as_people_copy_it(azure, monkeypatch, end):
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", host(azure) + end)
    assert ft.connect("azure").base_url == f"{host(azure)}/openai/v1/"


def test_azure_is_chosen_where_both_are_set_and_it_is_said(azure, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    platform = ft.connect()
    assert platform.name == "azure"
    assert "OPENAI_API_KEY is set too" in platform.chosen
    assert platform.chosen in repr(platform)


def test_azures_jobs_at_a_dated_address(azure, monkeypatch):
    monkeypatch.setenv("AZURE_OPENAI_API_VERSION", DATE)
    azure.answers("GET /openai/fine_tuning/jobs/ftjob-1", {"id": "ftjob-1", "status": "notRunning", "model": "m"})
    assert ft.Job.get("ftjob-1", platform=ft.connect("azure")).status == "queued"
    assert azure.asked[0].path.endswith(f"?api-version={DATE}")


def test_a_dated_azure_client_of_ones_own(server):
    said(server, "POST /openai/deployments/mine/chat/completions")
    own = openai.AzureOpenAI(azure_endpoint=host(server), api_key=KEY, api_version=DATE)
    platform = ft.connect(own)
    assert (platform.name, platform.client) == ("azure", own)
    assert asked(platform) == "yes"


def test_a_token_is_asked_for_anew(server):
    said(server, "POST /openai/deployments/mine/chat/completions")
    tokens = iter(["token-of-the-first", "token-of-the-second"])
    own = openai.AzureOpenAI(
        azure_endpoint=host(server), api_version=DATE, azure_ad_token_provider=lambda: next(tokens)
    )
    platform = ft.connect(own)
    assert [asked(platform), asked(platform)] == ["yes", "yes"]
    told = [request.headers["authorization"] for request in server.asked]
    assert told == ["Bearer token-of-the-first", "Bearer token-of-the-second"]


def test_http_of_ones_own_sends_everything(server):
    """Its proxy and certificates count, for what is asked synchronously and on a loop."""
    sent = []
    http = httpx2.Client(event_hooks={"request": [lambda request: sent.append(request.url.path)]})
    platform = ft.connect(openai.OpenAI(base_url=server.url, api_key=KEY, http_client=http))
    server.answers("GET /models", {"data": [{"id": "m"}]})
    server.answers("GET /fine_tuning/jobs/ftjob-1", {"id": "ftjob-1", "status": "running", "model": "m"})
    said(server, "POST /chat/completions")
    assert asked(platform, "m") == "yes"
    assert ft.Job.get("ftjob-1", platform=platform).status == "running"
    assert platform.client.models.list().data[0].id == "m"
    assert sent == [request.path for request in server.asked]
    assert len(sent) == 4


def test_an_asynchronous_client_is_refused_with_words():
    with pytest.raises(TypeError, match="give the synchronous one"):
        ft.connect(openai.AsyncOpenAI(api_key=KEY))


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://eu.api.openai.com/v1", "openai"),
        ("https://me.openai.azure.com/openai/v1/", "azure"),
        ("https://api.mistral.ai/v1", "mistral"),
        ("https://api.openai.com.evil.example/v1", "compatible"),
        ("https://notopenai.azure.com.example/v1", "compatible"),
    ],
)
def test_a_kind_is_known_by_its_address(address, kind):
    assert kind_at(address).name == kind


@pytest.mark.parametrize("address", ["https://api.mistral.ai/v1", "https://api.together.xyz/v1"])
def test_where_there_are_no_such_jobs_it_says_what_to_do(address):
    rows = [{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}]
    with pytest.raises(ValueError, match=r"has no jobs in OpenAI's protocol: .*client"):
        ft.Job.plan(ft.Dataset.from_rows(rows), model="m", platform=ft.connect(address, api_key=KEY))


@pytest.mark.parametrize(
    ("word", "status"),
    [("notRunning", "queued"), ("SUCCESS", "succeeded"), ("canceled", "cancelled"), (None, "unknown"), ("New", "New")],
)
def test_the_words_of_all_platforms(word, status):
    assert status_of(word) == status
