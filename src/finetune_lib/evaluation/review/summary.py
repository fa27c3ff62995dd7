"""A summary of votes, as text for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from math import isnan
from typing import TYPE_CHECKING

from finetune_lib.errors import MissingExtraError

if TYPE_CHECKING:
    from finetune_lib.evaluation.review.votes import Votes

MOST_DISPUTED, MOST_QUOTES = 3, 2
BIASED = 0.05


def summary(votes: Votes) -> str:
    """Who voted, who was preferred, how far the votes can be trusted, and what was said."""
    try:
        return "\n".join(line for part in (_counts, _verdicts, _trust, _disputed, _weaknesses) for line in part(votes))
    except MissingExtraError as error:
        return "\n".join([*_counts(votes), str(error)])


def _counts(votes: Votes) -> Iterator[str]:
    given = Counter(vote.rater for vote in votes.votes)
    listed = ", ".join(f"{rater} {given[rater]}" for rater in votes.raters)
    yield f"{len(votes.votes)} votes on {len(votes.shown)} cases by {len(votes.raters)} raters ({listed})"
    if votes.identical:
        yield f"{len(votes.identical)} further cases have identical answers and count as ties"
    if votes.doubled:
        differ = sum(double.differ for double in votes.doubled)
        yield f"{len(votes.doubled)} votes came in several files, {differ} of them differ: the newest revision counts"


def _verdicts(votes: Votes) -> Iterator[str]:
    for baseline, candidate in combinations(votes.candidates, 2):
        try:
            yield ""
            yield str(votes.verdict(candidate, baseline))
        except ValueError as error:
            yield str(error)
            continue
        found = votes.by_category(candidate, baseline)
        for one in found if len(found) > 1 else ():
            c = one.comparison
            few = ", too few cases" if one.too_few else ""
            yield f"  {one.category}: {c.estimate.value:+.2f} ({c.wins} wins, {c.losses} losses, {c.ties} ties{few})"


def _trust(votes: Votes) -> Iterator[str]:
    yield ""
    share = votes.percent_agreement()
    if share is not None:
        alpha = votes.agreement()
        known = f"{alpha.value:.2f} ({alpha.low:.2f} to {alpha.high:.2f})"
        known = "not defined, all said the same" if isnan(alpha.value) else known
        yield f"agreement: {share:.0%} name the same winner; Krippendorff's alpha {known}, {alpha.n} cases"
    for rater, found in votes.self_consistency.items():
        yield f"{rater} said the same again on {found.same} of {found.repeats} repeated cases"
    for rater, found in votes.side_bias.items():
        if found.p is not None and found.p < BIASED:
            p = "p < 0.001" if found.p < 0.001 else f"p = {found.p:.3f}"
            yield f"{rater} chose the left answer in {found.value:.0%} of {found.n} choices ({p})"
    for rater, looked in votes.attention.items():
        if looked.passed < looked.items:
            yield f"{rater} missed {looked.items - looked.passed} of {looked.items} plainly broken answers"
    if votes.fast:
        hasty = Counter(vote.rater for vote in votes.fast)
        yield "votes within 2 seconds: " + ", ".join(f"{rater} {number}" for rater, number in hasty.items())
    if votes.skipped:
        yield f"skipped by somebody: {', '.join(votes.skipped)}"
    if votes.flagged:
        yield f"question called wrong: {', '.join(votes.flagged)}"


def _disputed(votes: Votes) -> Iterator[str]:
    for one in votes.disputed[:MOST_DISPUTED]:
        said = ", ".join(f"{rater} {value:+g}" for rater, value in one.values.items())
        yield f"disputed: case {one.case_id}, for {one.candidate}: {said}"


def _weaknesses(votes: Votes) -> Iterator[str]:
    for candidate in votes.candidates:
        reasons, quotes = votes.reasons(candidate), votes.quotes(candidate)
        if reasons or quotes:
            yield ""
            yield f"where {candidate} was weaker:"
        for reason in dict.fromkeys([*sorted(reasons, key=lambda name: -reasons[name]), *quotes]):
            yield f"  {reason or 'without a tag'}{f' ({reasons[reason]})' if reason else ''}"
            for quote in quotes.get(reason, ())[:MOST_QUOTES]:
                yield f"    “{' '.join(quote.comment.split())}” ({quote.rater}, case {quote.case_id})"
