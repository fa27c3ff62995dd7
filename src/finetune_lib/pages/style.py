"""The style of everything that is shown as HTML."""

from __future__ import annotations

from functools import cache

from finetune_lib.files import packaged_text
from finetune_lib.pages.markup import Markup


@cache
def style(sheet: str = "") -> Markup:
    """The style sheet of all pages, with one of the page's own behind it."""
    return Markup(f"<style>{packaged_text('finetune_lib.pages', 'style.css')}{sheet}</style>")
