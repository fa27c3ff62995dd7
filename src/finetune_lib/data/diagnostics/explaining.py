"""A code for people: what it means, what to do, and the example that has it beside the one that has not."""

from __future__ import annotations

import string
from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches

from finetune_lib.data.diagnostics.catalogue import Code, CodeExample, catalogue, code_example
from finetune_lib.data.diagnostics.shell import in_shell
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
    return explanation(code, lang=lang)


def explanation(name: str, *, lang: Language | None, at_shell: bool = False) -> str:
    """The same; with `at_shell`, for users of the command line."""
    lang = chosen(lang)
    found = code_of(name, lang)
    hint = in_shell(found.hint) if at_shell else found.hint
    open_places = replace(
        found, message=plain(found.message), hint=plain(hint), mend=plain(found.mend), at_shell=at_shell
    )
    return _explanation(open_places, code_example(found.code), words(lang))


def code_of(name: str, lang: Language = "en") -> Code:
    """A code by its name or its readable name.

    Raises:
        ValueError: There is no such code.
    """
    codes = catalogue(lang)
    found = codes.get(name.upper()) or next((c for c in codes.values() if c.slug == name.lower()), None)
    if found is None:
        raise ValueError(f"there is no code {name!r}; the reference page of diagnostics lists them all")
    return found


def known_codes(names: Iterable[str] | str) -> tuple[str, ...]:
    """One or more codes, families of codes or readable names, as they were given.

    Raises:
        ValueError: One of them does not, as a misspelt one.
    """
    known = {name for code in catalogue().values() for name in (code.slug, code.code)}
    given = (names,) if isinstance(names, str) else tuple(names)
    for name in given:
        if not name or not (name in known or any(code.startswith(name) for code in catalogue())):
            near = get_close_matches(name.upper(), known, n=1) or get_close_matches(name.lower(), known, n=1)
            raise ValueError(
                f"there is no code, family or name {name!r} to ignore"
                + (f"; did you mean {near[0]!r}?" if near else "; the reference page of diagnostics lists them all")
            )
    return given


def _explanation(code: Code, example: CodeExample, said: Words) -> str:
    failing = example.failing or bytes.fromhex(example.failing_hex).decode("latin-1")
    shown = [f"{said['failing']}:", _indented(failing), f"{said['fixed']}:", _indented(example.fixed)]
    return "\n".join(
        [
            f"{code.code} {code.slug} ({said[code.severity]})",
            code.message,
            *advice(code, said),
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
    fix = [said["fix_line"].format(mend=texts.mend, kind=way_of(texts, said))] if texts.fix else []
    return [said["help_line"].format(hint=texts.hint), *fix]


def way_of(texts: Code, said: Words) -> str:
    """How the fix is called for: in Python, or at the command line."""
    way = said[texts.fix] if texts.fix else ""
    return in_shell(way) if texts.at_shell else way
