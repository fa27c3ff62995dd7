"""report.html: the verdict, the numbers behind it, and every answer side by side, in one file without a script."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from finetune_lib.rendering.markup import Markup, table, tag
from finetune_lib.rendering.terminal import number

if TYPE_CHECKING:
    from finetune_lib.records import Case
    from finetune_lib.report import Comparison, Report, Result

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
SHOWN_CASES = 500


def report_page(report: Report, *, curve: str | None, fragment: bool = False) -> str:
    """The report as a page, or as the fragment that a notebook shows."""
    body = tuple(_sections(report, curve))
    if fragment:
        return tag("div", style(), *body, class_="ftl")
    head = tag("head", Markup('<meta charset="utf-8">'), *_meta(), tag("title", "Evaluation report"), style())
    return f"<!doctype html>\n{tag('html', head, tag('body', *body, class_='ftl'), lang='en')}\n"


def _meta() -> Iterator[Markup]:
    yield Markup('<meta name="viewport" content="width=device-width, initial-scale=1">')
    yield Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">')


@cache
def style() -> Markup:
    """The style sheet of everything that is shown as HTML."""
    css = files("finetune_lib.rendering").joinpath("style.css").read_text(encoding="utf-8")
    return Markup(f"<style>{css}</style>")


def _sections(report: Report, curve: str | None) -> Iterator[Markup]:
    yield tag("h1", "Evaluation report")
    yield tag("p", f"{len(report.cases)} cases, {len(report.candidates)} candidates", class_="soft")
    yield from map(_verdict, report.comparisons)
    yield tag("h2", "Mean score")
    yield _means(report)
    if report.categories:
        yield tag("h2", "By category")
        yield _categories(report)
    if curve:
        yield tag("h2", "Training")
        yield tag("figure", Markup(curve), style="margin:0")
    yield tag("h2", "Answers side by side")
    yield from _answers(report)
    yield from _failures(report)
    yield from _method(report)


def _verdict(comparison: Comparison) -> Markup:
    sentence = comparison.sentence[0].upper() + comparison.sentence[1:]
    kind = comparison.outcome if comparison.outcome != "not shown" else "open"
    return tag("div", tag("strong", sentence), tag("p", comparison.numbers), class_=f"card {kind}")


def _means(report: Report) -> Markup:
    rows = [
        [name, *(_bar(report.mean(name, scorer=scorer)) for scorer in report.scorers)] for name in report.candidates
    ]
    return table(["candidate", *report.scorers], rows)


def _bar(value: float | None) -> Markup:
    share = min(max(value or 0.0, 0.0), 1.0)
    filled = tag("span", style=f"width:{share:.1%}")
    return Markup(f"{tag('span', filled, class_='bar')}{number(value)}")


def _categories(report: Report) -> Markup:
    rows = [
        [
            category,
            str(report.count(category)),
            *(_bar(report.mean(n, category=category)) for n in report.candidates),
        ]
        for category in report.categories
    ]
    return table(["category", "cases", *report.candidates], rows)


def _answers(report: Report) -> Iterator[Markup]:
    rows = [_case(report, place, case) for place, case in enumerate(report.cases[:SHOWN_CASES])]
    yield table(["question", "expected", *report.candidates], rows)
    if len(report.cases) > SHOWN_CASES:
        yield tag("p", f"The first {SHOWN_CASES} of {len(report.cases)} cases are shown.", class_="soft")


def _case(report: Report, place: int, case: Case) -> list[Markup]:
    answers = [_answer(report.results[name][place], report.scorers[0]) for name in report.candidates]
    return [tag("span", case.prompt, class_="answer"), tag("span", case.expected, class_="answer"), *answers]


def _answer(result: Result, scorer: str) -> Markup:
    if result.answer.error:
        return tag("span", f"no answer: {result.answer.error}", class_="soft")
    score = result.scores.get(scorer)
    mark = {None: "", 0.0: " wrong", 1.0: " right"}.get(score, "")
    return tag("span", result.answer.text or "(empty)", class_=f"answer{mark}")


def _failures(report: Report) -> Iterator[Markup]:
    if failures := report.failures:
        yield tag("h2", f"Failed: {len(failures)}")
        yield table(["candidate", "case", "reason"], [[f.candidate, f.case, f.reason] for f in failures])


def _method(report: Report) -> Iterator[Markup]:
    if methods := dict.fromkeys(c.estimate.method for c in report.comparisons):
        text = (
            f"How it was compared: {'; '.join(methods)}. The rule follows from the kind and number of the scores "
            "alone. A candidate is called better or worse when the whole 95 % interval of the paired difference "
            "lies on one side of 0 and p is below 0.05."
        )
        yield tag("p", text, class_="soft")
