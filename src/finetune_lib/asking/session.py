"""The one way by which augmenters ask a model: from the cache, else within the limits, and into the cache at once."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast
from weakref import WeakValueDictionary

from finetune_lib.augmenters.answers import Answers, Paid, default_path
from finetune_lib.augmenters.spending import Price, Purse, expected_usage, price_of
from finetune_lib.errors import PlatformError
from finetune_lib.platforms import Platform
from finetune_lib.records import Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion

T = TypeVar("T")
# A model that breaks the form of its answer is asked once more.
ATTEMPTS = 2
# With these the platform will refuse every further call too: they are not made.
HOPELESS_STATUS = frozenset({401, 403, 404})
HOPELESS_CODE = frozenset({"insufficient_quota", "model_not_found", "invalid_api_key"})
BAD_REQUEST = frozenset({400, 422})
FORM = ("response_format", "json_schema", "structured")


class UnreadableAnswerError(ValueError):
    """The model's answer is not in the form that was asked for."""


class Asking(Protocol):
    """What an augmenter that asks a model tells of its calls beforehand."""

    @property
    def model(self) -> str: ...
    @property
    def platform(self) -> Platform | None: ...
    @property
    def price(self) -> Price | None: ...


class Connections(Protocol):
    """Clients that a run shares, and the platform of a call that names none."""

    async def default(self) -> Platform:
        """The platform where none is named."""
        ...

    def client(self, platform: Platform) -> AsyncOpenAI:
        """The client of a platform, always the same one."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """One call to a model.

    Attributes:
        model: The model's name.
        system: What it is to do.
        user: What it is to do it with.
        answers: How many texts it will write; the budget reckons with them.
        form: The JSON schema of the answer; platforms that cannot hold a model to it are asked without.
        salt: What sets otherwise equal questions apart, as another seed; it is not sent.
        temperature: None leaves it to the platform.
        platform: Where; None is the run's.
        price: US dollars for a million tokens read and written; None where it is unknown.
    """

    model: str
    system: str
    user: str
    answers: int
    form: Mapping[str, Any]
    salt: str
    temperature: float | None
    platform: Platform | None
    price: Price | None

    def expected(self) -> Usage:
        """The tokens that the call will use, rather too many than too few."""
        return expected_usage(self.model, system=self.system, user=self.user, answers=self.answers)

    def request(self, model: str) -> dict[str, Any]:
        """The body of the call."""
        messages = [{"role": "system", "content": self.system}, {"role": "user", "content": self.user}]
        chosen = {} if self.temperature is None else {"temperature": self.temperature}
        return {"model": model, "messages": messages, **chosen}


class Session:
    """What the calls of one run share: connections, cache, limits."""

    def __init__(
        self,
        connections: Connections,
        *,
        platform: Platform | None = None,
        cache: str | PathLike[str] | None = None,
        budget: float | None = None,
        max_calls: int | None = None,
    ) -> None:
        self.purse = Purse(budget=budget, max_calls=max_calls)
        self._connections, self._platform, self._cache = connections, platform, cache
        self._hopeless: dict[tuple[Platform, str], PlatformError] = {}
        self._formless: set[tuple[Platform, str]] = set()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def hopeless(self) -> PlatformError | None:
        """The first error that each further call would meet again."""
        return next(iter(self._hopeless.values()), None)

    async def prepare(self, asking: Sequence[Asking]) -> None:
        """Look at what the run will need before its first call.

        Raises:
            ValueError: A budget is given, and the price of a model is not known.
            DataError: The cache cannot be used.
        """
        for one in asking:
            platform = await self._at(one.platform)
            if self.purse.budget is not None and price_of(one.model, one.price, platform) is None:
                known = "price=(read, written), in US dollars per million tokens"
                raise ValueError(f"a budget needs the price of {one.model}: pass {known}")
        if asking:
            _ = self.answers

    async def _at(self, given: Platform | None) -> Platform:
        return given or self._platform or await self._connections.default()

    @cached_property
    def answers(self) -> Answers:
        """The cache; a run that asks no model makes no file."""
        return Answers(default_path() if self._cache is None else self._cache)

    def close(self) -> None:
        """Close the cache."""
        if "answers" in self.__dict__:
            self.answers.close()

    async def ask(self, question: Question, read: Callable[[str], T]) -> T:
        """What `read` makes of the model's answer.

        Raises:
            NotAskedError: The limits of the run forbid the call.
            PlatformError: The platform refused or did not answer.
            UnreadableAnswerError: `read` raised it for each answer.
        """
        platform = await self._at(question.platform)
        request = question.request(platform.model_id(question.model))
        key = _key(platform, request, question.salt)
        lock = self._locks.setdefault(key, asyncio.Lock())  # equal rows wait for one answer
        async with lock:
            stored = self.answers.get(key)
            if stored and (told := _readable(read, stored.text)):
                self.purse.reuse()
                return told[0]
            for _ in range(ATTEMPTS - 1):
                if told := _readable(read, await self._paid(platform, question, request, key)):
                    return told[0]
            return read(await self._paid(platform, question, request, key))

    async def _paid(self, platform: Platform, question: Question, request: dict[str, Any], key: str) -> str:
        """Ask, and keep the answer before anything else happens."""
        if known := self._hopeless.get((platform, question.model)):
            raise known
        price = price_of(question.model, question.price, platform)
        guess = question.expected() if self.purse.budget is not None else Usage()
        reserved, used = await self.purse.reserve(guess, price), None
        try:
            with self._remembered(platform, question.model):
                paid = await self._answered(platform, question, request)
            used = paid.usage
            self.answers.put(key, question.model, paid)
        finally:
            self.purse.settle(reserved, used, price)
        return paid.text

    async def _answered(self, platform: Platform, question: Question, request: dict[str, Any]) -> Paid:
        """With the form of the answer where the platform takes it, else without."""
        where = (platform, question.model)
        if where not in self._formless:
            try:
                return await self._create(platform, question, {**request, "response_format": _schema(question.form)})
            except PlatformError as error:
                if not _about_the_form(error):
                    raise
                self._formless.add(where)
        return await self._create(platform, question, request)

    async def _create(self, platform: Platform, question: Question, request: dict[str, Any]) -> Paid:
        create = cast("Callable[..., Any]", self._connections.client(platform).chat.completions.create)
        with platform.calls(f"ask {question.model}"):
            return _paid(await create(**request), question)

    @contextmanager
    def _remembered(self, platform: Platform, model: str) -> Generator[None]:
        """Keep an error that each further call would meet again."""
        try:
            yield
        except PlatformError as error:
            if error.status_code in HOPELESS_STATUS or error.code in HOPELESS_CODE:
                self._hopeless[platform, model] = error
            raise


_session: ContextVar[Session | None] = ContextVar("session", default=None)


@contextmanager
def within(session: Session) -> Generator[Session]:
    """Augmenters that are called in it ask through `session`."""
    token = _session.set(session)
    try:
        yield session
    finally:
        _session.reset(token)
        session.close()


def session() -> Session:
    """The session of the run that calls.

    Raises:
        RuntimeError: There is none.
    """
    if found := _session.get():
        return found
    raise RuntimeError("augmenters that ask a model work within Dataset.augment, which holds cache and budget")


def _key(platform: Platform, request: Mapping[str, Any], salt: str) -> str:
    text = json.dumps([platform.name, request, salt], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _readable(read: Callable[[str], T], text: str) -> tuple[T] | None:
    try:
        return (read(text),)
    except UnreadableAnswerError:
        return None


def _paid(completion: ChatCompletion, question: Question) -> Paid:
    """The answer's text; a platform that counts no tokens is reckoned with those that were expected."""
    message, usage = completion.choices[0].message, completion.usage
    counted = Usage(usage.prompt_tokens, usage.completion_tokens) if usage else question.expected()
    return Paid(message.content or message.refusal or "", counted)


def _schema(form: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "versions", "strict": True, "schema": form}}


def _about_the_form(error: PlatformError) -> bool:
    said = f"{error.param} {error}".lower()
    return error.status_code in BAD_REQUEST and any(word in said for word in FORM)
