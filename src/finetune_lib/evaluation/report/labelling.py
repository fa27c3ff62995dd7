"""The cases that people should label next, where judge and experts are likely to disagree; and what the labels tell."""

from __future__ import annotations

import json
import random
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, Protocol, cast

from finetune_lib import statistics
from finetune_lib.files import write_atomically
from finetune_lib.shown import Shown
from finetune_lib.statistics import Estimate

FORM = "finetune_lib.labelling"
COUNTS = (10, 25, 50, 100, 200, 400, 800)
# How far a judge is off, squared, before anybody has looked: where its two orders agree clearly, and where not.
CLEAR, DOUBTFUL, WEIGHT = 0.25, 1.0, 4.0


class HasPreferences(Protocol):
    """What of a report is asked: its cases' ids, and what judge and experts prefer."""

    @property
    def cases(self) -> Sequence[Any]: ...

    def differences(self, candidate: str, *, baseline: str, scorer: str | None = None) -> Sequence[float | None]: ...


@dataclass(frozen=True)
class Labelling(Shown):
    """Cases to label, drawn with known chances: `report.label_next` makes one; `print` it, and keep it as a file.

    Attributes:
        candidate: The candidate.
        baseline: What it is compared with.
        cases: The drawn cases; every one of them is to be labelled.
        chances: Of every case that was not labelled before, the chance with which it was drawn.
        judged: What the judge prefers in those, from -1 to 1.
        known: What experts had said before.
        widths: By the number of labels, the half-width of the interval that they would probably bring.
    """

    candidate: str
    baseline: str
    cases: tuple[str, ...]
    chances: Mapping[str, float]
    judged: Mapping[str, float]
    known: Mapping[str, float]
    widths: Mapping[int, float]

    def estimate(self, report: HasPreferences) -> Estimate:
        """What experts prefer on all these cases, from -1 to 1, by the drawn ones: unbiased over the draw.

        Args:
            report: The report with the votes on the drawn cases: `report.with_votes(votes)`.

        Raises:
            ValueError: A drawn case has no preference of experts yet; it is named.
            MissingExtraError: Without `pip install "finetune_lib[eval]"`.
        """
        said = _preferences(report, self.candidate, self.baseline, "experts")
        if lacking := [case for case in self.cases if case not in said]:
            more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
            raise ValueError(f"no expert has said yet which answer is better in {', '.join(lacking[:5])}{more}")
        places = {case: place for place, case in enumerate(self.chances)}
        labels = {places[case]: said[case] for case in self.cases}
        drawn = statistics.labelled_mean(
            [self.judged[case] for case in self.chances], list(self.chances.values()), labels
        )
        return _joined(drawn, list(self.known.values()), len(self.chances))

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """Write it as one JSON file: without the chances nobody can tell what the labels mean.

        Raises:
            FileExistsError: The file is there, and `overwrite` is False.
        """
        text = json.dumps({"format": FORM, "version": 1, **asdict(self)}, ensure_ascii=False, indent=1)
        return write_atomically(Path(path), [text.encode(), b"\n"], overwrite=overwrite)

    @staticmethod
    def load(path: str | PathLike[str]) -> Labelling:
        """Read one.

        Raises:
            ValueError: The file is none, or one of a later version.
        """
        try:
            told = cast("dict[str, Any]", json.loads(Path(path).read_text(encoding="utf-8")))
            if (told.pop("format"), told.pop("version")) != (FORM, 1):
                raise ValueError("its form is another one, or of a later version")
            widths = {int(count): float(width) for count, width in told.pop("widths").items()}
            return Labelling(cases=tuple(told.pop("cases")), widths=widths, **told)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} is no plan for labels: {error}") from None

    def __str__(self) -> str:
        widths = ", ".join(f"{count:,} labels ±{width:.2f}" for count, width in self.widths.items())
        return (
            f"label {len(self.cases):,} of {len(self.chances):,} cases ({self.candidate} against {self.baseline}; "
            f"{len(self.known):,} are labelled): {', '.join(self.cases[:10])}{' …' if len(self.cases) > 10 else ''}\n"
            f"  what they probably bring, on a scale from -1 to 1: {widths}\n"
            "  label all that were drawn: each counts by one over its chance, and none may be left out"
        )


def labelling(
    report: HasPreferences,
    candidate: str,
    baseline: str,
    *,
    same: Iterable[str],
    clear: Container[str],
    count: int,
    seed: int,
) -> Labelling:
    """Draw the cases that are to be labelled next.

    Args:
        report: What judge and experts say.
        candidate: The candidate.
        baseline: What it is compared with.
        same: Cases with the same answers: ties, which nobody is asked.
        clear: Cases of which the judge always says the same, in either order.
        count: How many to draw.
        seed: Of the draw.

    Raises:
        ValueError: No case has judgments and is not labelled, or the count is below 1.
    """
    judged = _preferences(report, candidate, baseline, "judge")
    known = dict.fromkeys(same, 0.0) | _preferences(report, candidate, baseline, "experts")
    spreads = _spreads(report.cases, judged, known, clear)
    names = [case for case in judged if case not in known]
    if not names:
        raise ValueError("no case has judgments and no label yet")
    if count < 1:
        raise ValueError(f"count is at least 1, not {count}")
    drawn = random.Random(seed)  # noqa: S311 - no secret
    drawn.shuffle(names)
    each = [spreads[name] for name in names]
    chances = statistics.labelling_chances(each, min(count, len(names)))
    places = statistics.drawn_to_label(chances, start=drawn.random())
    share = len(names) / (len(names) + len(known))
    counts = sorted({*(n for n in COUNTS if n < len(names)), len(places), len(names)})
    return Labelling(
        candidate,
        baseline,
        tuple(names[place] for place in places),
        dict(zip(names, chances, strict=True)),
        {name: judged[name] for name in names},
        known,
        {n: share * statistics.labelling_width(each, n) for n in counts},
    )


def _preferences(report: HasPreferences, candidate: str, baseline: str, who: str) -> dict[str, float]:
    try:
        found = report.differences(candidate, baseline=baseline, scorer=who)
    except ValueError:  # nobody has judged, or nobody has labelled
        return {}
    return {case.id: value for case, value in zip(report.cases, found, strict=True) if value is not None}


def _spreads(
    cases: Sequence[Any], judged: Mapping[str, float], known: Mapping[str, float], clear: Container[str]
) -> dict[str, float]:
    """How far the judge is likely to be off: by how clear it is, then by category, each drawn to the one before."""
    groups = {case.id: (case.id in clear, case.category) for case in cases if case.id in judged}
    off: dict[Any, list[float]] = {}
    for case, value in judged.items():
        if case in known:
            off.setdefault(groups[case][0], []).append((known[case] - value) ** 2)
            off.setdefault(groups[case], []).append((known[case] - value) ** 2)
    usual = {True: _shrunk(off.get(True, []), CLEAR), False: _shrunk(off.get(False, []), DOUBTFUL)}
    return {case: _shrunk(off.get(group, []), usual[group[0]]) ** 0.5 for case, group in groups.items()}


def _shrunk(errors: Sequence[float], usual: float) -> float:
    return (sum(errors) + WEIGHT * usual) / (len(errors) + WEIGHT)


def _joined(drawn: Estimate, known: Sequence[float], others: int) -> Estimate:
    """The estimate over all cases: those that were labelled before count as they are."""
    n = others + len(known)
    value, low, high = ((others * one + sum(known)) / n for one in (drawn.value, drawn.low, drawn.high))
    return replace(drawn, value=value, low=low, high=high)
