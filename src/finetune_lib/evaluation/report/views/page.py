"""report.html: the verdict first, then the numbers behind it, then every answer; one file that fetches nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from finetune_lib.evaluation.report.measured import Measured
from finetune_lib.evaluation.report.views.cases import cases
from finetune_lib.evaluation.report.views.categories import categories
from finetune_lib.evaluation.report.views.compared import compared
from finetune_lib.evaluation.report.views.expense import expenses
from finetune_lib.evaluation.report.views.failing import failures
from finetune_lib.evaluation.report.views.labels import classifications
from finetune_lib.evaluation.report.views.method import method
from finetune_lib.evaluation.report.views.regressions import regressions
from finetune_lib.evaluation.report.views.scores import scores
from finetune_lib.evaluation.report.views.standings import standings
from finetune_lib.evaluation.report.views.trust import trust
from finetune_lib.evaluation.report.views.verdict import verdicts
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.files import packaged_text
from finetune_lib.pages.document import document
from finetune_lib.pages.markup import Markup, tag
from finetune_lib.pages.style import style
from finetune_lib.pages.unseen import visible_markup
from finetune_lib.pages.wording import number_of
from finetune_lib.texts.languages import Language

Section = Callable[[View], Iterator[Markup]]


def report_page(
    report: Measured,
    *,
    curve: str | None = None,
    fragment: bool = False,
    lang: Language | None = None,
    margin: float | None = None,
    title: str | None = None,
    summary: str | None = None,
) -> str:
    """The report as a page, or as the fragment that a notebook shows.

    Args:
        report: The report.
        curve: The loss curve of the training, as SVG.
        fragment: Without a script and with fewer cases.
        lang: Of the words around it; by default as `FINETUNE_LIB_LANG` or the locale say.
        margin: A difference too small to matter, by the first measure: within it candidates are equivalent.
        title: What the page is called.
        summary: Where the page for a manager is, for a link.
    """
    view = View.of(report, lang, fragment=fragment, margin=margin, title=title)
    found = dict(_sections(view, curve))
    sections = (
        tag("section", tag("h2", view.words[name]), *parts, class_=f"part {name}", **({} if fragment else {"id": name}))
        for name, parts in found.items()
    )
    body = [*_head(view, found, summary), *sections]
    if fragment:
        return tag("div", style(_file("report.css")), *body, class_="ftl evaluation", lang=view.lang)
    files = {"script": _file("report.js"), "sheet": _file("report.css")}
    return document(view.title, tag("main", *body), **files, lang=view.lang, kind="evaluation")


def _file(name: str) -> str:
    return packaged_text("finetune_lib.evaluation.report.views", name)


def _sections(view: View, curve: str | None) -> Iterator[tuple[str, list[Markup]]]:
    """Name and content of each section that has some."""
    sections: dict[str, Section] = {
        "verdict": verdicts,
        "scores": scores,
        "ranking": standings,
        "categories": categories,
        "regressions": regressions,
        "labels": classifications,
        "trust": trust,
        "expense": lambda shown: expenses(shown, curve),
        "cases": cases,
        "failures": failures,
        "compared": (lambda _: iter(())) if view.fragment else compared,
        "method": method,
    }
    for name, section in sections.items():
        if parts := list(section(view)):
            yield name, parts


def _head(view: View, found: dict[str, list[Markup]], summary: str | None) -> Iterator[Markup]:
    words, report = view.words, view.report
    yield tag("h1", visible_markup(view.title))
    counted = [*filter(None, [report.run.golden_name]), view.counted]
    counted.append(number_of(words, "candidates_counted", len(report.candidates)))
    yield tag("p", visible_markup(" · ".join(counted)), class_="soft")
    if summary:
        yield tag("p", tag("a", words["manager_page"], href=summary))
    if not view.fragment:
        links = (tag("a", words[name], href=f"#{name}") for name in found)
        yield tag("nav", *links, class_="contents", aria_label=words["sections"])
