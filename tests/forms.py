"""Rows for the tests of their form, and what is found about them."""

import finetune_lib as ft
from finetune_lib.records import Example, Origin

USER, ASSISTANT = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
SYSTEM = {"role": "system", "content": "s"}
PAIR = {"prompt": "q", "completion": "a"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
FORM = "SCFPK"  # the families about form; what texts say is tried elsewhere


def chat(*messages, **extra):
    return {"messages": list(messages), **extra}


def found(*rows, **check):
    """What is found about the form of rows as they are, their number aside."""
    examples = [Example(row, Origin("rows", row=number)) for number, row in enumerate(rows, start=1)]
    diagnostics = ft.Dataset(examples).validate(**check).diagnostics
    return [d for d in diagnostics if d.code[0] in FORM and d.code not in ("K701", "K709")]


def codes(*rows, **check):
    return [d.code for d in found(*rows, **check)]


def parts(*given, role="user"):
    message = {"role": role, "content": list(given)}
    return chat(message, ASSISTANT) if role == "user" else chat(USER, message)


def image(url):
    return {"type": "image_url", "image_url": {"url": url}}
