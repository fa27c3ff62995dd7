"""How a job is followed: each event once, by its content; when to ask again; and what does not move."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from finetune_lib.errors import PlatformError
from finetune_lib.platforms.kinds import ENDED, status_of
from finetune_lib.platforms.patience import Patience
from finetune_lib.platforms.wire import PAGE, Call, Wire
from finetune_lib.records import JobEvent, JobRecord

OnEvent = Callable[[JobEvent], object]
FIRST_DELAY, DELAY_GROWTH, LEAST_DELAY = 0.3, 2.0, 0.2
# The pause grows to this share of the time that has passed; it is no shorter than the second, no longer than the third.
SHARE, SHORT_DELAY, LONGEST_DELAY = 0.02, 1.35, 30.0
# The job itself is looked at when an event tells that it rests or ends, and when so many looks at the events brought
# nothing: a platform may tell its end in other words, or not at all.
QUIET_LOOKS = 4
TURNS = re.compile(r"succe|complet|finish|fail|error|cancel|paus|resum|stop", re.IGNORECASE)
# A list that is read twice alike has settled; one that never does is read so often.
MOST_READINGS, READING_PAUSE = 20, 0.2
SMALL_PAGE, LARGE_PAGE = 20, 1_000
STILL_SECONDS = 600.0
READY_SECONDS, READY_PAUSE = 600.0, 1.0
BAD_REQUEST, MISSING = 400, 404
NO_ROUTE = frozenset({404, 405, 501})


@dataclass
class Told:
    """The events that were told, and in what number each: ids are not the same in each answer of every platform."""

    seen: Counter[Any] = field(default_factory=Counter[Any])
    newest_first: bool = False  # the list has been seen to run so

    def new(self, events: Iterable[JobEvent]) -> list[JobEvent]:
        """Those of one reading that are new, oldest first; they count as told."""
        here, new = Counter[Any](), list[JobEvent]()
        for event in events:
            here[event.content] += 1
            if here[event.content] > self.seen[event.content]:
                new.append(event)
        self.seen |= here
        return sorted(new, key=lambda event: event.created_at)

    def knows(self, events: Iterable[JobEvent]) -> bool:
        """Whether nothing of these is new."""
        return all(self.seen[event.content] for event in events)

    def reaches(self, events: Sequence[JobEvent]) -> bool:
        """Whether what lies behind a page is known: the newest stand first, and its last one is known.

        An event that was put in farther behind is told when the job has ended: the whole list is read then.
        """
        self.newest_first |= len(events) > 1 and events[0].created_at > events[-1].created_at
        return (self.newest_first or len(events) < 2) and self.knows(events[-1:])


@dataclass
class Pace:
    """When to ask again: fast at first, then at a share of the time that has passed, and fast again about the end."""

    delay: float = FIRST_DELAY
    _first: tuple[float, float] | None = None
    _due: float = math.inf

    def see(self, event: JobEvent, elapsed: float) -> None:
        """Learn from a step how long one takes, and when the last one is due."""
        step, total = ((event.data or {}).get(name) for name in ("step", "total_steps"))
        if not isinstance(step, int) or not isinstance(total, int):
            return
        first_step, first_moment = self._first = self._first or (step, event.created_at)
        if step >= total:
            self.delay, self._due = LEAST_DELAY, math.inf
        elif step > first_step:
            self._due = elapsed + (total - step) * (event.created_at - first_moment) / (step - first_step)

    def next_delay(self, elapsed: float) -> float:
        """Seconds until the next question, with some chance, so that many followers do not ask at once."""
        ceiling = min(max(SHARE * elapsed, SHORT_DELAY), LONGEST_DELAY)
        delay, self.delay = min(self.delay, ceiling), min(self.delay * DELAY_GROWTH, ceiling)
        delay *= random.uniform(0.9, 1.0)  # noqa: S311 - no secret
        left = self._due - elapsed
        return delay if left <= 0 else min(delay, max(left, LEAST_DELAY))


@dataclass
class Follower:
    """One `wait` for a job.

    Attributes:
        wire: The connection.
        record: The job as it was last seen.
        patience: The budget of time.
        on_event: Called once with each event, oldest first.
        told: The events that were told already.
    """

    wire: Wire
    record: JobRecord
    patience: Patience
    on_event: OnEvent | None = None
    told: Told = field(default_factory=Told)
    _pace: Pace = field(default_factory=Pace)
    _quiet: int = QUIET_LOOKS - 1  # of a first look that brings nothing, the job tells more
    _without_events: bool = False
    _last_news: float = 0.0
    _stalled: float = STILL_SECONDS
    _complained: set[str] = field(default_factory=set[str])

    @property
    def status(self) -> str:
        """The job's status in OpenAI's words."""
        return status_of(self.record.status)

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self.patience.clock() - self.patience.started

    async def follow(self) -> JobRecord:
        """Follow the job to its end, or until the time is over.

        Raises:
            PlatformError: The platform refuses to tell of the job.
        """
        self._without_events = not self.wire.platform.kind.events
        while True:
            if self._without_events or await self._look_at_events():
                await self._look_at_job()
            if self.status in ENDED:
                await self._finish()
                return self.record
            if self.patience.left <= 0:
                return self.record
            self._complain()
            await self.patience.sleep(max(0.0, min(self._pace.next_delay(self.elapsed), self.patience.left)))

    async def _look_at_job(self) -> None:
        call = Call(f"get the job {self.record.id}", "GET", f"/fine_tuning/jobs/{self.record.id}")

        async def look() -> JobRecord:
            return JobRecord.of(await self.wire.send(call, seconds=self.patience.answer_seconds))

        try:
            seen = await self.patience.trying(look)
        except PlatformError as error:
            if error.retryable and self.patience.left <= (error.retry_after or 0.0):
                await self.patience.sleep(max(0.0, self.patience.left))
                return  # the time is over
            raise
        if seen.status != self.record.status:
            self._last_news = self.elapsed
        self.record = seen if seen.id else self.record

    async def _look_at_events(self) -> bool:
        """Tell what is new; whether the job itself may have more to tell."""
        try:
            seconds = self.patience.answer_seconds
            new = self.told.new(await read_events(self.wire, self.record.id, seconds=seconds, known=self.told))
        except PlatformError as error:  # the job itself tells whether the platform is there
            self._without_events = error.status_code in NO_ROUTE
            return True
        self._tell(new)
        self._quiet = 0 if new else self._quiet + 1
        told = [event for event in new if event.kind == "message"]
        turned = any(event.level == "error" or TURNS.search(event.message) for event in told)
        return turned or (not new and self._quiet % QUIET_LOOKS == 0)

    def _tell(self, events: Sequence[JobEvent]) -> None:
        if events:
            self._last_news, self._stalled = self.elapsed, STILL_SECONDS
        for event in events:
            self._pace.see(event, self.elapsed)
            if self.on_event:
                self.on_event(event)

    async def _finish(self) -> None:
        """What comes behind the end is told: the list is read until it stays as it is."""
        # The look that told of the end is a reading, too.
        before, pause = (Counter(self.told.seen), READING_PAUSE) if self._quiet == 0 else (None, 0.0)
        readings = 0 if self._without_events else MOST_READINGS
        while readings and self.patience.left > 0:
            readings -= 1
            await self.patience.sleep(min(pause, max(0.0, self.patience.left)))
            pause = READING_PAUSE
            try:
                events = await read_events(self.wire, self.record.id, seconds=self.patience.answer_seconds)
            except PlatformError as error:
                if not error.retryable:
                    break
            else:
                self._tell(self.told.new(events))
                here = Counter(event.content for event in events)
                if here == before:
                    break
                before = here
        if self.status == "succeeded":
            await self._until_it_answers()

    async def _until_it_answers(self) -> None:
        """The first call after the end may still find no model."""
        model, kind = self.record.fine_tuned_model, self.wire.platform.kind
        if model is None or kind.deploys or kind.free:
            return
        body = {"model": model, "messages": [{"role": "user", "content": "."}], "max_tokens": 1}
        call = Call(f"ask {model}", "POST", "/chat/completions", body=body)
        limit = self.patience.clock() + READY_SECONDS
        while self.patience.left > 0 and self.patience.clock() < limit:
            try:
                await self.wire.send(call, seconds=self.patience.answer_seconds)
            except PlatformError as error:
                if error.status_code == MISSING and error.code == "model_not_found":
                    await self.patience.sleep(min(READY_PAUSE, max(0.0, self.patience.left)))
                    continue
            return

    def _complain(self) -> None:
        """Say once what does not move by itself, and now and then that nothing is heard."""
        still = self.elapsed - self._last_news
        if self.status == "paused":
            self._say("paused", f"{self.record.id} is paused; job.resume() lets it go on")
        elif self.status not in {"validating_files", "queued", "running", "unknown"}:
            self._say(self.status, f"{self.record.id} is {self.record.status!r}, a word that is not known here")
        if still >= self._stalled:
            self._stalled *= 2
            self._say(
                f"still {still}", f"{self.record.id} is {self.record.status}: nothing new for {still / 60:.0f} min"
            )

    def _say(self, about: str, text: str) -> None:
        if about not in self._complained:
            self._complained.add(about)
            self.patience.stalled(text)


async def read_events(wire: Wire, job: str, *, seconds: float, known: Told | None = None) -> list[JobEvent]:
    """The events of a job, oldest first: all, or those back to one that is known.

    Raises:
        PlatformError: The platform has none, or does not answer.
    """
    path = f"/fine_tuning/jobs/{job}/events"

    async def read(size: int) -> list[JobEvent]:
        found, before = list[JobEvent](), set[tuple[Any, ...]]()
        async for page in wire.pages(Call(f"list the events of {job}", "GET", path), size=size, seconds=seconds):
            events = [JobEvent.of(event) for event in page]
            # Where the order within a second changes while it is read, one may stand on two pages.
            found += [event for event in events if not event.id or (event.id, event.content) not in before]
            before |= {(event.id, event.content) for event in events}
            if known is not None and known.reaches(events):
                break
        return found

    try:
        if known is not None and known.newest_first:
            found = await read(SMALL_PAGE)
            if found and not known.reaches(found):  # its pages cannot be turned
                found = await read(PAGE)
        else:
            found = await read(PAGE)
    except PlatformError as error:
        if error.status_code != BAD_REQUEST:
            raise
        found = await read(LARGE_PAGE)  # the cursor is an id that it does not know any more
    # Most list the newest first; of those of one second, too, the older one is told first. Where all are of one second,
    # a list that has grown at its end runs the other way.
    grew_behind = known is not None and found and known.knows(found[:1]) and not known.knows(found[-1:])
    if found and found[0].created_at >= found[-1].created_at and not grew_behind:
        found.reverse()
    return sorted(found, key=lambda event: event.created_at)
