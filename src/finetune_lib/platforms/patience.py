"""Waiting and asking again: one budget of time, the platform's own wishes, and a word to who waits.

For calls that may be repeated: reading, uploading, following. What is paid for is never repeated here, and the pace
of many calls to models is `asking`'s.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from finetune_lib.errors import PlatformError

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")
LOG = logging.getLogger("finetune_lib")
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
# Seconds that one answer may take, at most and at least; and how long a call is tried again where nobody set a time.
ANSWER_SECONDS, LEAST_SECONDS, USUAL_SECONDS = 60.0, 1.0, 120.0
OnStall = Callable[[str], object]


@dataclass
class Patience:
    """One budget of time for all that is waited for.

    Attributes:
        seconds: The budget; None is without end.
        on_stall: Told in words what does not move, before it is waited for; by default the log is.
        sleep: How to wait.
        clock: Seconds of a clock that never goes back.
    """

    seconds: float | None = USUAL_SECONDS
    on_stall: OnStall | None = None
    sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    @property
    def left(self) -> float:
        """Seconds of the budget that are left; infinite without one."""
        return float("inf") if self.seconds is None else self.started + self.seconds - self.clock()

    @property
    def answer_seconds(self) -> float:
        """How long the next answer may take."""
        return max(LEAST_SECONDS, min(ANSWER_SECONDS, self.left))

    def stalled(self, text: str) -> None:
        """Say what does not move: to who waits, else to the log."""
        (self.on_stall or LOG.warning)(text)

    async def trying(self, call: Callable[[], Awaitable[T]]) -> T:
        """What a call gives, tried again while it may succeed and the time is not over.

        Raises:
            PlatformError: The last refusal.
        """
        import tenacity

        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(_passes),
            stop=self._is_over,
            wait=_pause,
            before_sleep=self._tell,
            sleep=self._rest,
            reraise=True,
        )

        async def attempt() -> T:
            return await call()

        return await retrying(attempt)

    def _is_over(self, state: RetryCallState) -> bool:
        """A wait that would outlast the budget is not begun; what is left of the budget is slept by who follows."""
        error = state.outcome and state.outcome.exception()
        asked = (error.retry_after or 0.0) if isinstance(error, PlatformError) else 0.0
        return self.left <= max(0.0, asked if self.seconds is not None else 0.0)

    def _tell(self, state: RetryCallState) -> None:
        error = state.outcome and state.outcome.exception()
        if error and state.next_action:
            self.stalled(f"{error} Trying again in {state.next_action.sleep:.1f} s.")

    async def _rest(self, seconds: float) -> None:
        await self.sleep(max(0.0, min(seconds, self.left)))


def _passes(error: BaseException) -> bool:
    return isinstance(error, PlatformError) and error.retryable


def _pause(state: RetryCallState) -> float:
    """As long as the platform asks, and longer each time, with chance so that many do not come at once."""
    error = state.outcome and state.outcome.exception()
    asked = (error.retry_after or 0.0) if isinstance(error, PlatformError) else 0.0
    own = min(FIRST_WAIT * 2 ** min(state.attempt_number - 1, 10), LONGEST_WAIT)
    return max(asked, own * random.uniform(0.75, 1.0))  # noqa: S311 - no secret
