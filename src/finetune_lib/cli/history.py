"""`runs`, `leaderboard`, `collect`, `purge`, `models`, `platforms`: what this machine remembers, and what is known."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetune_lib.cli.codes import CLEAN, ERRORS
from finetune_lib.cli.where import ask, print_json
from finetune_lib.pages.terminal import number, table

if TYPE_CHECKING:
    from finetune_lib.evaluation.report.history import Entry
    from finetune_lib.runs import Run


def runs(*, model: str | None = None, job: str | None = None, card: bool = False, json: bool = False) -> int:
    """Which data became which model, on this machine.

    Args:
        model: those that gave this model, or began from it
        job: the one of this job
        card: print a model card of the newest, in Markdown
        json: print a JSON array
    """
    from finetune_lib.runs import Run

    found = Run.list(model=model, job=job)
    if card:
        if not found:
            raise ValueError("there is no such run: finetune-lib runs lists them")
        print(found[0].card(), end="")
    elif json:
        print_json([{**asdict(run), "data": dict(run.data), "settings": dict(run.settings)} for run in found])
    elif found:
        print("\n".join(map(_told, found)))
    else:
        print("no run" if model is job is None else "no such run", file=sys.stderr)
    return CLEAN


def _told(run: Run) -> str:
    """Two lines: names of files and models may be long, and are copied."""
    from finetune_lib.rows.messages import fields_of

    files = map(fields_of, run.data.values())
    names = [str(file["name"]) for file in files if "name" in file]
    started = datetime.fromtimestamp(run.started).astimezone().strftime("%Y-%m-%d %H:%M")
    cost = "" if run.usd is None else f"  US$ {run.usd:.2f}"
    became = f" → {run.fine_tuned_model}" if run.fine_tuned_model else ""
    return f"{started}  {run.status or run.state}{cost}\n  {', '.join(names)} on {run.model}{became}"


def leaderboard(*, scorer: str | None = None, json: bool = False) -> int:
    """What every candidate reached on the golden set of the latest evaluation.

    Args:
        scorer: the measure (default: the first one of that evaluation)
        json: print a JSON array
    """
    from finetune_lib.evaluation.report.history import leaderboard as board

    found = board(scorer=scorer)
    if json:
        print_json([asdict(entry) for entry in found])
    elif found:
        print(f"golden set {found[0].golden}, {found[0].cases} cases, by {found[0].scorer}\n")
        print(table(["candidate", "mean", "against", "difference", "when"], map(_standing, found)))
    else:
        print("no evaluation is kept", file=sys.stderr)
    return CLEAN


def _standing(entry: Entry) -> list[str]:
    """What fits into 80 columns; `--json` has the rest."""
    low_high = "–" if entry.difference is None else f"{entry.difference[1]:+.2f} … {entry.difference[2]:+.2f}"
    when = datetime.fromtimestamp(entry.started).astimezone().strftime("%Y-%m-%d")
    return [entry.candidate, number(entry.mean), entry.baseline or "–", low_high, when]


def collect(file: Path, /, *files: Path, key: Path | None = None, json: bool = False) -> int:
    """Merge what experts sent back, and tell whom they preferred.

    Args:
        file: a saved file of votes, or the database of a served page
        files: more of them
        key: the key of the page (default: where it was put when the page was written)
        json: print one JSON object with every vote
    """
    from finetune_lib.evaluation.review import collect_votes

    votes = collect_votes([file, *files], key=key)
    if json:
        print_json({"set": votes.set, "raters": votes.raters, "votes": [asdict(vote) for vote in votes.votes]})
    else:
        print(votes)
    return CLEAN


def purge(
    *,
    model: str | None = None,
    older_than: float | None = None,
    text: str | None = None,
    everything: bool = False,
    store: Path | None = None,
    yes: bool = False,
    json: bool = False,
) -> int:
    """Drop kept answers for good.

    Args:
        model: only answers of this model
        older_than: only what was kept more days ago
        text: only what says this
        everything: drop all, without a condition
        store: the file of kept answers (default: that of evaluate and predict)
        yes: do not ask
        json: print one JSON object
    """
    from finetune_lib.platforms.asking import purge as drop

    if model is None and older_than is None and text is None and not everything:
        raise ValueError("name what to drop: --model, --older-than DAYS or --text; --everything drops all that is kept")
    if not ask("Drop these answers for good?", yes=yes):
        return ERRORS
    age = None if older_than is None else timedelta(days=older_than)
    done = drop(store, model=model, older_than=age, text=text, everything=everything)
    if json:
        print_json({**asdict(done), "path": str(done.path)})
    else:
        print(done)
    return CLEAN


def models(*, json: bool = False) -> int:
    """The models that the catalogue knows: limits, prices, announced ends.

    Args:
        json: print a JSON array
    """
    from finetune_lib import catalog

    rows = [
        {
            "model": name,
            "platform": facts.platform,
            "training_limit": facts.training_limit,
            "training_price": facts.price.training if facts.price else None,
            "last_new_job": str(facts.last_new_job) if facts.last_new_job else None,
            "shutdown": str(facts.shutdown) if facts.shutdown else None,
            "checked": str(facts.checked),
        }
        for name, facts in catalog.models().items()
    ]
    if json:
        print_json(rows)
    else:
        names = ["model", "training_limit", "training_price", "last_new_job", "shutdown"]
        titles = ["model", "tokens a row", "US$ a million", "last new job", "stops"]
        print(table(titles, _cells(rows, names)))
    return CLEAN


def platforms(*, json: bool = False) -> int:
    """The platforms that are known: how they train, what they offer.

    Args:
        json: print a JSON array
    """
    from finetune_lib.platforms.kinds import KINDS

    rows = [
        {
            "platform": kind.name,
            "title": kind.title,
            "trains": ", ".join(sorted(kind.methods)) if kind.fine_tuning else None,
            "pauses": kind.pauses,
            "webhooks": kind.webhooks,
            "instead": kind.instead or None,
        }
        for kind in KINDS.values()
    ]
    if json:
        print_json(rows)
    else:
        print(
            table(
                ["platform", "trains by", "pauses", "webhooks"],
                _cells(rows, ["platform", "trains", "pauses", "webhooks"]),
            )
        )
    return CLEAN


def _cells(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> list[list[str]]:
    return [[_cell(row[name]) for name in names] for row in rows]


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else str(value)
