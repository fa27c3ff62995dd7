"""`train`: from a file to a model."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from finetune_lib.cli.choices import Method
from finetune_lib.cli.codes import CLEAN, ERRORS, INTERRUPTED
from finetune_lib.cli.jobs import followed
from finetune_lib.cli.reading import Source, on_disk
from finetune_lib.cli.where import Where, as_dict, ask, pairs, print_json

if TYPE_CHECKING:
    from finetune_lib.data.dataset import Dataset
    from finetune_lib.jobs.job import Job
    from finetune_lib.jobs.plan import Plan

_HERE, _SOURCE = Where(), Source()


def train(
    file: Path,
    /,
    *,
    model: str,
    source: Source = _SOURCE,
    where: Where = _HERE,
    validation: Annotated[str | None, Parameter(metavar="FILE|SHARE")] = None,
    method: Method = "supervised",
    suffix: str | None = None,
    seed: int | None = None,
    epochs: int | None = None,
    set: Annotated[Sequence[str], Parameter(metavar="NAME=VALUE")] = (),
    budget: float | None = None,
    plan: bool = False,
    yes: bool = False,
    detach: bool = False,
    allow_duplicate: bool = False,
    json: bool = False,
) -> int:
    """Train a model on a file: show the plan, ask, upload, follow.

    Args:
        file: JSONL, JSON, CSV, Excel, Parquet; also .gz and .zst; - is standard input
        model: the base: a model of the platform, or a fine-tuned one to go on from
        source: how the file is read
        where: the platform
        validation: a file of further examples that the loss is measured on, or the share of FILE to keep for that
        method: what is learned from (default: supervised)
        suffix: what the name of the new model carries
        seed: for repeatable training
        epochs: how often each example is seen (default: the platform chooses)
        set: a further hyperparameter, as batch_size=4; may be repeated
        budget: US dollars at most; nothing is sent where it would cost more
        plan: show what would be done and cost, and send nothing
        yes: do not ask
        detach: do not follow the job: print its id and end
        allow_duplicate: start another job even where the same one is there
        json: print the job as one JSON object; all else goes to standard error
    """
    from finetune_lib.data.diagnostics import InvalidDatasetError
    from finetune_lib.jobs.job import Job

    platform, settings = where.connect(), dict(pairs(set, "--set", _value))
    settings |= {"n_epochs": epochs} if epochs is not None else {}
    with on_disk(file) as path:
        learned, measured = _parts(_whole(path, source), validation, source, seed)
        made = Job.plan(
            learned,
            model=model,
            platform=platform,
            validation=measured,
            method=method,
            suffix=suffix,
            seed=seed,
            hyperparameters=settings or None,
            budget=budget,
        )
        told = str(made).replace("print(plan.report)", f"finetune-lib check {quote(str(file))} --model {quote(model)}")
        print(told, file=sys.stderr if json else sys.stdout, flush=True)
        try:
            made.require()
        except InvalidDatasetError as error:
            print(error.report.for_shell().text(lang=source.lang), file=sys.stderr)
            return ERRORS
        if plan:
            return CLEAN
        if not platform.kind.free and not ask("Upload and start?", yes=yes):
            print("nothing was sent", file=sys.stderr)
            return ERRORS
        job = _sent(made, allow_duplicate=allow_duplicate)
    if job is None:
        return INTERRUPTED
    if not detach:
        return followed(job, where, json=json)
    if json:
        print_json(as_dict(job))
    else:
        print(f"{job.id}\nfollow it: finetune-lib jobs follow {job.id}{where.flags}")
    return CLEAN


def _sent(plan: Plan, *, allow_duplicate: bool) -> Job | None:
    """The job; None where Ctrl-C came before it was there."""
    try:
        return plan.submit(allow_duplicate=allow_duplicate, progress=True)
    except KeyboardInterrupt:
        print("\nThe same command goes on from here; nothing is paid twice.", file=sys.stderr)
        return None


def _whole(path: Path, source: Source) -> Dataset:
    data = source.load(path)
    source.require_whole(data)
    return data


def _parts(data: Dataset, validation: str | None, source: Source, seed: int | None) -> tuple[Dataset, Dataset | None]:
    """What is learned, and what the loss is measured on: another file, or a share of the same one."""
    if validation is None:
        return data, None
    try:
        share = float(validation)
    except ValueError:
        return data, _whole(Path(validation), source)
    size = int(share) if share >= 1 and share.is_integer() else share
    parts = data.split(validation=size, seed=seed or 0)
    return parts.train, parts.validation


def _value(text: str) -> Any:
    """A number, true or false where it is one, else the text."""
    try:
        return json_format.loads(text)
    except ValueError:
        return text
