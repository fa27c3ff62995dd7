"""Services that pages name, played by scripted platforms: a block is run as readers see it, address and all."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Generator
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import httpx2
import pytest
from tests.jobs.scripts import QUICK

import finetune_lib as ft

HOSTS = {
    "api.openai.com": "openai",
    "RESOURCE.openai.azure.com": "azure",
    "api.anthropic.com": "compatible",
    "llm.example.com": "compatible",
}

# Nobody signs in to Entra here.
IDENTITY: Any = SimpleNamespace(
    DefaultAzureCredential=SimpleNamespace, get_bearer_token_provider=lambda *_: lambda: "token"
)


def says(request: dict[str, Any]) -> str:
    """An answer in the form that is asked for, else the same words to everyone."""
    asked = json.dumps(request, ensure_ascii=False)
    if '\\"doubts\\"' in asked:
        return '{"doubts": []}'
    if "versions" in asked:
        return (
            '{"versions": ["哪裡可以登入？", "怎麼登入帳號？", "登入的地方在哪？", "要在哪登入", "帳號登入請問在哪裡"]}'
        )
    return "起飛前 30 分鐘。"


@contextlib.contextmanager
def hosted() -> Generator[None]:
    """Whatever is sent to one of the hosts is answered here; each begins anew with the page."""
    with contextlib.ExitStack() as stack:
        servers = {
            host.lower(): stack.enter_context(ft.testing.ScriptedPlatform(kind, key="k", says=says))
            for host, kind in HOSTS.items()
        }
        sync, own = httpx2.HTTPTransport.handle_request, httpx2.AsyncHTTPTransport.handle_async_request

        def turned(request: httpx2.Request) -> httpx2.Request:
            if server := servers.get(request.url.host):
                here = httpx2.URL(server.url)
                request.url = request.url.copy_with(scheme="http", host=here.host, port=here.port)
                request.headers |= {"host": here.netloc.decode(), "authorization": "Bearer k", "api-key": "k"}
            return request

        def handle(self: httpx2.HTTPTransport, request: httpx2.Request) -> httpx2.Response:
            return sync(self, turned(request))

        async def handle_async(self: httpx2.AsyncHTTPTransport, request: httpx2.Request) -> httpx2.Response:
            return await own(self, turned(request))

        stack.enter_context(patch.object(httpx2.HTTPTransport, "handle_request", handle))
        stack.enter_context(patch.object(httpx2.AsyncHTTPTransport, "handle_async_request", handle_async))
        given = stack.enter_context(pytest.MonkeyPatch.context())  # `patch.dict` would drop what pages import, too
        for name, module in {"azure": ModuleType("azure"), "azure.identity": IDENTITY}.items():
            given.setitem(sys.modules, name, module)
        for module, values in QUICK.items():
            stack.enter_context(patch.multiple(module, **values))
        yield
