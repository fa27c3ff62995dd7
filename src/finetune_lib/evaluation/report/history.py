"""What evaluations found, run by run: data → job → evaluation, and the leaderboard of one golden set."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from os import PathLike, fspath
from pathlib import Path
from typing import Any, overload

from finetune_lib.errors import DataError
from finetune_lib.evaluation.report import Report
from finetune_lib.files import hold_version
from finetune_lib.pages.markup import table as html_table
from finetune_lib.pages.markup import tag
from finetune_lib.pages.style import style
from finetune_lib.pages.terminal import number, table
from finetune_lib.platforms.asking import default_path
from finetune_lib.platforms.asking.kept import VERSION
from finetune_lib.runs import Evaluated, Record
from finetune_lib.shown import Shown

SCHEMA = "CREATE TABLE IF NOT EXISTS evaluations (id TEXT PRIMARY KEY, golden TEXT NOT NULL, body TEXT NOT NULL)"
IN_MEMORY = ":memory:"


@dataclass(frozen=True, slots=True)
class Entry:
    """One candidate in one evaluation.

    Attributes:
        evaluation: The id of the run.
        started: When, in seconds since 1970.
        golden: The content of the golden set.
        cases: How many cases it has.
        candidate: Its name.
        model: Its model, where it has one.
        job: The fine-tuning job of the run, where it was named.
        training_file: The data of that job.
        scorer: The measure.
        mean: Its mean score; None where there is none, as of a judge.
        baseline: What it was compared with; None for the baseline itself.
        outcome: The verdict in words.
        difference: The paired difference, and the ends of its 95 % interval.
        usd: US dollars for an answer.
        p50: Seconds for an answer, the median.
    """

    evaluation: str
    started: float
    golden: str
    cases: int
    candidate: str
    model: str | None
    job: str | None
    training_file: str | None
    scorer: str
    mean: float | None
    baseline: str | None = None
    outcome: str | None = None
    difference: tuple[float, float, float] | None = None
    usd: float | None = None
    p50: float | None = None


@dataclass(frozen=True, slots=True)
class Leaderboard(Shown, Sequence[Entry]):
    """Entries of one golden set, the best mean first; printing it gives a table.

    Attributes:
        entries: The entries.
    """

    entries: tuple[Entry, ...]

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Entry, ...]: ...
    def __getitem__(self, index: int | slice) -> Entry | tuple[Entry, ...]:
        return self.entries[index]

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def _rows(self) -> tuple[list[str], list[list[str]]]:
        header = ["candidate", "model", "mean", "against", "difference", "verdict", "$/answer", "p50", "when", "run"]
        return header, list(map(_row, self.entries))

    def __str__(self) -> str:
        if not self.entries:
            return "no evaluation of this golden set is kept yet"
        first = self.entries[0]
        head = f"golden set {first.golden}, {first.cases} cases, by {first.scorer}"
        return f"{head}\n\n{table(*self._rows)}"

    def _repr_html_(self) -> str:
        return tag("div", style(), html_table(*self._rows), class_="ftl")


def leaderboard(
    golden: Report | str | None = None, *, scorer: str | None = None, store: str | PathLike[str] | None = None
) -> Leaderboard:
    """What every candidate reached on one golden set, over all evaluations that are kept.

    Args:
        golden: A report, or the content of a set as `report.run.golden` tells it; by default the set of the
            latest evaluation.
        scorer: The measure; by default the first one of the latest evaluation.
        store: The file of the evaluator; by default its default.

    Raises:
        DataError: The file is of a later version.
    """
    path = default_path() if store is None else Path(store)
    bodies = list(_read(path))
    wanted = golden.run.golden if isinstance(golden, Report) else golden or (bodies[-1]["golden"] if bodies else "")
    of_set = [body for body in bodies if body["golden"] == wanted]
    measure = scorer or (of_set[-1]["entries"][0]["scorer"] if of_set else "")
    entries = [_entry(item) for body in of_set for item in body["entries"] if item["scorer"] == measure]
    return Leaderboard(tuple(sorted(entries, key=lambda e: (e.mean is None, -(e.mean or 0.0), e.started))))


def earlier_looks(path: str | PathLike[str], cases: Collection[str], candidates: Collection[str]) -> int:
    """How many smaller sets within this one were looked at before, with two of the same candidates."""
    if fspath(path) == IN_MEMORY:
        return 0
    wanted, found = set(cases), set[str]()
    try:
        for body in _read(Path(path)):
            both = {entry["candidate"] for entry in body["entries"]} & set(candidates)
            if len(both) > 1 and len(seen := set(body.get("cases", ()))) > 0 and seen < wanted:
                found.add(body["golden"])
    except (DataError, sqlite3.Error):  # it is told where the run is remembered
        return 0
    return len(found)


def remember(path: str | PathLike[str], report: Report, cases: Collection[str] = ()) -> None:
    """Keep what an evaluation found beside the answers; one that keeps nothing is not remembered."""
    if fspath(path) == IN_MEMORY or not report.measures:
        return
    told = {"golden": report.run.golden, "started": report.run.started, "cases": list(cases)}
    body = {**told, "entries": list(map(asdict, _entries(report)))}
    with closing(_opened(path)) as db:
        values = (report.run.id, report.run.golden, json.dumps(body))
        db.execute("INSERT OR REPLACE INTO evaluations (id, golden, body) VALUES (?, ?, ?)", values)


def enter(report: Report) -> None:
    """Enter in the record of runs which models were evaluated, and what was found; functions alone leave no trace."""
    run = report.run
    if not run.models or not report.measures:
        return
    found = {name: _reached(report, name) for name in report.candidates}
    found |= {c.candidate: f"{c.sentence}: {c.numbers}" for c in report.family(report.candidates[0])}
    done = Evaluated(run.id, run.started + run.seconds, run.golden, run.models, found, usd=run.usd, job=run.job)
    with Record.open() as record:
        record.keep_evaluation(done)


def _reached(report: Report, candidate: str) -> str:
    means = ((scorer, report.mean(candidate, scorer=scorer)) for scorer in report.scorers)
    return ", ".join(f"{scorer} {number(mean)}" for scorer, mean in means) or "the baseline"


def _opened(path: str | PathLike[str]) -> sqlite3.Connection:
    """The file of the kept answers, which is also that of the history."""
    db = sqlite3.connect(path, isolation_level=None, timeout=30)
    hold_version(db, known=VERSION, path=path)
    db.execute(SCHEMA)
    return db


def _read(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with closing(_opened(path)) as db:
        bodies = [json.loads(row[0]) for row in db.execute("SELECT body FROM evaluations")]
    yield from sorted(bodies, key=lambda body: body["started"])


def _entry(kept: dict[str, Any]) -> Entry:
    found = Entry(**kept)
    return replace(found, difference=tuple(found.difference)) if found.difference else found  # pyright: ignore[reportArgumentType]


def _entries(report: Report) -> Iterator[Entry]:
    run, baseline = report.run, report.candidates[0]
    for scorer in report.measures:
        compared = {c.candidate: c for c in report.family(baseline, scorer=scorer)}
        for name in report.candidates:
            expense = report.expense(name)
            found = Entry(
                evaluation=run.id,
                started=run.started,
                golden=run.golden,
                cases=len(report.cases),
                candidate=name,
                model=run.models.get(name),
                job=run.job,
                training_file=run.training_file,
                scorer=scorer,
                mean=report.mean(name, scorer=scorer) if scorer in report.scorers else None,
                usd=expense.usd,
                p50=expense.p50,
            )
            if c := compared.get(name):
                e = c.estimate
                found = replace(found, baseline=baseline, outcome=c.outcome, difference=(e.value, e.low, e.high))
            yield found


def _row(entry: Entry) -> list[str]:
    interval = "{:+.2f} ({:+.2f} to {:+.2f})".format(*entry.difference) if entry.difference else "–"
    when = datetime.fromtimestamp(entry.started, UTC).strftime("%Y-%m-%d %H:%M")
    usd = "–" if entry.usd is None else f"{entry.usd:.6f}"
    names = [entry.candidate, entry.model or "–", number(entry.mean), entry.baseline or "–"]
    return [*names, interval, entry.outcome or "–", usd, number(entry.p50), when, entry.evaluation]
