"""/v1/fine_tuning/estimates: what a training would need here; a route of this platform's own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from finetune_lib.local.app.errors import invalid, json_body
from finetune_lib.local.app.jobs import method_of
from finetune_lib.local.app.models import source_of
from finetune_lib.local.app.services import Services, services
from finetune_lib.local.base_models import TINY, TINY_DEFAULTS
from finetune_lib.local.needs import TINY_SHAPE, Machine, Shape, Work, cached_bases, needs, seconds_of, shape_of
from finetune_lib.local.objects import Object
from finetune_lib.local.training.recipe import choose, defaults_of

COUNTS = ("examples", "tokens", "longest", "validation_tokens")
EARLIER = 5  # trainings that correct the rule
LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container; a text where there is none


async def create(request: Request) -> JSONResponse:
    """POST /fine_tuning/estimates: `model`, `hyperparameters`, and the numbers of the data"""
    body = await json_body(request)
    for name in COUNTS:
        value = body.get(name, 0)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise invalid(name, "a whole number", value)
    source = source_of(request, body.get("model") or "")
    _, hyperparameters = method_of({"method": {"type": "dpo"}, **body})  # which knows those of all methods
    work = Work(**{name: body.get(name, 0) for name in COUNTS})
    return JSONResponse(await run_in_threadpool(_estimated, services(request), source, hyperparameters, work))


def _estimated(platform: Services, source: str, hyperparameters: Mapping[str, Any], work: Work) -> Object:
    machine, shape = _machine(platform.root), _shape(platform.root, source)
    bases = {name: _fits(found, machine, work) for name, found in _bases().items()}
    if shape is None or not work.examples:
        return {"object": "fine_tuning.estimate", "bases": bases}
    defaults = TINY_DEFAULTS if shape == TINY_SHAPE else defaults_of(source)
    recipe = choose(hyperparameters, defaults, examples=work.examples, few=shape.adapted)
    pace = _pace(platform, machine, alike=shape if machine.gpu else None)
    told = needs(shape, recipe, work, machine, pace=pace).told(machine)
    return {"object": "fine_tuning.estimate", "parameters": shape.parameters, **told, "bases": bases}


def _bases() -> dict[str, Shape]:
    found = {TINY: TINY_SHAPE, **{name: shape_of(folder) for name, folder in cached_bases()}}
    return {name: shape for name, shape in found.items() if shape}


def _fits(shape: Shape, machine: Machine, work: Work) -> bool:
    recipe = choose({"batch_size": 1, "n_epochs": 1}, {}, examples=max(work.examples, 1), few=shape.adapted)
    return bool(needs(shape, recipe, work, machine).told(machine)["fits"])


def _shape(root: Path, source: str) -> Shape | None:
    """Of a folder, or of a hub's model that lies here already; `tiny` may be yet to be made."""
    if source == str(root / "bases" / TINY):
        return TINY_SHAPE
    folder = Path(source) if Path(source).is_absolute() else dict(cached_bases()).get(source)
    return shape_of(folder) if folder else None


def _machine(root: Path) -> Machine:
    gpu = _gpu_bytes()
    memory = psutil.virtual_memory().available
    if LIMIT.is_file() and (limit := LIMIT.read_text().strip()).isdecimal():
        memory = min(memory, int(limit))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(gpu or memory, shutil.disk_usage(root).free, cores, gpu=gpu is not None)


def _gpu_bytes() -> int | None:
    """Free memory of the GPU that training would run on; None where there is none. torch is not loaded for it."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    command = [tool, "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    first = found.stdout.strip().partition("\n")[0]
    return int(first) * 2**20 if first.isdecimal() else None


def _pace(platform: Services, machine: Machine, *, alike: Shape | None) -> float | None:
    """How much longer the last trainings here took than the rule says; where `alike` is given, those of it alone."""
    jobs, _ = platform.store.page("job", limit=EARLIER, where={"$.status": "succeeded"})
    ratios = list[float]()
    for job in jobs:
        source = platform.store.get("model", job["fine_tuned_model"] or "")
        shape = shape_of(Path(source["path"])) if source else None
        told = _told(platform, job["id"])
        if shape is None or told is None or alike not in (None, shape):
            continue
        steps, seconds = told
        epochs, batch = (job["hyperparameters"][name] for name in ("n_epochs", "batch_size"))
        work = Work(max(1, steps * batch // epochs), job["trained_tokens"] // epochs, 0)
        ratios.append(seconds / seconds_of(shape, machine, steps=steps, epochs=epochs, work=work))
    return median(ratios) if ratios else None


def _told(platform: Services, job: str) -> tuple[int, float] | None:
    """The steps of an ended training and its seconds, by its events."""
    events, _ = platform.store.page("event", parent=job, limit=20)
    steps = next((event["data"]["total_steps"] for event in events if event["type"] == "metrics"), None)
    started = platform.store.marked(job, "started")
    if not steps or not started:
        return None
    return steps, max(1.0, events[0]["created_at"] - started["created_at"])


routes = [Route("/fine_tuning/estimates", create, methods=["POST"])]
