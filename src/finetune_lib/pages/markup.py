"""HTML from values: every text is escaped, and what is markup says so by its type."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Content = str | Markup
VOID = {"input", "img", "br", "hr"}


def markup(content: Content) -> Markup:
    """The content as HTML: escaped, unless it is markup already."""
    return content if isinstance(content, Markup) else Markup(escape(content))


def tag(name: str, *content: Content, **attributes: str) -> Markup:
    """One element; `class_` stands for `class`, `data_code` for `data-code`."""
    named = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    given = "".join(f' {key}="{escape(value)}"' for key, value in named.items())
    if name in VOID:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{''.join(map(markup, content))}</{name}>")


def table(header: Iterable[Content], rows: Iterable[Iterable[Content]]) -> Markup:
    """A table whose first column names the rows."""
    head = tag("thead", tag("tr", *(tag("th", cell, scope="col") for cell in header)))
    lines = (tag("tr", tag("th", name, scope="row"), *(tag("td", cell) for cell in cells)) for name, *cells in rows)
    return tag("div", tag("table", head, tag("tbody", *lines)), class_="scroll")
