"""What one `wait` has heard of a job, and how it is drawn: status, step of steps, loss, time left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from finetune_lib.jobs.following import Follower, OnEvent
from finetune_lib.jobs.metrics import Metrics
from finetune_lib.pages.bar import Bar
from finetune_lib.records import JobEvent

MINUTE = 60


@dataclass
class Watch:
    """One `wait`.

    Attributes:
        bar: Where it is drawn.
        on_event: Called once with each event.
        heard: The events, as they were told.
        follower: Who follows the job.
    """

    bar: Bar | None = None
    on_event: OnEvent | None = None
    heard: list[JobEvent] = field(default_factory=list[JobEvent])
    follower: Follower | None = None

    def hear(self, event: JobEvent) -> None:
        """Take in an event."""
        self.heard.append(event)
        if self.on_event:
            self.on_event(event)

    async def rest(self, seconds: float) -> None:
        """Wait for the next look at the job; meanwhile its picture is to be seen."""
        if self.bar and self.bar.due:
            self._draw(self.bar)
        await asyncio.sleep(seconds)

    def close(self) -> None:
        """Leave the last picture, whatever ended the wait."""
        if self.bar:
            self._draw(self.bar)
            self.bar.close()

    def _draw(self, bar: Bar) -> None:
        if self.follower is None:
            return
        told = [event for event in self.heard if event.kind == "metrics"]
        step, total = _place(told[-1]) if told else (0, 0)
        parts = [f"{self.follower.record.id} {self.follower.status}", *(_said(told[0], told[-1]) if told else ())]
        share = min(step / total, 1.0) if total else None
        bar.show(", ".join(parts), share=share, picture=self._curve if told else None)

    def _curve(self) -> str:
        return self.metrics.plot().svg

    @property
    def metrics(self) -> Metrics:
        """The curve, as far as it was told."""
        return Metrics.from_events(self.heard)


def _said(first: JobEvent, last: JobEvent) -> Iterator[str]:
    (begun, _), (step, total) = _place(first), _place(last)
    if step:
        yield f"step {step} of {total}" if total else f"step {step}"
    end = Metrics.from_events([last]).end
    loss = end.get("train_loss", end.get("train_mean_reward"))
    if loss is not None:
        yield f"{'loss' if 'train_loss' in end else 'reward'} {loss:.2f}"
    seconds = last.created_at - first.created_at
    if seconds > 0 and begun < step < total:
        left = seconds / (step - begun) * (total - step)
        yield f"about {f'{left:.0f} s' if left < 2 * MINUTE else f'{left / MINUTE:.0f} min'} left"


def _place(event: JobEvent) -> tuple[int, int]:
    """The step and the number of steps, 0 where they are not told."""
    data = event.data or {}
    step, total = (data.get(name) for name in ("step", "total_steps"))
    return step if isinstance(step, int) else 0, total if isinstance(total, int) else 0
