"""A code for people: what it means, what to do, and the example that has it beside the one that has not."""

from __future__ import annotations

import string
from dataclasses import replace

from finetune_lib.data.diagnostics.catalogue import Code, CodeExample, catalogue, code_example
from finetune_lib.pages.unseen import visible
from finetune_lib.pages.wording import Words, chosen, words
from finetune_lib.texts.languages import Language


def explain(code: str, *, lang: Language | None = None) -> str:
    """What a code means, what to do, and an example with and without it, as text for people.

    Args:
        code: As `J202`, or its readable name, as `curly-quotes`.
        lang: `en`, `zh-Hant` or `zh-Hans`; by default that of the locale.

    Raises:
        ValueError: There is no such code.
    """
    lang = chosen(lang)
    codes = catalogue(lang)
    found = codes.get(code.upper()) or next((c for c in codes.values() if c.slug == code.lower()), None)
    if found is None:
        raise ValueError(f"there is no code {code!r}; the reference page of diagnostics lists them all")
    return _explanation(found, code_example(found.code), words(lang))


def _explanation(code: Code, example: CodeExample, said: Words) -> str:
    open_places = replace(code, message=plain(code.message), hint=plain(code.hint), mend=plain(code.mend))
    failing = example.failing or bytes.fromhex(example.failing_hex).decode("latin-1")
    shown = [f"{said['failing']}:", _indented(failing), f"{said['fixed']}:", _indented(example.fixed)]
    return "\n".join(
        [
            f"{code.code} {code.slug} ({said[code.severity]})",
            open_places.message,
            *advice(open_places, said),
            "",
            *shown,
        ]
    )


def plain(template: str) -> str:
    """A template with its places as words, `{column}` as `<column>`."""
    parts = string.Formatter().parse(template)
    return "".join(literal + (f"<{name}>" if name else "") for literal, name, _, _ in parts)


def _indented(text: str) -> str:
    return "\n".join(f"    {visible(line)}" for line in text.strip("\n").split("\n"))


def advice(texts: Code, said: Words) -> list[str]:
    """What to do, and what a fix would do where there is one."""
    fix = [said["fix_line"].format(mend=texts.mend, kind=said[texts.fix])] if texts.fix else []
    return [said["help_line"].format(hint=texts.hint), *fix]
