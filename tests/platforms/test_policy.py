"""The policy: what it forbids does not leave this machine, and code does not lift it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import openai
import pytest
from tests.doubles import Scripted, Service, serving

import finetune_lib as ft
from finetune_lib.platforms import policy as policies

KEY = "sk-planted-0123456789abcdef"


@pytest.fixture
def bound(tmp_path, monkeypatch):
    """Bind this process to a policy, until the test ends."""
    monkeypatch.setattr(policies, "_told", {})

    def write(text):
        path = tmp_path / "policy.toml"
        path.write_text(text)
        monkeypatch.setenv("FINETUNE_LIB_POLICY", str(path))
        return path

    return write


def asked(model, text="?"):
    return asyncio.run(model(ft.Case("1", (ft.Message(role="user", content=text),), None))).text


@pytest.mark.parametrize(
    ("policy", "address", "what"),
    [
        ('hosts = ["*.example.com"]', "https://llm.example.org/v1", r"the host 'llm\.example\.org'"),
        ('platforms = ["azure"]', "https://api.openai.com/v1", "the platform 'openai'"),
        ('platforms = ["openai"]', "https://llm.example.org/v1", "the platform 'compatible'"),
        ("local_only = true", "https://llm.example.org/v1", "nothing may leave"),
    ],
)
def test_an_address_that_is_forbidden_is_not_connected_to(bound, policy, address, what):
    path = bound(policy)
    with pytest.raises(ft.PolicyError, match=what) as caught:
        ft.connect(address, api_key=KEY)
    assert str(path) in str(caught.value)
    assert "Nothing was sent" in str(caught.value)


@pytest.mark.parametrize("name", ["local", "azure", "anything"])
def test_another_name_does_not_change_what_an_address_is(bound, name):
    bound('platforms = ["local", "azure"]')
    with pytest.raises(ft.PolicyError, match="openai"):
        ft.Platform(name, "https://api.openai.com/v1", KEY)
    with pytest.raises(ft.PolicyError, match="compatible"):
        ft.Platform(name, "https://elsewhere.example/v1", KEY)


def test_what_is_allowed_goes_on(bound):
    bound('platforms = ["azure"]\nhosts = ["gateway.example.com", "*.openai.azure.com"]\nmodels = ["gpt-*"]')
    assert ft.Platform("azure", "https://gateway.example.com/openai/v1", KEY).name == "azure"
    assert ft.connect("https://me.openai.azure.com", api_key=KEY).name == "azure"


def test_a_model_that_is_forbidden_is_not_asked(bound):
    bound('models = ["small*"]')
    with serving(Service(answer=lambda _: "yes")) as service:
        platform = ft.connect(service.url, api_key=KEY)
        assert asked(ft.ChatModel("small-1", platform=platform)) == "yes"
        with pytest.raises(ft.PolicyError, match="the model 'large'"):
            asked(ft.ChatModel("large", platform=platform))
        assert len(service.requests) == 1


def test_a_client_that_is_turned_elsewhere_sends_nothing(bound):
    bound('hosts = ["allowed.example"]')
    platform = ft.connect("https://allowed.example/v1", api_key=KEY)
    platform.client.base_url = "http://localhost.localdomain:9/v1"
    with pytest.raises(ft.PolicyError, match="localdomain"), platform.calls("look"):
        platform.client.with_options(max_retries=0).models.list()


def test_a_redirect_elsewhere_is_not_followed(bound):
    bound('hosts = ["allowed.example"]')
    with serving(Scripted()) as server:
        server.answers("GET /models", {}, status=307, headers={"location": "https://elsewhere.example/v1/models"})
        platform = ft.connect(server.url, api_key=KEY)
        with pytest.raises(ft.PolicyError, match=r"elsewhere\.example"), platform.calls("look"):
            platform.client.with_options(max_retries=0).models.list()


@pytest.mark.parametrize(
    "text", ["hosts = [", 'hosts = "one"', "unknown = 1", "usd_per_day = -1", "hub = 1", "platforms = [1]"]
)
def test_a_file_that_cannot_be_used_allows_nothing(bound, text):
    bound(text)
    with pytest.raises(ft.PolicyError, match="cannot be used"):
        ft.connect("http://127.0.0.1:9/v1", api_key=KEY)


def test_a_file_that_is_missing_allows_nothing(bound):
    bound("").unlink()
    with pytest.raises(ft.PolicyError, match="cannot be used"):
        ft.connect("openai", api_key=KEY)


def test_local_only_refuses_what_is_beyond_this_machine(server):
    assert ft.connect(local_only=True).name == "local"
    with pytest.raises(ft.PolicyError, match="local_only=True"):
        ft.connect("openai", api_key=KEY, local_only=True)
    with pytest.raises(ft.PolicyError, match="the download of 'org/not-here'"):
        asked(ft.ChatModel("org/not-here", platform=ft.connect(local_only=True)))


def test_a_days_budget_binds_calls(bound):
    bound("usd_per_day = 0.0001")
    with serving(Service(answer=lambda _: "yes")) as service:
        platform = ft.connect(service.url, api_key=KEY)
        model = ft.ChatModel("m", platform=platform, price=(1000.0, 1000.0))
        with pytest.raises(Exception, match="budget"):
            asked(model, "long " * 100)
        assert service.requests == []


def code(text, tmp_path, policy):
    path = tmp_path / "policy.toml"
    path.write_text(policy)
    environment = {**os.environ, "FINETUNE_LIB_POLICY": str(path), "OPENAI_API_KEY": KEY}
    return subprocess.run([sys.executable, "-c", text], env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    "attempt",
    [
        "del os.environ['FINETUNE_LIB_POLICY']",
        "os.environ['FINETUNE_LIB_POLICY'] = ''",
        "os.environ['FINETUNE_LIB_POLICY'] = str(wide)",
    ],
)
def test_code_does_not_lift_the_file(tmp_path, attempt):
    wide = tmp_path / "wide.toml"
    wide.write_text('hosts = ["*"]')
    text = (
        f"import os, pathlib\nimport finetune_lib as ft\nwide = pathlib.Path({str(wide)!r})\n{attempt}\n"
        "try:\n    ft.connect('openai')\nexcept ft.PolicyError as error:\n    print('refused', error)\n"
    )
    done = code(text, tmp_path, 'hosts = ["*.example.com"]')
    assert done.stdout.startswith("refused"), done.stdout + done.stderr


def test_the_local_server_is_bound_too(tmp_path):
    text = (
        "import os\nimport finetune_lib as ft\nfrom finetune_lib import local\n"
        "del os.environ['FINETUNE_LIB_POLICY']\n"
        f"platform = ft.connect('local', root={str(tmp_path / 'root')!r})\n"
        "try:\n    platform.client.models.retrieve('org/not-here')\n"
        "except Exception as error:\n    print(type(error).__name__)\n"
        f"local.stop({str(tmp_path / 'root')!r})\n"
    )
    assert code(text, tmp_path, "hub = false").stdout == "NotFoundError\n"


def test_a_server_that_was_started_without_the_policy_is_bound_when_it_is_joined(tmp_path, own_root, monkeypatch):
    """It may download itself; a caller who may not gets no model of a hub from it."""
    monkeypatch.delenv("HF_HUB_OFFLINE")
    rows = b'{"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "a"}]}\n' * 12
    free, strict = ft.connect("local", root=own_root), ft.connect("local", root=own_root, local_only=True)
    assert free.base_url == strict.base_url
    file = free.client.files.create(file=("rows.jsonl", rows), purpose="fine-tune").id
    ask = {"model": "org/anything", "messages": [{"role": "user", "content": "?"}]}
    for call in (
        lambda: strict.client.fine_tuning.jobs.create(model="org/anything", training_file=file),
        lambda: strict.client.with_options(max_retries=0).chat.completions.create(**ask),
    ):
        with pytest.raises(openai.PermissionDeniedError, match="bound by the policy") as caught:
            call()
        assert caught.value.code == "forbidden_by_policy"
    accepted = free.client.fine_tuning.jobs.create(model="org/anything", training_file=file)
    free.client.fine_tuning.jobs.cancel(accepted.id)
    assert strict.client.fine_tuning.jobs.create(model="tiny", training_file=file).id


@pytest.mark.parametrize("where", ["environment", "import"])
def test_no_vocabulary_is_downloaded_under_a_policy(where, tmp_path):
    """Of OpenAI's models all are here; of another encoding tiktoken would download it."""
    text = (
        "import os\nimport finetune_lib as ft\nfrom finetune_lib import tokens\n"
        + ("del os.environ['FINETUNE_LIB_POLICY']\n" if where == "import" else "")
        + "assert tokens.counter_for('gpt-4.1').count('a b') == 2\n"
        "try:\n    tokens._encoder('p50k_base')\n"
        "except ft.PolicyError as error:\n    print('refused', error)\n"
    )
    done = code(text, tmp_path, "hub = false")
    assert done.stdout.startswith("refused counting tokens of p50k_base"), done.stdout + done.stderr
