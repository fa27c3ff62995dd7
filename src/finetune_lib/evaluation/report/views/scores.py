"""Each measure drawn: the candidates' own scores, and how far they are from the baseline."""

from __future__ import annotations

from collections.abc import Iterator

from finetune_lib.evaluation.report.comparing import Comparison
from finetune_lib.evaluation.report.views.distributions import distribution
from finetune_lib.evaluation.report.views.numbers import number, p_value
from finetune_lib.evaluation.report.views.outcomes import axis_of, bar, picture, shares
from finetune_lib.evaluation.report.views.phrases import says_nothing, shown_numbers
from finetune_lib.evaluation.report.views.plots import Axis, empty, over, scale, whisker
from finetune_lib.evaluation.report.views.tables import coverage_header, coverage_rows
from finetune_lib.evaluation.report.views.verdict import badge
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.markup import Content, Markup, table, tag
from finetune_lib.pages.unseen import visible_markup
from finetune_lib.statistics import Estimate


def scores(view: View) -> Iterator[Markup]:
    """One table for each measure."""
    for place, measure in enumerate(view.report.measures):
        yield _measure(measure, view, deciding=place == 0 and bool(view.others))
        if says_nothing(measure, view):
            yield tag("p", "⚠ ", visible_markup(view.words["all_lowest"].format(measure=measure)), class_="warns")
        if measure in view.report.scorers and (spread := distribution(measure, view)):
            yield spread
    if view.others:
        yield tag("p", view.words["how_to_read"], class_="soft")
    if view.margin:
        yield tag("p", view.words["margin_shown"].format(margin=number(view.margin)), class_="soft")
    if rows := coverage_rows(view):
        yield tag("h3", view.words["coverage"])
        header = list(map(visible_markup, coverage_header(view)))
        yield tag("div", table(header, (map(visible_markup, row) for row in rows)), class_="compact")


def _measure(measure: str, view: View, *, deciding: bool) -> Markup:
    own = measure in view.report.scorers
    found = {c.candidate: c for c in view.of_measure(measure)}
    names = view.report.candidates if own else tuple(found)
    estimates = {name: view.interval(name, measure) for name in names} if own else {}
    ends = [end for e in estimates.values() if e for end in (e.low, e.high)]
    axes = over(ends) if own else None, axis_of(list(found.values())) if found else None
    mark = [Markup(" "), tag("span", view.words["decides"], class_="badge")] if deciding else []
    rows = (_row(name, measure, estimates.get(name), found.get(name), axes, view) for name in names)
    head = tag("thead", tag("tr", *_header(axes, found, view)))
    title = tag("caption", tag("h3", visible_markup(view.named(measure)), *mark))
    return tag("table", title, head, tag("tbody", *rows), class_="plotted measure")


Axes = tuple[Axis | None, Axis | None]


def _header(axes: Axes, found: dict[str, Comparison], view: View) -> Iterator[Markup]:
    words = view.words
    yield tag("th", words["candidate"], scope="col")
    if axes[0]:
        yield tag("th", words["score"], scale(axes[0]), scope="col", class_="drawn")
        yield tag("th", words["interval_name"].format(level="95 %"), scope="col")
    else:
        yield from (tag("td", class_="drawn"), tag("td"))
    if axes[1]:
        name = "prefers" if any(c.win_rate for c in found.values()) else "against"
        title = visible_markup(words[name].format(baseline=view.baseline))
        yield tag("th", title, scale(axes[1]), scope="col", class_="drawn")
        yield tag("th", words["interval_name"].format(level=view.report.design.level), scope="col")
        yield tag("th", words["won_tied_lost"], scope="col", class_="drawn")


def _row(name: str, measure: str, score: Estimate | None, c: Comparison | None, axes: Axes, view: View) -> Markup:
    mark = [Markup(" "), tag("small", view.words["baseline"])] if name == view.baseline else []
    cells = [tag("th", visible_markup(name), *mark, scope="row")]
    if axes[0] is None:
        cells += [tag("td", class_="nothing")] * 2
    else:
        cells += _score(score, view.report.mean(name, scorer=measure), axes[0], view)
    if axes[1]:
        cells += _difference(c, axes[1], view) if c else [tag("td", class_="nothing")] * 3
    return tag("tr", *cells)


def _score(score: Estimate | None, mean: float | None, axis: Axis, view: View) -> list[Markup]:
    label = view.words["score"]
    if score is None:
        return [tag("td", empty(axis), class_="drawn", data_label=label), tag("td", number(mean), class_="number")]
    text = f"{number(score.low)} – {number(score.high)}"
    drawn = whisker(axis, (score.value, score.low, score.high), label=f"{number(score.value)} ({text})")
    value: list[Content] = [tag("b", number(score.value)), Markup(" "), tag("small", text)]
    if score.clusters:  # the mean of the groups decides; the plain one stands beside it
        value += [Markup("<br>"), tag("small", view.words["of_cases"].format(mean=number(mean)))]
    return [tag("td", drawn, class_="drawn", data_label=label), tag("td", *value, class_="number")]


def _difference(c: Comparison, axis: Axis, view: View) -> list[Markup]:
    value, low, high = shown_numbers(c)
    told: list[Content] = [tag("b", value), Markup(" "), tag("small", f"{low} – {high}"), Markup("<br>")]
    told += [tag("small", p_value(c.p), " (Holm)" if c.family > 1 else ""), Markup(" "), badge(c, view)]
    return [
        tag("td", picture(c, view, axis), class_="drawn", data_label=view.words["difference_name"]),
        tag("td", *told, class_="number"),
        tag("td", bar(c, view), shares(c, view, short=True), class_="drawn counts"),
    ]
