"""A whole page in one file: nothing is fetched, and only the script that belongs to it may run."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from finetune_lib.rendering.markup import Content, Markup, tag
from finetune_lib.rendering.page import style

LANGUAGES = {"en": "en", "zh-Hant": "zh-Hant", "zh-Hans": "zh-Hans"}


@cache
def script(name: str) -> str:
    """A script of this package."""
    return files("finetune_lib.rendering").joinpath(name).read_text(encoding="utf-8")


def document(title: str, *body: Content, script_name: str | None = None, lang: str = "en") -> str:
    """The page; its policy names the script by its digest, so that nothing in the data can run."""
    code = script(script_name) if script_name else ""
    allowed = f"; script-src 'sha256-{_digest(code)}'" if code else ""
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:{allowed}"
    head = tag(
        "head",
        Markup('<meta charset="utf-8">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        tag("title", title),
        style(),
    )
    tail = [Markup(f"<script>{code}</script>")] if code else []
    return f"<!doctype html>\n{tag('html', head, tag('body', *body, *tail, class_='ftl'), lang=lang)}\n"


def _digest(code: str) -> str:
    return base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
