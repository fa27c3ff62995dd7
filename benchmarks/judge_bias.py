"""Whether the look at a judge finds what was planted in it, and is silent where nothing was.

    python benchmarks/judge_bias.py            # 400 golden sets of 50, 100 and 200 cases
    python benchmarks/judge_bias.py 1000

Every case has a true difference between two answers, and a difference of length that has nothing to do with it. A
simulated judge sees the difference with noise, new in each call, and adds what its bias gives to the answer in the
first place, or to the longer one. Printed for each judge: how often each bias is said to be shown, and how far the win
rate of one order (the candidate always first), of both orders, and at equal length is from that of a judge without
any bias.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

from finetune_lib.evaluation.judges import JudgeQuality, Judgment, Level

SIZES = (50, 100, 200)
NOISE, LONGER = 0.5, 0.3  # noise of one call; how much longer the candidate's answers are, in standard deviations
BETTER, MUCH, SLIGHTLY = 0.2, 1.0, 0.35


@dataclass(frozen=True)
class Simulated:
    """A judge, and what is wrong with it."""

    name: str
    place: float = 0.0
    length: float = 0.0

    def verdict(self, apart: float, longer: float, noise: float) -> Level:
        """What it says of a first answer that is so much better and longer."""
        seen = apart + self.length * longer + self.place + noise
        side = "first" if seen > 0 else "second"
        if abs(seen) < SLIGHTLY:
            return "tie"
        strength = "much" if abs(seen) > MUCH else "slightly"
        return f"{side}_{strength}_better"  # type: ignore[return-value]


JUDGES = (
    Simulated("honest"),
    Simulated("likes the first", place=0.4),
    Simulated("likes the second", place=-0.4),
    Simulated("likes the longer", length=0.6),
    Simulated("likes both", place=0.4, length=0.6),
)


def main(sets: int) -> None:
    """Print one line for each judge and size."""
    print(f"{sets} golden sets each; share in which a bias is shown, and error of the win rate in points")
    print(f"{'judge':<18}{'cases':>6}{'place':>8}{'length':>8}{'one order':>11}{'both':>7}{'equal length':>14}")
    for n in SIZES:
        for judge in JUDGES:
            runs = [Run.of(judge, n, seed) for seed in range(sets)]
            shown = f"{fmean(r.place for r in runs):>8.1%}{fmean(r.length for r in runs):>8.1%}"
            errors = (fmean(errors) for errors in zip(*(r.errors for r in runs), strict=True))
            one, both, equal = (f"{100 * error:+.1f}" for error in errors)
            print(f"{judge.name:<18}{n:>6}{shown}{one:>11}{both:>7}{equal:>14}")


@dataclass(frozen=True)
class Run:
    """What was found of one judge on one golden set."""

    place: bool
    length: bool
    errors: tuple[float, float, float]

    @staticmethod
    def of(judge: Simulated, n: int, seed: int) -> Run:
        """Judge one golden set, and look at the judge."""
        cases = [str(number) for number in range(n)]
        judgments, lengths = judged(judge, n, seed)
        fair, _ = judged(JUDGES[0], n, seed)
        found = JudgeQuality.of(judgments, cases, "tuned", "base", lengths=lengths)
        truth = fmean(share(j) for j in fair)
        rates = fmean(share(j) for j in judgments if j.candidate_first), found.win_rate.value
        errors = (*rates, found.length.controlled.value if found.length else rates[1])
        return Run(
            found.places.favoured is not None,
            found.favoured_length is not None,
            tuple(error - truth for error in errors),  # type: ignore[arg-type]
        )


def share(judgment: Judgment) -> float:
    """What a judgment adds to the win rate."""
    return ((judgment.preference or 0.0) + 1) / 2


def judged(judge: Simulated, n: int, seed: int) -> tuple[list[Judgment], dict[tuple[str, str], float]]:
    """All judgments of a golden set, the same for each judge but for its bias; and the lengths of the answers."""
    source = random.Random(seed)
    judgments: list[Judgment] = []
    lengths: dict[tuple[str, str], float] = {}
    for number in range(n):
        case, apart, longer = str(number), source.gauss(BETTER, 1), source.gauss(LONGER, 1)
        lengths |= {("tuned", case): 300 + 100 * longer, ("base", case): 300}
        judgments += both_orders(judge, case, apart, longer, source)
    return judgments, lengths


def both_orders(judge: Simulated, case: str, apart: float, longer: float, source: random.Random) -> Iterator[Judgment]:
    """What the judge says with the candidate in the first place, and in the second."""
    for first in (True, False):
        side = 1 if first else -1
        level = judge.verdict(side * apart, side * longer, source.gauss(0, NOISE))
        yield Judgment(case, "tuned", "base", judge.name, candidate_first=first, level=level)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
