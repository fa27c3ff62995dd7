"""How a job is followed: what has been seen of it, and when to ask again; without any I/O of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field

from finetune_lib.errors import PlatformError
from finetune_lib.records import JobEvent, JobRecord

OnEvent = Callable[[JobEvent], object]
FIRST_DELAY, LONGEST_DELAY, DELAY_GROWTH = 0.3, 10.0, 1.3
TOLERATED_FAILURES = 8


@dataclass
class Follower:
    """One `wait`: a short loop, synchronous or not, asks the platform and shows it the answers."""

    record: JobRecord
    on_event: OnEvent | None
    timeout: float | None
    seen: set[str] = field(default_factory=set[str])
    untold: list[JobEvent] = field(default_factory=list[JobEvent])
    started: float = field(default_factory=time.monotonic)
    delay: float = FIRST_DELAY
    failures: int = 0

    @property
    def finished(self) -> bool:
        """Whether the job has ended, as far as the last answer tells."""
        return self.record.done and self.failures == 0

    def see(self, record: JobRecord, events: Iterable[JobEvent]) -> None:
        """Take a newer snapshot, and set aside the events that are new."""
        self.failures = 0
        new = [event for event in events if event.id not in self.seen]
        self.delay = FIRST_DELAY if new else min(self.delay * DELAY_GROWTH, LONGEST_DELAY)
        self.seen.update(event.id for event in new)
        self.record = record
        self.untold += new

    def tell(self) -> None:
        """Pass the new events on; what the caller's own function raises is the caller's."""
        while self.untold:
            event = self.untold.pop(0)
            if self.on_event:
                self.on_event(event)

    @contextmanager
    def tolerating(self) -> Generator[None]:
        """Bear a passing failure of the platform, and a number of them in a row."""
        try:
            yield
        except PlatformError as error:
            self.failures += 1
            self.delay = min(self.delay * 2, LONGEST_DELAY)
            if not error.retryable or self.failures > TOLERATED_FAILURES:
                raise

    def next_delay(self) -> float | None:
        """Seconds until the next question; None where the time is over."""
        if self.timeout is None:
            return self.delay
        left = self.started + self.timeout - time.monotonic()
        return min(self.delay, left) if left > 0 else None
