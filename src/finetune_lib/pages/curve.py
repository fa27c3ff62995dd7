"""Line charts as SVG: small, without a script, in the colours of the page around them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from os import PathLike
from pathlib import Path

from finetune_lib.files import write_atomically

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 34, 40
COLOURS = ("#2563eb", "#d97706", "#0d9488")
TICKS = 4
SMALLEST_AXIS = 1e-9

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """One curve and its name in the legend."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture: shown by a notebook, or saved as SVG."""

    svg: str

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the picture as an SVG file."""
        return write_atomically(Path(path), [self.svg.encode()])

    def _repr_html_(self) -> str:
        return self.svg


@dataclass(frozen=True, slots=True)
class _Frame:
    """From values to places in the picture."""

    x_low: float
    x_high: float
    y_high: float

    def x(self, value: float) -> float:
        return LEFT + (value - self.x_low) / (self.x_high - self.x_low) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - value / self.y_high * (HEIGHT - TOP - BOTTOM)


def curve_svg(lines: Sequence[Line], *, x: str, y: str) -> str:
    """Draw the lines that have points over common axes; y starts at 0."""
    drawn = [line for line in lines if line.points]
    xs, ys = ([point[axis] for line in drawn for point in line.points] or [0.0] for axis in (0, 1))
    low, high = min(xs), max(xs)
    frame = _Frame(low, high if high > low else low + 1, max(max(ys) * 1.05, SMALLEST_AXIS))
    label = escape(f"{' and '.join(line.name for line in drawn)} by {x}")
    curves = (part for index, line in enumerate(drawn) for part in _curve(line, index, frame))
    body = "".join([*_axes(frame, x, y), *curves])
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}" xmlns="http://www.w3.org/2000/svg" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="currentColor">{body}</svg>'
    )


def _axes(frame: _Frame, x: str, y: str) -> Iterator[str]:
    for value in _ticks(0, frame.y_high):
        at = frame.y(value)
        ends = f'x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"'
        yield f'<line {ends} stroke="currentColor" opacity=".15"/>'
        yield f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end" opacity=".7">{value:g}</text>'
    for value in _ticks(frame.x_low, frame.x_high):
        yield f'<text x="{frame.x(value):.1f}" y="{HEIGHT - 20}" text-anchor="middle" opacity=".7">{value:g}</text>'
    yield f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 5}" text-anchor="end" opacity=".7">{escape(x)}</text>'
    yield f'<text x="{LEFT - 8}" y="{TOP - 16}" text-anchor="end" opacity=".7">{escape(y)}</text>'


def _ticks(low: float, high: float) -> Iterator[float]:
    """Round numbers from `low` to `high`: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / TICKS
    power = 10 ** math.floor(math.log10(rough))
    step = power * next(size for size in (1, 2, 5, 10) if size * power >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return (round(number * step, 12) for number in range(first, last + 1))


def _curve(line: Line, index: int, frame: _Frame) -> Iterator[str]:
    colour = COLOURS[index % len(COLOURS)]
    places = [(frame.x(x), frame.y(y)) for x, y in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>'
    if index or len(places) == 1:  # few points, as of a validation at each epoch, are marked
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)
    at = LEFT + 12 + index * 140
    yield f'<rect x="{at}" y="{TOP - 26}" width="14" height="4" fill="{colour}"/>'
    yield f'<text x="{at + 20}" y="{TOP - 20}">{escape(line.name)}</text>'
