"""`jobs …`: fine-tuning jobs of a platform, from any process."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

from finetune_lib.cli.codes import CLEAN, ERRORS, INTERRUPTED
from finetune_lib.cli.where import Where, as_dict, print_json

if TYPE_CHECKING:
    from finetune_lib.jobs.job import Job
    from finetune_lib.records import JobEvent

PARTS = 20
_HERE = Where()


def list_jobs(
    *,
    where: Where = _HERE,
    limit: int = 20,
    status: str | None = None,
    model: str | None = None,
    json: bool = False,
) -> int:
    """The jobs of a platform, newest first.

    Args:
        where: the platform
        limit: so many at most (default: 20)
        status: those of this status alone, as running
        model: those of this base, or that gave this model
        json: print a JSON array
    """
    from finetune_lib.jobs.job import Job
    from finetune_lib.pages.terminal import table

    if limit < 1:
        raise ValueError(f"--limit is at least 1, not {limit}")
    found = Job.list(limit=limit, status=status, model=model, platform=where.connect())
    if json:
        print_json([as_dict(job) for job in found])
    elif found:
        rows = [[job.id, job.status, _day(job), job.fine_tuned_model or job.model] for job in found]
        print(table(["job", "status", "created", "model"], rows))
    else:
        print("no job" if not (status or model) else "no such job", file=sys.stderr)
    return CLEAN


def show(id: str, /, *, where: Where = _HERE, json: bool = False) -> int:
    """A job as it is now.

    Args:
        id: as ftjob-…
        where: the platform
        json: print one JSON object
    """
    return _told(_get(id, where), json=json)


def follow(id: str, /, *, where: Where = _HERE, json: bool = False) -> int:
    """Follow a job to its end: its events, and in a terminal a bar with the loss.

    Args:
        id: as ftjob-…
        where: the platform
        json: print the ended job as one JSON object; its events go to standard error
    """
    return followed(_get(id, where), where, json=json)


def cancel(id: str, /, *, where: Where = _HERE, json: bool = False) -> int:
    """Stop a job; what it has learned so far is not kept.

    Args:
        id: as ftjob-…
        where: the platform
        json: print the job as one JSON object
    """
    return _told(_get(id, where).cancel(), json=json)


def pause(id: str, /, *, where: Where = _HERE, json: bool = False) -> int:
    """Let a job rest.

    Args:
        id: as ftjob-…
        where: the platform
        json: print the job as one JSON object
    """
    return _told(_get(id, where).pause(), json=json)


def resume(id: str, /, *, where: Where = _HERE, json: bool = False) -> int:
    """Let a paused job go on.

    Args:
        id: as ftjob-…
        where: the platform
        json: print the job as one JSON object
    """
    return _told(_get(id, where).resume(), json=json)


def metrics(id: str, /, *, where: Where = _HERE, json: bool = False) -> int:
    """The losses of a job, as far as it has come.

    Args:
        id: as ftjob-…
        where: the platform
        json: print a JSON array with one object a step
    """
    found = _get(id, where).metrics()
    if json:
        print_json([asdict(step) for step in found])
    else:
        print(found if found else f"{id} has told no losses yet")
    return CLEAN


def followed(job: Job, where: Where, *, json: bool) -> int:
    """Follow a job to its end; Ctrl-C leaves it running, and says how to go on."""
    from finetune_lib.jobs.errors import JobCancelledError, JobFailedError

    shown = sys.stderr.isatty()
    try:
        job = job.wait(progress=shown, on_event=None if shown else _Printer(sys.stderr if json else sys.stdout))
    except KeyboardInterrupt:
        print(f"\n{_goes_on(job, where)}", file=sys.stderr)
        return INTERRUPTED
    except (JobFailedError, JobCancelledError) as error:
        print(f"finetune-lib: {error}", file=sys.stderr)
        if json:
            print_json(as_dict(job.refresh()))
        return ERRORS
    if json:
        print_json(as_dict(job))
    else:
        print(f"{job.fine_tuned_model}\ntalk to it: finetune-lib chat {job.fine_tuned_model}{where.flags}")
    return CLEAN


class _Printer:
    """Prints the events of a job where no bar is drawn: all messages, and the losses at each twentieth of its way."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._part = stream, -1

    def __call__(self, event: JobEvent) -> None:
        told = event.data or {} if event.kind == "metrics" else {}
        step, total = told.get("step"), told.get("total_steps")
        if isinstance(step, int) and isinstance(total, int) and total > PARTS:
            if step * PARTS // total == self._part:
                return
            self._part = step * PARTS // total
        print(event, file=self._stream, flush=True)


def _goes_on(job: Job, where: Where) -> str:
    return (
        f"{job.id} goes on. Follow it again: finetune-lib jobs follow {job.id}{where.flags}\n"
        f"or stop it: finetune-lib jobs cancel {job.id}{where.flags}"
    )


def _get(id: str, where: Where) -> Job:
    from finetune_lib.jobs.job import Job

    return Job.get(id, platform=where.connect())


def _told(job: Job, *, json: bool) -> int:
    if json:
        print_json(as_dict(job))
        return CLEAN
    reason = job.record.error.message if job.record.error else None
    facts = {
        "job": job.id,
        "status": job.status,
        "reason": job.platform.scrub(reason) if reason else None,
        "base": job.model,
        "model": job.fine_tuned_model,
        "platform": job.platform.name,
        "created": _day(job),
        "trained": f"{job.record.trained_tokens:,} tokens" if job.record.trained_tokens else None,
        "cost": f"${job.cost():.2f}" if job.cost() else None,
    }
    print("\n".join(f"{name:<9} {value}" for name, value in facts.items() if value))
    return CLEAN


def _day(job: Job) -> str:
    return datetime.fromtimestamp(job.record.created_at or 0).astimezone().strftime("%Y-%m-%d %H:%M")
