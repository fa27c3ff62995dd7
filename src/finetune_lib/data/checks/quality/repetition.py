"""Texts that end in a loop: the same piece again and again, as a model that has lost the thread writes."""

from __future__ import annotations

from typing import NamedTuple

PROBE, SHORT_PROBE = 16, 4  # characters of a piece that must stand before it too
FARTHEST = 400  # the longest piece
SMALLEST = 12
PIECES = 5
SHORTEST = 60
SHORT_TEXT = 400
SAME = 20  # times that one character or two may stand in a row


class Loop(NamedTuple):
    """A piece that is repeated without a break.

    Attributes:
        start: Where the first one begins.
        unit: The piece.
        times: How often it stands there.
    """

    start: int
    unit: str
    times: int


def loop_in(text: str) -> Loop | None:
    """A loop that is long enough to be no figure of speech.

    Probes at the end and in the middle find it: a loop that matters runs to the end or covers half of the text.
    """
    length = len(text)
    if length < SMALLEST:
        return None
    probe = PROBE if length >= SHORT_TEXT else SHORT_PROBE
    for start in (length - probe, length // 2 - probe // 2):
        farthest = start - FARTHEST if start > FARTHEST else 0
        before = text.rfind(text[start : start + probe], farthest, start + probe - 1)
        if before >= 0 and (loop := _loop_at(text, start, before)):
            return loop
    return None


def _loop_at(text: str, start: int, before: int) -> Loop | None:
    first, last = _extent(text, before, start - before)
    unit = text[first : first + start - before]
    times = (last - first) // len(unit)
    return Loop(first, unit, times) if _is_loop(unit, times, last - first, len(text)) else None


def _extent(text: str, start: int, period: int) -> tuple[int, int]:
    """From where to where each character equals the one a period away."""
    first = last = start
    while first > 0 and text[first - 1] == text[first - 1 + period]:
        first -= 1
    while last + period < len(text) and text[last] == text[last + period]:
        last += 1
    return first, last + period


def _is_loop(unit: str, times: int, covered: int, length: int) -> bool:
    """Tables, rulers and lists of equal numbers repeat too: a loop repeats words."""
    if sum(map(str.isalpha, unit)) < max(1, len(unit) // 4):
        return False
    if len(set(unit)) <= 2:
        return covered >= SAME and times >= SAME // 2
    enough = times >= PIECES and covered >= SHORTEST
    return enough or (times >= 3 and covered >= 0.6 * length and len(unit) >= 4)
