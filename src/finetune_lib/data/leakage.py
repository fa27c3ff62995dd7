"""Whether training knows the answers to held-out rows: splits that hold, their proof, and what to take out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.data.splitting import Key, families, fold_places, split_places
from finetune_lib.data.together.links import Between, Links, Rows, between, links
from finetune_lib.records import Case, Example, Origin
from finetune_lib.shown import Shown

FEW_CASES = 30
USUAL_DISCORDANCE = 0.3

Places = tuple[list[int], list[int], list[int]]


@dataclass(frozen=True, slots=True)
class Proof(Shown):
    """That training tells the answer of no held-out row; printing it says so, or names those that it tells.

    Attributes:
        sizes: How many rows each part has.
        neighbours: The held-out rows that are known from training (`finetune_lib.relation` says `duplicate` or
            `variant`), each with the row that tells it.
        findings: What else to know: forms that stand on both sides, classes that a part misses, and sets too small
            to tell anything.
    """

    sizes: Mapping[str, int]
    neighbours: tuple[Diagnostic, ...]
    findings: tuple[Diagnostic, ...]

    @property
    def holds(self) -> bool:
        """Whether no held-out row is known from training."""
        return not self.neighbours

    def __str__(self) -> str:
        held = sum(size for part, size in self.sizes.items() if part != "train")
        sizes = ", ".join(f"{part} {size:,}" for part, size in self.sizes.items())
        told = f"{len(self.neighbours)} of {held:,} held-out rows are known from training"
        return "\n".join([f"{sizes}; {told}", *map(str, (*self.neighbours, *self.findings))])


def parted(examples: Sequence[Example], *, near: bool, **options: Any) -> Places:
    """The places of a split whose proof holds: what the proof would find is joined, and the split made anew.

    Args:
        examples: The data.
        near: Whether more than equal questions belong together.
        options: As in `split_places`.

    Raises:
        ValueError: A part stays empty, or nothing is left for training.
    """
    if not near:
        return split_places(examples, **options)
    found = links(Rows(examples))
    while crossing := _crossing(examples, places := _with_forms_together(examples, found, options)):
        found.strict += crossing
    return places


@dataclass(frozen=True, slots=True)
class Folds:
    """Data in folds, none of which tells the answer of a row in another.

    Attributes:
        parts: The places of each fold.
        families: The places of rows of which one tells the other's answer, or that stay together by a key: each such
            group is one piece of evidence.
    """

    parts: list[list[int]]
    families: list[list[int]]

    def rest(self, number: int) -> list[int]:
        """The places of all other folds."""
        return sorted(place for other, part in enumerate(self.parts) if other != number for place in part)


def folded(
    examples: Sequence[Example], *, folds: int, seed: int, key: Key | None = None, stratum: Key | None = None
) -> Folds:
    """Folds that tell nothing of each other: what crosses them is joined, and they are made anew.

    Raises:
        ValueError: What belongs together makes fewer groups than folds.
    """
    found = links(Rows(examples))
    options: dict[str, Any] = {"folds": folds, "seed": seed, "key": key, "stratum": stratum}
    while True:
        try:
            parts = fold_places(examples, links=found.strict, forms=found.loose, **options)
        except ValueError:  # forms stay together only while groups allow
            parts = fold_places(examples, links=found.strict, **options)
        made = Folds(parts, families(examples, links=found.strict, key=key))
        crossing = [
            pair for number, part in enumerate(parts) for pair in _crossing(examples, (made.rest(number), part, []))
        ]
        if not crossing:
            return made
        found.strict += crossing


def _with_forms_together(examples: Sequence[Example], found: Links, options: Mapping[str, Any]) -> Places:
    """Templates stay on one side, too, unless then a part stays empty."""
    try:
        return split_places(examples, links=found.strict, forms=found.loose, **options)
    except ValueError:
        if not found.loose:
            raise
        return split_places(examples, links=found.strict, **options)


def _crossing(examples: Sequence[Example], places: Places) -> list[tuple[int, int]]:
    """Pairs of which one part tells the other's answer, as the proof finds them."""
    train, *held = map(sorted, places)
    others = [place for part in held for place in part]
    known = between([examples[place] for place in train], [examples[place] for place in others]).known
    return [(train[one], others[other]) for other, (one, _) in known.items()]


def prove(parts: Mapping[str, Sequence[Example]], *, stratum: Key | None) -> Proof:
    """Hold the held-out parts against the training part `train`."""
    train = parts["train"]
    held = {name: part for name, part in parts.items() if name != "train"}
    rows = [example for part in held.values() for example in part]
    found = between(train, rows)
    doubts = [doubt for name, part in held.items() if part for doubt in _doubts(name, part, train, stratum)]
    sizes = {name: len(part) for name, part in parts.items()}
    return Proof(sizes, tuple(_known(train, rows, found)), (*_forms(found), *doubts))


def contamination(golden: Sequence[Case | Example], rows: Sequence[Example]) -> Iterator[Diagnostic]:
    """The rows that tell the answer of a golden case, each with that case; and how many have the form of one."""
    found = between(golden, rows)
    yield from _known(golden, rows, found)
    yield from _forms(found)


def tellers(golden: Sequence[Case | Example], rows: Sequence[Example]) -> dict[int, Origin]:
    """The places of the rows that tell a golden answer, each with where its case stands."""
    return {place: _origin(golden[one]) for place, (one, _) in between(golden, rows).known.items()}


def _origin(item: Case | Example) -> Origin:
    return item.origin if isinstance(item, Example) else Origin(f"golden {item.id}")


def _known(golden: Sequence[Case | Example], rows: Sequence[Example], found: Between) -> Iterator[Diagnostic]:
    for place, (one, relation) in found.known.items():
        yield diagnose("L854", rows[place].origin, related=(_origin(golden[one]),), reason=relation.reason)


def _forms(found: Between) -> Iterator[Diagnostic]:
    if found.of_one_form:
        yield diagnose("L857", Origin("golden"), count=len(found.of_one_form))


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
