"""Where a text has what a finding quotes, and what differs between two texts, as marks in HTML."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import takewhile
from typing import TYPE_CHECKING

from finetune_lib.pages.markup import Markup, tag
from finetune_lib.pages.unseen import visible_markup

if TYPE_CHECKING:
    from finetune_lib.data.diagnostics import Quote

Span = tuple[int, int]
STAND_INS = re.compile("[\u25cc\u2400-\u2421\ufffd]|\\s")
LARGEST = 100_000  # pairs of equal pieces; beyond, all between the common ends is marked
_PIECE = re.compile(r"[A-Za-z0-9]+|.", re.DOTALL)


def span_of(text: str, quote: Quote) -> Span | None:
    """The marked part of a quote in the text that it was cut from; None where the text has it not as it stands."""
    window = quote.text
    lead = int(window.startswith("…") and quote.start > 0)
    tail = len(window) - int(window.endswith("…") and quote.start + quote.length < len(window))
    # A quote has other characters in the place of line breaks and of those that nobody sees.
    pattern = "".join("." if STAND_INS.match(character) else re.escape(character) for character in window[lead:tail])
    found = re.search(pattern, text, re.DOTALL)
    if found is None:
        return None
    start = found.start() + quote.start - lead
    end = min(start + quote.length, len(text))
    return None if (start, end) == (0, len(text)) else (start, end)


def marked(text: str, spans: Iterable[Span], *, kind: str) -> Markup:
    """The text with these parts marked."""
    pieces: list[Markup] = []
    done = 0
    for start, end in sorted(spans):
        if end > done:
            begin = max(start, done)
            mark = tag("mark", visible_markup(text[begin:end]), class_=kind)
            pieces += (visible_markup(text[done:begin]), mark)
            done = end
    return Markup("".join([*pieces, visible_markup(text[done:])]))


def differences(left: str, right: str) -> tuple[Markup, Markup]:
    """Two texts, each with what the other has not."""
    a, b = _PIECE.findall(left), _PIECE.findall(right)
    spans = list(_changed(a, b))
    return (
        marked(left, _places(a, [(start, end) for start, end, _, _ in spans]), kind="differs"),
        marked(right, _places(b, [(start, end) for _, _, start, end in spans]), kind="differs"),
    )


def _changed(a: Sequence[str], b: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Ranges of pieces that differ, looked for between the common beginning and end."""
    head = _common(a, b)
    tail = _common(a[head:][::-1], b[head:][::-1])
    inner_a, inner_b = a[head : len(a) - tail], b[head : len(b) - tail]
    counts = Counter(inner_b)
    if sum(counts[piece] for piece in inner_a) > LARGEST:
        yield head, len(a) - tail, head, len(b) - tail
        return
    for kind, i, j, k, m in SequenceMatcher(None, inner_a, inner_b, autojunk=False).get_opcodes():
        if kind != "equal":
            yield head + i, head + j, head + k, head + m


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


def _places(pieces: Sequence[str], ranges: Iterable[Span]) -> list[Span]:
    """From ranges of pieces to ranges of characters."""
    ends = [0]
    for piece in pieces:
        ends.append(ends[-1] + len(piece))
    return [(ends[start], ends[end]) for start, end in ranges]
