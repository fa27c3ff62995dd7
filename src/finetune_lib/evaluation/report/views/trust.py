"""Whether judge and experts can be trusted with a verdict: order, length, agreement, each as a check that is passed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from math import isnan
from typing import TYPE_CHECKING

from finetune_lib.evaluation.judges import JudgeQuality, Places
from finetune_lib.evaluation.report.views.numbers import number, p_value, percent
from finetune_lib.evaluation.report.views.phrases import many
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.markup import Content, Markup, tag
from finetune_lib.pages.unseen import visible_markup
from finetune_lib.pages.wording import Words
from finetune_lib.statistics import Estimate

if TYPE_CHECKING:
    from finetune_lib.evaluation.review import Votes

Check = tuple[str, bool]  # what is to say, and whether it is a warning
MANY_MISSING = 0.05
MOST_DISPUTED = 8


def trust(view: View) -> Iterator[Markup]:
    """One list of checks for the judge of each pair, and one for the experts."""
    for name in view.others if view.report.judgments else ():
        if (name, "judge") in view.comparisons:
            pair = view.words["compared_with"].format(candidate=name, baseline=view.baseline)
            title = view.words["titled"].format(name=view.words["judge_quality"], pair=pair)
            yield _list(title, chain(judge_checks(view.quality(name), view.words), _of_family(name, view)))
    if view.report.votes:
        yield _list(view.words["experts_agreement"], expert_checks(view.report.votes, view.words))


def _list(title: str, checks: Iterator[Check]) -> Markup:
    items: list[Content] = []
    for text, warns in checks:
        mark = tag("span", "⚠" if warns else "✓", aria_hidden="true", class_="mark")
        items.append(tag("li", mark, Markup(" "), visible_markup(text), class_="warns" if warns else "holds"))
    return Markup(f"{tag('h3', visible_markup(title))}{tag('ul', *items, class_='checks')}")


def judge_checks(quality: JudgeQuality, words: Words) -> Iterator[Check]:
    """What is known of a judge."""
    calls = words["quality_calls"].format(
        judge=quality.judge, pairs=quality.places.pairs, missing=quality.missing, asked=quality.asked
    )
    yield calls, quality.missing > MANY_MISSING * max(1, quality.asked)
    yield from _of_places(quality.places, words)
    yield from _of_length(quality, words)
    if quality.panel:
        yield words["quality_panel"].format(alpha=_numbers(quality.panel, words)), False
    if quality.people:
        name = "quality_people" if quality.trusted else "quality_people_not"
        yield words[name].format(kappa=_numbers(quality.people, words), n=quality.people.n), not quality.trusted
    else:
        yield words["quality_no_people"], True
    if quality.corrected:
        yield words["quality_corrected"].format(share=_percents(quality.corrected, words)), False


def _of_family(candidate: str, view: View) -> Iterator[Check]:
    """Judges that have one of their own family before them."""
    for judge, names in view.report.self_preference.items():
        if kin := [name for name in names if name in (candidate, view.baseline)]:
            yield view.words["quality_family"].format(judge=judge, names=view.words["comma"].join(kin)), True


def _of_places(places: Places, words: Words) -> Iterator[Check]:
    if places.consistency:
        share = _percents(places.consistency, words)
        yield words["quality_orders"].format(share=share), places.consistency.high < 0.5
    if places.first:
        share = _percents(places.first, words)
        name = f"quality_favours_{places.favoured}" if places.favoured else "quality_no_place"
        p = p_value(places.leaning.p or 0.0) if places.leaning else ""
        yield words[name].format(share=share, p=p), bool(places.favoured)


def _of_length(quality: JudgeQuality, words: Words) -> Iterator[Check]:
    if quality.length and quality.win_rate:
        rates = {"equal": percent(quality.length.controlled.value), "all": percent(quality.win_rate.value)}
        name = f"quality_{quality.favoured_length}" if quality.favoured_length else "quality_no_length"
        yield words[name].format(**rates), bool(quality.favoured_length)


def expert_checks(votes: Votes, words: Words) -> Iterator[Check]:
    """Who voted, and how far they agree with each other and with themselves."""
    raters = words["comma"].join(votes.raters)
    yield words["experts_counted"].format(votes=len(votes.votes), number=len(votes.raters), raters=raters), False
    share = votes.percent_agreement()
    if share is not None:
        alpha = votes.agreement()
        known = words["same_always"] if isnan(alpha.value) else _numbers(alpha, words)
        yield words["experts_agree"].format(share=percent(share), alpha=known), not isnan(alpha.value) and alpha.low < 0
    for rater, found in votes.self_consistency.items():
        told = words["experts_repeat"].format(rater=rater, same=found.same, repeats=found.repeats)
        yield told, found.share < 0.5
    if disputed := [one.case_id for one in votes.disputed]:
        yield words["experts_disputed"].format(cases=many(disputed, words, most=MOST_DISPUTED)), False


def _percents(e: Estimate, words: Words) -> str:
    return words["interval"].format(value=percent(e.value), low=percent(e.low), high=percent(e.high), level="95 %")


def _numbers(e: Estimate, words: Words) -> str:
    return words["interval"].format(value=number(e.value), low=number(e.low), high=number(e.high), level="95 %")
