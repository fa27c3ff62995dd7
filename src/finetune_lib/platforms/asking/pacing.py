"""How fast calls to one model begin: as fast as they come, and after a 429 no faster than it has answered."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

from finetune_lib.errors import PlatformError
from finetune_lib.platforms.platform import TOO_MANY

SLOWER = 0.9
# Seconds between two cuts at least; so many answers that a change of their number means something, and what change.
WINDOW, ENOUGH, FAR_FEWER = 1.0, 5, 3
NEVER = float("-inf")
# Answers that are taken for granted where the very first calls are refused.
TAKEN_FOR_GRANTED = 10
# Seconds, or calls, until the pace is e times what it was after a refusal; it grows with the square of the time.
RECOVERY_SECONDS, RECOVERY_CALLS = 10.0, 30
FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0
TRUSTED = 2  # times that the platform alone says how long to wait
# A full platform is waited for, but for so long (seconds) only where it answers nothing at all.
ATTEMPTS_WHEN_FULL, PATIENCE = 16, 180.0
# Of other failures; of those that may have been paid for, and of an address where nobody has ever answered.
ATTEMPTS, FEW_ATTEMPTS = 8, 3
NO_ANSWER_IN_TIME, UNREADABLE = "no_answer_in_time", "unreadable_answer"
# After so many failed calls in a row no further one is made; a platform that never answered gets fewer chances.
LOST_IN_A_ROW, LOST_AT_FIRST = 50, 5
# With these the platform will refuse every further call too.
HOPELESS_STATUS = frozenset({401, 403, 404})
HOPELESS_CODE = frozenset({"insufficient_quota", "model_not_found", "invalid_api_key"})
# A request that is above the limit by itself: no waiting helps it.
TOO_LARGE = "too large"


class Pace:
    """When calls to one model of one platform begin, and whether they still do. It lives in one event loop.

    Limits of platforms are rates. So the first refusal ends the rush: calls then begin one after another, at nine
    tenths of the rate at which answers came until then, and that rate grows again, slowly at first. Where slower
    calls bring fewer answers and no fewer refusals, the rate is not the reason, and they are slow no more.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.closed: PlatformError | None = None
        self._clock, self._turn = clock, asyncio.Lock()
        self._interval = self._next = 0.0
        self._counted = self._resumed = clock()
        self._cut, self._best = NEVER, 0.0
        self._full_since: float | None = None
        self._running = self._good = self._lost = 0
        self._reached = self._answered = False

    async def begin(self) -> float:
        """Wait for one's turn; the moment at which the call begins. Say when it has `ended`.

        Raises:
            PlatformError: No further call is worth it, for this reason.
        """
        async with self._turn:
            while not self.closed and (wait := self._next - self._clock()) > 0:
                await asyncio.sleep(wait)
            if self.closed:
                raise self.closed
            now = self._clock()
            self._next = now + self._gap(now)
        self._running += 1
        return now

    def ended(self) -> None:
        """A call is over, whatever came of it."""
        self._running -= 1

    def _gap(self, now: float) -> float:
        """Seconds to the next beginning."""
        if not self._interval:
            return 0.0
        grown = max(0.0, now - self._resumed) / max(RECOVERY_SECONDS, RECOVERY_CALLS * self._interval)
        return self._interval * math.exp(-(grown**2))

    def went_well(self) -> None:
        """A call was answered."""
        self._good += 1
        self._lost, self._full_since = 0, None
        self._reached = self._answered = True

    def failed(self, error: PlatformError, attempt: int, *, begun: float) -> float | None:
        """Seconds to wait before a call is made again that failed for the `attempt`-th time; None for never."""
        self._reached |= error.status_code is not None
        wait = _wait(error, attempt)
        if error.status_code in HOPELESS_STATUS or error.code in HOPELESS_CODE:
            self.closed = error
        elif not error.retryable:
            return None
        elif error.status_code == TOO_MANY and self._worth_waiting(error, attempt):
            return self._full(error, wait, begun)
        elif error.status_code != TOO_MANY and attempt < self._attempts(error):
            return wait
        else:
            self._give_up(error)
        return None

    def _attempts(self, error: PlatformError) -> int:
        if (error.retry_after or 0.0) > PATIENCE:
            return 0
        few = error.code in {NO_ANSWER_IN_TIME, UNREADABLE} or not self._reached
        return FEW_ATTEMPTS if few else ATTEMPTS

    def _give_up(self, error: PlatformError) -> None:
        self._lost += 1
        if self._lost >= (LOST_IN_A_ROW if self._answered else LOST_AT_FIRST):
            self.closed = error

    def _worth_waiting(self, error: PlatformError, attempt: int) -> bool:
        now = self._clock()
        self._full_since = self._full_since or now
        patient = now + (error.retry_after or 0.0) - self._full_since < PATIENCE
        return patient and attempt < ATTEMPTS_WHEN_FULL and TOO_LARGE not in str(error).lower()

    def _full(self, error: PlatformError, wait: float, begun: float) -> float:
        """The call waits by itself, longer each time; now and then its refusal is a reason to slow all others down."""
        now = self._clock()
        queueing = self._good and self._turn.locked()  # else a slower pace would slow down nobody
        due = now - self._cut >= WINDOW and (queueing or self._cut == NEVER)
        if due and begun >= self._resumed:  # those that were under way at the last cut are no reason of their own
            self._adapt(now)
            self._next = max(self._next, now + (FIRST_WAIT if error.retry_after is None else error.retry_after))
            self._resumed = self._next
        return wait

    def _adapt(self, now: float) -> None:
        seconds, gap = max(WINDOW, now - self._counted), self._gap(now)
        if gap and self._best * seconds >= ENOUGH and self._good < self._best * seconds / FAR_FEWER:
            self._interval, self._best = 0.0, self._good / seconds  # the rate is not the reason
        else:
            answered = self._good if gap else max(self._good, TAKEN_FOR_GRANTED)
            slower = seconds / SLOWER / (answered + self._running)
            self._interval = min(max(slower, gap / SLOWER), gap * 2 or slower)
            self._best = max(self._best, self._good / seconds)
        self._good, self._cut, self._counted = 0, now, now


def _wait(error: PlatformError, attempt: int) -> float:
    """As long as the platform asks for, but longer each time where that has not helped."""
    if error.retry_after is None:
        return min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT)
    own = 0.0 if attempt <= TRUSTED else min(FIRST_WAIT * 2 ** (attempt - TRUSTED - 1), LONGEST_WAIT)
    return max(error.retry_after, own)
