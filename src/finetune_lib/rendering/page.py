"""The style of everything that is shown as HTML."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from finetune_lib.rendering.markup import Markup

if TYPE_CHECKING:
    from finetune_lib.diagnostics import Language
    from finetune_lib.report import Report


@cache
def style(*names: str) -> Markup:
    """The style sheet of all pages, with those of these names behind it."""
    folder = files("finetune_lib.rendering")
    sheets = (folder.joinpath(name).read_text(encoding="utf-8") for name in ("style.css", *names))
    return Markup(f"<style>{''.join(sheets)}</style>")


def report_page(
    report: Report, *, curve: str | None = None, fragment: bool = False, lang: Language | None = None
) -> str:
    """As `finetune_lib.rendering.report.report_page`."""
    from finetune_lib.rendering.report import report_page as page

    return page(report, curve=curve, fragment=fragment, lang=lang)
