"""How often the 95 % interval holds the true difference, and how often p is below 0.05 where there is none.

    python benchmarks/coverage.py            # 2,000 sets of each kind, some minutes
    python benchmarks/coverage.py 300        # a quick look

The first table is of intervals. Every set goes through `paired_difference`. Of all items, the share `discordant` differs between the two candidates;
of these the first one wins more than half: `lean` 0 is no difference, `lean` 1 means that it loses none. Graded
differences are as large as a uniform number, a level of a judge (a half or one), or the difference of two skewed
scores on every item; or a small steady gain that a rare large loss takes away, with and without noise. In clusters, of 1
to 9 items or of very unequal size, an item shares the outcome of its cluster with probability `alike`, or whole clusters
collapse.

The second table is of verdicts between candidates that are equal: how often one is called better or worse where questions
are copied, wrong answers fail, many candidates meet one baseline, or one looks again while items are added.
"""

from __future__ import annotations

import sys
import time
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import ceil, sqrt
from pathlib import Path

import numpy

from finetune_lib.data.together.links import asking_alike
from finetune_lib.records import Case, Message
from finetune_lib.statistics import Estimate, holm, paired_difference, worst_case

Draw = Callable[[numpy.random.Generator, int], numpy.ndarray]
SIZES = (20, 30, 50, 100, 200, 500, 1000)
DISCORDANT = (0.05, 0.1, 0.2, 0.3, 0.5)
LEANS = (0.0, 0.25, 0.5, 0.75, 1.0)
WORDINGS = Path(__file__).parents[1] / "tests/evaluation/report/paraphrases.toml"
WANTED, ALLOWED = 0.93, 0.055
# How many clusters of which size.
UNEQUAL = (
    ((3, 20), (40, 1)),
    ((10, 12), (30, 1)),
    ((5, 10), (50, 1)),
    ((1, 15), (40, 1)),
    ((20, 8), (20, 1)),
    ((20, 12), (60, 1)),
    ((40, 12), (120, 1)),
    ((20, 10),),
    ((40, 5),),
)


@dataclass(frozen=True)
class Kind:
    """A way to draw differences, with the true mean."""

    name: str
    case: str
    draw: Draw
    truth: float
    clusters: Callable[[int], numpy.ndarray] | None = None
    items: tuple[int, ...] = SIZES


def signs(rng: numpy.random.Generator, n: int, discordant: float, lean: float) -> numpy.ndarray:
    """1, 0 or -1 an item."""
    wins, losses = discordant * (1 + lean) / 2, discordant * (1 - lean) / 2
    return rng.choice([1.0, -1.0, 0.0], n, p=[wins, losses, 1 - wins - losses])


def ternary() -> Iterator[Kind]:
    for q, lean in product(DISCORDANT, LEANS):
        yield Kind("0 and 1", f"discordant {q}, lean {lean}", lambda r, n, q=q, s=lean: signs(r, n, q, s), q * lean)


def graded() -> Iterator[Kind]:
    for q, lean in product((0.05, 0.1, 0.2, 0.5), (0.0, 0.5, 1.0)):
        case = f"discordant {q}, lean {lean}"
        yield Kind("graded, uniform", case, lambda r, n, q=q, s=lean: signs(r, n, q, s) * r.random(n), q * lean / 2)
        levels: Draw = lambda r, n, q=q, s=lean: signs(r, n, q, s) * r.choice([0.5, 1.0], n)  # noqa: E731
        yield Kind("graded, levels", case, levels, q * lean * 0.75)
    yield Kind("graded, skewed", "unequal", lambda r, n: r.beta(5, 1, n) - r.beta(2, 2, n), 5 / 6 - 1 / 2)
    yield Kind("graded, skewed", "equal", lambda r, n: r.beta(5, 1, n) - r.beta(5, 1, n), 0.0)


def collapsing() -> Iterator[Kind]:
    """A little better on nearly all items, and much worse on a few: no difference in the mean."""
    for rate, gain, noise in product((0.01, 0.05, 0.1), (0.005, 0.03, 0.1), (0.0, 0.1)):
        loss = gain * (1 - rate) / rate
        if loss <= 1 - 3 * noise:
            case = f"rate {rate}, gain {gain}, noise {noise}"
            yield Kind("graded, collapsing", case, lambda r, n, a=(rate, gain, loss, noise): collapse(r, n, *a), 0.0)


def collapse(r: numpy.random.Generator, n: int, rate: float, gain: float, loss: float, noise: float) -> numpy.ndarray:
    return numpy.where(r.random(n) < rate, -loss, gain) + noise * r.uniform(-1, 1, n)


@cache
def clusters_of(n: int) -> numpy.ndarray:
    """The cluster of each item: 1, 2, 3 … 9, 1, 2 … items, five on average."""
    return numpy.repeat(numpy.arange(n), numpy.arange(n) % 9 + 1)[:n]


def clustered() -> Iterator[Kind]:
    yield from in_clusters("clusters of 1 to 9", clusters_of, (100, 200, 500))
    for layout in UNEQUAL:
        sizes = [size for count, size in layout for _ in range(count)]
        ids = numpy.repeat(numpy.arange(len(sizes)), sizes)
        name = "clusters: " + " + ".join(f"{count} of {size}" for count, size in layout)
        yield from in_clusters(name, lambda _, ids=ids: ids, (len(ids),))


def collapsing_clusters() -> Iterator[Kind]:
    """Whole documents collapse, the others are a little better."""
    for count, size, rate in product((20, 50), (5, 25), (0.05, 0.1)):
        ids, gain = numpy.repeat(numpy.arange(count), size), 0.03

        def draw(r: numpy.random.Generator, _: int, ids=ids, count=count, rate=rate, gain=gain) -> numpy.ndarray:
            return collapse(r, count, rate, gain, gain * (1 - rate) / rate, 0.0)[ids]

        name, case = f"clusters: {count} of {size}, collapsing", f"rate {rate}"
        yield Kind(name, case, draw, 0.0, lambda _, ids=ids: ids, (len(ids),))


def in_clusters(name: str, ids: Callable[[int], numpy.ndarray], items: tuple[int, ...]) -> Iterator[Kind]:
    for q, lean, alike in product((0.05, 0.1, 0.2, 0.3, 0.5), (0.0, 0.5, 1.0), (0.0, 0.5, 0.75, 1.0)):

        def draw(r: numpy.random.Generator, n: int, q=q, lean=lean, alike=alike) -> numpy.ndarray:
            common = signs(r, n, q, lean)[ids(n)]
            return numpy.where(r.random(n) < alike, common, signs(r, n, q, lean))

        yield Kind(name, f"discordant {q}, lean {lean}, alike {alike}", draw, q * lean, ids, items)


@cache
def of_counts(wins: int, losses: int, n: int) -> Estimate:
    """The estimate of scores of 0 and 1, which rests on the counts only."""
    return paired_difference([1] * wins + [0] * (n - wins), [0] * wins + [1] * losses + [0] * (n - wins - losses))


def estimate(kind: Kind, d: numpy.ndarray) -> Estimate:
    if kind.clusters:
        return paired_difference(numpy.maximum(d, 0), numpy.maximum(-d, 0), kind.clusters(len(d)))
    if kind.name == "0 and 1":
        return of_counts(int((d > 0).sum()), int((d < 0).sum()), len(d))
    return paired_difference(numpy.maximum(d, 0), numpy.maximum(-d, 0))


def measure(kind: Kind, n: int, sets: int) -> tuple[float, float]:
    """Coverage, and the share of p below 0.05."""
    rng = numpy.random.default_rng([n, *map(ord, kind.name + kind.case)])
    found = [estimate(kind, kind.draw(rng, n)) for _ in range(sets)]
    held = sum(e.low - 1e-9 <= kind.truth <= e.high + 1e-9 for e in found) / sets
    return held, sum((e.p or 0.0) < 0.05 for e in found) / sets


def equal(rng: numpy.random.Generator, n: int, share: float = 0.75) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Two candidates that are right equally often."""
    return (rng.random(n) < share).astype(float), (rng.random(n) < share).astype(float)


def shown(*estimates: Estimate) -> bool:
    return all(e.low > 0 for e in estimates) or all(e.high < 0 for e in estimates)


def copied(rng: numpy.random.Generator, questions: int, copies: int, together: bool) -> bool:
    a, b = (numpy.repeat(x, copies) for x in equal(rng, questions))
    return shown(paired_difference(a, b, numpy.repeat(numpy.arange(questions), copies) if together else None))


@cache
def wordings() -> numpy.ndarray:
    """The group of each wording as the library tells it, of ten questions in five wordings each."""
    faq = tomllib.loads(WORDINGS.read_text(encoding="utf-8"))["faq"]
    cases = [
        Case(str((q, text)), (Message(role="user", content=text),), one["answer"])
        for q, one in enumerate(faq)
        for text in one["questions"]
    ]
    groups = numpy.arange(len(cases))
    for places in asking_alike(cases):
        groups[places] = places[0]
    return groups


def reworded(rng: numpy.random.Generator, together: bool) -> bool:
    """Whoever knows the answer knows it in all wordings."""
    a, b = (numpy.repeat(x, 5) for x in equal(rng, 10))
    return shown(paired_difference(a, b, wordings() if together else None))


def failing(rng: numpy.random.Generator, n: int, whole: bool) -> bool:
    """Of the candidate's wrong answers those fail that are 4.8 % of all; left out alone, or counted against it too."""
    a, b = equal(rng, n)
    lost = (a == 0) & (rng.random(n) < 0.048 / 0.25)
    left_out = paired_difference(a[~lost], b[~lost])
    given = [None if gone else x for x, gone in zip(a, lost, strict=True)]
    return left_out.low > 0 and (not whole or worst_case(given, b)[0].low > 0)


def many(rng: numpy.random.Generator, n: int, candidates: int, corrected: bool) -> bool:
    base = equal(rng, n)[0]
    found = [paired_difference(equal(rng, n)[0], base) for _ in range(candidates)]
    ps = holm([e.p for e in found]) if corrected else [e.p for e in found]
    return any(shown(e) and (p or 0.0) < 0.05 for e, p in zip(found, ps, strict=True))


def looking(rng: numpy.random.Generator, n: int, looks: int, planned: bool) -> bool:
    a, b = equal(rng, n)
    each = [n * (look + 1) // looks for look in range(looks)]
    return any(shown(paired_difference(a[:k], b[:k], planned_looks=looks if planned else 1)) for k in each)


FAMILIES: tuple[tuple[str, Callable[..., bool], tuple[int, ...]], ...] = (
    ("10 questions, 5 copies each", copied, (10, 5)),
    ("20 questions, 5 copies each", copied, (20, 5)),
    ("10 questions, 5 wordings each", reworded, ()),
    ("wrong answers fail, 500 cases", failing, (500,)),
    ("wrong answers fail, 2000 cases", failing, (2000,)),
    ("10 candidates, 200 cases", many, (200, 10)),
    ("5 looks up to 250 cases", looking, (250, 5)),
)


def verdicts(sets: int) -> None:
    print("| equal candidates | called better or worse without the rule | with it |")
    print("|---|---|---|")
    for name, draw, sizes in FAMILIES:
        rates = [
            sum(draw(rng, *sizes, rule) for _ in range(sets)) / sets
            for rule in (False, True)
            for rng in [numpy.random.default_rng([*map(ord, name)])]
        ]
        print(f"| {name} | {rates[0]:.3f} | {rates[1]:.3f} |")


def main(sets: int) -> None:
    begin, below, above = time.perf_counter(), 0, 0
    coverage, errors = defaultdict(list), defaultdict(list)
    for kind, n in [
        (one, n)
        for one in [*ternary(), *graded(), *collapsing(), *clustered(), *collapsing_clusters()]
        for n in one.items
    ]:
        # Counts are quickly told, clusters slowly.
        number = ceil(sets * (0.5 if kind.clusters else 5 if kind.name == "0 and 1" else 1))
        held, low_p = measure(kind, n, number)
        coverage[kind.name, n].append((held, kind.case))
        below += held < WANTED - 2 * sqrt(WANTED * (1 - WANTED) / number)
        if not kind.truth:
            errors[kind.name, n].append(low_p)
            above += low_p > ALLOWED + 2 * sqrt(ALLOWED * (1 - ALLOWED) / number)
    print("| scores | items | least coverage | mean coverage | most p < 0.05 without a difference |")
    print("|---|---|---|---|---|")
    for (name, n), cases in coverage.items():
        least, case = min(cases)
        mean, most = sum(c for c, _ in cases) / len(cases), max(errors[name, n])
        print(f"| {name} | {n} | {least:.3f} ({case}) | {mean:.3f} | {most:.3f} |")
    print(
        f"{below} coverages below {WANTED} and {above} errors above {ALLOWED} by more than the chance of so many sets"
    )
    verdicts(sets)
    print(f"{time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
