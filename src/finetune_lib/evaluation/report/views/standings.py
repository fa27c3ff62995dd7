"""Candidates with each other: one scale for all, and who won how often against whom."""

from __future__ import annotations

from collections.abc import Iterator

from finetune_lib.errors import MissingExtraError
from finetune_lib.evaluation.report.views.numbers import DASH, number
from finetune_lib.evaluation.report.views.plots import Axis, scale, whisker
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.markup import Content, Markup, table, tag
from finetune_lib.pages.unseen import visible_markup
from finetune_lib.statistics import Estimate

STRENGTH = Axis(0.0, 1.0, (0.0, 0.5, 1.0))


def standings(view: View) -> Iterator[Markup]:
    """The ranking by the deciding measure, of three candidates and more."""
    found = ranked(view)
    if len(found) < 3 or view.fragment:
        return
    words = view.words
    yield tag("p", words["ranking_told"].format(measure=view.named(view.report.measures[0])), class_="soft")
    head = tag("tr", *(tag("th", cell, scope="col", class_=kind) for cell, kind in _header(view)))
    rows = (_row(place, name, e) for place, (name, e) in enumerate(found.items(), start=1))
    yield tag("table", tag("thead", head), tag("tbody", *rows), class_="plotted ranking")
    yield tag("h3", words["against_each_other"])
    yield table([words["candidate"], *map(visible_markup, found)], _matrix(list(found), view))


def ranked(view: View) -> dict[str, Estimate]:
    """The ranking; empty where nothing can be ranked."""
    try:
        return view.report.ranking(scorer=view.report.measures[0]) if view.others and view.report.measures else {}
    except (MissingExtraError, ValueError):  # two groups that never met have no common scale
        return {}


def _header(view: View) -> Iterator[tuple[Content, str]]:
    yield view.words["candidate"], ""
    yield Markup(f"{view.words['strength']}{scale(STRENGTH)}"), "drawn"
    yield view.words["interval_name"].format(level="95 %"), ""


def _row(place: int, name: str, e: Estimate) -> Markup:
    text = f"{number(e.low)} – {number(e.high)}"
    drawn = whisker(STRENGTH, (e.value, e.low, e.high), label=f"{name}: {number(e.value)} ({text})")
    value = tag("td", tag("b", number(e.value)), Markup(" "), tag("small", text), class_="number")
    return tag(
        "tr", tag("th", f"{place}. ", visible_markup(name), scope="row"), tag("td", drawn, class_="drawn"), value
    )


def _matrix(names: list[str], view: View) -> Iterator[list[Content]]:
    for name in names:
        yield [visible_markup(name), *(DASH if name == other else _met(name, other, view) for other in names)]


def _met(name: str, other: str, view: View) -> str:
    """Won, tied and lost against the other one, over the clean cases."""
    report = view.report
    known = report.differences(name, baseline=other, scorer=report.measures[0])
    found = [
        d for case, d in zip(report.cases, known, strict=True) if d is not None and case.id not in report.contaminated
    ]
    wins, losses = sum(d > 0 for d in found), sum(d < 0 for d in found)
    return f"{wins:,}\u00a0·\u00a0{len(found) - wins - losses:,}\u00a0·\u00a0{losses:,}" if found else DASH
