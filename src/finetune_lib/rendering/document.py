"""A whole page in one file: nothing is fetched, and only the script and the style that belong to it count."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from finetune_lib.rendering.markup import Content, Markup, tag
from finetune_lib.rendering.page import style
from finetune_lib.rendering.unseen import visible

_LONE = re.compile("[\ud800-\udfff]")  # halves of a pair, which no file can hold


@cache
def script(name: str) -> str:
    """A script of this package."""
    return files("finetune_lib.rendering").joinpath(name).read_text(encoding="utf-8")


def document(
    title: str,
    *body: Content,
    script_name: str | None = None,
    style_name: str | None = None,
    lang: str = "en",
    kind: str = "",
) -> str:
    """The page; its policy names script and style by their digests, so that nothing in the data can run or fetch."""
    code = script(script_name) if script_name else ""
    sheet = style(style_name) if style_name else style()
    head = tag(
        "head",
        Markup('<meta charset="utf-8">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_policy(sheet, code)}">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<meta name="referrer" content="no-referrer">'),
        tag("title", visible(title)),
        sheet,
    )
    tail = [Markup(f"<script>{code}</script>")] if code else []
    page = tag("html", head, tag("body", *body, *tail, class_=f"ftl {kind}".rstrip()), lang=lang)
    return _LONE.sub("\ufffd", f"<!doctype html>\n{page}\n")


def _policy(sheet: str, code: str) -> str:
    css = sheet.removeprefix("<style>").removesuffix("</style>")
    scripts = f"'sha256-{_digest(code)}'" if code else "'none'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'sha256-{_digest(css)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
