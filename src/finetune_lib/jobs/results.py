"""The rows of metrics that platforms tell: in events, and in a results file of any of the forms in use."""

from __future__ import annotations

import base64
import csv
import io
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

from finetune_lib.errors import PlatformError
from finetune_lib.platforms import Platform
from finetune_lib.platforms.patience import Patience
from finetune_lib.platforms.wire import wired
from finetune_lib.records import JobEvent, JobRecord

Row = Mapping[str, Any]
SECONDS = 10.0  # that a results file is asked for
LOG = logging.getLogger("finetune_lib.jobs")


async def results_of(job: JobRecord, platform: Platform) -> bytes:
    """The content of a job's results file; nothing where it has none, or it cannot be read."""
    if not job.result_files:
        return b""
    file, patience = job.result_files[0], Patience(SECONDS)
    try:
        async with wired(platform) as wire:
            return await patience.trying(lambda: wire.content(file, seconds=patience.answer_seconds))
    except PlatformError as error:
        LOG.warning("the results file of %s is left out: %s", job.id, error)
        return b""


def event_rows(events: Iterable[JobEvent]) -> Iterator[Row]:
    """The rows in a job's events; reinforcement tells its rewards one level below."""
    for event in events:
        if event.kind == "metrics" and event.data:
            scores = event.data.get("scores")
            yield {**cast("Row", scores), **event.data} if isinstance(scores, Mapping) else event.data


def file_rows(content: bytes) -> list[Row]:
    """The rows of a results file: CSV, or CSV in base64, as OpenAI has sent it; none where it is neither."""
    text = content.decode("utf-8-sig", errors="replace").strip()
    return _table(text) or _table(_decoded(text))


def _decoded(text: str) -> str:
    try:
        return base64.b64decode("".join(text.strip('"').split()), validate=True).decode("utf-8-sig", errors="replace")
    except ValueError:
        return ""


def _table(text: str) -> list[Row]:
    header, _, body = text.partition("\n")
    names = [name.strip().lower() for name in header.split(",")]
    if "step" not in names:
        return []
    rows = list[Row]()
    with suppress(csv.Error):  # what stands before it counts
        rows.extend(csv.DictReader(io.StringIO(body, newline=""), names))
    return rows
