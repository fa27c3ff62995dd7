"""Watch a certified answerer from day to day: have the questions moved, and do labels still keep the promise?"""

from __future__ import annotations

import datetime
import json
import math
import random
import sqlite3
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Literal, cast

from finetune_lib import catalog
from finetune_lib.evaluation.certifying.certificate import Certificate
from finetune_lib.files import write_atomically
from finetune_lib.statistics.watching import DAYS_A_YEAR, LEARNING, VAIN, audit_evidence, shift_evidence, usual_days

FORM = 2
PATIENCE = 60.0  # seconds for another process to write
BLIND = (
    "It sees questions and how sure the answers are, not whether they are right: a changed fact, a model swapped "
    "behind its name, errors that come with confidence, and the first four weeks escape it. Only labels of answers "
    "that are drawn at random tell whether they are right: watch.label([...])."
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """What a watch says.

    Attributes:
        color: `red` where the certificate is to be made again, `amber` where somebody should look, else `green`.
        reason: Why, in words.
    """

    color: Literal["green", "amber", "red"]
    reason: str

    def __str__(self) -> str:
        return f"{self.color}: {self.reason}"


@dataclass
class _Seen:
    """What a watch has taken: each day's share and mean confidence, and whether labelled answers were wrong."""

    days: dict[str, float] = field(default_factory=dict[str, float])
    confidences: dict[str, float] = field(default_factory=dict[str, float])
    labels: list[bool] = field(default_factory=list[bool])


class Watch:
    """Takes one number a day, the share that was answered, and labels of answers drawn at random; `print` it.

    It keeps a small file of numbers without any text of users, whole after each day, and goes on from it; several
    processes may write to it. Weekends and repeated questions are no alarm; a lasting shift is one after about 15 days.
    Red comes in vain at most once in a hundred years for the days, as rarely for the labels, and once in two hundred
    for the mean confidence where that is told, as long as days do not hang together (a yearly wave does).

    Args:
        path: The file; it is made with the first day.
        certificate: What is watched; another one than the file's begins anew, in a file of its own.
        labels_a_day: How many labels a day are planned for.

    Raises:
        ValueError: The file is no watch, or one of another certificate.

    Example:
        >>> import tempfile, finetune_lib as ft
        >>> from pathlib import Path
        >>> promise = ft.Certificate("clerk", error=0.05, confidence=0.95, of="answers", threshold=0.8, answered=180,
        ...     wrong=2, cases=240, level=0.018, signal="agreement", scorer="ExactMatch", right=1.0, day="2026-12-01")
        >>> watch = ft.Watch(Path(tempfile.mkdtemp()) / "watch.json", promise)
        >>> print(watch.day(asked=1_000, answered=610))
        green: 1 day, nothing has moved
    """

    def __init__(self, path: str | PathLike[str], certificate: Certificate, *, labels_a_day: int = 5) -> None:
        if labels_a_day < 1:
            raise ValueError(f"labels_a_day is at least 1, not {labels_a_day}")
        self._path, self.certificate, self.labels_a_day = Path(path), certificate, labels_a_day
        self._seen = self._read()

    @property
    def days(self) -> Mapping[str, float]:
        """The share that was answered on each day."""
        return dict(self._seen.days)

    def day(
        self, *, asked: int, answered: int, confidence: float | None = None, on: datetime.date | None = None
    ) -> Alarm:
        """Take the numbers of a day; the same day again takes the place of what was said of it.

        Args:
            asked: The questions of the day; a day without any is no day.
            answered: How many of them the candidate answered itself.
            confidence: The mean `answer.confidence` of those: what people ask may have moved although as much is
                answered.
            on: The day; by default today.

        Raises:
            ValueError: More were answered than asked, the confidence is no number, or the day lies before one that was
                taken.
            TimeoutError: Another process holds the file for a minute.
        """
        if not 0 <= answered <= asked:
            raise ValueError(f"{answered} of {asked} cannot be answered")
        if confidence is not None and not math.isfinite(confidence):
            raise ValueError(f"a mean confidence is a number, not {confidence}")
        name = (on or catalog.today()).isoformat()
        with self._alone() as seen:
            if any(name < other for other in seen.days):
                raise ValueError(f"{name} lies before a day that was taken: days come in their order")
            if asked:
                seen.days[name] = answered / asked
                seen.confidences.pop(name, None)
                if confidence is not None and answered:
                    seen.confidences[name] = confidence
        return self.state

    def label(self, wrong: Iterable[bool]) -> Alarm:
        """Take labels of answers that were drawn at random among those it gave: whether each is wrong."""
        told = [bool(one) for one in wrong]
        with self._alone() as seen:
            seen.labels.extend(told)
        return self.state

    @property
    def state(self) -> Alarm:
        """The gravest that holds: what was red stays red until a new certificate is made."""
        if (label := self._broken()) is not None:
            share = sum(self._seen.labels[: label + 1]) / (label + 1)
            more = f"more than the promised {self.certificate.error:.0%}"
            return Alarm("red", f"{share:.0%} of {label + 1} labelled answers are wrong, {more}: certify again")
        series = (
            (self._seen.days, 1, "{} answered", ".0%"),
            (self._seen.confidences, 2, "mean confidence {}", ".3g"),
        )
        for days, rarer, *_ in series:
            if moved := _moved(days, rarer):
                return Alarm(
                    "red", f"the days have moved by {moved}: what is asked is no longer as it was; certify again"
                )
        for days, rarer, form, digits in series:
            *before, last = days.values() or [0.0]
            usual = usual_days(before, chance=VAIN / DAYS_A_YEAR / rarer)
            if usual and not usual[0] <= last <= usual[1]:
                value, low, high = (format(one, digits) for one in (last, *usual))
                told = f"{form.format(value)} on {list(days)[-1]}, usual are {low} to {high}"
                return Alarm("amber", f"{told}: look at that day's questions")
        count = f"{len(self._seen.days)} day{'' if len(self._seen.days) == 1 else 's'}"
        return Alarm("green", f"{count}, nothing has moved")

    def _broken(self) -> int | None:
        limit = self.labels_a_day * DAYS_A_YEAR / VAIN
        evidence = audit_evidence(self._seen.labels, error=self.certificate.error)
        return next((place for place, one in enumerate(evidence) if one >= limit), None)

    def __str__(self) -> str:
        return f"{self.state}\n{BLIND}"

    def _read(self) -> _Seen:
        if not self._path.exists():
            return _Seen()
        try:
            told = cast("dict[str, Any]", json.loads(self._path.read_text(encoding="utf-8")))
            if told["watch"] not in range(1, FORM + 1):
                raise ValueError("of a later version of finetune_lib")
            days = {str(name): float(share) for name, share in told["days"].items()}
            confidences = {str(name): float(mean) for name, mean in told.get("confidences", {}).items()}
            labels: list[bool] = list(told["labels"])
            if not all(0 <= share <= 1 for share in days.values()) or not all(one in (True, False) for one in labels):
                raise ValueError("it has days or labels that cannot be")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{self._path} is no watch: {error}") from None
        if told.get("certificate") != self._mark:
            raise ValueError(f"{self._path} watches another certificate: begin a file of its own for this one")
        return _Seen(days, confidences, labels)

    @property
    def _mark(self) -> list[Any]:
        made = self.certificate
        return [made.candidate, made.day, made.threshold, dict(made.depends)]

    @contextmanager
    def _alone(self) -> Generator[_Seen]:
        """What the file says now, to be changed while no other process can; then it is written."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(f"{self._path}.lock", timeout=PATIENCE, isolation_level=None)
        try:
            lock.execute("BEGIN EXCLUSIVE")  # SQLite locks files on every system, and a process that dies lets go
            self._seen = self._read()
            yield self._seen
            kept = {"watch": FORM, "certificate": self._mark, **asdict(self._seen)}
            write_atomically(self._path, [json.dumps(kept, ensure_ascii=False).encode()])
        except sqlite3.OperationalError as error:
            raise TimeoutError(f"{self._path} is held by another process: {error}") from error
        finally:
            lock.close()


def _moved(days: Mapping[str, float], rarer: int) -> str | None:
    """The day by which they have moved, if alarms are to come so many times more rarely than once in 100 years."""
    ties = [random.Random(name).random() for name in days]  # noqa: S311 - no secret: each day splits ties alike
    evidence = zip(days, shift_evidence(list(days.values()), ties=ties), strict=True)
    limit = rarer * DAYS_A_YEAR / VAIN
    return next((name for place, (name, one) in enumerate(evidence) if one >= limit and place >= LEARNING), None)
