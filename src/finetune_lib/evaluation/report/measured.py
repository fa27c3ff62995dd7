"""What an evaluation measured: every answer with its scores, and the honest comparisons that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any, TypeVar

from finetune_lib import statistics
from finetune_lib.evaluation.golden.overlaps import Repeated, grouped, repeated
from finetune_lib.evaluation.judges import JudgeQuality, Judgment
from finetune_lib.evaluation.judges.families import of_own_family
from finetune_lib.evaluation.report import doubts
from finetune_lib.evaluation.report.comparing import (
    CategoryComparison,
    Claim,
    Comparison,
    compare,
    explored,
    in_family,
    shown_above,
    with_margin,
)
from finetune_lib.evaluation.report.costing import Expense, Worth, expense, worth
from finetune_lib.evaluation.report.coverage import Coverage, coverage
from finetune_lib.evaluation.report.design import NO_DESIGN, Design
from finetune_lib.evaluation.report.differences import Differences, of_judgments, of_scores, seen_scale
from finetune_lib.evaluation.report.labelled import labelled
from finetune_lib.evaluation.report.records import NO_RUN, Failure, RunRecord
from finetune_lib.evaluation.report.regressions import Regression, Regressions, toys_among
from finetune_lib.evaluation.report.results import Result
from finetune_lib.evaluation.report.weaknesses import UNCATEGORISED, Weaknesses, weaknesses
from finetune_lib.records import Case
from finetune_lib.shown import Shown
from finetune_lib.statistics import Estimate, SamplingNoise

if TYPE_CHECKING:
    from finetune_lib.evaluation.review import Votes
    from finetune_lib.evaluation.scorers import ClassificationReport

T = TypeVar("T")
JUDGE, EXPERTS = "judge", "experts"
PREFERENCES = frozenset({JUDGE, EXPERTS})


@dataclass(frozen=True)
class Measured(Shown):
    """What a report tells in its several forms."""

    cases: tuple[Case, ...]
    candidates: tuple[str, ...]
    scorers: tuple[str, ...]
    results: Mapping[str, tuple[Result, ...]]
    judgments: tuple[Judgment, ...] = ()
    votes: Votes | None = None
    contaminated: frozenset[str] = frozenset()
    signatures: Mapping[str, str] = field(default_factory=dict[str, str])
    run: RunRecord = NO_RUN
    design: Design = NO_DESIGN
    regression_suite: Measured | None = None

    @property
    def measures(self) -> tuple[str, ...]:
        """All by which candidates can be compared: the scorers, the judge, the experts."""
        return (*self.scorers, *([JUDGE] if self.judgments else []), *([EXPERTS] if self.votes else []))

    def scores(self, candidate: str, *, scorer: str | None = None) -> tuple[float | None, ...]:
        """The scores of a candidate, one a case; None where there is none."""
        name = self._scorer(scorer)
        return tuple(result.score(name) for result in self._results(candidate))

    def mean(self, candidate: str, *, scorer: str | None = None, category: str | None = None) -> float | None:
        """The mean score over the clean cases that have one, of one category or all; None where none has."""
        pairs = self._clean_scores(candidate, scorer)
        chosen = [s for case, s in pairs if category in (None, case.category or UNCATEGORISED)]
        return sum(chosen) / len(chosen) if chosen else None

    def _clean_scores(self, candidate: str, scorer: str | None) -> list[tuple[Case, float]]:
        """The cases that have a score and no like in the training data."""
        pairs = zip(self.cases, self.scores(candidate, scorer=scorer), strict=True)
        return [(case, score) for case, score in pairs if score is not None and case.id not in self.contaminated]

    def interval(self, candidate: str, *, scorer: str | None = None) -> Estimate | None:
        """The mean score of the clean cases with its 95 % interval; None where no case has a score.

        Raises:
            MissingExtraError: Without `pip install "finetune_lib[eval]"`.
        """
        scored = self._clean_scores(candidate, scorer)
        if not scored:
            return None
        of = {case.id: case.cluster for case in self.grouped}
        ends, _ = self.scale(self._scorer(scorer))
        return statistics.mean_score([s for _, s in scored], [of[case.id] for case, _ in scored], scale=ends)

    @cached_property
    def alike(self) -> tuple[Repeated, ...]:
        """Clean cases that ask the same, where those count once together; several right answers contradict."""
        clean = [case for case in self.cases if case.id not in self.contaminated]
        return tuple(repeated(clean)) if self.design.cluster_similar else ()

    @cached_property
    def grouped(self) -> tuple[Case, ...]:
        """The cases with the cluster in which they count: their own, joined with that of cases that ask the same."""
        return grouped(self.cases, self.alike)

    def scale(self, scorer: str) -> tuple[tuple[float, float], bool]:
        """The least and the greatest score of a scorer, and whether they are known: declared, or within 0 and 1."""
        if declared := self.design.scales.get(scorer):
            return declared, True
        every = (s for name in self.candidates for s in self.scores(name, scorer=scorer))
        return self._once(("scale", scorer), lambda: (ends := seen_scale(every), ends == (0.0, 1.0)))

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories in the order of the cases; empty where no case has one."""
        names = dict.fromkeys(case.category or UNCATEGORISED for case in self.cases)
        return () if set(names) == {UNCATEGORISED} else tuple(names)

    def count(self, category: str) -> int:
        """Clean cases of a category."""
        clean = (case for case in self.cases if case.id not in self.contaminated)
        return sum((case.category or UNCATEGORISED) == category for case in clean)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Every answer, score and judgment that is missing, with its reason."""
        of_results = [
            Failure(name, case.id, reason)
            for name in self.candidates
            for case, result in zip(self.cases, self.results[name], strict=True)
            for reason in result.failures
        ]
        of_judges = [Failure(j.candidate, j.case, f"{j.judge}: {j.error}") for j in self.judgments if j.error]
        return (*of_results, *of_judges)

    def differences(self, candidate: str, *, baseline: str, scorer: str | None = None) -> tuple[float | None, ...]:
        """For each case how much the candidate is better than the baseline; None where that is not known.

        Of a scorer it is the difference of the scores; of `judge` and `experts` the preference, from -1 (the
        baseline is much better) to 1, both orders, repeats, judges and raters averaged within the case.
        """
        return tuple(self._differences(candidate, baseline, self._measure(scorer)).known)

    def _differences(self, candidate: str, baseline: str, measure: str) -> Differences:
        key = ("differences", candidate, baseline, measure)
        return self._once(key, lambda: self._differing(candidate, baseline, measure))

    def _differing(self, candidate: str, baseline: str, measure: str) -> Differences:
        ours, theirs = self._results(candidate), self._results(baseline)
        if measure == JUDGE:
            return of_judgments(self.judgments, self.cases, candidate, baseline)
        if measure == EXPERTS and self.votes:
            return Differences.of_preferences(self.votes.by_case(self.cases, candidate, baseline))
        return of_scores(ours, theirs, measure, self.scale(measure)[0])

    def verdict(
        self, candidate: str, *, baseline: str, scorer: str | None = None, margin: float | None = None
    ) -> Comparison:
        """Compare a candidate with a baseline on the cases that both have a score for.

        Where several candidates are compared with the baseline, p-values are corrected for all of them (Holm).

        Args:
            candidate: Its name.
            baseline: The other one's.
            scorer: The measure: a scorer, `judge` or `experts`; by default the first one.
            margin: A difference too small to matter: within it the candidates are `equivalent`.

        Raises:
            ValueError: A name is unknown, or no case has a score of both.
            MissingExtraError: Without `pip install "finetune_lib[eval]"`.
        """
        measure = self._measure(scorer)
        self._results(candidate)
        family = self.family(baseline, scorer=measure)
        tested = family if margin is None else with_margin(family, margin)
        if found := next((c for c in tested if c.candidate == candidate), None):
            return found
        raise ValueError(f"no case has a score of both {candidate!r} and {baseline!r}: see report.failures")

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Each further candidate against the first one, where both have scores, by the first measure."""
        return self.family(self.candidates[0]) if self.measures else ()

    def ranking(self, *, scorer: str | None = None) -> dict[str, Estimate]:
        """All candidates on one scale, the best first: Bradley-Terry scores that sum to 1, resampled by cases.

        Of a scorer, the higher score wins a case; of `judge`, the pairs count that it compared: with
        `Evaluator(all_pairs=True)` those are all.

        Raises:
            ValueError: Nothing was compared.
            MissingExtraError: Without `pip install "finetune_lib[eval]"`.
        """
        return statistics.ranking(
            (case.id, one, other, float((d > 0) - (d < 0)))
            for one, other in combinations(self.candidates, 2)
            for case, d in zip(self.cases, self.differences(one, baseline=other, scorer=scorer), strict=True)
            if d is not None and case.id not in self.contaminated
        )

    def by_category(
        self, candidate: str, *, baseline: str, scorer: str | None = None
    ) -> tuple[CategoryComparison, ...]:
        """The comparison within each category; exploratory, corrected over the categories (Benjamini, Hochberg)."""
        measure = self._measure(scorer)

        def found() -> tuple[CategoryComparison, ...]:
            each = {name: self._compared(candidate, baseline, measure, category=name) for name in self.categories}
            return explored({name: c for name, c in each.items() if c})

        return self._once(("categories", candidate, baseline, measure), found)

    def regressions(self, candidate: str, *, baseline: str | None = None) -> Regressions:
        """What a candidate got worse at than the baseline, by the areas of the regression suite; print it.

        The areas are compared by the same rule as verdicts, corrected over the areas (Holm). The largest loss that is
        still possible is always told: that none is shown does not mean that there is none.

        Args:
            candidate: Its name.
            baseline: The other one's; by default the first candidate.

        Raises:
            ValueError: The evaluation had no regression suite, a name is unknown, or no case has answers of both.
        """
        suite, first = self.regression_suite, baseline or self.candidates[0]
        if suite is None:
            raise ValueError('no regression suite was asked: run ft.Evaluator(…, regression_suite="general")')
        self._results(candidate)
        self._results(first)
        if candidate == first:
            raise ValueError(f"{candidate!r} is the baseline: name another candidate")
        return suite._once(("regressions", candidate, first), lambda: suite._regressions(candidate, first))

    def _regressions(self, candidate: str, baseline: str) -> Regressions:
        found = {name: self._compared(candidate, baseline, self.scorers[0], category=name) for name in self.categories}
        areas = {name: c for name, c in found.items() if c}
        whole = self._compared(candidate, baseline, self.scorers[0])
        if whole is None:
            raise ValueError(f"no case of the suite has answers of both {candidate!r} and {baseline!r}")
        tested = zip(areas, in_family(list(areas.values())), strict=True)
        each = sorted((self._regression(name, c) for name, c in tested), key=lambda one: one.comparison.estimate.value)
        return Regressions(
            candidate,
            baseline,
            self.run.golden_name,
            tuple(each),
            self._regression(None, whole),
            unanswered=tuple(name for name, c in found.items() if not c),
            toys=toys_among(self.run.models, (candidate, baseline)),
            level=self.design.level,
        )

    def _regression(self, area: str | None, c: Comparison) -> Regression:
        pairs = zip(self.cases, self.differences(c.candidate, baseline=c.baseline), strict=True)
        of_area = [(case, d) for case, d in pairs if area in (None, case.category or UNCATEGORISED)]
        lost = tuple(case.id for case, d in of_area if d is not None and d < 0 and case.id not in self.contaminated)
        before, after = (self.mean(name, category=area) or 0.0 for name in (c.baseline, c.candidate))
        return Regression(area or "all", c, before, after, lost)

    def better(self, candidate: str, *, baseline: str, margin: float = 0.0, scorer: str | None = None) -> Claim:
        """Whether the candidate is shown to be better, by more than `margin`; for `assert` in a pipeline."""
        found = self.verdict(candidate, baseline=baseline, scorer=scorer)
        more = f" by more than {margin:g}" if margin else ""
        holds = found.outcome == "better" and (not margin or self._shown_above(found, margin))
        return Claim(holds, found, f"{candidate} is better than {baseline}{more}")

    def not_worse(self, candidate: str, *, baseline: str, margin: float, scorer: str | None = None) -> Claim:
        """Whether the candidate is shown to be at most `margin` worse: what a cheaper model must be.

        Among several candidates it is corrected for their number, and needs no correction beside `better`.
        """
        found = self.verdict(candidate, baseline=baseline, scorer=scorer)
        text = f"{candidate} is not worse than {baseline} by {margin:g}"
        return Claim(self._shown_above(found, -margin), found, text)

    def _shown_above(self, found: Comparison, bound: float) -> bool:
        return shown_above(self.family(found.baseline, scorer=found.scorer), bound)[found.candidate]

    def cut(self, candidate: str) -> int:
        """Cases in which the limit of tokens cut off an answer of the candidate: raise its `max_tokens`."""
        return len(self._cut(candidate))

    def declined(self, candidate: str) -> int:
        """Cases that a candidate with a certificate was not sure enough to answer."""
        return sum(attempt.answer.declined for result in self._results(candidate) for attempt in result.attempts)

    def coverage(self, candidate: str, *, scorer: str | None = None, right: float | None = None) -> Coverage:
        """How much a candidate with a certificate answers itself, and how much of that is wrong.

        Args:
            candidate: Its name.
            scorer: What tells whether an answer is right; by default the first scorer.
            right: The least score of a right answer; by default the best score that there is.

        Raises:
            ValueError: A name is unknown.
        """
        name = self._scorer(scorer)
        attempts = (attempt for result in self._results(candidate) for attempt in result.attempts)
        return coverage(attempts, name, self.scale(name)[0][1] if right is None else right)

    def expense(self, candidate: str) -> Expense:
        """Tokens, price and time of a candidate's answers."""
        return expense(self._results(candidate))

    def worth(self, candidate: str, *, baseline: str, scorer: str | None = None) -> Worth:
        """What the candidate's advantage costs: price per win, and calls until the training is paid."""
        found = self.verdict(candidate, baseline=baseline, scorer=scorer)
        net = (found.wins - found.losses) / found.estimate.n
        return worth(self.expense(candidate), self.expense(baseline), net_wins=net, training_usd=self.run.training_usd)

    def judge_quality(self, candidate: str, *, baseline: str) -> JudgeQuality:
        """How far the judge can be trusted with a pair: consistency, place, length, agreement with the experts."""
        key = ("judge", candidate, baseline)
        if key not in self._known:
            lengths = {
                (name, case.id): len(result.answer.text)
                for name in (candidate, baseline)
                for case, result in zip(self.cases, self._results(name), strict=True)
            }
            told = self.differences(candidate, baseline=baseline, scorer=EXPERTS) if self.votes else ()
            votes = {case.id: value for case, value in zip(self.cases, told, strict=False) if value is not None}
            self._known[key] = JudgeQuality.of(
                self.judgments, self.grouped, candidate, baseline, lengths=lengths, votes=votes
            )
        return self._known[key]

    @property
    def self_preference(self) -> dict[str, tuple[str, ...]]:
        """By judge, the candidates of its own family of models: it may prefer them for that."""
        return of_own_family(self.run.judge_models, self.run.models)

    def classification(self, candidate: str, *, scorer: str | None = None) -> ClassificationReport:
        """Accuracy, F1, per-class numbers and the confusion matrix of a scorer that finds labels (`Choice`).

        An answer that failed counts as one without a label.

        Raises:
            ValueError: The scorer finds no labels.
        """
        from finetune_lib.evaluation.scorers import classification_report

        name = self._scorer(scorer)
        self._results(candidate)
        pairs = list(labelled(self.cases, self.results, candidate, name))
        if not pairs:
            raise ValueError(f"{name} finds no labels: classify with ft.Choice(...)")
        return classification_report(pairs)

    def weakest(self, candidate: str, *, scorer: str | None = None, failed_below: float = 0.5) -> Weaknesses:
        """Where a candidate fails most: categories, phrases that failing questions share, and the failing cases.

        Answers that the limit of tokens cut off are left out: no further examples help them.

        Args:
            candidate: Its name.
            scorer: The scorer; by default the first one.
            failed_below: A case fails with a score below this.
        """
        name, results = self._scorer(scorer), self._results(candidate)
        scores = self.scores(candidate, scorer=name)
        firsts = [(case, result.attempts[0]) for case, result in zip(self.cases, results, strict=True)]
        return weaknesses(
            candidate,
            name,
            [(case, score) for case, score, one in zip(self.cases, scores, results, strict=True) if not one.cut],
            answers={case.id: attempt.answer.text for case, attempt in firsts},
            reasons={case.id: a.scores[name].reason for case, a in firsts if name in a.scores},
            failed_below=failed_below,
        )

    def sampling_noise(self, candidate: str, *, scorer: str | None = None) -> SamplingNoise:
        """How much of a mean's variance is chance in repeated answers: whether more cases or more repeats help.

        Raises:
            ValueError: Each case was asked once: `Evaluator(epochs=…)` asks more often.
        """
        name = self._scorer(scorer)
        whole = [r.attempts for r in self._results(candidate) if all(name in attempt.scores for attempt in r.attempts)]
        return statistics.sampling_noise(
            list(zip(*[[a.scores[name].value for a in row] for row in whole], strict=True))
        )

    @cached_property
    def _known(self) -> dict[tuple[str, ...], Any]:
        """What was computed already: pages ask for the same comparison many times."""
        return {}

    def _once(self, key: tuple[str, ...], compute: Callable[[], T]) -> T:
        if key not in self._known:
            self._known[key] = compute()
        return self._known[key]

    def family(self, baseline: str, *, scorer: str | None = None) -> tuple[Comparison, ...]:
        """Every other candidate against the baseline by one measure, where both have scores; corrected (Holm)."""
        measure = self._measure(scorer)
        self._results(baseline)

        def found() -> tuple[Comparison, ...]:
            compared = [self._compared(name, baseline, measure) for name in self.candidates if name != baseline]
            return in_family([c for c in compared if c])

        return self._once(("family", baseline, measure), found)

    def _compared(
        self, candidate: str, baseline: str, measure: str, *, category: str | None = None
    ) -> Comparison | None:
        """Two candidates on the clean cases, of one category or all; None where no case has both."""
        places = range(len(self.cases))
        wanted = [p for p in places if category in (None, self.cases[p].category or UNCATEGORISED)]
        clean = [place for place in wanted if self.cases[place].id not in self.contaminated]
        left_out = len(wanted) - len(clean)
        if measure == EXPERTS and self.votes:  # whoever stops early has seen a random part
            seen = self._seen(candidate, baseline)
            clean = [place for place in clean if self.cases[place].id in seen]
        differences = self._differences(candidate, baseline, measure).at(clean)
        if all(d is None for d in differences.known):
            return None
        grouped = self.grouped
        clusters = [grouped[place].cluster for place in clean]
        preferred = measure in PREFERENCES
        scale = ((0.0, 1.0), True) if preferred else self.scale(measure)
        told = clusters if any(clusters) else None
        found = compare(differences, told, scale=scale, design=self.design)
        sides = self._results(candidate), self._results(baseline)
        cut = self._cut(candidate), self._cut(baseline)
        either = [
            (place in cut[0] or place in cut[1]) and any(side[place].undecided(measure) for side in sides)
            for place in clean
        ]
        judge = measure == JUDGE and doubts.of_judge(self.judge_quality(candidate, baseline=baseline))
        doubt = judge or doubts.of_cut_answers(found, differences, told, either, scale=scale, design=self.design)
        return Comparison(
            candidate,
            baseline,
            measure,
            **found,
            contaminated=left_out,
            kind="preference" if preferred else "score",
            doubt=doubt or None,
            cut=(len(cut[0].intersection(clean)), len(cut[1].intersection(clean))),
            design=self.design,
        )

    def _cut(self, candidate: str) -> frozenset[int]:
        """The places of the cases in which the limit of tokens cut off an answer."""
        results = self._results(candidate)
        return self._once(("cut", candidate), lambda: frozenset(place for place, one in enumerate(results) if one.cut))

    def _seen(self, candidate: str, baseline: str) -> Container[str]:
        """The cases that an expert came to; none where nobody compared these two."""
        try:
            return self.votes.seen(candidate, baseline) if self.votes else ()
        except ValueError:
            return ()

    def _results(self, candidate: str) -> Sequence[Result]:
        if candidate not in self.results:
            raise ValueError(f"no candidate is named {candidate!r}; there are {', '.join(self.candidates)}")
        return self.results[candidate]

    def _scorer(self, scorer: str | None) -> str:
        return _known_name(scorer, self.scorers)

    def _measure(self, measure: str | None) -> str:
        return _known_name(measure, self.measures)


def _known_name(name: str | None, names: Iterable[str]) -> str:
    known = list(names)
    if not known or (name is not None and name not in known):
        raise ValueError(f"no scorer is named {name!r}; there are {', '.join(known) or 'none'}")
    return known[0] if name is None else name
