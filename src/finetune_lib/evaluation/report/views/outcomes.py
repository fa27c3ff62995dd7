"""One comparison drawn: its interval, and its wins, ties and losses, which lead to their cases."""

from __future__ import annotations

from finetune_lib.evaluation.report.comparing import Comparison
from finetune_lib.evaluation.report.views.phrases import counts, facts, key
from finetune_lib.evaluation.report.views.plots import SHARES, Axis, around_zero, stacked, whisker
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.markup import Content, Markup, tag
from finetune_lib.pages.wording import number_of

SIGNS = {"wins": ("▲", "win"), "ties": ("=", "tie"), "losses": ("▼", "loss")}


def axis_of(found: list[Comparison]) -> Axis:
    """One axis for comparisons by one measure."""
    if any(c.win_rate for c in found):
        return SHARES
    ends = [end for c in found for end in (c.estimate.low, c.estimate.high)]
    return around_zero([*ends, *(c.margin for c in found if c.margin)])


def picture(c: Comparison, view: View, axis: Axis | None = None) -> Markup:
    """The interval of a comparison."""
    interval = c.win_rate or (c.estimate.value, c.estimate.low, c.estimate.high)
    drawn = axis or axis_of(view.of_measure(c.scorer))
    kind = key(c) if view.decides(c) else "not_shown"
    return whisker(drawn, interval, label=facts(c, view), kind=kind, margin=None if c.win_rate else c.margin)


def bar(c: Comparison, view: View) -> Markup:
    """Wins, ties and losses as one bar."""
    return stacked(c.wins, c.ties, c.losses, label=counts(c, view.words))


def shares(c: Comparison, view: View, *, short: bool = False) -> Markup:
    """The counts under the bar; each leads to its cases."""
    parts: list[Content] = []
    for name, (sign, outcome) in SIGNS.items():
        number = getattr(c, name)
        told = f"{number:,}" if short else number_of(view.words, f"{name}_counted", number)
        parts += [pick(f"{sign} {told}", view, candidate=c.candidate, measure=c.scorer, outcome=outcome), " · "]
    return tag("p", *parts[:-1], class_="shares")


def pick(text: str, view: View, *, outcome: str = "", category: str | None = None, **chosen: str) -> Markup:
    """A link to the cases behind a number; where there is no script it leads to the first of them."""
    if view.fragment:
        return tag("span", text, class_=outcome)
    data = {f"data_{name}": value for name, value in chosen.items()}
    place = {} if category is None else {"data_category": category}
    return tag("a", text, href="#cases", class_=f"pick {outcome}", data_outcome=outcome, **data, **place)
