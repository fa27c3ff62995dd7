"""/health and /metrics: for those who keep a server running. They tell numbers, and nothing of what people ask."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping

import psutil
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from finetune_lib.local.app.middleware import UNWATCHED, Activity
from finetune_lib.local.app.services import Services, services
from finetune_lib.version import __version__

PREFIX = "finetune_lib_"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
Rows = Mapping[str, float]


async def health(request: Request) -> JSONResponse:
    """GET /health: whether the server answers and its database can be read; without a token."""
    await run_in_threadpool(services(request).store.counted, "job", "$.status")
    return JSONResponse({"status": "ok", "version": __version__})


async def metrics(request: Request) -> PlainTextResponse:
    """GET /metrics, as Prometheus reads it"""
    lines = await run_in_threadpool(lambda: list(_lines(services(request), request.app.state.activity)))
    return PlainTextResponse("\n".join(lines) + "\n", media_type=TEXT)


def _lines(platform: Services, activity: Activity) -> Iterator[str]:
    store, disk = platform.store, shutil.disk_usage(platform.root)
    answered = {f'method="{method}",status="{status}"': many for (method, status), many in activity.answered.items()}
    yield from _series("http_requests_total", "counter", "Calls that were answered.", answered)
    yield from _series("http_request_seconds_total", "counter", "Seconds that they took.", {"": activity.seconds})
    yield from _series("http_requests_open", "gauge", "Calls that are being answered.", {"": activity.calls})
    jobs = {f'status="{status}"': many for status, many in store.counted("job", "$.status").items()}
    yield from _series("jobs", "gauge", "Fine-tuning jobs by their status.", jobs)
    batches = {f'status="{status}"': many for status, many in store.counted("batch", "$.status").items()}
    yield from _series("batches", "gauge", "Batches by their status.", batches)
    files = {f'purpose="{purpose}"': many for purpose, many in store.counted("file", "$.purpose").items()}
    yield from _series("files", "gauge", "Files by their purpose.", files)
    room = {'kind="used"': disk.used, 'kind="free"': disk.free}
    yield from _series("disk_bytes", "gauge", "Of the disk that holds the platform's folder.", room)
    yield from _series("memory_bytes", "gauge", "Of the server.", {"": psutil.Process().memory_info().rss})


def _series(name: str, kind: str, told: str, rows: Rows) -> Iterator[str]:
    yield f"# HELP {PREFIX}{name} {told}"
    yield f"# TYPE {PREFIX}{name} {kind}"
    yield from (f"{PREFIX}{name}{{{labels}}} {value:g}" if labels else f"{PREFIX}{name} {value:g}"
                for labels, value in rows.items())  # fmt: skip


routes = [Route(UNWATCHED, health), Route("/metrics", metrics)]
