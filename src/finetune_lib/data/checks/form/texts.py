"""What may not stand in a text, whatever its role."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from finetune_lib.data.checks.form import characters, latex, mojibake
from finetune_lib.data.diagnostics import Diagnostic, Quote, Severity, diagnose, quote
from finetune_lib.records import NOWHERE, Origin
from finetune_lib.texts import radicals

SPECIAL = re.compile(r"<\|(?:endoftext|endofprompt|fim_prefix|fim_middle|fim_suffix|im_start|im_sep|im_end)\|>")
# One search tells a text without any of these apart, which nearly every text is.
SUSPECT_ASCII = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
SUSPECT = re.compile(
    f"[{characters.CONTROLS}{characters.SURROGATES}{characters.INVISIBLE}{characters.REPLACEMENT}"
    f"{mojibake.LATIN}{mojibake.SIGNS}{radicals.RARE}]"
)
SHOWN = 24
NOTHING: Iterator[Diagnostic] = iter(())
# What mends a text, by the code of the finding; each only on a person's word.
MENDS: Mapping[str, Callable[[str], str]] = {
    "E126": latex.restored,
    "E105": latex.without_controls,
    "E106": mojibake.restored,
    "E113": characters.without_invisible,
}
# And what mends it without one: it looks the same before and after.
SAFE_MENDS: Mapping[str, Callable[[str], str]] = {"E150": radicals.renamed}


def text_findings(text: str, path: str, origin: Origin, *, role: str, empty: Severity | None) -> Iterator[Diagnostic]:
    """Special tokens, damaged and hidden characters, and emptiness with the severity that it has here."""
    if "<|" in text or (empty and not text.strip()) or (SUSPECT_ASCII if text.isascii() else SUSPECT).search(text):
        return _text_findings(text, path, origin, role=role, empty=empty)
    return _latex(text, path, origin) if latex.is_likely(text) and latex.eaten(text) else NOTHING


def is_harmless(text: str) -> bool:
    """Whether nothing is to be said of a text that is not empty."""
    return text_findings(text, "", NOWHERE, role="", empty=None) is NOTHING


def _text_findings(text: str, path: str, origin: Origin, *, role: str, empty: Severity | None) -> Iterator[Diagnostic]:
    if "<|" in text and (match := SPECIAL.search(text)):
        yield diagnose("K703", origin, path, quote=_marked(text, match.start(), len(match[0])), token=match[0])
    if (SUSPECT_ASCII if text.isascii() else SUSPECT).search(text):
        yield from _damage(text, path, origin)
    yield from _latex(text, path, origin)
    if empty and not text.strip():
        yield replace(diagnose("C406", origin, path, role=role), severity=empty)


def _damage(text: str, path: str, origin: Origin) -> Iterator[Diagnostic]:
    if match := characters.SURROGATE.search(text):
        character = f"\\u{ord(match[0]):04x}"
        yield diagnose("E108", origin, path, quote=_marked(text, match.start()), character=character)
    runs = list(mojibake.garbled(text))
    if runs:
        start, garbled, meant, true, wrong = runs[0]
        told: dict[str, Any] = {"garbled": _short(garbled), "meant": _short(meant), "true": true, "wrong": wrong}
        yield diagnose("E106", origin, path, quote=_marked(text, start, len(garbled)), count=len(runs), **told)
    else:  # such characters are part of mojibake: one finding a cause
        yield from _controls(text, path, origin)
        if places := characters.invisible(text):
            given: dict[str, Any] = {"count": len(places), "character": characters.named(text[places[0]])}
            yield diagnose("E113", origin, path, quote=_marked(text, places[0]), **given)
    if places := radicals.misnamed(text):
        first = text[places[0]]
        given = {"count": len(places), "character": characters.named(first), "usual": radicals.USUAL[ord(first)]}
        yield diagnose("E150", origin, path, quote=_marked(text, places[0]), **given)
    lost = text.count(characters.REPLACEMENT)
    if lost and not any(characters.REPLACEMENT in run.text for run in runs):
        shown = _marked(text, text.index(characters.REPLACEMENT))
        yield diagnose("E107", origin, path, quote=shown, count=lost)


def _controls(text: str, path: str, origin: Origin) -> Iterator[Diagnostic]:
    """Controls; U+0000 is an error, for programs in C end a text there and databases refuse it."""
    found = [match for match in characters.CONTROL.finditer(text) if match.start() not in latex.eaten(text)]
    if found:
        first = next((match for match in found if match[0] == "\0"), found[0])
        severity: Severity | None = "error" if first[0] == "\0" else None
        given: dict[str, Any] = {"count": len(found), "character": characters.named(first[0])}
        yield diagnose("E105", origin, path, quote=_marked(text, first.start()), severity=severity, **given)


def _latex(text: str, path: str, origin: Origin) -> Iterator[Diagnostic]:
    if places := latex.eaten(text):
        command, rest = latex.command_at(text, places[0])
        given: dict[str, Any] = {"count": len(places), "command": command, "rest": rest}
        given["character"] = characters.named(text[places[0]])
        yield diagnose("E126", origin, path, quote=_marked(text, places[0], 1 + len(rest)), **given)


def _marked(text: str, start: int, length: int = 1) -> Quote:
    """A window that can be printed: control characters could change the terminal that shows it."""
    return quote(characters.shown(text), start, length)


def _short(text: str) -> str:
    return characters.shown(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")
