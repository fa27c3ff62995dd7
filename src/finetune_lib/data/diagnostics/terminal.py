"""Findings in a terminal: by code, each with its place, the piece of source and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from finetune_lib.data.diagnostics.catalogue import Code
from finetune_lib.data.diagnostics.explaining import advice
from finetune_lib.data.diagnostics.finding import Diagnostic
from finetune_lib.data.diagnostics.locations import listed, listed_origins, place, spot
from finetune_lib.data.diagnostics.quoting import Quote, cropped
from finetune_lib.pages.terminal import width
from finetune_lib.pages.unseen import visible
from finetune_lib.pages.wording import Words, words
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


def lines_of(runs: Iterable[tuple[Sequence[Diagnostic], int]], *, lang: Language, color: bool) -> Iterator[str]:
    """Runs of one code with how many there are of it in all; a long one is cut short."""
    style = _Style(lang, words(lang), color)
    return (line for group, total in runs for line in _run(group, total, style))


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
