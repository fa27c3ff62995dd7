"""What there is to say of a judge, in sentences for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finetune_lib.evaluation.judges.order import Places
    from finetune_lib.evaluation.judges.trust import JudgeQuality
    from finetune_lib.statistics import Estimate

Sentence = tuple[str, bool]
# Missing verdicts from here on may be what decides.
MANY_MISSING = 0.05


def sentences(quality: JudgeQuality) -> Iterator[Sentence]:
    """What is known of a judge, each sentence with whether it is a warning."""
    yield _of_calls(quality)
    if quality.places.consistency:
        yield _of_consistency(quality.places.consistency)
    if quality.places.first:
        yield _of_place(quality.places, quality.places.first)
    if quality.length and quality.win_rate:
        yield _of_length(quality, quality.length.controlled, quality.win_rate)
    if quality.panel:
        yield f"The members of the panel agree with Krippendorff's alpha {_number(quality.panel)}.", False
    if quality.people:
        yield _of_people(quality.people, trusted=bool(quality.trusted))
    if quality.corrected:
        yield f"By people's votes the win rate is {_percent(quality.corrected)}.", False


def _of_calls(quality: JudgeQuality) -> Sentence:
    if not quality.asked:
        return f"{quality.judge}: nothing was judged.", False
    missing = f"{quality.missing} of {quality.asked} calls gave no verdict"
    many = quality.missing > MANY_MISSING * quality.asked
    text = f"{quality.judge}: {quality.places.pairs} pairs of answers judged in both orders; {missing}."
    return f"{text} What is missing may decide." if many else text, many


def _of_consistency(share: Estimate) -> Sentence:
    text = f"In {_percent(share)} of the pairs the verdict is the same in both orders"
    return f"{text}; the order decides more than the answers." if share.high < 0.5 else f"{text}.", share.high < 0.5


def _of_place(places: Places, share: Estimate) -> Sentence:
    chosen = f"the first answer was chosen in {_percent(share)} of {share.n} calls without a tie"
    twice = f"{places.first_both} pairs went to the first answer in both orders, {places.second_both} to the second"
    if places.favoured is None or places.leaning is None:
        return f"No favour for a place is shown: {chosen}; {twice}.", False
    averaged = "Both orders are averaged, which takes this out of the win rate but leaves less to see in it"
    return f"It favours the {places.favoured} answer{_p(places.leaning)}: {chosen}; {twice}. {averaged}.", True


def _of_length(quality: JudgeQuality, controlled: Estimate, rate: Estimate) -> Sentence:
    rates = f"at equal length the win rate is {_percent(controlled)}, over all {_percent(rate)}"
    if quality.favoured_length is None or quality.length is None:
        return f"No effect of the length is shown: {rates}.", False
    said = f"It favours {quality.favoured_length} answers{_p(quality.length.coefficient)}: {rates}"
    return f"{said}. They may be better, too; people can tell.", True


def _of_people(alpha: Estimate, *, trusted: bool) -> Sentence:
    agreed = f"With people it agrees with Krippendorff's alpha {_number(alpha)} on {alpha.n} cases"
    if trusted:
        return f"{agreed}: enough to rest a headline on the judge.", False
    needed = "the interval must begin at 0.4 or above, on 50 cases or more"
    return f"{agreed}: the headline must not rest on the judge; {needed}.", True


def _percent(share: Estimate) -> str:
    return f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})"


def _number(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"


def _p(estimate: Estimate) -> str:
    p = 1.0 if estimate.p is None else estimate.p
    return " (p < 0.001)" if p < 0.001 else f" (p = {p:.3f})"
