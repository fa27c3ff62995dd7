"""connect(): which platform, and one server for one folder."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import finetune_lib as ft
from finetune_lib import local

KEY = "sk-not-to-be-shown"


def address(root):
    return json.loads((root / "server.json").read_text())


def test_key_in_the_environment_means_openai(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    platform = ft.connect()
    assert (platform.name, platform.base_url, platform.api_key) == ("openai", None, KEY)
    assert platform.client.base_url.host == "api.openai.com"


def test_given_key_means_openai():
    assert ft.connect(api_key=KEY).name == "openai"


def test_address_in_the_environment_is_openais(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "https://proxy.example.com/v1")
    assert ft.connect("openai", api_key=KEY).base_url == "https://proxy.example.com/v1"


def test_no_key_means_local(server):
    platform = ft.connect()
    assert (platform.name, platform.base_url, platform.api_key) == ("local", server.url, server.token)


def test_local_is_local_also_beside_a_key(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert (ft.connect("local").name, ft.connect("local").api_key) == ("local", server.token)


def test_address_is_a_compatible_service():
    platform = ft.connect("https://llm.example.com/v1", api_key=KEY)
    assert (platform.name, platform.base_url) == ("llm.example.com", "https://llm.example.com/v1")


def test_openais_key_is_not_sent_to_another_service(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(ValueError, match="api_key"):
        ft.connect("https://llm.example.com/v1")


@pytest.mark.parametrize("where", ["nonsense", "ftp://example.com", "http://", "localhost:8000", "/v1", "OpenAI"])
def test_anything_else_is_refused(where):
    with pytest.raises(ValueError, match="http address"):
        ft.connect(where, api_key=KEY)


def test_key_is_shown_nowhere():
    platform = ft.connect("https://llm.example.com/v1", api_key=KEY)
    assert KEY not in f"{platform!r} {platform}"
    assert KEY not in repr(ft.ChatModel("m", platform=platform))


def test_missing_key_is_told_at_the_first_call():
    with pytest.raises(ft.PlatformError, match="openai"):
        ft.Job.get("ftjob-1", platform=ft.connect("openai"))


def test_unreachable_service_is_told_with_its_address():
    platform = ft.connect("http://127.0.0.1:9/v1", api_key=KEY)
    with pytest.raises(ft.PlatformError, match=r"no answer from 127\.0\.0\.1") as caught:
        ft.Job.get("ftjob-1", platform=platform)
    assert caught.value.retryable
    assert caught.value.status_code is None


def test_server_of_a_folder_is_joined_stopped_and_replaced(own_root):
    first = ft.connect("local", root=own_root)
    running = address(own_root)
    assert ft.connect("local", root=str(own_root)) == first
    assert address(own_root) == running
    assert local.stop(own_root)
    assert not local.stop(own_root)
    second = ft.connect("local", root=own_root)
    assert second.api_key != first.api_key
    assert second.client.models.retrieve("tiny").id == "tiny"


# Windows has no owner-only mode to ask for; there the home folder's own access rules apply.
@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_token_is_readable_by_its_owner_alone(own_root):
    ft.connect("local", root=own_root)
    assert stat.S_IMODE((own_root / "server.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(own_root.stat().st_mode) == 0o700
    assert address(own_root)["token"] not in (own_root / "server.log").read_text()


def test_many_connects_at_once_start_one_server(own_root):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: ft.connect("local", root=own_root), range(8)))
    assert len({(platform.base_url, platform.api_key) for platform in found}) == 1
    assert (own_root / "server.log").read_text().count("serving http") == 1


def test_address_of_a_killed_server_is_replaced(own_root):
    first = ft.connect("local", root=own_root)
    pid = address(own_root)["pid"]
    os.kill(pid, signal.SIGKILL)
    second = ft.connect("local", root=own_root)
    assert second.api_key != first.api_key
    assert address(own_root)["pid"] != pid
    assert second.client.models.retrieve("tiny").id == "tiny"


@pytest.mark.parametrize("content", ["", '{"url": "http', "[]", '{"url": "x"}', "null"])
def test_broken_address_is_replaced(own_root, content):
    own_root.mkdir()
    (own_root / "server.json").write_text(content)
    platform = ft.connect("local", root=own_root)
    assert address(own_root)["url"] == platform.base_url


ASK = """
import finetune_lib as ft
from finetune_lib.local.connection import Address, home
assert Address.load(home()).answers(), "the server is not found"
print(ft.connect("local").client.with_options(max_retries=0).models.retrieve("tiny").id)
"""


def test_proxy_in_the_environment_is_not_asked_for_this_machine(server):
    """Many offices set one, and not all of them except loopback from it."""
    nowhere = "http://127.0.0.1:9"
    kept = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    environment = {**kept, "http_proxy": nowhere, "HTTP_PROXY": nowhere, "all_proxy": nowhere, "ALL_PROXY": nowhere}
    done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "tiny\n"), done.stderr


@pytest.mark.parametrize("where", ["sk-proj-SECRET", "https://user:SECRET@host/v1", "ftp://SECRET"])
def test_what_may_be_a_secret_is_not_repeated(where):
    with pytest.raises(ValueError, match="http address") as caught:
        ft.connect(where, api_key="k")
    assert "SECRET" not in str(caught.value)


def test_a_key_read_from_a_file_may_end_a_line():
    assert ft.connect("https://host.example/v1", api_key="key\n").api_key == "key"


def test_a_key_with_foreign_characters_is_refused_without_showing_it():
    with pytest.raises(ValueError, match="copy it again") as caught:
        ft.connect("https://host.example/v1", api_key="祕密key")
    assert "祕密" not in str(caught.value)


def test_the_account_at_openai_is_told_to_no_other_service(monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-secret")
    client = ft.connect("https://host.example/v1", api_key="k").client
    assert "secret" not in str(client.default_headers)
    assert "secret" in str(ft.connect("openai", api_key="k").client.default_headers)
