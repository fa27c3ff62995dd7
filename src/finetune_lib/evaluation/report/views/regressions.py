"""What tuning broke: the areas of the regression suite, and how much may be lost unseen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from finetune_lib.evaluation.report.regressions import Regression, Regressions
from finetune_lib.evaluation.report.views.numbers import MINUS, percent
from finetune_lib.evaluation.report.views.phrases import many
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.markup import Markup, table, tag
from finetune_lib.pages.unseen import visible_markup
from finetune_lib.pages.wording import number_of

AREAS = {
    "instructions and form": "area_instructions",
    "arithmetic and reading": "area_reading",
    "system prompt and not knowing": "area_system",
}
MARKS = {"better": "▲", "worse": "▼", "not shown": "?", "cannot tell": "?"}
MOST_LOST = 10


def regressions(view: View) -> Iterator[Markup]:
    """A sentence and a table for each candidate."""
    found = regressions_of(view)
    if found:
        yield tag("p", visible_markup(suite_told(view)), class_="soft")
    for one in found:
        yield tag("p", tag("b", visible_markup(conclusion(one, view))))
        header = [visible_markup(name) for name in area_header(one, view)]
        rows = [list(map(visible_markup, row)) for row in area_rows(one, view)]
        yield tag("div", table(header, rows), class_="compact")
        yield from (tag("p", visible_markup(text), class_="soft") for text in beside(one, view))


def regressions_of(view: View) -> list[Regressions]:
    """Of each candidate that has answers of the suite."""
    found: list[Regressions] = []
    for name in view.others if view.report.regression_suite else ():
        try:
            found.append(view.report.regressions(name))
        except ValueError:  # no answer of both: the failures of the suite say why
            continue
    return found


def suite_told(view: View) -> str:
    """What the suite is."""
    suite = view.report.regression_suite
    assert suite is not None  # noqa: S101 - asked only where there is one
    counted = number_of(view.words, "cases_counted", len(suite.cases))
    return view.words["regressions_told"].format(suite=suite.run.golden_name, cases=counted)


def conclusion(found: Regressions, view: View) -> str:
    """What follows, in one sentence."""
    names = {"candidate": found.candidate, "baseline": found.baseline}
    if found.toys:
        return view.words["regression_toys"].format(names=view.words["comma"].join(found.toys))
    if found.worse:
        areas = view.words["comma"].join(area_named(name, view) for name in found.worse)
        return view.words["regression_worse"].format(areas=areas, **names)
    if found.whole.change == "worse":
        return view.words["regression_whole"].format(**names)
    if found.whole.change == "cannot tell":
        return view.words["regression_nothing"].format(**names)
    weakest = found.weakest
    area = view.words["all_cases"] if weakest is found.whole else area_named(weakest.area, view)
    return view.words["regression_unseen"].format(loss=f"{100 * found.largest_loss:.1f}", area=area, **names)


def area_named(name: str, view: View) -> str:
    """An area of the library's suite in the language of the page; others as they are called."""
    return view.words[AREAS[name]] if name in AREAS else view.category(name)


def area_header(found: Regressions, view: View) -> list[str]:
    """The names of the columns."""
    words = view.words
    most = words["at_most_lost"].format(level=found.level)
    change = words["change_points"]
    return [words["area"], words["outcome"], change, most, found.baseline, found.candidate, words["support"]]


def area_rows(found: Regressions, view: View) -> list[list[str]]:
    """An area a row, then all together."""
    rows = [_row(area_named(one.area, view), one, view) for one in found.areas]
    if len(rows) != 1:
        rows.append(_row(view.words["all_cases"], found.whole, view))
    return rows


def _row(name: str, one: Regression, view: View) -> list[str]:
    e = one.comparison.estimate
    change = f"{100 * e.value:+.1f}".replace("-", MINUS)
    word = view.words[f"{one.change}_short".replace(" ", "_")]
    outcome = f"{MARKS[one.change]} {word}"
    shares = percent(one.before), percent(one.after)
    return [name, outcome, change, f"{100 * one.largest_loss:.1f}", *shares, f"{e.n:,}"]


def beside(found: Regressions, view: View) -> Iterator[str]:
    """Which cases were lost, and what is missing."""
    lost: Sequence[str] = found.whole.lost
    if lost:
        yield view.words["lost_named"].format(cases=many(lost, view.words, most=MOST_LOST))
    if found.unanswered:
        areas = view.words["comma"].join(area_named(name, view) for name in found.unanswered)
        yield view.words["regression_silent"].format(areas=areas)
    if missing := found.whole.comparison.missing:
        yield number_of(view.words, "regression_missing", missing)
