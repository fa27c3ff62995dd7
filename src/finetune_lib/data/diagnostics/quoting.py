"""A quoted piece of source cut to the width of a terminal, around the part that is marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune_lib.pages.terminal import width
from finetune_lib.pages.unseen import visible

if TYPE_CHECKING:
    from finetune_lib.data.diagnostics import Quote

COLUMNS = 92
MARKED_COLUMNS = 60


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
