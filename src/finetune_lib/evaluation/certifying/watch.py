"""Watch a certified answerer from day to day: have the questions moved, and do labels still keep the promise?"""

from __future__ import annotations

import datetime
import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal, cast

from finetune_lib import catalog
from finetune_lib.evaluation.certifying.certificate import Certificate
from finetune_lib.files import write_atomically
from finetune_lib.statistics.watching import DAYS_A_YEAR, LEARNING, VAIN, audit_evidence, shift_evidence, usual_days

FORM = 1
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


class Watch:
    """Takes one number a day, the share that was answered, and labels of answers drawn at random; `print` it.

    It keeps a small file of numbers without any text of users, whole after each day, and goes on from it. Weekends and
    repeated questions are no alarm; a lasting shift is one after about 15 days. Red comes in vain at most once in a
    hundred years for the days, and as rarely for the labels, as long as days do not hang together (a yearly wave does).

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
        self._days, self._labels = self._read()

    @property
    def days(self) -> Mapping[str, float]:
        """The share that was answered on each day."""
        return dict(self._days)

    def day(self, *, asked: int, answered: int, on: datetime.date | None = None) -> Alarm:
        """Take the numbers of a day; the same day again takes the place of what was said of it.

        Args:
            asked: The questions of the day; a day without any is no day.
            answered: How many of them the candidate answered itself.
            on: The day; by default today.

        Raises:
            ValueError: More were answered than asked, or the day lies before one that was taken.
        """
        if not 0 <= answered <= asked:
            raise ValueError(f"{answered} of {asked} cannot be answered")
        self._days, self._labels = self._read()  # another object may have written meanwhile
        name = (on or catalog.today()).isoformat()
        if any(name < other for other in self._days):
            raise ValueError(f"{name} lies before a day that was taken: days come in their order")
        if asked:
            self._days[name] = answered / asked
            self._write()
        return self.state

    def label(self, wrong: Iterable[bool]) -> Alarm:
        """Take labels of answers that were drawn at random among those it gave: whether each is wrong."""
        self._days, self._labels = self._read()
        self._labels += [bool(one) for one in wrong]
        self._write()
        return self.state

    @property
    def state(self) -> Alarm:
        """The gravest that holds: what was red stays red until a new certificate is made."""
        if (label := self._broken()) is not None:
            share = sum(self._labels[: label + 1]) / (label + 1)
            more = f"more than the promised {self.certificate.error:.0%}"
            return Alarm("red", f"{share:.0%} of {label + 1} labelled answers are wrong, {more}: certify again")
        names, values = list(self._days), list(self._days.values())
        if (moved := self._moved(names, values)) is not None:
            return Alarm(
                "red", f"the days have moved by {names[moved]}: what is asked is no longer as it was; certify again"
            )
        usual = usual_days(values[:-1])
        if usual and not usual[0] <= values[-1] <= usual[1]:
            told = f"{values[-1]:.0%} answered on {names[-1]}, usual are {usual[0]:.0%} to {usual[1]:.0%}"
            return Alarm("amber", f"{told}: look at that day's questions")
        count = f"{len(values)} day{'' if len(values) == 1 else 's'}"
        return Alarm("green", f"{count}, nothing has moved")

    def _moved(self, names: list[str], values: list[float]) -> int | None:
        ties = [random.Random(name).random() for name in names]  # noqa: S311 - no secret: each day splits ties alike
        evidence = shift_evidence(values, ties=ties)
        return next(
            (place for place, one in enumerate(evidence) if one >= DAYS_A_YEAR / VAIN and place >= LEARNING), None
        )

    def _broken(self) -> int | None:
        limit = self.labels_a_day * DAYS_A_YEAR / VAIN
        evidence = audit_evidence(self._labels, error=self.certificate.error)
        return next((place for place, one in enumerate(evidence) if one >= limit), None)

    def __str__(self) -> str:
        return f"{self.state}\n{BLIND}"

    def _read(self) -> tuple[dict[str, float], list[bool]]:
        if not self._path.exists():
            return {}, []
        try:
            told = cast("dict[str, Any]", json.loads(self._path.read_text(encoding="utf-8")))
            if told["watch"] != FORM:
                raise ValueError("of a later version of finetune_lib")
            days = {str(name): float(share) for name, share in told["days"].items()}
            labels: list[bool] = list(told["labels"])
            if not all(0 <= share <= 1 for share in days.values()) or not all(one in (True, False) for one in labels):
                raise ValueError("it has days or labels that cannot be")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{self._path} is no watch: {error}") from None
        if told.get("certificate") != self._mark:
            raise ValueError(f"{self._path} watches another certificate: begin a file of its own for this one")
        return days, labels

    @property
    def _mark(self) -> list[Any]:
        made = self.certificate
        return [made.candidate, made.day, made.threshold, dict(made.depends)]

    def _write(self) -> None:
        kept = {"watch": FORM, "certificate": self._mark, "days": self._days, "labels": self._labels}
        write_atomically(self._path, [json.dumps(kept, ensure_ascii=False).encode()])
