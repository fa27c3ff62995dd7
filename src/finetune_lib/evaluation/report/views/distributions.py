"""How graded scores are spread: as many bars as the scale has levels, or ten."""

from __future__ import annotations

from collections.abc import Sequence

from finetune_lib.evaluation.report.views.numbers import number
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.markup import Markup, tag
from finetune_lib.pages.unseen import visible_markup

LEVELS, BINS = 11, 10


def distribution(measure: str, view: View) -> Markup | None:
    """One small picture a candidate; None where scores are two-valued, which the mean tells whole."""
    report = view.report
    scores = {name: [s for s in report.scores(name, scorer=measure) if s is not None] for name in report.candidates}
    values = sorted({value for found in scores.values() for value in found})
    if len(values) < 3:
        return None
    ends = report.scale(measure)[0]
    edges, end = (values, values[-1]) if len(values) <= LEVELS else (_edges(*ends), ends[1])
    rows = (_row(name, found, edges, end, view) for name, found in scores.items() if found)
    head = tag("summary", visible_markup(view.words["distribution"].format(measure=measure)))
    return tag("details", head, tag("div", *rows, class_="spreads"), class_="folded-part", open="")


def counts(found: Sequence[float], edges: Sequence[float]) -> list[int]:
    """How many scores belong to each edge: the last one that they reach."""
    counted = [0] * len(edges)
    for value in found:
        counted[max((place for place, edge in enumerate(edges) if value >= edge - 1e-9), default=0)] += 1
    return counted


def _edges(low: float, high: float) -> list[float]:
    return [low + (high - low) * step / BINS for step in range(BINS)]


def _row(name: str, found: Sequence[float], edges: Sequence[float], end: float, view: View) -> Markup:
    counted = counts(found, edges)
    told = view.words["comma"].join(f"{number(edge)}: {n:,}" for edge, n in zip(edges, counted, strict=True))
    most, width = max(counted), 100 / len(edges)
    bars = (
        tag("rect", x=f"{place * width + width * 0.1:.2f}%", width=f"{width * 0.8:.2f}%",
            y=f"{100 - 100 * n / most:.1f}%", height=f"{100 * n / most:.1f}%")
        for place, n in enumerate(counted)
        if n
    )  # fmt: skip
    picture = tag("svg", *bars, class_="spread", role="img", aria_label=f"{name}: {told}")
    ends = tag("small", f"{number(edges[0])} – {number(end)}")
    return tag("figure", tag("figcaption", visible_markup(name)), picture, ends)
