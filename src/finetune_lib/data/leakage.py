"""Whether held-out rows have a neighbour in training: the proof of a split, and what to take out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.data.splitting import Key
from finetune_lib.records import Example, Origin
from finetune_lib.rows.exchange import fold_prompt
from finetune_lib.texts.neighbours import Pair
from finetune_lib.texts.neighbours.between import nearest_between

FEW_CASES = 30
USUAL_DISCORDANCE = 0.3


@dataclass(frozen=True, slots=True)
class Proof:
    """That no held-out row has a near neighbour in training; printing it says so, or names those that have.

    Attributes:
        sizes: How many rows each part has.
        threshold: The similarity from which two questions are neighbours: the share of their shingles that
            they have in common.
        neighbours: The held-out rows with a neighbour in training, each with that neighbour.
        findings: What else to know: classes that a part misses, and sets too small to tell anything.
    """

    sizes: Mapping[str, int]
    threshold: float
    neighbours: tuple[Diagnostic, ...]
    findings: tuple[Diagnostic, ...]

    @property
    def holds(self) -> bool:
        """Whether no held-out row has a neighbour in training."""
        return not self.neighbours

    def __str__(self) -> str:
        held = sum(size for part, size in self.sizes.items() if part != "train")
        sizes = ", ".join(f"{part} {size:,}" for part, size in self.sizes.items())
        told = f"{len(self.neighbours)} of {held:,} held-out rows have a neighbour ≥ {self.threshold} in training"
        return "\n".join([f"{sizes}; {told}", *map(str, (*self.neighbours, *self.findings))])


def prove(parts: Mapping[str, Sequence[Example]], *, threshold: float, stratum: Key | None) -> Proof:
    """Hold each held-out part against the training part `train`."""
    train = parts["train"]
    held = {name: part for name, part in parts.items() if name != "train"}
    neighbours = [found for part in held.values() for found in contamination(train, part, threshold=threshold)]
    findings = [finding for name, part in held.items() if part for finding in _doubts(name, part, train, stratum)]
    sizes = {name: len(part) for name, part in parts.items()}
    return Proof(sizes, threshold, tuple(neighbours), tuple(findings))


def contamination(train: Sequence[Example], held: Sequence[Example], *, threshold: float) -> Iterator[Diagnostic]:
    """The held-out rows that have a near neighbour in training, each with the nearest."""
    for pair in near(train, held, threshold=threshold):
        one, other = held[pair.b], train[pair.a]
        yield diagnose("L854", one.origin, related=(other.origin,), similarity=pair.similarity)


def near(train: Sequence[Example], held: Sequence[Example], *, threshold: float) -> list[Pair]:
    """Of each held-out row the nearest training row that is near enough: places in `train` and in `held`."""
    return sorted(nearest_between(_questions(train), _questions(held), threshold=threshold), key=lambda pair: pair.b)


def _questions(examples: Sequence[Example]) -> list[str]:
    return [fold_prompt(example) for example in examples]


def _doubts(name: str, part: Sequence[Example], train: Sequence[Example], stratum: Key | None) -> Iterator[Diagnostic]:
    """Why a held-out part may not tell what one hopes."""
    origin = Origin(name)
    if len(part) < FEW_CASES and name == "golden":
        yield diagnose("L855", origin, cases=len(part), points=detectable_difference(len(part)))
    if stratum:
        there = Counter(stratum(example) for example in part)
        for kind in sorted({stratum(example) for example in train} - set(there), key=repr):
            yield diagnose("L856", origin, part=name, kind=str(kind))


def detectable_difference(cases: int, *, discordance: float = USUAL_DISCORDANCE) -> int:
    """Percentage points that a paired comparison of so many cases can show, with 80 % power at 5 %.

    Source: the usual normal approximation for paired proportions, (1.96 + 0.84) · sqrt(discordance / n), where
    discordance is the share of cases that one candidate wins and the other loses.
    """
    return min(100, round(100 * 2.8 * sqrt(discordance / max(1, cases))))
