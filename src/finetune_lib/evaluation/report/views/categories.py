"""Where a candidate is better and where it is not: a forest plot of the categories, and the mean scores in each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from finetune_lib.evaluation.report.comparing import CategoryComparison, Comparison
from finetune_lib.evaluation.report.views.numbers import number, p_value
from finetune_lib.evaluation.report.views.outcomes import axis_of, pick, picture
from finetune_lib.evaluation.report.views.phrases import shown_numbers
from finetune_lib.evaluation.report.views.plots import Axis, scale
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.markup import Content, Markup, table, tag
from finetune_lib.pages.unseen import visible_markup


def categories(view: View) -> Iterator[Markup]:
    """Forest plots of the deciding measure, those of the others folded, and the means."""
    if not view.report.categories:
        return
    measures = view.report.measures
    if view.comparisons:
        yield tag("p", view.words["exploratory"], class_="soft")
        yield _forests(measures[0], view)
        for measure in () if view.fragment else measures[1:]:
            head = tag("summary", visible_markup(view.named(measure)))
            yield tag("details", head, _forests(measure, view), class_="folded-part")
    if view.report.scorers:
        yield tag("h3", view.words["means_by_category"])
        yield _means(view)


def _forests(measure: str, view: View) -> Markup:
    found = {
        c: view.report.by_category(c.candidate, baseline=c.baseline, scorer=measure) for c in view.of_measure(measure)
    }
    axis = axis_of([*found, *(one.comparison for several in found.values() for one in several)])
    return tag("div", *(_forest(c, several, axis, view) for c, several in found.items()), class_="forests")


def _forest(whole: Comparison, found: Sequence[CategoryComparison], axis: Axis, view: View) -> Markup:
    words = view.words
    title = words["compared_with"].format(candidate=whole.candidate, baseline=whole.baseline)
    named = f"{title}: {view.named(whole.scorer)}"
    columns = (tag("th", words["category"], scope="col"), tag("th", "n", scope="col"))
    drawn = tag("th", scale(axis), scope="col", class_="drawn")
    head = tag(
        "thead",
        tag(
            "tr", *columns, drawn, tag("th", words["interval_name"].format(level=view.report.design.level), scope="col")
        ),
    )
    rows = [_row(one.category, one.comparison, axis, view, few=one.too_few) for one in found]
    total = _row(words["all_cases"], whole, axis, view, few=False, whole=True)
    caption = tag("caption", visible_markup(named))
    return tag("table", caption, head, tag("tbody", *rows, total), class_="plotted forest")


def _row(name: str, c: Comparison, axis: Axis, view: View, *, few: bool, whole: bool = False) -> Markup:
    shown_name = view.category(name)
    value, low, high = shown_numbers(c)
    mark: Content = tag("small", view.words["too_few"]) if few else tag("small", p_value(c.p))
    link = pick(shown_name, view, candidate=c.candidate, measure=c.scorer, **({} if whole else {"category": name}))
    return tag(
        "tr",
        tag("th", visible_markup(shown_name) if whole else link, scope="row"),
        tag("td", f"{c.estimate.n:,}", class_="number"),
        tag("td", picture(c, view, axis), class_="drawn"),
        tag("td", tag("b", value), Markup(" "), tag("small", f"{low} – {high}"), Markup("<br>"), mark, class_="number"),
        class_="all" if whole else "few" if few else "",
    )


def _means(view: View) -> Markup:
    report = view.report
    rows: list[list[Content]] = []
    for category in report.categories:
        means = (_mean(report.mean(name, category=category)) for name in report.candidates)
        rows.append([visible_markup(view.category(category)), f"{report.count(category):,}", *means])
    return table([view.words["category"], view.words["support"], *map(visible_markup, report.candidates)], rows)


def _mean(value: float | None) -> Markup:
    share = f"{min(max(value or 0.0, 0.0), 1.0):.1%}"
    filled = tag("svg", tag("rect", width=share, height="100%"), class_="level", aria_hidden="true")
    return tag("span", filled, Markup(" "), number(value), class_="leveled")
