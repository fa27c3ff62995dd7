"""A validation report for the notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune_lib.rendering.document import document
from finetune_lib.rendering.markup import Markup, table, tag
from finetune_lib.rendering.page import style

if TYPE_CHECKING:
    from finetune_lib.diagnostics import Diagnostic, Language, ValidationReport

SHOWN = 200


def validation_page(report: ValidationReport, *, lang: Language | None) -> str:
    """The findings as a page."""
    from finetune_lib.diagnostics import language

    chosen = lang or language()
    return document(report.source, tag("h1", report.source), _findings(report, chosen), lang=chosen)


def validation_html(report: ValidationReport) -> Markup:
    """The summary and a table of the findings."""
    return tag("div", style(), _findings(report, None), class_="ftl")


def _findings(report: ValidationReport, lang: Language | None) -> Markup:
    kind = "better" if report.ok else "worse"
    rows = [_row(finding, lang) for finding in report.diagnostics[:SHOWN]]
    found = [table(["code", "severity", "place", "message", "what to do"], rows)] if rows else []
    rest = sum(report.tally.values()) - len(rows)
    more = [tag("p", f"… and {rest:,} more", class_="soft")] if rest > 0 else []
    return tag("div", tag("div", report.summary, class_=f"card {kind}"), *found, *more)


def _row(finding: Diagnostic, lang: Language | None) -> list[str]:
    texts = finding.texts(lang)
    places = " ".join([finding.place, *(f"↔ {place}" for place in finding.related_places)])
    return [finding.code, finding.severity, places, texts.message, texts.hint]
