"""HTML: its text by paragraphs, sections at headings; what is for machines or for moving about is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from finetune_lib.data.documents.section import Place, Section
from finetune_lib.extras import require

HEADINGS = frozenset(f"h{level}" for level in range(1, 7))
LEFT_OUT = frozenset(
    {"script", "style", "template", "noscript", "nav", "form", "button", "select", "svg", "head", "title"}
)
# fmt: off
BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "header", "hr", "li", "main", "ol", "p", "pre", "section",
    "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
})
# fmt: on
CELLS = frozenset({"td", "th"})
SPACES = re.compile(r"[^\S\n]+")
LINES = re.compile(r"\s*\n\s*")


def html_sections(path: Path, text: str) -> Iterator[Section]:
    """The sections of a page.

    Raises:
        MissingExtraError: Without `pip install "finetune_lib[documents]"`.
    """
    lxml: Any = require("lxml.html", extra="documents", feature="Reading HTML")
    if not text.strip():
        return
    place, pieces = Place(path), list[str]()
    for heading, piece in _pieces(lxml.document_fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))):
        if heading is None:
            pieces.append(piece)
            continue
        yield from _section(place, pieces)
        place, pieces = Place(path, heading=_flowed(piece).replace("\n", " "), anchor=heading), []
    yield from _section(place, pieces)


def _pieces(root: Any) -> Iterator[tuple[str | None, str]]:
    """Pieces of text in the order of the page; with a heading comes the name by which links find it, or ""."""
    stack: list[tuple[str, Any]] = [("open", root)]
    while stack:
        step, node = stack.pop()
        if step == "text":
            yield None, node
        elif not isinstance(node.tag, str) or node.tag in LEFT_OUT:  # comments have a function for a tag
            continue
        elif node.tag in HEADINGS:
            yield node.get("id") or next(iter(node.xpath(".//@id | .//a/@name")), ""), node.text_content()
        else:
            stack += reversed(list(_inside(node)))


def _inside(node: Any) -> Iterator[tuple[str, Any]]:
    edge = "\n" if node.tag in BLOCKS or node.tag == "br" else ""
    yield "text", edge + (node.text if node.tag == "pre" else _in_one_line(node.text))
    for child in node:
        yield "open", child
        yield "text", (" | " if child.tag in CELLS and child.getnext() is not None else "") + _in_one_line(child.tail)
    yield "text", edge if node.tag != "br" else ""


def _in_one_line(text: str | None) -> str:
    """White space of the source is a space; a line break in it is none of the page."""
    return re.sub(r"\s+", " ", text or "")


def _flowed(text: str) -> str:
    return LINES.sub("\n", SPACES.sub(" ", text)).strip(" \n|")


def _section(place: Place, pieces: list[str]) -> Iterator[Section]:
    if text := _flowed("".join(pieces)):
        yield Section(place, text)
