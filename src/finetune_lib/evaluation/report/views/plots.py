"""Intervals and shares drawn in SVG: as wide as the place they stand in, in the colours of the page, without a script.

All places are shares of the width, so that lines and dots keep their size on a phone; words stand beside them as text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from finetune_lib.evaluation.report.views.numbers import MINUS
from finetune_lib.pages.markup import Markup, tag

STEPS = (0.1, 0.2, 0.25, 0.5, 1.0)
Interval = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Axis:
    """From values to places.

    Attributes:
        low: The value at the left end.
        high: The value at the right end.
        ticks: Values with a label.
        rule: The value with a line from top to bottom, as 0 of differences.
        percent: Whether labels are percentages.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    rule: float | None = None
    percent: bool = False

    def x(self, value: float) -> str:
        """The place of a value; those beyond the ends stand at the ends."""
        share = (value - self.low) / (self.high - self.low)
        return f"{min(max(share, 0.0), 1.0):.2%}"

    def label(self, value: float) -> str:
        """The label of a tick."""
        text = f"{value:.0%}" if self.percent else f"{value:+g}" if self.rule == 0 and value else f"{value:g}"
        return text.replace("-", MINUS)


def around_zero(values: Iterable[float]) -> Axis:
    """An axis for differences, as far to the left as to the right."""
    end = _round_up(max((abs(v) for v in values if math.isfinite(v)), default=1.0))
    return Axis(-end, end, (-end, 0.0, end), rule=0.0)


def over(values: Iterable[float]) -> Axis:
    """An axis for scores: from 0 to 1 where they lie there, else over all of them."""
    finite = [v for v in values if math.isfinite(v)] or [0.0]
    low, high = min(finite), max(finite)
    if low >= 0 and high <= 1:
        return Axis(0.0, 1.0, (0.0, 0.5, 1.0))
    low, high = -_round_up(-low) if low < 0 else 0.0, _round_up(high) if high > 0 else 0.0
    return Axis(low, high, tuple(dict.fromkeys((low, 0.0, high))), rule=0.0 if low < 0 else None)


SHARES = Axis(0.0, 1.0, (0.0, 0.5, 1.0), rule=0.5, percent=True)


def _round_up(value: float) -> float:
    """The next round number."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.ceil(math.log10(value))
    return next(step * power for step in STEPS if step * power >= value * 0.999999)


def scale(axis: Axis) -> Markup:
    """The labels of an axis."""
    anchors = {axis.low: "start", axis.high: "end"}
    texts = (
        tag("text", axis.label(value), x=axis.x(value), y="70%", text_anchor=anchors.get(value, "middle"))
        for value in axis.ticks
    )
    return tag("svg", *texts, class_="scale", aria_hidden="true")


def whisker(axis: Axis, interval: Interval, *, label: str, kind: str = "", margin: float | None = None) -> Markup:
    """A dot with its interval.

    Args:
        axis: Where values stand.
        interval: The estimate, and the ends of its interval.
        label: What is drawn, for those who do not see it.
        kind: The outcome, which has a colour and a shape.
        margin: Half the width of the band that does not matter.
    """
    value, low, high = interval
    y = {"y1": "50%", "y2": "50%"}
    ends = [e for e, cut in ((low, low < axis.low), (high, high > axis.high)) if not cut]
    parts = [
        *_ground(axis, margin),
        tag("line", x1=axis.x(low), x2=axis.x(high), class_="reach", **y),
        *(tag("line", x1=axis.x(end), x2=axis.x(end), y1="30%", y2="70%", class_="reach cap") for end in ends),
        tag("circle", cx=axis.x(value), cy="50%", r="5", class_="dot"),
    ]
    return tag("svg", *parts, class_=f"plot {kind}".rstrip(), role="img", aria_label=label)


def _ground(axis: Axis, margin: float | None) -> Iterator[Markup]:
    ends = {"y1": "0", "y2": "100%"}
    if margin:
        low, high = axis.x(-margin), axis.x(margin)
        width = f"{float(high[:-1]) - float(low[:-1]):.2f}%"
        yield tag("rect", x=low, width=width, y="0", height="100%", class_="margin")
    for value in axis.ticks:
        yield tag("line", x1=axis.x(value), x2=axis.x(value), class_="grid", **ends)
    if axis.rule is not None:
        yield tag("line", x1=axis.x(axis.rule), x2=axis.x(axis.rule), class_="rule", **ends)


def empty(axis: Axis) -> Markup:
    """The ground alone, where there is nothing to draw."""
    return tag("svg", *_ground(axis, None), class_="plot", aria_hidden="true")


def stacked(wins: int, ties: int, losses: int, *, label: str) -> Markup:
    """Shares beside each other: won, tied, lost."""
    total, start, parts = max(1, wins + ties + losses), 0.0, list[Markup]()
    for kind, count in (("win", wins), ("tie", ties), ("loss", losses)):
        share = count / total
        if count:
            parts.append(tag("rect", x=f"{start:.2%}", width=f"{share:.2%}", y="0", height="100%", class_=kind))
        start += share
    return tag("svg", *parts, class_="stack", role="img", aria_label=label)
