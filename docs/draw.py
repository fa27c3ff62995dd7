"""Draw the pictures of the statistics pages from the functions themselves.

python docs/draw.py            # writes docs/images/*.svg
python docs/draw.py --check    # fails where a picture is another one
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from finetune_lib.statistics import Estimate, holm, paired_difference, worst_case

IMAGES = Path(__file__).parent / "images"
WIDTH, LEFT, RIGHT, ROW, TOP = 720, 250, 150, 44, 30
STYLE = """
text { font: 14px system-ui, sans-serif; fill: #1f2430 } .soft { fill: #5d6675; font-size: 12px }
.grid { stroke: #d5dae2 } .rule { stroke: #5d6675; stroke-dasharray: 4 3 } .band { fill: #dbeafe }
.reach { stroke: #2563eb; stroke-width: 3 } .dot { fill: #2563eb } .better { fill: #15803d; font-weight: 600 }
.worse { fill: #b91c1c; font-weight: 600 } .equivalent { fill: #1d4ed8; font-weight: 600 } .other { fill: #5d6675 }
@media (prefers-color-scheme: dark) { text { fill: #e6e9ef } .soft, .other { fill: #a3acb9 } .grid { stroke: #3a4150 }
.rule { stroke: #a3acb9 } .band { fill: #1e3a5f } .reach { stroke: #60a5fa } .dot { fill: #60a5fa }
.better { fill: #4ade80 } .worse { fill: #f87171 } .equivalent { fill: #93c5fd } }
"""


class Line(NamedTuple):
    """One interval.

    Attributes:
        label: What was compared.
        low: The lower end.
        value: The estimate.
        high: The upper end.
        said: What is said of it.
        kind: The outcome, which has a colour.
    """

    label: str
    low: float
    value: float
    high: float
    said: str = ""
    kind: str = "other"


def of(label: str, e: Estimate) -> Line:
    """An estimate with what its interval says."""
    said = "better" if e.low > 0 else "worse" if e.high < 0 else "not shown"
    return Line(label, e.low, e.value, e.high, said, said if said != "not shown" else "other")


def counted(wins: int, losses: int, n: int) -> Estimate:
    """Of right and wrong answers."""
    rest = [0] * (n - wins - losses)
    return paired_difference([1] * wins + [0] * losses + rest, [0] * wins + [1] * losses + rest)


def picture(lines: Sequence[Line], ends: tuple[float, float], title: str, *, band: float = 0.0, at: float = 0.0) -> str:
    """Intervals under each other, on one axis."""

    def x(value: float) -> float:
        inside = min(max(value, ends[0]), ends[1])
        return round(LEFT + (inside - ends[0]) / (ends[1] - ends[0]) * (WIDTH - LEFT - RIGHT), 1)

    bottom = TOP + ROW * len(lines)

    def parts() -> Iterator[str]:
        if band:
            size = f'width="{x(band) - x(-band):.1f}" height="{bottom - TOP}"'
            yield f'<rect class="band" x="{x(-band)}" y="{TOP}" {size}/>'
        for value in dict.fromkeys((ends[0], at, ends[1])):
            kind = "rule" if value == at else "grid"
            yield f'<line class="{kind}" x1="{x(value)}" x2="{x(value)}" y1="{TOP}" y2="{bottom}"/>'
            told = f"{value:+g}" if value else "0"
            yield f'<text class="soft" x="{x(value)}" y="{TOP - 8}" text-anchor="middle">{told}</text>'
        for number, line in enumerate(lines):
            y = TOP + ROW * number + ROW / 2
            yield f'<text x="{LEFT - 14}" y="{y + 5}" text-anchor="end">{escape(line.label)}</text>'
            yield f'<line class="reach" x1="{x(line.low)}" x2="{x(line.high)}" y1="{y}" y2="{y}"/>'
            yield f'<circle class="dot" cx="{x(line.value)}" cy="{y}" r="6"/>'
            yield f'<text class="{line.kind}" x="{WIDTH - RIGHT + 14}" y="{y + 5}">{escape(line.said)}</text>'

    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 8}" role="img">'
    return "\n".join([head, f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>", *parts(), "</svg>", ""])


def pictures() -> dict[str, str]:
    """Each picture by its name."""
    half = [1] * 9 + [0] * 31, [0] * 9 + [1] * 4 + [0] * 27
    thirty, hundred = (paired_difference([0.03] * n, [0.0] * n, scale=(0, 1)) for n in (30, 100))
    seen = thirty.seen or (0.0, 0.0)
    ours: list[float | None] = [1.0] * 22 + [0.0] * 6 + [None] * 12 + [0.0] * 60
    theirs = [0.0] * 22 + [1.0] * 18 + [0.0] * 60
    known = [(a, b) for a, b in zip(ours, theirs, strict=True) if a is not None]
    left_out = paired_difference([a for a, _ in known], [b for _, b in known])
    alike = paired_difference([1, 1, 0, 1] * 100, [1, 1, 0, 1] * 100)
    ps = [0.012, 0.03, 0.2]
    raised = [p or 0.0 for p in holm(ps)]
    once, third = (
        counted(27, 13, 80),
        paired_difference([1] * 27 + [0] * 53, [0] * 27 + [1] * 13 + [0] * 40, planned_looks=3),
    )
    return {
        "rule": picture(
            [
                of("18 wins, 4 losses of 40", counted(18, 4, 40)),
                of("4 wins, 18 losses", counted(4, 18, 40)),
                of("12 wins, 8 losses", counted(12, 8, 40)),
                of("2 wins, 1 loss", counted(2, 1, 40)),
            ],
            (-1, 1),
            "The whole interval has to lie on one side of 0",
        ),
        "more-cases": picture(
            [of(f"{n} cases, half of them won", counted(n // 2, 0, n)) for n in (4, 10, 20, 40, 200)],
            (-1, 1),
            "The same share of wins with more and more cases",
        ),
        "unseen": picture(
            [
                Line("30 gains of 0.03, as seen", *(seen[0], 0.03, seen[1]), said="too good"),
                of("30, a rare loss allowed for", thirty),
                of("100, a rare loss allowed for", hundred),
            ],
            (-0.15, 0.15),
            "What was seen, and what may be unseen",
        ),
        "together": picture(
            [
                of("40 questions", paired_difference(*half)),
                of("5 copies of each, as 200", paired_difference(half[0] * 5, half[1] * 5)),
                of("5 copies of each, counted once", paired_difference(half[0] * 5, half[1] * 5, list(range(40)) * 5)),
            ],
            (-0.5, 0.5),
            "Copies of a question count once",
        ),
        "missing": picture(
            [of("12 failures left out", left_out), of("12 failures counted as lost", worst_case(ours, theirs)[0])],
            (-0.5, 0.5),
            "A verdict has to hold if what is missing was lost",
        ),
        "equal": picture(
            [
                Line("the same on 400 cases", alike.low, alike.value, alike.high, "equivalent", "equivalent"),
                of("the same on 20 cases", paired_difference([1, 1, 0, 1] * 5, [1, 1, 0, 1] * 5)),
            ],
            (-0.2, 0.2),
            "Within a margin of five points",
            band=0.05,
        ),
        "several": picture(
            [
                Line(
                    f"{p:g} is raised to {q:g}",
                    p,
                    q,
                    q,
                    "below 0.05" if q < 0.05 else "not shown",
                    "better" if q < 0.05 else "other",
                )
                for p, q in zip(ps, raised, strict=True)
            ],
            (0, 0.25),
            "Holm raises p-values for the number of comparisons",
            at=0.05,
        ),
        "looks": picture(
            [of("one look", once), of("one of three looks", third)],
            (-0.5, 0.5),
            "Each look is held to 5 % over their number",
        ),
    }


def main() -> None:
    drawn = {IMAGES / f"{name}.svg": text for name, text in pictures().items()}
    if "--check" not in sys.argv:
        for path, text in drawn.items():
            path.write_text(text, encoding="utf-8")
    if old := [path.name for path, text in drawn.items() if path.read_text(encoding="utf-8") != text]:
        raise SystemExit(f"{', '.join(old)} out of date: run python docs/draw.py")


if __name__ == "__main__":
    main()
