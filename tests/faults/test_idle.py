"""A server that stops because nobody calls: it cuts no answer, and a platform finds its way back."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import finetune_lib as ft
from finetune_lib import local
from finetune_lib.local.base_models import BUILT_IN

HELLO = [{"role": "user", "content": "x"}]
SHORT = (
    "import sys; from pathlib import Path; from finetune_lib.local import server as s;"
    "s.IDLE_SECONDS, s.IDLE_CHECK_SECONDS = 0.2, 0.02;"
    "s.serve(Path(sys.argv[1]), host='127.0.0.1', port=0, token='t', until_idle=True)"
)


def impatient(root):
    """A server that stops after a fifth of a second without a call."""
    process = subprocess.Popen([sys.executable, "-c", SHORT, str(root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline().startswith("serving ")
    return process


def test_answer_that_is_longer_than_the_idle_time_is_not_cut_and_the_platform_comes_back(own_root):
    with impatient(own_root) as process:
        platform = ft.connect("local", root=own_root)
        stream = platform.client.chat.completions.create(
            model="tiny", messages=HELLO, max_tokens=600, temperature=0, seed=1, stream=True
        )
        chunks = list(stream)
        assert chunks[-1].choices[0].finish_reason in {"length", "stop"}
        assert process.wait(60) == 0  # then it was idle
    again = platform.client.models.list().data
    assert {model.id for model in again} <= set(BUILT_IN)
    left = json.loads((own_root / "server.json").read_text())
    assert (left["url"], left["token"]) == (platform.base_url, platform.api_key)  # whoever knew them, knows them still


async def test_platform_comes_back_for_calls_at_the_same_time_and_on_another_port(own_root, serve):
    import asyncio

    platform = ft.connect("local", root=own_root)
    assert local.stop(own_root)
    moved = serve(own_root, token="another")
    assert moved.url != platform.base_url
    async with platform.async_client() as client:
        lists = await asyncio.gather(*(client.models.list() for _ in range(8)))
    assert {listed.data[0].id for listed in lists} == {"tiny"}
    assert platform.client.models.retrieve("tiny").id == "tiny"


def test_platform_whose_folder_is_gone_says_so(own_root):
    platform = ft.connect("local", root=own_root)
    assert local.stop(own_root)
    own_root.rename(own_root.with_name("elsewhere"))
    with pytest.raises(ft.PlatformError, match="gone"), platform.calls("list models"):
        platform.client.models.list()
    assert not own_root.exists()
