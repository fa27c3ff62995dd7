"""Every case with all answers beside each other: built by a script as they are looked at, the first ones without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from finetune_lib.evaluation.report.results import Result
from finetune_lib.evaluation.report.views.data import data_script
from finetune_lib.evaluation.report.views.numbers import number
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.markup import Markup, table, tag
from finetune_lib.pages.unseen import visible_markup
from finetune_lib.texts.scripts import language_of

SHOWN, SHOWN_IN_FRAGMENT = 20, 10  # cases that need no script
CHARACTERS = 600
ON_PAPER = 100  # as in the script
ORDERS = ("in_order", "worst_first", "best_first", "apart_first", "longest_first")
OUTCOMES = ("win", "loss", "tie", "missing", "failed", "contaminated")
DIFFERENCES = ("no_differences", "with_expected", "with_baseline")


def cases(view: View) -> Iterator[Markup]:
    """The tools, the place where the script puts the cases, and the first cases in plain HTML."""
    if not view.fragment:
        yield tag("p", view.words["keys_told"], class_="soft", id="keys-told", hidden="")
        yield _tools(view)
    yield tag("div", *_plain(view), id="cases-list")
    if not view.fragment:
        yield tag("p", view.words["no_match"], id="no-match", hidden="")
        yield tag("button", view.words["next_cases"], type="button", id="next-cases", hidden="")
        yield tag("p", view.words["more_on_paper"].format(number=ON_PAPER), id="paper", class_="paper", hidden="")
        yield data_script(view)


def _tools(view: View) -> Markup:
    """Search, filters, order; hidden where there is no script."""
    words = view.words
    search = tag("input", type="search", id="search", placeholder=words["search"], aria_label=words["search_name"])
    count = tag("output", "", id="count", aria_live="polite")
    parts = (tag("summary", words["filters"]), tag("div", *_choices(view), class_="row"), _columns(view))
    choices = tag("details", *parts, class_="choices", open="")
    return tag("div", tag("div", search, count, class_="row"), choices, class_="filters", id="tools", hidden="")


def _choices(view: View) -> Iterator[Markup]:
    words, report = view.words, view.report
    if view.others:
        yield _select("candidate", words["candidate_chosen"], ((name, name) for name in view.others))
        measures = ((measure, view.named(measure)) for measure in report.measures)
        yield _select("measure", words["measure_chosen"], measures)
    outcomes = ((name, words[f"outcome_{name}"]) for name in (OUTCOMES if view.others else ("failed",)))
    yield _select("outcome", words["outcome"], [("", words["every_outcome"]), *outcomes])
    if report.categories:
        named = ((f"={name}", view.category(name)) for name in report.categories)
        yield _select("category", words["category"], [("", words["every_category"]), *named])
    yield _select("order", words["order"], ((name, words[name]) for name in ORDERS))
    yield _select("differences", words["differences"], ((name, words[name]) for name in DIFFERENCES))
    yield tag("button", words["clear"], type="button", id="clear")


def _select(name: str, label: str, options: Iterable[tuple[str, str]]) -> Markup:
    given = (tag("option", visible_markup(text), value=value) for value, text in options)
    return tag("select", *given, id=f"choose-{name}", aria_label=label)


def _columns(view: View) -> Markup:
    """Which answers are shown: on a phone two are easier to read than five."""
    boxes = (
        tag("label", tag("input", type="checkbox", checked="", value=name), Markup(" "), visible_markup(name))
        for name in view.report.candidates
    )
    return tag("fieldset", tag("legend", view.words["columns"]), *boxes, id="columns")


def _plain(view: View) -> Iterator[Markup]:
    """The first cases as a table."""
    report, words, names = view.report, view.words, view.report.candidates
    most = SHOWN_IN_FRAGMENT if view.fragment else SHOWN
    rows = (
        [_text(case.prompt), _text(case.expected), *(_answer(report.results[name][place], view) for name in names)]
        for place, case in enumerate(report.cases[:most])
    )
    yield table([words["question"], words["expected"], *map(visible_markup, names)], rows)
    if len(report.cases) > most:
        yield tag("p", words["first_cases"].format(number=most, all=len(report.cases)), class_="soft")
    if not view.fragment:
        yield tag("p", words["only_here"], class_="soft")


def _text(text: str) -> Markup:
    shown = text[:CHARACTERS] + "…" * (len(text) > CHARACTERS)
    language = language_of(shown)
    return tag("span", visible_markup(shown), class_="answer", dir="auto", **({"lang": language} if language else {}))


def _answer(result: Result, view: View) -> Markup:
    if result.answer.error:
        return tag("span", visible_markup(f"{view.words['no_answer']}: {result.answer.error}"), class_="soft")
    scores = " · ".join(f"{name} {number(value)}" for name, value in result.scores.items())
    score = tag("small", visible_markup(scores), class_="soft")
    text = _text(result.answer.text) if result.answer.text else tag("span", view.words["empty"], class_="soft")
    return Markup(f"{text}{score}")
