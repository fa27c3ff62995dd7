"""What an evaluation measured: every answer with its scores, and the honest comparisons that follow from them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

from finetune_lib import statistics
from finetune_lib.evaluation.judges import JudgeQuality, Judgment, family_of, preferences
from finetune_lib.evaluation.judges.trust import LEAST_TO_TRUST
from finetune_lib.evaluation.report.comparing import (
    CategoryComparison,
    Claim,
    Comparison,
    Doubt,
    compare,
    explored,
    in_family,
)
from finetune_lib.evaluation.report.costing import Expense, Worth, expense, worth
from finetune_lib.evaluation.report.records import NO_RUN, Failure, RunRecord
from finetune_lib.evaluation.report.results import Result
from finetune_lib.evaluation.report.weaknesses import Weaknesses, weaknesses
from finetune_lib.records import Case
from finetune_lib.statistics import Estimate, SamplingNoise

if TYPE_CHECKING:
    from finetune_lib.evaluation.review import Votes
    from finetune_lib.evaluation.scorers import ClassificationReport

UNCATEGORISED = "(none)"
JUDGE, EXPERTS = "judge", "experts"
PREFERENCES = frozenset({JUDGE, EXPERTS})
# A judge of which not even half of the verdicts outlive the other order decides by the order.
CHANCE = 0.5


@dataclass(frozen=True)
class Measured:
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

    @property
    def measures(self) -> tuple[str, ...]:
        """All by which candidates can be compared: the scorers, the judge, the experts."""
        return (*self.scorers, *([JUDGE] if self.judgments else []), *([EXPERTS] if self.votes else []))

    def scores(self, candidate: str, *, scorer: str | None = None) -> tuple[float | None, ...]:
        """The scores of a candidate, one a case; None where there is none."""
        name = self._scorer(scorer)
        return tuple(result.scores.get(name) for result in self._results(candidate))

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
        clusters = [case.cluster or f"case {case.id}" for case, _ in scored]
        told = any(case.cluster for case, _ in scored)
        return statistics.mean_score([s for _, s in scored], clusters if told else None) if scored else None

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
        measure = self._measure(scorer)
        for name in (candidate, baseline):
            self._results(name)
        if measure == JUDGE:
            return preferences(self.judgments, self.cases, candidate, baseline)
        if measure == EXPERTS and self.votes:
            return self.votes.by_case(self.cases, candidate, baseline)
        ours, theirs = self.scores(candidate, scorer=measure), self.scores(baseline, scorer=measure)
        pairs = zip(ours, theirs, strict=True)
        return tuple(None if a is None or b is None else a - b for a, b in pairs)

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
        found = {c.candidate: c for c in self.family(baseline, scorer=measure)}
        if candidate not in found:
            raise ValueError(f"no case has a score of both {candidate!r} and {baseline!r}: see report.failures")
        return replace(found[candidate], margin=margin)

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
        measure, found = self._measure(scorer), list[tuple[str, str, str, float]]()
        for one, other in combinations(self.candidates, 2):
            differences = self.differences(one, baseline=other, scorer=measure)
            pairs = zip(self.cases, differences, strict=True)
            found += [(c.id, one, other, d) for c, d in pairs if d is not None and c.id not in self.contaminated]
        return statistics.ranking(found)

    def by_category(
        self, candidate: str, *, baseline: str, scorer: str | None = None
    ) -> tuple[CategoryComparison, ...]:
        """The comparison within each category; exploratory, corrected over the categories (Benjamini, Hochberg)."""
        measure = self._measure(scorer)
        key = ("categories", candidate, baseline, measure)
        if key not in self._known:
            found = {name: self._compared(candidate, baseline, measure, category=name) for name in self.categories}
            self._known[key] = explored({name: c for name, c in found.items() if c})
        return self._known[key]

    def better(self, candidate: str, *, baseline: str, margin: float = 0.0, scorer: str | None = None) -> Claim:
        """Whether the candidate is shown to be better, by more than `margin`; for `assert` in a pipeline."""
        found = self.verdict(candidate, baseline=baseline, scorer=scorer)
        holds = found.outcome == "better" and found.estimate.low > margin
        more = f" by more than {margin:g}" if margin else ""
        return Claim(holds, found, f"{candidate} is better than {baseline}{more}")

    def not_worse(self, candidate: str, *, baseline: str, margin: float, scorer: str | None = None) -> Claim:
        """Whether the candidate is shown to be at most `margin` worse: what a cheaper model must be."""
        found = self.verdict(candidate, baseline=baseline, scorer=scorer)
        whole = found.missing <= 0.05 * (found.estimate.n + found.missing)
        return Claim(
            whole and found.estimate.low > -margin, found, f"{candidate} is not worse than {baseline} by {margin:g}"
        )

    def expense(self, candidate: str) -> Expense:
        """Tokens, price and time of a candidate's answers."""
        return expense(self._results(candidate))

    def worth(self, candidate: str, *, baseline: str, scorer: str | None = None) -> Worth:
        """What the candidate's advantage costs: price per win, and calls until the training is paid."""
        found = self.verdict(candidate, baseline=baseline, scorer=scorer)
        net = (found.wins - found.losses) / found.estimate.n
        expenses = self.expense(candidate), self.expense(baseline)
        return worth(*expenses, net_wins=net, training_usd=self.run.training_usd)

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
                self.judgments, self.cases, candidate, baseline, lengths=lengths, votes=votes
            )
        return self._known[key]

    @property
    def self_preference(self) -> dict[str, tuple[str, ...]]:
        """By judge, the candidates of its own family of models: it may prefer them for that."""
        families = {name: family_of(model) for name, model in self.run.models.items()}
        found = {
            judge: tuple(name for name, family in families.items() if family is not None and family == family_of(model))
            for judge, model in self.run.judge_models.items()
        }
        return {judge: names for judge, names in found.items() if names}

    def classification(self, candidate: str, *, scorer: str | None = None) -> ClassificationReport:
        """Accuracy, F1, per-class numbers and the confusion matrix of a scorer that finds labels (`Choice`).

        Raises:
            ValueError: The scorer finds no labels.
        """
        from finetune_lib.evaluation.scorers import classification_report

        name = self._scorer(scorer)
        scored = [a.scores[name] for r in self._results(candidate) for a in r.attempts if name in a.scores]
        pairs = [(score.target, score.label) for score in scored if score.target is not None]
        if not pairs:
            raise ValueError(f"{name} finds no labels: classify with ft.Choice(...)")
        return classification_report(pairs)

    def weakest(self, candidate: str, *, scorer: str | None = None, failed_below: float = 0.5) -> Weaknesses:
        """Where a candidate fails most: categories, phrases that failing questions share, and the failing cases.

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
            [(case, score) for case, score in zip(self.cases, scores, strict=True) if score is not None],
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
        """Comparisons that were made already: a resampling takes its time."""
        return {}

    def family(self, baseline: str, *, scorer: str | None = None) -> tuple[Comparison, ...]:
        """Every other candidate against the baseline by one measure, where both have scores; corrected (Holm)."""
        measure = self._measure(scorer)
        key = ("family", baseline, measure)
        if key not in self._known:
            self._results(baseline)
            found = [self._compared(name, baseline, measure) for name in self.candidates if name != baseline]
            self._known[key] = in_family([c for c in found if c])
        return self._known[key]

    def _compared(
        self, candidate: str, baseline: str, measure: str, *, category: str | None = None
    ) -> Comparison | None:
        """Two candidates on the clean cases, of one category or all; None where no case has both."""
        names = [case.category or UNCATEGORISED for case in self.cases]
        wanted = [place for place, name in enumerate(names) if category in (None, name)]
        clean = [place for place in wanted if self.cases[place].id not in self.contaminated]
        left_out = len(wanted) - len(clean)
        if measure == EXPERTS and self.votes:  # whoever stops early has seen a random part
            seen = self._seen(candidate, baseline)
            clean = [place for place in clean if self.cases[place].id in seen]
        if not clean:
            return None
        differences = self.differences(candidate, baseline=baseline, scorer=measure)
        chosen = [differences[place] for place in clean]
        if all(d is None for d in chosen):
            return None
        clusters = [self.cases[place].cluster for place in clean]
        kind = "preference" if measure in PREFERENCES else "score"
        widest = 1.0 if kind == "preference" else self._widest(measure)
        estimate, counts, bounds = compare(chosen, clusters if any(clusters) else None, scale=(-widest, widest))
        return Comparison(
            candidate,
            baseline,
            measure,
            estimate,
            **counts,
            contaminated=left_out,
            kind=kind,
            bounds=bounds,
            doubt=self._doubt(candidate, baseline) if measure == JUDGE else None,
        )

    def _widest(self, scorer: str) -> float:
        """The greatest difference of two scores: 1, or more where a scorer's own scale is wider."""
        seen = [s for name in self.candidates for s in self.scores(name, scorer=scorer) if s is not None]
        return max(1.0, *seen) - min(0.0, *seen)

    def _doubt(self, candidate: str, baseline: str) -> Doubt | None:
        """Why no verdict may rest on the judge of this pair; None where nothing speaks against it."""
        quality = self.judge_quality(candidate, baseline=baseline)
        consistency = quality.places.consistency
        if consistency is not None and consistency.high < CHANCE:
            return "judge_inconsistent"
        measured = quality.people is not None and quality.people.n >= LEAST_TO_TRUST
        return "judge_disagrees" if measured and not quality.trusted else None

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
