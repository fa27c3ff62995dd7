"""First of all: the verdict in words, one card for each candidate."""

from __future__ import annotations

from collections.abc import Iterator

from finetune_lib.evaluation.report.comparing import Comparison
from finetune_lib.evaluation.report.views.outcomes import axis_of, bar, picture, shares
from finetune_lib.evaluation.report.views.phrases import SYMBOLS, caveats, headline, key, meaning, shown_numbers, told
from finetune_lib.evaluation.report.views.plots import scale
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.markup import Content, Markup, tag
from finetune_lib.pages.unseen import visible_markup

ORDER = ("better", "equivalent", "not shown", "worse")


def verdicts(view: View) -> Iterator[Markup]:
    """The cards, or why there are none."""
    decided = [comparisons for name in view.others if (comparisons := view.of_candidate(name))]
    if len(decided) > 1:
        yield _summary([found[0] for found in decided], view)
    if decided:
        decided.sort(key=lambda found: (ORDER.index(found[0].outcome), -found[0].estimate.value))
        yield tag("div", *(_card(found, view) for found in decided), class_="cards")
    else:
        yield tag("p", view.words["no_pairs" if view.others else "one_candidate"], class_="card")


def _summary(found: list[Comparison], view: View) -> Markup:
    """Who is better, who is not, in one line."""
    groups = {outcome: [c for c in found if c.outcome == outcome] for outcome in ORDER}
    parts: list[Content] = []
    for several in filter(None, groups.values()):
        names = visible_markup(view.words["comma"].join(c.candidate for c in several))
        parts.append(tag("span", badge(several[0], view), Markup(" "), names))
    basis = view.words["basis"].format(baseline=view.baseline, measure=view.named(found[0].scorer))
    return tag("p", *parts, tag("small", visible_markup(basis)), class_="summary")


def badge(c: Comparison, view: View) -> Markup:
    """The outcome with its symbol: colour alone tells nobody anything. What does not decide has none."""
    if not view.decides(c):
        return tag("span", view.words["also_measured"], class_="outcome also")
    symbol = tag("span", SYMBOLS[c.outcome], aria_hidden="true")
    return tag("span", symbol, Markup(" "), view.words[f"{key(c)}_short"], class_=f"outcome {key(c)}")


def _card(found: list[Comparison], view: View) -> Markup:
    first, *others = found
    notes = [tag("li", visible_markup(text)) for text in caveats(first, view)]
    body: list[Content] = [
        tag("h3", badge(first, view), Markup(" "), visible_markup(headline(first, view.words))),
        tag("p", tag("b", shown_numbers(first)[0]), tag("small", visible_markup(told(first, view))), class_="hero"),
        picture(first, view),
        scale(axis_of(view.of_measure(first.scorer))),
        bar(first, view),
        shares(first, view),
        tag("p", meaning(first, view.words), class_="soft"),
        *([tag("ul", *notes)] if notes else []),
        *([_others(others, view)] if others else []),
    ]
    return tag("article", *body, class_=f"card {key(first)}")


def _others(found: list[Comparison], view: View) -> Markup:
    rows = (
        tag(
            "tr",
            tag("th", visible_markup(view.named(c.scorer)), scope="row"),
            tag("td", badge(c, view)),
            tag("td", picture(c, view), class_="drawn"),
            tag("td", shown_numbers(c)[0], class_="number"),
        )
        for c in found
    )
    caption = tag("caption", view.words["other_measures"])
    return tag("table", caption, tag("tbody", *rows), class_="others")
