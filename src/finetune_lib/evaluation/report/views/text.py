"""An evaluation in a terminal: the verdict first, then the numbers behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import indent

from finetune_lib.evaluation.report.comparing import Comparison
from finetune_lib.evaluation.report.measured import Measured
from finetune_lib.evaluation.report.views.expense import judging_told, rows, run_told
from finetune_lib.evaluation.report.views.failing import groups
from finetune_lib.evaluation.report.views.numbers import MINUS, number
from finetune_lib.evaluation.report.views.phrases import advice, facts, headline, many, says_nothing
from finetune_lib.evaluation.report.views.regressions import area_header, area_rows, beside, conclusion, regressions_of
from finetune_lib.evaluation.report.views.tables import (
    category_rows,
    coverage_header,
    coverage_rows,
    measure_header,
    measure_rows,
)
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.terminal import table
from finetune_lib.pages.unseen import visible
from finetune_lib.pages.wording import number_of
from finetune_lib.texts.languages import Language

SHOWN_FAILURES, SHOWN_CASES = 5, 5


def report_text(report: Measured, lang: Language | None = None, *, margin: float | None = None) -> str:
    """Verdicts, means, categories, money and time, and failures."""
    view = View.of(report, lang, margin=margin)
    parts = (_verdicts(view), _means(view), _categories(view), _regressions(view), _expense(view), _failures(view))
    # A minus that can be searched for and copied.
    return "\n\n".join(block for part in parts for block in part).replace(MINUS, "-")


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return table(list(map(visible, header)), [list(map(visible, line)) for line in lines])


def _verdicts(view: View) -> Iterator[str]:
    for name in view.others:
        if found := view.of_candidate(name):
            yield "\n".join(_verdict(found, view))


def _verdict(found: list[Comparison], view: View) -> Iterator[str]:
    first, *others = found
    yield visible(view.words["line"].format(one=headline(first, view.words), other=facts(first, view)))
    yield from (f"  {visible(text)}" for text in advice(first, view))
    if others:
        yield indent(_table(measure_header(view), [row[1:] for row in measure_rows(others, view)]), "  ")


def _means(view: View) -> Iterator[str]:
    report = view.report
    if report.scorers:
        header = [number_of(view.words, "cases_counted", len(report.cases)), *report.scorers]
        yield _table(header, [[name, *(_mean(name, s, view) for s in report.scorers)] for name in report.candidates])
        yield from (
            view.words["all_lowest"].format(measure=visible(s)) for s in report.scorers[1:] if says_nothing(s, view)
        )

        if lines := coverage_rows(view):
            yield _table(coverage_header(view), lines)


def _mean(name: str, scorer: str, view: View) -> str:
    """The mean with its interval; where groups count, theirs, which decides, beside the plain one."""
    found = view.interval(name, scorer)
    text = number(view.report.mean(name, scorer=scorer))
    if found is None:
        return text
    beside = f" ({view.words['of_cases'].format(mean=text)})" if found.clusters else ""
    return f"{number(found.value)} [{number(found.low)}, {number(found.high)}]{beside}"


def _categories(view: View) -> Iterator[str]:
    report = view.report
    if report.categories and report.scorers:
        header = [report.scorers[0], view.words["support"], *report.candidates]
        yield _table(header, category_rows(view))


def _regressions(view: View) -> Iterator[str]:
    for found in regressions_of(view):
        told = [_table(area_header(found, view), area_rows(found, view)), *map(visible, beside(found, view))]
        yield "\n".join([visible(conclusion(found, view)), *(indent(text, "  ") for text in told)])


def _expense(view: View) -> Iterator[str]:
    """Tokens, price and time, where any model was asked."""
    if any(view.report.expense(name).prompt_tokens for name in view.report.candidates):
        yield _table([view.words["for_an_answer"], *view.report.candidates], rows(view))
    yield from filter(None, (run_told(view), judging_told(view)))


def _failures(view: View) -> Iterator[str]:
    words, failures = view.words, view.report.failures
    if found := groups(failures):
        shown = (
            f"  {', '.join(group.candidates)}: {group.reason} "
            f"({len(group.failures):,}: {many(group.cases, words, most=SHOWN_CASES)})"
            for group in found[:SHOWN_FAILURES]
        )
        left = len(found) - SHOWN_FAILURES
        rest = [f"  {words['and_more'].format(number=left)}"] if left > 0 else []
        yield "\n".join([words["failed_counted"].format(number=len(failures)), *map(visible, shown), *rest])
