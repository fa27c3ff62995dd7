"""A whole page in one file: nothing is fetched, and only the script and the style that belong to it count."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

from finetune_lib.pages.markup import Content, Markup, tag
from finetune_lib.pages.style import style
from finetune_lib.pages.unseen import visible

_LONE = re.compile("[\ud800-\udfff]")  # halves of a pair, which no file can hold
# What could end an element, or the line of a script, stands as its number.
_ESCAPED = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def document(title: str, *body: Content, script: str = "", sheet: str = "", lang: str = "en", kind: str = "") -> str:
    """The page; its policy names script and style by their digests, so that nothing in the data can run or fetch.

    Args:
        title: Of the window.
        body: What is shown.
        script: The page's own script.
        sheet: A style sheet of its own, behind that of all pages.
        lang: Of the words around the data.
        kind: A class of the body, for the style sheet.
    """
    styles = style(sheet)
    head = tag(
        "head",
        Markup('<meta charset="utf-8">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_policy(styles, script)}">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<meta name="referrer" content="no-referrer">'),
        tag("title", visible(title)),
        styles,
    )
    tail = [Markup(f"<script>{script}</script>")] if script else []
    page = tag("html", head, tag("body", *body, *tail, class_=f"ftl {kind}".rstrip()), lang=lang)
    return _LONE.sub("\ufffd", f"<!doctype html>\n{page}\n")


def json_in_page(data: Any) -> str:
    """JSON as the text of an element, which it cannot end."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPED)


def _policy(sheet: str, code: str) -> str:
    css = sheet.removeprefix("<style>").removesuffix("</style>")
    scripts = f"'sha256-{digest(code)}'" if code else "'none'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'sha256-{digest(css)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def digest(text: str) -> str:
    """By which a policy names a script or a style."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
