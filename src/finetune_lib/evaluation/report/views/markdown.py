"""An evaluation for a pull request: the verdict and a short table; the rest is folded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from finetune_lib.evaluation.report.measured import Measured
from finetune_lib.evaluation.report.views.expense import judging_told, rows, run_told
from finetune_lib.evaluation.report.views.failing import groups
from finetune_lib.evaluation.report.views.method import facts
from finetune_lib.evaluation.report.views.numbers import number
from finetune_lib.evaluation.report.views.phrases import SYMBOLS, caveats, headline, many, meaning
from finetune_lib.evaluation.report.views.regressions import area_header, area_rows, beside, conclusion, regressions_of
from finetune_lib.evaluation.report.views.tables import (
    category_rows,
    coverage_header,
    coverage_rows,
    measure_header,
    measure_rows,
)
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.unseen import visible
from finetune_lib.pages.wording import number_of
from finetune_lib.texts.languages import Language

# What would be markup, a mention of a person, a link, or a formula.
_MARKS = re.compile(r"([\\`*_\[\]{}|~!])")
_MENTIONS = {"@": "&#64;", "#": "&#35;", "://": "&#58;//", "www.": "www&#46;", "$": "&#36;"}
SHOWN_FAILURES, SHOWN_CASES = 20, 10


def report_markdown(
    report: Measured, lang: Language | None = None, *, margin: float | None = None, title: str | None = None
) -> str:
    """Markdown of GitHub's and GitLab's kind; what candidates and data say stands in it as text."""
    view = View.of(report, lang, margin=margin, title=title)
    parts = (_head(view), _comparisons(view), _notes(view), _folded(view))
    return "\n\n".join(block for part in parts for block in part) + "\n"


def plain(text: str) -> str:
    """Any text on one line, with nothing in it that Markdown or HTML would obey."""
    shown = _MARKS.sub(r"\\\1", escape(visible(text.replace("\n", " ")), quote=False))
    for mark, harmless in _MENTIONS.items():
        shown = shown.replace(mark, harmless)
    return shown


def table(header: Iterable[str], lines: Iterable[Sequence[str]]) -> str:
    """A table; numbers stand on the right."""
    names = list(map(plain, header))
    ruled = ["|".join(["", *names, ""]), "|".join(["", ":--", *["--:"] * (len(names) - 1), ""])]
    return "\n".join([*ruled, *("|".join(["", *map(plain, line), ""]) for line in lines)])


def _head(view: View) -> Iterator[str]:
    yield f"## {plain(view.title)}"
    lines: list[str] = []
    for c in view.decided:
        said = plain(view.words["ended_sentence"].format(text=headline(c, view.words)))
        lines.append(f"- {SYMBOLS[c.outcome]} **{said}** {plain(meaning(c, view.words))}")
    yield "\n".join(lines) or plain(view.words["no_pairs" if view.others else "one_candidate"])


def _comparisons(view: View) -> Iterator[str]:
    if view.decided:
        header = [view.words["candidate"], *measure_header(view)]
        yield table(header, measure_rows(view.decided, view))


def _notes(view: View) -> Iterator[str]:
    """What is missing and what to do, said of its candidate."""
    form = view.words["line"]
    lines = [f"- {plain(form.format(one=c.candidate, other=text))}" for c in view.decided for text in caveats(c, view)]
    lines += [f"- {plain(conclusion(found, view))}" for found in regressions_of(view)]
    if lines:
        yield "\n".join(lines)


def _folded(view: View) -> Iterator[str]:
    sections = {
        "scores": _scores(view),
        "categories": _categories(view),
        "regressions": _regressions(view),
        "expense": _expense(view),
        "failures": _failures(view),
        "method": _method(view),
    }
    for name, blocks in sections.items():
        if body := "\n\n".join(blocks):
            yield f"<details><summary>{plain(view.words[name])}</summary>\n\n{body}\n\n</details>"


def _scores(view: View) -> Iterator[str]:
    report = view.report
    if report.scorers:
        lines = [[name, *(number(report.mean(name, scorer=s)) for s in report.scorers)] for name in report.candidates]
        yield table([number_of(view.words, "cases_counted", len(report.cases)), *report.scorers], lines)
    if lines := coverage_rows(view):
        yield table(coverage_header(view), lines)
    others = [c for name in view.others for c in view.of_candidate(name)[1:]]
    if others:
        yield table([view.words["candidate"], *measure_header(view)], measure_rows(others, view))


def _categories(view: View) -> Iterator[str]:
    report = view.report
    if report.categories and report.scorers:
        yield table([report.scorers[0], view.words["support"], *report.candidates], category_rows(view))


def _regressions(view: View) -> Iterator[str]:
    for found in regressions_of(view):
        yield table(area_header(found, view), area_rows(found, view))
        yield from (plain(text) for text in beside(found, view))


def _expense(view: View) -> Iterator[str]:
    yield table([view.words["for_an_answer"], *view.report.candidates], rows(view))
    for text in filter(None, (run_told(view), judging_told(view))):
        yield plain(text)


def _failures(view: View) -> Iterator[str]:
    if found := groups(view.report.failures)[:SHOWN_FAILURES]:
        header = [view.words[name] for name in ("reason", "times", "candidate", "where")]
        rows: list[list[str]] = []
        for group in found:
            who, cases = view.words["comma"].join(group.candidates), many(group.cases, view.words, most=SHOWN_CASES)
            rows.append([group.reason, f"{len(group.failures):,}", who, cases])
        yield table(header, rows)


def _method(view: View) -> Iterator[str]:
    if view.decided:
        yield plain(view.words["method_rule"])
    yield "\n".join(f"- {plain(view.words[name])}: {plain('; '.join(values))}" for name, values in facts(view))
