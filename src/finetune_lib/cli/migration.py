"""`migrate …`: leave a platform that closes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from finetune_lib.cli.codes import CLEAN, ERRORS
from finetune_lib.cli.where import Where, ask, print_json

if TYPE_CHECKING:
    from finetune_lib.migration import Migration


def inventory(*, where: Where | None = None, json: bool = False) -> int:
    """What lies on a platform, and until when each model answers.

    Args:
        where: the platform
        json: print one JSON value
    """
    found = _migration(where).inventory()
    print_json(found.to_dict()) if json else print(found)
    return CLEAN


def save(folder: Path, /, *, where: Where | None = None, json: bool = False) -> int:
    """Save all that can be had into one folder.

    The same command again goes on where it was stopped.

    Args:
        folder: a new or empty folder, or that of an earlier call
        where: the platform
        json: print one JSON value
    """
    saved = _migration(where).save(folder)
    if json:
        lost = [{"what": one.what, "reason": one.reason} for one in saved.lost]
        print_json({"folder": str(saved.folder), "files": {id: str(p) for id, p in saved.files.items()}, "lost": lost})
    else:
        print(saved)
    return CLEAN


def record(
    model: str,
    folder: Path,
    /,
    *,
    golden: Path | None = None,
    production: Path | None = None,
    refusals: Path | None = None,
    training: Path | None = None,
    system: str | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    price: tuple[float, float] | None = None,
    budget: float | None = 5.0,
    margin: float = 0.05,
    twice: int = 200,
    labels: bool = False,
    batch: bool = False,
    plan: bool = False,
    yes: bool = False,
    where: Where | None = None,
    json: bool = False,
) -> int:
    """Ask a model that will stop, and keep what it answers.

    The plan comes first: which questions in which order, the price, and how many cases prove what. The same command
    again goes on where it was stopped, and asks nothing twice.

    Args:
        model: the old model
        folder: a new or empty folder, or that of an earlier call
        golden: questions with right answers
        production: questions from production, as logs or tables
        refusals: questions that the model should decline
        training: the training file, where its questions are worth asking
        system: the system message that production uses
        temperature: the temperature that production uses (default: the platform's)
        max_tokens: tokens of an answer at most
        price: US dollars for a million tokens read and written, where the catalogue does not know
        budget: US dollars at most
        margin: how much worse a replacement may be, as 0.05 for five points; the first answer fixes it
        twice: how many of the first questions are asked a second time
        labels: the answers are labels: keep the log-probabilities of the alternatives
        batch: use the Batch API, for half the price
        plan: show the plan, and ask nothing
        yes: do not ask before anything is paid
        where: the platform
        json: print one JSON value; all else goes to standard error
    """
    from finetune_lib.evaluation.candidates import ChatModel
    from finetune_lib.evaluation.golden import GoldenSet

    files = {"golden": golden, "production": production, "refusals": refusals, "training": training}
    questions = {name: GoldenSet.load(path) for name, path in files.items() if path}
    settings = {"system": system, "temperature": temperature, "max_tokens": max_tokens, "price": price}
    migration = _migration(where)
    made = migration.plan_recording(
        ChatModel(model, **settings),  # pyright: ignore[reportArgumentType]
        **questions,  # pyright: ignore[reportArgumentType]
        budget=budget,
        margin=margin,
        twice=twice,
        labels=labels,
        batch=batch,
    )
    print(made, file=sys.stderr if json else sys.stdout, flush=True)
    if plan:
        return CLEAN
    if made.usd != 0.0 and not ask("Ask the model now?", yes=yes):
        print("nothing was asked", file=sys.stderr)
        return ERRORS
    recording = migration.record(made, folder, progress=True)
    if json:
        told = {"folder": str(recording.folder), "answers": len(recording.answers), "missing": dict(recording.missing)}
        print_json({**told, "spent_usd": recording.spent.usd, "margin": recording.margin})
    else:
        print(recording)
    return ERRORS if recording.missing else CLEAN


def _migration(where: Where | None) -> Migration:
    from finetune_lib.migration import Migration

    return Migration((where or Where()).connect())
