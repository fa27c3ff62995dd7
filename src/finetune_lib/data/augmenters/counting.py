"""What became of the children: every one that was made is kept, identical, drifted or failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# Reasons beyond so many are counted together: platforms put ids into their messages.
MOST_REASONS, REST = 20, "other reasons"
LONGEST_REASON = 200


@dataclass(frozen=True)
class Counts:
    """What became of the children of one augmenter.

    Attributes:
        kept: Children that are in the result.
        identical: Dropped, as they say the same as their parent or a sibling.
        drifted: Dropped, as they may no longer fit the answer; how many by reason.
        failed: Not made, or not usable; how many by reason.
    """

    kept: int = 0
    identical: int = 0
    drifted: Mapping[str, int] = field(default_factory=dict[str, int])
    failed: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def made(self) -> int:
        """All that were asked for: the sum of the others."""
        return self.kept + self.identical + sum(self.drifted.values()) + sum(self.failed.values())

    def __str__(self) -> str:
        parts = [f"{self.kept} kept", f"{self.identical} identical"]
        parts += [_with_reasons("drifted", self.drifted), _with_reasons("failed", self.failed)]
        return f"{self.made} made = {' + '.join(parts)}"


def _with_reasons(name: str, reasons: Mapping[str, int]) -> str:
    told = "; ".join(f"{reason}: {count}" for reason, count in reasons.items())
    return f"{sum(reasons.values())} {name}{f' ({told})' if told else ''}"


class Tally:
    """Counts while the run goes on."""

    def __init__(self) -> None:
        self.kept = self.identical = 0
        self.drifted: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    def drift(self, reason: str) -> None:
        """One child has drifted."""
        self.drifted[_bounded(reason, self.drifted)] += 1

    def fail(self, reason: str, count: int = 1) -> None:
        """Children were not made."""
        self.failed[_bounded(reason, self.failed)] += count

    def counts(self) -> Counts:
        """The counts, the most frequent reason first."""
        return Counts(self.kept, self.identical, dict(self.drifted.most_common()), dict(self.failed.most_common()))


def _bounded(reason: str, known: Counter[str]) -> str:
    reason = reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 1]}…"
    return reason if reason in known or len(known) < MOST_REASONS else REST


def total(counts: Iterable[Counts]) -> Counts:
    """The sum of several augmenters."""
    tally = Tally()
    for one in counts:
        tally.kept += one.kept
        tally.identical += one.identical
        tally.drifted.update(one.drifted)
        tally.failed.update(one.failed)
    return tally.counts()
