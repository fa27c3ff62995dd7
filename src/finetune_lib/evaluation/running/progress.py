"""How far an evaluation is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from finetune_lib.shown import Shown

MINUTE = 60


@dataclass(frozen=True, slots=True)
class Progress(Shown):
    """How far an evaluation is; printing it gives one line.

    Attributes:
        stage: What is being done: `answers`, `scores` or `judgments`.
        done: Units of this stage that are done.
        total: Units of this stage in all.
        failed: Units of it that failed.
        seconds: Since the evaluation began.
        seconds_left: An estimate for this stage by its pace until now; None at its start.
        paid_calls: Calls to models that were paid in this run.
        reused: Answers that an earlier run had paid.
        spent: US dollars of this run; None where a price is unknown.
    """

    stage: str
    done: int
    total: int
    failed: int = 0
    seconds: float = 0.0
    seconds_left: float | None = None
    paid_calls: int = 0
    reused: int = 0
    spent: float | None = 0.0

    def __str__(self) -> str:
        parts = [f"{self.stage} {self.done}/{self.total}"]
        parts += [f"{self.failed} failed"] if self.failed else []
        parts += [f"{self.reused} reused"] if self.reused else []
        parts += [f"${self.spent:.4f}"] if self.spent else []
        if self.seconds_left and self.done < self.total:
            few = self.seconds_left < 2 * MINUTE
            span = f"{self.seconds_left:.0f} s" if few else f"{self.seconds_left / MINUTE:.0f} min"
            parts.append(f"about {span} left")
        return ", ".join(parts)


OnProgress = Callable[[Progress], object]


class Stopwatch:
    """The pace of one stage."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self.start = clock, clock()

    def seconds(self) -> float:
        """Since it was made."""
        return self._clock() - self.start

    def left(self, done: int, total: int) -> float | None:
        """Seconds for what is not done, at the pace of what is."""
        return self.seconds() / done * (total - done) if done else None
