"""What the tests of jobs share: data, haste, and another process that creates a job."""

from __future__ import annotations

import multiprocessing
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import finetune_lib as ft
from finetune_lib import runs
from finetune_lib.jobs import creating, following, uploading
from finetune_lib.platforms import patience

MODEL = "gpt-4.1-mini"
KILLED_SECONDS = 1.5
# What is waited for in life is short here.
QUICK: dict[Any, dict[str, float]] = {
    creating: {"SETTLING_SECONDS": 0.6, "SETTLING_LOOKS": 3},
    uploading: {"SETTLING_SECONDS": 0.6, "SETTLING_LOOKS": 3, "FIRST_POLL": 0.02},
    runs: {"LOCK_PAUSE": 0.02},
    patience: {"FIRST_WAIT": 0.02, "LONGEST_WAIT": 0.1},
    following: {"FIRST_DELAY": 0.01, "SHORT_DELAY": 0.02, "READING_PAUSE": 0.01, "READY_PAUSE": 0.02},
}
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.jobs.scripts", "finetune_lib.jobs.job", "openai", "tenacity"])


ODD = {
    "null": None,
    "a number": 7,
    "a fraction": 0.5,
    "a text": "x",
    "an empty text": "",
    "a list": [1],
    "an object": {"x": 1},
    "true": True,
}
MISSING = "missing"


def with_odd(answer: dict[str, Any], name: str, odd: str) -> dict[str, Any]:
    kept = {key: value for key, value in answer.items() if key != name}
    return kept if odd == MISSING else {**kept, name: ODD[odd]}


def hasten(put: Callable[[Any, str, Any], None] = setattr) -> None:
    for module, values in QUICK.items():
        for name, value in values.items():
            put(module, name, value)


def allow(seconds: float, put: Callable[[Any, str, Any], None] = setattr) -> None:
    """Let lists settle for longer: where processes are killed, a busy machine may carry their last request out late."""
    for module in (creating, uploading):
        put(module, "SETTLING_SECONDS", seconds)


def examples(tag: object = "", *, rows: int = 12) -> ft.Dataset:
    return ft.Dataset.from_rows(
        {"messages": [{"role": "user", "content": f"q{tag}-{row}"}, {"role": "assistant", "content": f"a{row}"}]}
        for row in range(rows)
    )


def create(server: ft.testing.ScriptedPlatform, tag: object = "", **options: Any) -> ft.Job:
    """The job of these data; that it was there already is no news here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ft.Job.create(examples(tag), model=MODEL, **{"platform": server.connect(), **options})


def process(server: ft.testing.ScriptedPlatform, home: Path, *, tag: object = "", **patches: Any) -> Any:
    """Another process that creates the job of these data; it is started."""
    where = server.kind, server.url, server.key
    child = PROCESSES.Process(target=_create, args=(where, str(home), tag, patches), daemon=True)
    child.start()
    return child


def _create(where: tuple[str, str, str], home: str, tag: object, patches: dict[str, Any]) -> None:
    os.environ["FINETUNE_LIB_HOME"] = home
    hasten()
    allow(KILLED_SECONDS)
    in_parts(setattr, **patches)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ft.Job.create(examples(tag), model=MODEL, platform=ft.Platform(*where))


def in_parts(put: Callable[[Any, str, Any], None], *, part: int = 0, at_once: int = 1) -> None:
    """Let uploads go in parts of a size."""
    if part:
        from finetune_lib.jobs.planning import Draft

        put(Draft, "upload_limit", part)
        put(uploading, "PART_BYTES", part)
        put(uploading, "PARTS_AT_ONCE", at_once)
