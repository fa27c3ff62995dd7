"""Calls to models: at the platform's pace, in time, made again where that may help, and read in one way."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from finetune_lib.errors import PlatformError
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking.connections import Connections
from finetune_lib.platforms.asking.pacing import NO_ANSWER_IN_TIME, UNREADABLE
from finetune_lib.platforms.asking.request import Reply, Request, reply_in

T = TypeVar("T")
BAD_REQUEST = frozenset({400, 422})
FORM = ("response_format", "json_schema", "structured")
SHOWN = 120  # characters of what is no answer


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


class Calls:
    """Makes the calls of one run."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._formless: set[tuple[Platform, str]] = set()

    async def complete(self, question: Question) -> Reply:
        """The answer to a question, in the form that it asks for where the platform takes one.

        Raises:
            PlatformError: The platform refused or did not answer.
        """
        request, where = question.request, (question.platform, question.request.model)
        if request.form is None:
            return await self._completed(question, question.body)
        if where not in self._formless:
            try:
                return await self._completed(question, question.body)
            except PlatformError as error:
                if not about_the_form(error):
                    raise
                self._formless.add(where)
        return await self._completed(question, request.body(question.body["model"], held=False))

    async def _completed(self, question: Question, body: Mapping[str, Any]) -> Reply:
        connection, request = self._connections.to(question.platform), question.request
        content = json.dumps(body).encode()

        async def call() -> Reply:
            start = time.perf_counter()
            answer = await connection.complete(content)
            return reply_in(_json(answer, question.platform), request, seconds=time.perf_counter() - start)

        return await self._patiently(question.platform, request.model, f"ask {request.model}", call)

    async def embed(self, platform: Platform, model: str, texts: Sequence[str]) -> list[list[float]]:
        """The vectors of texts.

        Raises:
            PlatformError: The platform refused, did not answer, or has no embeddings.
        """
        create = cast("Callable[..., Awaitable[Any]]", self._connections.to(platform).client.embeddings.create)

        async def call() -> list[list[float]]:
            answer = await create(model=model, input=texts, encoding_format="float")
            return [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]

        return await self._patiently(platform, model, f"embed with {model}", call)

    async def _patiently(self, platform: Platform, model: str, doing: str, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call at the model's pace, and again where it may succeed then."""
        pace, attempt = self._connections.pace(platform, model), 0
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
        seconds = self._connections.timeout
        try:
            with platform.calls(doing):
                async with self._connections.places, asyncio.timeout(seconds):
                    return await call()
        except TimeoutError as error:
            told = f"could not {doing}: no answer from {platform.name} within {seconds:g} s"
            raise PlatformError(told, code=NO_ANSWER_IN_TIME, retryable=True) from error


def _json(answer: bytes, platform: Platform) -> Any:
    try:
        return json.loads(answer)
    except ValueError:
        shown = platform.scrub(answer.decode("utf-8", "replace"))[:SHOWN]
        told = f"the answer is no JSON ({shown!r}): check the address; it usually ends in /v1"
        raise PlatformError(told, code=UNREADABLE, retryable=True) from None


def about_the_form(error: PlatformError) -> bool:
    """Whether a platform refuses to hold the model to the form of the answer."""
    said = f"{error.param} {error}".lower()
    return error.status_code in BAD_REQUEST and any(word in said for word in FORM)
