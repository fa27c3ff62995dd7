"""The one way by which a run asks models: from what is kept, else within the limits, and kept at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast
from weakref import WeakValueDictionary

from finetune_lib.concurrency import in_thread
from finetune_lib.platforms import Platform
from finetune_lib.platforms.admission import admitted, named
from finetune_lib.platforms.asking.calls import Calls, Question
from finetune_lib.platforms.asking.connections import Connections
from finetune_lib.platforms.asking.kept import LEASE, Kept, default_path
from finetune_lib.platforms.asking.request import Reply, Request, key_of
from finetune_lib.platforms.asking.spending import Price, Purse, Share, cost, price_of
from finetune_lib.runs import spent_today

if TYPE_CHECKING:
    from finetune_lib.errors import PlatformError

T = TypeVar("T")
# A model that breaks the form of its answer is asked once more.
ATTEMPTS = 2
USUAL_CONCURRENCY, USUAL_TIMEOUT = 16, 120.0
EMBEDDED_AT_ONCE = 100
LOOKED_FOR = 0.1  # seconds between two looks whether the answer that another run is paying has come


class UnreadableAnswerError(ValueError):
    """The model's answer is not in the form that was asked for."""


class Asking(Protocol):
    """What something that asks a model tells of its calls beforehand."""

    @property
    def model(self) -> str: ...
    @property
    def platform(self) -> Platform | None: ...
    @property
    def price(self) -> Price | None: ...


class Session:
    """What the calls of one run share: connections, what is kept, limits.

    Args:
        platform: Where those are asked that name no platform; None is as `connect()` chooses.
        store: The file of kept answers; None is the default one.
        budget: US dollars at most for what is not kept.
        max_calls: Calls at most.
        concurrency: Calls under way at once on one platform.
        timeout: Seconds that one call may take.
    """

    def __init__(
        self,
        *,
        platform: Platform | None = None,
        store: str | PathLike[str] | None = None,
        budget: float | None = None,
        max_calls: int | None = None,
        concurrency: int = USUAL_CONCURRENCY,
        timeout: float = USUAL_TIMEOUT,
    ) -> None:
        self.connections = Connections(concurrency=concurrency, timeout=timeout)
        self.purse = Purse(budget=budget, max_calls=max_calls)
        self._calls, self._platform, self._store = Calls(self.connections), platform, store
        self.shares: dict[str, Share] = {}
        self._refused: dict[str, Exception] = {}
        self._bought: set[str] = set()
        self._names: dict[tuple[Platform, str], str] = {}
        self._admitted = set[tuple[Platform, str]]()
        self._admission = asyncio.Lock()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._renewing: asyncio.Task[None] | None = None

    @property
    def hopeless(self) -> PlatformError | None:
        """The first error that each further call would meet again."""
        return self.connections.closed

    async def prepare(self, asking: Iterable[Asking]) -> None:
        """Look at what the run will need before its first call.

        Raises:
            ValueError: A platform does not take a model; or a budget is given, and the price of a model is not known.
            PolicyError: The policy forbids a model.
            DataError: What is kept cannot be used.
        """
        for one in asking:
            _ = self.kept
            platform = await self.platform_of(one.platform)
            self._named(platform, one.model)
            if (
                platform.kind.free
            ):  # on one's own machine it can be asked at once; another's may hold kept answers alone
                await self.admit(platform, one.model)
            if self.purse.budget is not None and price_of(one.model, one.price, platform) is None:
                known = "price=(read, written), in US dollars per million tokens"
                raise ValueError(f"a budget needs the price of {one.model}: pass {known}")

    async def platform_of(self, given: Platform | None) -> Platform:
        """Where a call goes that names this platform, or none."""
        return given or self._platform or await self.connections.default()

    @property
    def kept_path(self) -> str | PathLike[str]:
        """The file of what is kept."""
        return default_path() if self._store is None else self._store

    @cached_property
    def kept(self) -> Kept:
        """What is kept; a run that asks no model makes no file."""
        return Kept(self.kept_path)

    async def close(self) -> None:
        """Close the file and the connections."""
        if self._renewing:
            self._renewing.cancel()
        if "kept" in self.__dict__:
            self.kept.close()
        await self.connections.close()

    async def ask(self, request: Request, *, by: str = "") -> Reply:
        """The model's answer: the kept one, else a paid one; it counts for `by`.

        Raises:
            NotAskedError: The limits of the run forbid the call.
            PlatformError: The platform refused or did not answer.
        """
        return await self.read(request, lambda reply: reply, by=by)

    async def read(self, request: Request, read: Callable[[Reply], T], *, by: str = "") -> T:
        """What `read` makes of the answer; a model whose answer it cannot read is asked once more. It counts for `by`.

        Raises:
            NotAskedError: The limits of the run forbid the call.
            PlatformError: The platform refused or did not answer.
            UnreadableAnswerError: `read` raised it for each answer.
        """
        question = await self.question(request)
        lock = self._locks.setdefault(question.key, asyncio.Lock())  # equal questions wait for one answer
        async with lock:
            if told := self._stored(question, read, by):
                return told[0]
            while not self.kept.claim(question.key):  # another run is asking just this
                await asyncio.sleep(LOOKED_FOR)
                if told := self._stored(question, read, by):
                    return told[0]
            try:
                if told := self._stored(question, read, by):  # it came between the look and the claim
                    return told[0]
                self._renewing = self._renewing or asyncio.create_task(self._renew())
                for _ in range(ATTEMPTS - 1):
                    if told := _readable(read, await self._paid(question, by)):
                        return told[0]
                return read(await self._paid(question, by))
            except BaseException:
                self.kept.release(question.key)
                raise

    def _stored(self, question: Question, read: Callable[[Reply], T], by: str) -> tuple[T] | None:
        stored = self.kept.get(question.key)
        if stored and (told := _readable(read, reply := Reply.from_json(stored))):
            self._reused(question.key)
            self._share(by, question, reply)
            return told
        return None

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(LEASE / 3)
            self.kept.renew()

    def _share(self, by: str, question: Question, reply: Reply) -> None:
        request = question.request
        price = price_of(request.model, request.price, question.platform)
        usd = cost(reply.usage, price) * reply.price_share if price else None
        self.shares[by] = self.shares.get(by, Share()).plus(usd, reply.model)

    async def question(self, request: Request) -> Question:
        """The request as it is put to its platform."""
        platform = await self.platform_of(request.platform)
        body = request.body(self._named(platform, request.model))
        return Question(request, platform, body, key_of(platform, body, request.salt))

    def _named(self, platform: Platform, model: str) -> str:
        """The model's name there: on the local platform it may be a folder; that is looked up once."""
        if (platform, model) not in self._names:
            self._names[platform, model] = named(platform, model)
        return self._names[platform, model]

    async def admit(self, platform: Platform, model: str) -> None:
        """Be sure that the platform takes the model, before anything is sent to it.

        Raises:
            ValueError: It does not.
            PolicyError: The policy forbids it.
        """
        async with self._admission:
            if (platform, model) not in self._admitted:
                await admitted(platform, model)
                if (most := platform.policy.usd_per_day) is not None and not platform.kind.free:
                    self.purse.allow(most - await in_thread(spent_today))
                self._admitted.add((platform, model))

    def keep(self, key: str, model: str, reply: Reply) -> None:
        """Keep an answer that was asked for in another way."""
        self.kept.put(key, model, reply.as_json())
        self._bought.add(key)

    def _reused(self, key: str) -> None:
        if key in self._bought:
            self._bought.remove(key)
        else:
            self.purse.reuse()

    def refuse(self, key: str, reason: Exception) -> None:
        """Ask this no more: it was asked in another way, which gave no answer."""
        self._refused[key] = reason

    async def _paid(self, question: Question, by: str) -> Reply:
        """Ask, and keep the answer before anything else happens."""
        if reason := self._refused.get(question.key):
            raise reason
        request = question.request
        await self.admit(question.platform, request.model)
        price = price_of(request.model, request.price, question.platform)
        ticket = await self.purse.reserve(request, price)
        used = None
        try:
            reply = await self._calls.complete(question)
            used = reply.usage
            self.kept.put(question.key, request.model, reply.as_json())
        finally:
            self.purse.settle(ticket, used)
        self._share(by, question, reply)
        return reply

    async def embed(self, model: str, texts: Sequence[str], *, platform: Platform | None = None) -> list[list[float]]:
        """The vectors of texts, in their order; those that were embedded before are kept.

        Raises:
            PlatformError: The platform refused, did not answer, or has no embeddings.
            ValueError: The platform does not take the model.
        """
        where = await self.platform_of(platform)
        name = self._named(where, model)
        keys = {text: key_of(where, {"model": model, "input": text}, "embedding") for text in texts}
        missing = [text for text, key in keys.items() if self.kept.get(key) is None]
        if missing:
            await self.admit(where, model)
        for start in range(0, len(missing), EMBEDDED_AT_ONCE):
            part = missing[start : start + EMBEDDED_AT_ONCE]
            vectors = await self._calls.embed(where, name, part)
            for text, vector in zip(part, vectors, strict=True):
                self.kept.put(keys[text], model, {"vector": vector})
        return [cast("dict[str, Any]", self.kept.get(keys[text]))["vector"] for text in texts]


_session: ContextVar[Session | None] = ContextVar("session", default=None)


@asynccontextmanager
async def within(session: Session) -> AsyncGenerator[Session]:
    """What is called in it asks through `session`."""
    token = _session.set(session)
    try:
        yield session
    finally:
        _session.reset(token)
        await session.close()


@asynccontextmanager
async def current_session() -> AsyncGenerator[Session]:
    """The session of the run that calls; outside of one, a session of its own, which keeps nothing."""
    outer = _session.get()
    if outer and outer.connections.loop is asyncio.get_running_loop():
        yield outer
        return
    async with within(Session(store=":memory:")) as own:
        yield own


def session() -> Session:
    """The session of the run that calls.

    Raises:
        RuntimeError: There is none.
    """
    if found := _session.get():
        return found
    raise RuntimeError("augmenters that ask a model work within Dataset.augment, which holds cache and budget")


def _readable(read: Callable[[Reply], T], reply: Reply) -> tuple[T] | None:
    try:
        return (read(reply),)
    except UnreadableAnswerError:
        return None
