"""The style of everything that is shown as HTML."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from finetune_lib.rendering.markup import Markup


@cache
def style(*names: str) -> Markup:
    """The style sheet of all pages, with those of these names behind it."""
    folder = files("finetune_lib.rendering")
    sheets = (folder.joinpath(name).read_text(encoding="utf-8") for name in ("style.css", *names))
    return Markup(f"<style>{''.join(sheets)}</style>")
