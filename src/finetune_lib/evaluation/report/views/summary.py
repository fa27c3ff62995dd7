"""One page for whoever decides: the verdict, money before and after, what it is worse at, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from time import gmtime, strftime

from finetune_lib.evaluation.report.comparing import Comparison
from finetune_lib.evaluation.report.measured import Measured
from finetune_lib.evaluation.report.views.compared import golden_told
from finetune_lib.evaluation.report.views.numbers import DASH, MINUS, duration, money, number, percent
from finetune_lib.evaluation.report.views.phrases import (
    SYMBOLS,
    advice,
    cut_off,
    key,
    meaning,
    misleading,
    shown_numbers,
)
from finetune_lib.evaluation.report.views.regressions import conclusion, regressions_of
from finetune_lib.evaluation.report.views.verdict import ORDER, badge
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.files import packaged_text
from finetune_lib.pages.document import document
from finetune_lib.pages.markup import Content, Markup, table, tag
from finetune_lib.pages.unseen import visible_markup
from finetune_lib.pages.wording import number_of
from finetune_lib.texts.languages import Language

MANY_LOST = 0.05  # of answers that failed or were cut off: too many to decide on
MOST_CATEGORIES, MOST_CASES, LONGEST = 4, 3, 120


def summary_page(
    report: Measured,
    *,
    candidate: str | None = None,
    lang: Language | None = None,
    margin: float | None = None,
    title: str | None = None,
    full: str | None = None,
) -> str:
    """The page for one candidate, by default the one that does best, against the first one.

    Args:
        report: The report.
        candidate: Whose page it is.
        lang: Of the words.
        margin: A difference too small to matter, by the first measure.
        title: What the page is called.
        full: Where the whole report is, for a link.

    Raises:
        ValueError: There are no two candidates with scores to common cases.
    """
    view = View.of(report, lang, margin=margin, title=title)
    found = [c for c in view.decided if candidate in (None, c.candidate)]
    if not found:
        raise ValueError(f"no page for {candidate or 'a single candidate'}: nothing to compare it with was scored")
    c = min(found, key=lambda c: (ORDER.index(c.outcome), -c.estimate.value))
    parts = (_head(view, full), _conclusion(c, view), _numbers(c, view), _worse(c, view), _steps(c, view), _foot(view))
    body = [block for part in parts for block in part]
    sheet = packaged_text("finetune_lib.evaluation.report.views", "report.css")
    return document(view.title, tag("main", *body, class_="manager"), sheet=sheet, lang=view.lang, kind="evaluation")


def _head(view: View, full: str | None) -> Iterator[Markup]:
    words, run = view.words, view.report.run
    yield tag("h1", visible_markup(view.title))
    day = [words["started"].format(time=strftime("%Y-%m-%d", gmtime(run.started)))] if run.started else []
    yield tag("p", visible_markup(" · ".join([golden_told(view), *day])), class_="soft")
    if full:
        yield tag("p", tag("a", words["full_report"], href=full))


def _conclusion(c: Comparison, view: View) -> Iterator[Markup]:
    """The verdict in one sentence, and what nobody should overlook."""
    words = view.words
    text = words[f"decide_{key(c)}"].format(candidate=c.candidate, baseline=c.baseline, margin=number(c.margin))
    yield tag(
        "section",
        tag("h2", badge(c, view), Markup(" "), visible_markup(text)),
        *(tag("p", visible_markup(said), class_="soft") for said in (*cut_off(c, words), meaning(c, words))),
        *(tag("p", "⚠ ", visible_markup(said), class_="alarm") for said in alarms(c, view)),
        class_=f"card {key(c)}",
    )


def alarms(c: Comparison, view: View) -> Iterator[str]:
    """What makes the page worth less: nobody reads far enough to find it in a table."""
    words, report = view.words, view.report
    yield from misleading(c, view)
    if c.contaminated:
        yield number_of(words, "alarm_contaminated", c.contaminated)
    for name in (c.candidate, c.baseline):
        answered = report.results[name]
        lost = sum(any(a.answer.error or a.answer.cut for a in one.attempts) for one in answered)
        if lost > MANY_LOST * len(answered):
            yield words["alarm_lost"].format(candidate=name, number=lost, all=len(answered))
    if c.scorer == "judge" and view.quality(c.candidate).people is None:
        yield words["alarm_judge"]


def _numbers(c: Comparison, view: View) -> Iterator[Markup]:
    """Now, then, and the difference: right answers, money, time."""
    words = view.words
    now, then = view.report.expense(c.baseline), view.report.expense(c.candidate)
    means = [_mean(name, c, view) for name in (c.baseline, c.candidate)]
    rows: list[list[Content]] = [[visible_markup(view.named(c.scorer)), *means, _difference(c, view)]]
    if now.usd is not None or then.usd is not None:
        prices = [None if e.usd is None else 1000 * e.usd for e in (now, then)]
        saved = None if None in (now.usd, then.usd) else 1000 * ((then.usd or 0.0) - (now.usd or 0.0))
        rows.append(
            [words["per_1000"], *map(money, prices), f"+{money(saved)}" if saved and saved > 0 else money(saved)]
        )
    if now.p95 is not None or then.p95 is not None:
        rows.append([words["most_within"], duration(now.p95), duration(then.p95), ""])
    header = ["", *(visible_markup(name) for name in (c.baseline, c.candidate)), words["difference_name"]]
    yield tag("h2", words["before_after"])
    yield tag("div", table(header, rows), class_="compact")
    worth = view.report.worth(c.candidate, baseline=c.baseline, scorer=c.scorer)
    if worth.break_even_calls is not None:
        yield tag("p", words["pays_after"].format(calls=f"{worth.break_even_calls:,}"))
    others = [one for one in view.decided if one.candidate != c.candidate]
    if others:
        told = words["comma"].join(f"{one.candidate} {SYMBOLS[one.outcome]} {shown_numbers(one)[0]}" for one in others)
        yield tag("p", visible_markup(words["other_candidates"].format(told=told)), class_="soft")


def _mean(name: str, c: Comparison, view: View) -> str:
    """The score that decides: of groups their mean; a judge gives none to one candidate alone."""
    found = view.interval(name, c.scorer) if c.scorer in view.report.scorers else None
    if found is None:
        return DASH
    return percent(found.value) if _right_or_wrong(c, view) else number(found.value)


def _difference(c: Comparison, view: View) -> Markup:
    """In points where answers are right or wrong: 0.12 says less to those who do not count every day."""
    told = shown_numbers(c)
    if _right_or_wrong(c, view):
        told = [f"{100 * x:+.0f}".replace("-", MINUS) for x in (c.estimate.value, c.estimate.low, c.estimate.high)]
    value, low, high = told
    form = view.words["points" if _right_or_wrong(c, view) else "from_to"]
    interval = form.format(low=low, high=high, level=c.design.level)
    return Markup(f"{tag('b', value)}<br>{tag('small', interval)}")


def _right_or_wrong(c: Comparison, view: View) -> bool:
    report = view.report
    names = (c.candidate, c.baseline) if c.scorer in report.scorers else ()
    scores = {s for name in names for s in report.scores(name, scorer=c.scorer) if s is not None}
    return bool(scores) and scores <= {0.0, 1.0}


def _worse(c: Comparison, view: View) -> Iterator[Markup]:
    """Where the other one wins: categories, and the first cases."""
    words = view.words
    yield tag("h2", words["worse_at"].format(candidate=c.candidate))
    yield tag("p", words["won_lost"].format(wins=c.wins, losses=c.losses, ties=c.ties))
    found = view.report.by_category(c.candidate, baseline=c.baseline, scorer=c.scorer)
    weak = [(one.category, one.comparison) for one in found if one.comparison.losses > one.comparison.wins]
    weak.sort(key=lambda one: one[1].wins - one[1].losses)
    items = [
        words["weak_category"].format(name=view.category(name), losses=one.losses, wins=one.wins)
        for name, one in weak[:MOST_CATEGORIES]
    ]
    if items:
        yield tag("ul", *(tag("li", visible_markup(item)) for item in items))
    lost = _lost(c, view)
    if lost:
        yield tag("p", words["lost_cases"], class_="soft")
        yield tag("ul", *(tag("li", visible_markup(text)) for text in lost[:MOST_CASES]))
    if not (items or lost):
        yield tag("p", words["worse_nowhere"].format(candidate=c.candidate))
    for found in regressions_of(view):
        if found.candidate == c.candidate:
            yield tag("p", visible_markup(conclusion(found, view)))


def _lost(c: Comparison, view: View) -> list[str]:
    report = view.report
    known = zip(report.cases, report.differences(c.candidate, baseline=c.baseline, scorer=c.scorer), strict=True)
    lost = sorted(
        ((d, place, case) for place, (case, d) in enumerate(known) if d is not None and d < 0),
        key=lambda one: one[:2],
    )
    return [
        " ".join(case.prompt.split())[:LONGEST] or case.id for _, _, case in lost if case.id not in report.contaminated
    ]


def _steps(c: Comparison, view: View) -> Iterator[Markup]:
    """What to do next, by the outcome."""
    words = view.words
    cheaper = (view.report.worth(c.candidate, baseline=c.baseline, scorer=c.scorer).extra_usd or 0.0) < 0
    name = "do_cheaper" if c.outcome == "equivalent" and cheaper else f"do_{key(c)}"
    steps = [words[name].format(candidate=c.candidate, baseline=c.baseline)]
    steps += [text for text in advice(c, view) if text not in set(misleading(c, view))]
    if c.losses:
        steps.append(words["do_look"].format(number=c.losses))
    yield tag("h2", words["to_do"])
    yield tag("ol", *(tag("li", visible_markup(step)) for step in steps))


def _foot(view: View) -> Iterator[Markup]:
    yield tag("p", view.words["manager_rule"], class_="soft")
