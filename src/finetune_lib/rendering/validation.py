"""A validation report for the notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune_lib.rendering.markup import Markup, table, tag
from finetune_lib.rendering.page import style

if TYPE_CHECKING:
    from finetune_lib.diagnostics import ValidationReport

SHOWN = 200


def validation_html(report: ValidationReport) -> Markup:
    """The summary and a table of the findings."""
    kind = "better" if report.ok else "worse"
    rows = [[d.code, d.severity, d.place, d.message, d.hint] for d in report.diagnostics[:SHOWN]]
    found = [table(["code", "severity", "place", "message", "what to do"], rows)] if rows else []
    rest = len(report.diagnostics) - SHOWN
    more = [tag("p", f"… and {rest} more", class_="soft")] if rest > 0 else []
    return tag("div", style(), tag("div", report.summary, class_=f"card {kind}"), *found, *more, class_="ftl")
