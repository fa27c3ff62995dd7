"""The votes of all experts, unblinded: who was preferred, how well they agree, and what they said."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import fmean, pvariance
from typing import TYPE_CHECKING, Literal

from finetune_lib.evaluation.judges.order import direction
from finetune_lib.evaluation.report.comparing import CategoryComparison, Comparison, compare, explored
from finetune_lib.evaluation.report.differences import Differences
from finetune_lib.evaluation.review.items import Choice
from finetune_lib.evaluation.review.keys import KeyItem
from finetune_lib.evaluation.review.vote import (
    OF_LEFT,
    Attention,
    Consistency,
    Disputed,
    DoubleVote,
    ItemKey,
    Quote,
    Vote,
    pair_of,
)
from finetune_lib.records import Case
from finetune_lib.shown import Shown

if TYPE_CHECKING:
    from finetune_lib.statistics import Estimate

UNCATEGORISED = "(none)"
MEASURE = "experts"
FAST_SECONDS = 2.0
Level = Literal["nominal", "ordinal", "interval", "ratio"]


@dataclass(frozen=True, slots=True)
class Votes(Shown):
    """The votes of all experts on one page; printing it gives a summary.

    Attributes:
        set: The hash of the page's items.
        raters: Who voted.
        votes: Every vote that counts, repeats among them.
        shown: The items that the page shows.
        identical: The cases that were not shown because both answers are the same text: ties for everybody.
        doubled: Votes that came in more than one file.
        attention: For each rater the items with a plainly broken answer, where the page had some.

    Example:
        >>> from finetune_lib.evaluation.review.votes import Vote, Votes
        >>> vote = Vote("Lin", "7", left="base", right="tuned", choice="right", comment="Names the fee.")
        >>> votes = Votes("0" * 24, ("Lin",), (vote,))
        >>> votes.preferences("tuned", "base")
        {'7': {'Lin': 0.5}}
    """

    set: str
    raters: tuple[str, ...]
    votes: tuple[Vote, ...]
    shown: tuple[KeyItem, ...] = ()
    identical: tuple[KeyItem, ...] = ()
    doubled: tuple[DoubleVote, ...] = ()
    attention: Mapping[str, Attention] = field(default_factory=dict[str, Attention])

    @property
    def candidates(self) -> tuple[str, ...]:
        """The candidates that were compared, sorted."""
        seen = {name for vote in self.votes for name in (vote.left, vote.right)}
        return tuple(sorted(seen.union(*(item.slots for item in (*self.shown, *self.identical)))))

    @property
    def categories(self) -> Mapping[str, str]:
        """The category of each case."""
        items = [*self.shown, *self.identical, *self.votes]
        return {item.case_id: item.category or UNCATEGORISED for item in items}

    def preferences(
        self, candidate: str, baseline: str, *, criterion: str | None = None
    ) -> dict[str, dict[str, float]]:
        """For each case what each rater prefers: from 1, the candidate is much better, to -1.

        A rater's two showings of one item are averaged. Skipped and wrong questions are left out. A case with
        identical answers is a tie for every rater.

        Args:
            candidate: The name of a candidate.
            baseline: The one that it was compared with.
            criterion: A criterion of the rubric, instead of the answer as a whole.

        Raises:
            ValueError: Nobody compared these two.
        """
        pair = self._compared(candidate, baseline)
        given: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for vote in self.votes:
            value = vote.value(candidate, criterion=criterion)
            if vote.key[1] == pair and value is not None:
                given[vote.case_id][vote.rater].append(value)
        means = {case: {rater: fmean(values) for rater, values in by.items()} for case, by in given.items()}
        ties = [item.case_id for item in self.identical if pair_of(*item.slots) == pair]
        return means | {case: dict.fromkeys(self.raters, 0.0) for case in ties}

    def _compared(self, candidate: str, baseline: str) -> tuple[str, str]:
        pair = pair_of(candidate, baseline)
        known = {vote.key[1] for vote in self.votes} | {pair_of(*item.slots) for item in (*self.shown, *self.identical)}
        if pair not in known:
            listed = "; ".join(" and ".join(one) for one in sorted(known))
            raise ValueError(f"nobody compared {candidate!r} with {baseline!r}: the page has {listed or 'no items'}")
        return pair

    def by_case(self, cases: Iterable[Case], candidate: str, baseline: str) -> tuple[float | None, ...]:
        """For each case the mean preference of its raters, from -1 to 1; None where nobody gave one."""
        means = self._means(candidate, baseline)
        return tuple(means.get(case.id) for case in cases)

    def seen(self, candidate: str, baseline: str) -> frozenset[str]:
        """The cases that somebody came to, skipped ones too, and those with identical answers."""
        pair = self._compared(candidate, baseline)
        shown = {vote.case_id for vote in self.votes if vote.key[1] == pair}
        return frozenset(shown.union(item.case_id for item in self.identical if pair_of(*item.slots) == pair))

    def verdict(self, candidate: str, baseline: str, *, category: str | None = None) -> Comparison:
        """Whether the experts prefer the candidate: over the cases, of one category or all.

        Each case counts once, with the mean of its raters. Cases that nobody has come to are left out: the order
        is random, so they are like the others. Cases that were only skipped, or whose question is called wrong,
        are missing.

        Raises:
            ValueError: Nobody compared these two, or no case has a preference.
            MissingExtraError: Without `pip install "finetune_lib[eval]"`.
        """
        means, categories = self._means(candidate, baseline), self.categories
        seen = sorted(self.seen(candidate, baseline))
        chosen = [means.get(case) for case in seen if category in (None, categories[case])]
        if all(value is None for value in chosen):
            raise ValueError(f"no vote prefers {candidate!r} or {baseline!r}, or calls them equal")
        found = compare(Differences.of_preferences(chosen), None)
        return Comparison(candidate, baseline, MEASURE, **found, kind="preference")

    def by_category(self, candidate: str, baseline: str) -> tuple[CategoryComparison, ...]:
        """The verdict within each category; exploratory, corrected over the categories (Benjamini, Hochberg)."""
        names = {self.categories[case] for case in self._means(candidate, baseline)}
        return explored({name: self.verdict(candidate, baseline, category=name) for name in sorted(names)})

    def _means(self, candidate: str, baseline: str) -> Mapping[str, float]:
        """For each case the mean of its raters."""
        return {case: fmean(by.values()) for case, by in self.preferences(candidate, baseline).items() if by}

    def agreement(self, *, level: Level = "ordinal", category: str | None = None) -> Estimate:
        """Krippendorff's alpha among the raters, with its interval: 1 is full agreement, 0 is chance.

        First showings only; identical answers, which nobody saw, do not count.

        Raises:
            ValueError: No item has the votes of two raters.
            MissingExtraError: Without `pip install "finetune_lib[eval]"`.
        """
        from finetune_lib.statistics import agreement

        ratings: defaultdict[str, dict[ItemKey, float]] = defaultdict(dict)
        for item, values in self._ratings(category).items():
            for rater, value in values.items():
                ratings[rater][item] = value
        if len(ratings) < 2:
            raise ValueError("agreement takes the votes of two raters at least")
        return agreement(ratings, level=level)

    def percent_agreement(self, *, category: str | None = None) -> float | None:
        """How often two raters of one item have the same winner or both a tie; None where no item has two raters."""
        rated = self._ratings(category).values()
        same = [direction(a) == direction(b) for values in rated for a, b in combinations(values.values(), 2)]
        return fmean(same) if same else None

    @property
    def disputed(self) -> tuple[Disputed, ...]:
        """Items on which raters differ, the most disputed first."""
        rated = [(item, values) for item, values in self._ratings().items() if len(set(values.values())) > 1]
        found = [Disputed(case, pair[0], values, pvariance(values.values())) for (case, pair), values in rated]
        return tuple(sorted(found, key=lambda one: -one.spread))

    @property
    def self_consistency(self) -> Mapping[str, Consistency]:
        """For each rater with repeated items, how often the same answer won again."""
        counts: defaultdict[str, list[bool]] = defaultdict(list)
        first = {(vote.rater, vote.key): vote for vote in self.votes if not vote.repeat}
        for again in self.votes:
            if again.repeat and (before := first.get((again.rater, again.key))):
                one, other = (vote.value(vote.key[1][0]) for vote in (before, again))
                if one is not None and other is not None:
                    counts[again.rater].append(direction(one) == direction(other))
        return {rater: Consistency(len(same), sum(same)) for rater, same in counts.items()}

    @property
    def side_bias(self) -> Mapping[str, Estimate]:
        """For each rater the share of the left answer among those preferred, with the exact binomial p.

        Raises:
            MissingExtraError: Without `pip install "finetune_lib[eval]"`.
        """
        from finetune_lib.statistics import sign_test

        counts = {
            rater: Counter(direction(OF_LEFT.get(vote.choice, 0.0)) for vote in self.votes if vote.rater == rater)
            for rater in self.raters
        }
        return {
            r: sign_test(count[1], count[-1], method="exact") for r, count in counts.items() if count[1] + count[-1]
        }

    @property
    def fast(self) -> tuple[Vote, ...]:
        """Votes within two seconds, in which nobody has read two answers."""
        return tuple(vote for vote in self.votes if vote.seconds < FAST_SECONDS and vote.choice in OF_LEFT)

    @property
    def skipped(self) -> Mapping[str, tuple[str, ...]]:
        """For each case who left it to others."""
        return self._raters_saying("skip")

    @property
    def flagged(self) -> Mapping[str, tuple[str, ...]]:
        """For each case who says that the question itself is wrong."""
        return self._raters_saying("wrong_question")

    @property
    def comments(self) -> tuple[Vote, ...]:
        """Votes with a comment."""
        return tuple(vote for vote in self.votes if vote.comment)

    def reasons(self, candidate: str) -> Mapping[str, int]:
        """How often each tag was given where the candidate's answer was the weaker one, or both were bad."""
        return Counter(reason for vote in self._lost_by(candidate) for reason in vote.reasons)

    def quotes(self, candidate: str) -> Mapping[str, tuple[Quote, ...]]:
        """The comments on the candidate's weaker answers under each tag, the most frequent tag first.

        Comments without a tag stand under an empty one at the end.
        """
        found: defaultdict[str, list[Quote]] = defaultdict(list)
        for vote in self._lost_by(candidate):
            for reason in vote.reasons or ("",):
                if vote.comment:
                    found[reason].append(Quote(vote.rater, vote.case_id, vote.comment))
        counts = self.reasons(candidate)
        ordered = sorted(found, key=lambda reason: (-counts.get(reason, 0), reason))
        return {reason: tuple(found[reason]) for reason in ordered}

    def _ratings(self, category: str | None = None) -> Mapping[ItemKey, Mapping[str, float]]:
        """First showings: by item what each rater says of the candidate that comes first by name."""
        found: defaultdict[ItemKey, dict[str, float]] = defaultdict(dict)
        for vote in self.votes:
            value = vote.value(vote.key[1][0])
            if value is not None and not vote.repeat and category in (None, vote.category or UNCATEGORISED):
                found[vote.key][vote.rater] = value
        return found

    def _lost_by(self, candidate: str) -> Sequence[Vote]:
        def lost(vote: Vote) -> bool:
            value = vote.value(candidate)
            return value is not None and (value < 0 or vote.choice == "both_bad")

        return [vote for vote in self.votes if lost(vote)]

    def _raters_saying(self, choice: Choice) -> Mapping[str, tuple[str, ...]]:
        found: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for vote in self.votes:
            if vote.choice == choice:
                found[vote.case_id][vote.rater] = None
        return {case: tuple(raters) for case, raters in found.items()}

    def __str__(self) -> str:
        from finetune_lib.evaluation.review.summary import summary

        return summary(self)
