"""The piece of source that a finding quotes, and the same cut to the width of a terminal."""

from __future__ import annotations

from dataclasses import dataclass

from finetune_lib.pages.terminal import width
from finetune_lib.pages.unseen import visible

QUOTED = 60
COLUMNS = 92
MARKED_COLUMNS = 60


@dataclass(frozen=True, slots=True)
class Quote:
    """The piece of the source that a finding is about.

    Attributes:
        text: A window of the line or of the text.
        start: Where the marked part begins in it, in characters.
        length: How many characters are marked.
    """

    text: str
    start: int
    length: int = 1


def quote(text: str, start: int, length: int = 1) -> Quote:
    """A window of a longer text around the marked part, without line breaks in it."""
    begin = max(0, start - QUOTED // 2)
    window = text[begin : begin + QUOTED + min(length, QUOTED)]
    shown = "".join(" " if character in "\r\n\t" else character for character in window)
    lead = "…" if begin else ""
    tail = "…" if begin + len(window) < len(text.rstrip()) else ""
    return Quote(f"{lead}{shown.rstrip()}{tail}", start - begin + len(lead), max(1, min(length, len(window))))


def cropped(quote: Quote) -> tuple[str, str, str]:
    """What stands before the marked part, the part, and what follows; together at most `COLUMNS` wide."""
    stop = quote.start + quote.length
    mark = _head(visible(quote.text[quote.start : stop]), MARKED_COLUMNS)
    room = COLUMNS - width(mark)
    before, after = visible(quote.text[: quote.start]), visible(quote.text[stop:])
    lead = _head(before[::-1], max(room // 2, room - width(after)))[::-1]
    return lead, mark, "" if mark.endswith("…") and not after else _head(after, room - width(lead))


def _head(text: str, columns: int) -> str:
    """The beginning of a text that fits, with dots where it is cut."""
    if width(text) <= columns:
        return text
    taken = 1
    for place, character in enumerate(text):
        taken += width(character)
        if taken > columns:
            return f"{text[:place]}…"
    return text
