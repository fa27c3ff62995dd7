"""The one way by which a run asks models: from what is kept, else within the limits, and kept at once."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast
from weakref import WeakValueDictionary

from finetune_lib.asking.connections import Connections
from finetune_lib.asking.kept import Kept, default_path
from finetune_lib.asking.pacing import NO_ANSWER_IN_TIME, UNREADABLE
from finetune_lib.asking.request import Reply, Request, key_of, reply_in
from finetune_lib.asking.spending import Price, Purse, price_of
from finetune_lib.errors import PlatformError
from finetune_lib.platforms import Platform

if TYPE_CHECKING:
    from collections.abc import Awaitable

T = TypeVar("T")
# A model that breaks the form of its answer is asked once more.
ATTEMPTS = 2
BAD_REQUEST = frozenset({400, 422})
FORM = ("response_format", "json_schema", "structured")
USUAL_CONCURRENCY, USUAL_TIMEOUT = 16, 120.0
EMBEDDED_AT_ONCE = 100
SHOWN = 120  # characters of what is no answer


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


@dataclass(frozen=True, slots=True)
class Question:
    """A request as it is put to its platform.

    Attributes:
        request: What is asked.
        platform: Where.
        body: The body of the call.
        key: Under what the answer is kept.
    """

    request: Request
    platform: Platform
    body: Mapping[str, Any]
    key: str


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
        self._platform, self._store = platform, store
        self._formless: set[tuple[Platform, str]] = set()
        self._refused: dict[str, Exception] = {}
        self._model_ids: dict[tuple[Platform, str], str] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def hopeless(self) -> PlatformError | None:
        """The first error that each further call would meet again."""
        return self.connections.closed

    async def prepare(self, asking: Iterable[Asking]) -> None:
        """Look at what the run will need before its first call.

        Raises:
            ValueError: A budget is given, and the price of a model is not known.
            DataError: What is kept cannot be used.
        """
        for one in asking:
            _ = self.kept
            platform = await self.platform_of(one.platform)
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
        if "kept" in self.__dict__:
            self.kept.close()
        await self.connections.close()

    async def ask(self, request: Request) -> Reply:
        """The model's answer: the kept one, else a paid one.

        Raises:
            NotAskedError: The limits of the run forbid the call.
            PlatformError: The platform refused or did not answer.
        """
        return await self.read(request, lambda reply: reply)

    async def read(self, request: Request, read: Callable[[Reply], T]) -> T:
        """What `read` makes of the answer; a model whose answer it cannot read is asked once more.

        Raises:
            NotAskedError: The limits of the run forbid the call.
            PlatformError: The platform refused or did not answer.
            UnreadableAnswerError: `read` raised it for each answer.
        """
        question = await self.question(request)
        lock = self._locks.setdefault(question.key, asyncio.Lock())  # equal questions wait for one answer
        async with lock:
            if (stored := self.kept.get(question.key)) and (told := _readable(read, Reply.from_json(stored))):
                self.purse.reuse()
                return told[0]
            for _ in range(ATTEMPTS - 1):
                if told := _readable(read, await self._paid(question)):
                    return told[0]
            return read(await self._paid(question))

    async def question(self, request: Request) -> Question:
        """The request as it is put to its platform."""
        platform = await self.platform_of(request.platform)
        body = request.body(self._model_id(platform, request.model))
        return Question(request, platform, body, key_of(platform, body, request.salt))

    def _model_id(self, platform: Platform, model: str) -> str:
        """On the local platform it may be a folder; that is looked up once."""
        if (platform, model) not in self._model_ids:
            self._model_ids[platform, model] = platform.model_id(model)
        return self._model_ids[platform, model]

    def refuse(self, key: str, reason: Exception) -> None:
        """Ask this no more: it was asked in another way, which gave no answer."""
        self._refused[key] = reason

    async def _paid(self, question: Question) -> Reply:
        """Ask, and keep the answer before anything else happens."""
        if reason := self._refused.get(question.key):
            raise reason
        request = question.request
        price = price_of(request.model, request.price, question.platform)
        ticket = await self.purse.reserve(request, price)
        used = None
        try:
            reply = await self._answered(question)
            used = reply.usage
            self.kept.put(question.key, request.model, reply.as_json())
        finally:
            self.purse.settle(ticket, used)
        return reply

    async def _answered(self, question: Question) -> Reply:
        """With the form of the answer where the platform takes it, else without."""
        request, where = question.request, (question.platform, question.request.model)
        if request.form is None:
            return await self._create(question, question.body)
        if where not in self._formless:
            try:
                return await self._create(question, question.body)
            except PlatformError as error:
                if not about_the_form(error):
                    raise
                self._formless.add(where)
        return await self._create(question, request.body(question.body["model"], held=False))

    async def _create(self, question: Question, body: Mapping[str, Any]) -> Reply:
        connection, request = self.connections.to(question.platform), question.request
        content = json.dumps(body).encode()

        async def call() -> Reply:
            start = time.perf_counter()
            answer = await connection.complete(content)
            return reply_in(_json(answer), request, seconds=time.perf_counter() - start)

        return await self._patiently(question.platform, request.model, f"ask {request.model}", call)

    async def _patiently(self, platform: Platform, model: str, doing: str, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call at the platform's pace, and again where it may succeed then.

        Raises:
            PlatformError: It did not.
        """
        pace, attempt = self.connections.pace(platform, model), 0
        while True:
            attempt += 1
            begun = await pace.begin()
            try:
                given = await self._in_time(platform, doing, call)
            except PlatformError as error:
                wait = pace.failed(error, attempt, begun=begun)
                if wait is None:
                    raise
            else:
                pace.went_well()
                return given
            finally:
                pace.ended()
            await asyncio.sleep(wait)

    async def _in_time(self, platform: Platform, doing: str, call: Callable[[], Awaitable[T]]) -> T:
        seconds = self.connections.timeout
        try:
            with platform.calls(doing):
                async with self.connections.places, asyncio.timeout(seconds):
                    return await call()
        except TimeoutError as error:
            told = f"could not {doing}: no answer from {platform.name} within {seconds:g} s"
            raise PlatformError(told, code=NO_ANSWER_IN_TIME, retryable=True) from error

    async def embed(self, model: str, texts: Sequence[str], *, platform: Platform | None = None) -> list[list[float]]:
        """The vectors of texts, in their order; those that were embedded before are kept.

        Raises:
            PlatformError: The platform refused, did not answer, or has no embeddings.
        """
        where = await self.platform_of(platform)
        keys = {text: key_of(where, {"model": model, "input": text}, "embedding") for text in texts}
        missing = [text for text, key in keys.items() if self.kept.get(key) is None]
        for start in range(0, len(missing), EMBEDDED_AT_ONCE):
            part = missing[start : start + EMBEDDED_AT_ONCE]
            vectors = await self._embedded(where, model, part)
            for text, vector in zip(part, vectors, strict=True):
                self.kept.put(keys[text], model, {"vector": vector})
        return [cast("dict[str, Any]", self.kept.get(keys[text]))["vector"] for text in texts]

    async def _embedded(self, platform: Platform, model: str, texts: list[str]) -> list[list[float]]:
        create = cast("Callable[..., Awaitable[Any]]", self.connections.to(platform).client.embeddings.create)

        async def call() -> list[list[float]]:
            answer = await create(model=model, input=texts, encoding_format="float")
            return [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]

        return await self._patiently(platform, model, f"embed with {model}", call)


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


def _json(answer: bytes) -> Any:
    try:
        return json.loads(answer)
    except ValueError as error:
        shown = answer[:SHOWN].decode("utf-8", "replace")
        raise PlatformError(f"the answer is no JSON: {shown!r}", code=UNREADABLE, retryable=True) from error


def about_the_form(error: PlatformError) -> bool:
    """Whether a platform refuses to hold the model to the form of the answer."""
    said = f"{error.param} {error}".lower()
    return error.status_code in BAD_REQUEST and any(word in said for word in FORM)
