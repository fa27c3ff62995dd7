"""Findings for people: the report in a terminal, the explanation of a code, and the diff of a fix."""

from __future__ import annotations

import difflib
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from finetune_lib.data.diagnostics.locations import listed, listed_origins, place, spot
from finetune_lib.data.diagnostics.quoting import cropped
from finetune_lib.data.diagnostics.summary import runs_of, summary_of
from finetune_lib.pages.terminal import width
from finetune_lib.pages.unseen import visible
from finetune_lib.pages.wording import Words, chosen, words

if TYPE_CHECKING:
    from finetune_lib.data.diagnostics import Change, Code, CodeExample, Diagnostic, Quote, ValidationReport
    from finetune_lib.texts.languages import Language

SHOWN_PER_CODE = 3
LISTED_PLACES = 20
COLORS = {"error": "1;31", "warning": "1;33", "info": "1;36", "place": "34"}


@dataclass(frozen=True, slots=True)
class _Style:
    lang: Language
    words: Words
    color: bool

    def paint(self, text: str, color: str) -> str:
        return f"\x1b[{COLORS[color]}m{text}\x1b[0m" if self.color else text


def finding_text(finding: Diagnostic, *, lang: Language | None = None, color: bool = False) -> str:
    """One finding with its place, the marked piece of source, related places and help."""
    return "\n".join(_run([finding], 1, _style(lang, color)))


def report_text(report: ValidationReport, *, lang: Language | None, color: bool) -> str:
    """All findings by code, errors first, long runs of one code cut short, and the summary."""
    style = _style(lang, color)
    lines = (line for group, total in runs_of(report) for line in _run(group, total, style))
    return "\n".join([*lines, visible(summary_of(report, style.lang))])


def _style(lang: Language | None, color: bool) -> _Style:
    language = chosen(lang)
    return _Style(language, words(language), color)


def _run(group: Sequence[Diagnostic], total: int, style: _Style) -> Iterator[str]:
    """One code's findings: what is the same is said once, and of those beyond the first few only the places."""
    shown = group if total <= SHOWN_PER_CODE + 2 else group[:SHOWN_PER_CODE]
    blocks = groupby(
        ((finding.texts(style.lang), finding) for finding in shown), key=lambda pair: _help(pair[0], style)
    )
    rest = _rest(group, len(shown), total, style)
    parts = [(list(pairs), told) for told, pairs in blocks]
    for number, (pairs, told) in enumerate(parts, start=1):
        yield from _block(pairs, style)
        yield from rest if number == len(parts) else []
        yield from told


def _rest(group: Sequence[Diagnostic], shown: int, total: int, style: _Style) -> list[str]:
    if shown == total:
        return []
    left = group[shown:]
    places = listed(left, style.words, most=LISTED_PLACES, all_of_them=len(group) == total)
    return [style.words["more"].format(number=total - shown, code=group[0].code, places=visible(places))]


def _help(texts: Code, style: _Style) -> tuple[str, ...]:
    return tuple(f"   = {visible(line)}" for line in advice(texts, style.words))


def advice(texts: Code, said: Words) -> list[str]:
    """What to do, and what a fix would do where there is one."""
    fix = [said["fix_line"].format(mend=texts.mend, kind=said[texts.fix])] if texts.fix else []
    return [said["help_line"].format(hint=texts.hint), *fix]


def _block(pairs: Iterable[tuple[Code, Diagnostic]], style: _Style) -> Iterator[str]:
    """Findings with the same help; those with the same message stand under it together."""
    for message, same in groupby(pairs, key=lambda pair: pair[0].message):
        findings = [finding for _, finding in same]
        label = f"{style.words[findings[0].severity]}[{findings[0].code}]"
        yield f"{style.paint(label, findings[0].severity)} {visible(message)}"
        for finding in findings:
            yield from _where(finding, style)


def _where(finding: Diagnostic, style: _Style) -> Iterator[str]:
    yield f"  {style.paint('-->', 'place')} {visible(place(finding, style.words))}"
    others = [f"  {style.paint(':::', 'place')} {visible(spot(o, style.words))}" for o in finding.related]
    yield from others[:SHOWN_PER_CODE]
    if rest := finding.related[SHOWN_PER_CODE:]:
        places = visible(listed_origins(rest, style.words, most=LISTED_PLACES))
        yield f"  {style.paint(':::', 'place')} {places}"
    if finding.quote:
        yield from _quoted(finding.quote, finding.severity, style)


def _quoted(quote: Quote, severity: str, style: _Style) -> Iterator[str]:
    """The piece of source and, below it, carets under the marked part, two for a character that is two wide."""
    before, mark, after = cropped(quote)
    yield f"   | {before}{mark}{after}"
    yield f"   | {' ' * width(before)}{style.paint('^' * max(1, width(mark)), severity)}"


def explanation(code: Code, example: CodeExample, lang: Language) -> str:
    """What a code means, with the example that has it and the one that has not."""
    said = words(lang)
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


def unified_diff(source: str, changes: Iterable[Change]) -> str:
    """Changes of single lines as a unified diff, each hunk with the codes that it mends."""
    hunks = [_hunk(change) for change in changes]
    return "".join([f"--- {source}\n+++ {source} (fixed)\n", *hunks]) if hunks else ""


def _hunk(change: Change) -> str:
    place = change.origin.line or change.origin.row or 0
    before, after = change.before.splitlines(), change.after.splitlines()
    body = [line for line in difflib.ndiff(before, after) if not line.startswith("?")]
    lines = "\n".join(f"{line[0]}{line[2:]}" for line in body)
    return f"@@ -{place},{len(before)} +{place},{len(after)} @@ {' '.join(change.codes)} ({change.kind})\n{lines}\n"
