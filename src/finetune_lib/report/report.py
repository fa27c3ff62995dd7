"""Report: what every candidate said to every case, its scores, and honest comparisons of two candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Literal

from finetune_lib.files import write_atomically
from finetune_lib.metrics import Metrics
from finetune_lib.records import Answer, Case
from finetune_lib.rendering.page import report_page
from finetune_lib.rendering.terminal import report_text
from finetune_lib.statistics import Estimate, paired_difference

Outcome = Literal["better", "worse", "not shown"]
UNCATEGORISED = "(none)"
SIGNIFICANT = 0.05
MOST_MISSING = 0.05


@dataclass(frozen=True, slots=True)
class Result:
    """One candidate's answer to one case, and its scores by scorer; a scorer that failed has a reason instead."""

    answer: Answer
    scores: Mapping[str, float] = field(default_factory=dict[str, float])
    failures: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that went wrong in an evaluation."""

    candidate: str
    case: str
    reason: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """One candidate against a baseline on the same cases.

    Attributes:
        estimate: The mean of the paired differences, with its 95 % interval and p-value.
        wins: Cases where the candidate scored higher.
        losses: Cases where it scored lower.
        ties: Cases with equal scores.
        missing: Cases left out because a side has no score.
    """

    candidate: str
    baseline: str
    scorer: str
    estimate: Estimate
    wins: int
    losses: int
    ties: int
    missing: int

    @property
    def outcome(self) -> Outcome:
        """`better` or `worse` where the whole interval lies on that side of 0 and p is below 0.05.

        Anything less is `not shown`; so is everything where more than 5 % of the cases are missing, because
        they may be missing for a reason that has to do with the answers.
        """
        if self.estimate.p >= SIGNIFICANT or self.missing > MOST_MISSING * (self.estimate.n + self.missing):
            return "not shown"
        if self.estimate.low > 0:
            return "better"
        return "worse" if self.estimate.high < 0 else "not shown"

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        if self.outcome == "not shown":
            return f"no difference between {self.candidate} and {self.baseline} is shown"
        return f"{self.candidate} is {self.outcome} than {self.baseline}"

    @property
    def numbers(self) -> str:
        """The difference with its interval and p-value, and the cases behind it."""
        e = self.estimate
        p = "p < 0.001" if e.p < 0.001 else f"p = {e.p:.3f}"
        counts = f"{self.wins} wins, {self.losses} losses, {self.ties} ties"
        gone = f", {self.missing} missing" if self.missing else ""
        return f"{self.scorer} {e.value:+.2f}, 95 % interval {e.low:+.2f} to {e.high:+.2f}, {p} ({counts}{gone})"

    def __str__(self) -> str:
        return f"{self.sentence}: {self.numbers}"


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an evaluation; printing it shows the tables, a notebook shows the page.

    Attributes:
        cases: The golden set.
        candidates: Their names in the order given; the first is the baseline of the printed comparisons.
        scorers: Their names; the first decides.
        results: For each candidate its results, one a case in the order of `cases`.

    Example:
        >>> import finetune_lib as ft
        >>> cases = [ft.Case(str(i), (), expected="1") for i in range(20)]
        >>> def never(case): return "0"
        >>> def always(case): return "1"
        >>> report = ft.Evaluator(scorers=[ft.ExactMatch()]).run(cases, candidates=[never, always])
        >>> report.verdict("always", baseline="never").outcome
        'better'
    """

    cases: tuple[Case, ...]
    candidates: tuple[str, ...]
    scorers: tuple[str, ...]
    results: Mapping[str, tuple[Result, ...]]

    def scores(self, candidate: str, *, scorer: str | None = None) -> tuple[float | None, ...]:
        """The scores of a candidate, one a case; None where there is none."""
        name = self._scorer(scorer)
        return tuple(result.scores.get(name) for result in self._results(candidate))

    def mean(self, candidate: str, *, scorer: str | None = None, category: str | None = None) -> float | None:
        """The mean score over the cases that have one, of one category or all; None where none has."""
        pairs = zip(self.cases, self.scores(candidate, scorer=scorer), strict=True)
        chosen = [s for case, s in pairs if s is not None and category in (None, case.category or UNCATEGORISED)]
        return sum(chosen) / len(chosen) if chosen else None

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories in the order of the cases; empty where no case has one."""
        names = dict.fromkeys(case.category or UNCATEGORISED for case in self.cases)
        return () if set(names) == {UNCATEGORISED} else tuple(names)

    def count(self, category: str) -> int:
        """Cases of a category."""
        return sum((case.category or UNCATEGORISED) == category for case in self.cases)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Every answer and every score that is missing, with its reason."""
        return tuple(
            Failure(name, case.id, reason)
            for name in self.candidates
            for case, result in zip(self.cases, self.results[name], strict=True)
            for reason in ([result.answer.error] if result.answer.error else result.failures.values())
        )

    def verdict(self, candidate: str, *, baseline: str, scorer: str | None = None) -> Comparison:
        """Compare a candidate with a baseline on the cases that both have a score for.

        Raises:
            ValueError: A name is unknown, or no case has a score of both.
            MissingExtraError: Without `pip install "finetune_lib[eval]"`.
        """
        name = self._scorer(scorer)
        ours, theirs = self.scores(candidate, scorer=name), self.scores(baseline, scorer=name)
        pairs = [(a, b) for a, b in zip(ours, theirs, strict=True) if a is not None and b is not None]
        if not pairs:
            raise ValueError(f"no case has a score of both {candidate!r} and {baseline!r}: see report.failures")
        a, b = [x for x, _ in pairs], [y for _, y in pairs]
        wins, losses = sum(x > y for x, y in pairs), sum(x < y for x, y in pairs)
        counts = {"wins": wins, "losses": losses, "ties": len(pairs) - wins - losses}
        missing = len(self.cases) - len(pairs)
        return Comparison(candidate, baseline, name, paired_difference(a, b), **counts, missing=missing)

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Each further candidate against the first one, where both have scores."""
        baseline, *others = self.candidates
        return tuple(self.verdict(name, baseline=baseline) for name in others if self._overlap(name, baseline))

    def _overlap(self, one: str, other: str) -> bool:
        """Whether any case has a score of both."""
        pairs = zip(self.scores(one), self.scores(other), strict=True)
        return any(a is not None and b is not None for a, b in pairs)

    def save_html(self, path: str | PathLike[str], *, metrics: Metrics | None = None) -> Path:
        """Write the report as one HTML file that opens without a network; an older one is replaced.

        Args:
            path: The file.
            metrics: `job.metrics()`, to show the loss curve of the run.
        """
        curve = metrics.plot().svg if metrics is not None and len(metrics) else None
        return write_atomically(Path(path), [report_page(self, curve=curve).encode()])

    def _results(self, candidate: str) -> Sequence[Result]:
        if candidate not in self.results:
            raise ValueError(f"no candidate is named {candidate!r}; there are {', '.join(self.candidates)}")
        return self.results[candidate]

    def _scorer(self, scorer: str | None) -> str:
        if scorer is not None and scorer not in self.scorers:
            raise ValueError(f"no scorer is named {scorer!r}; there are {', '.join(self.scorers)}")
        return scorer or self.scorers[0]

    def __str__(self) -> str:
        return report_text(self)

    def _repr_html_(self) -> str:
        return report_page(self, curve=None, fragment=True)
