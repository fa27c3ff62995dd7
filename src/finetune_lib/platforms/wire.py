"""Calls of files, fine-tuning and models: each one request, answered by plain values, by one client for many calls.

Platforms differ in what they answer, so answers are plain dictionaries here, and `records` reads them leniently.
Nothing is sent again by itself: `patience` decides that, and knows which calls may be paid for.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from finetune_lib.errors import PlatformError
from finetune_lib.platforms.platform import Platform

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

PAGE = 100
# A repeated cursor ends a list; this many pages end one whose cursors never repeat.
MOST_PAGES = 10_000
UNREADABLE = "unreadable_answer"
WORDS = frozenset({"message", "error", "status_details", "detail"})  # fields in which platforms say something
Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        doing: What it does, as the end of "could not …".
        method: Of HTTP.
        path: Below the platform's address.
        query: What stands behind `?`.
        body: A JSON object.
        headers: Beside those of the client.
    """

    doing: str
    method: Literal["GET", "POST", "DELETE"]
    path: str
    _: KW_ONLY
    query: Mapping[str, Any] = field(default_factory=dict[str, Any])
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Wire:
    """The connection to one platform, for one event loop; `wired` makes it."""

    platform: Platform
    client: AsyncOpenAI

    async def send(self, call: Call, *, seconds: float | None = None) -> Object:
        """The object that answers a request.

        Args:
            call: The request.
            seconds: How long the answer may take; by default as long as the client waits.

        Raises:
            PlatformError: There is no answer, a refusal, or an answer that is no object (`code` is
                `unreadable_answer`: the request may have been carried out).
        """
        return self.object_in(await self._answer(call, seconds), call)

    async def content(self, id: str, *, seconds: float | None = None) -> bytes:
        """The bytes of a file.

        Raises:
            PlatformError: There is no answer, or a refusal.
        """
        call = Call(f"read the file {id}", "GET", f"/files/{id}/content")
        return (await self._answer(call, seconds)).content

    async def _answer(self, call: Call, seconds: float | None) -> httpx2.Response:
        import httpx2

        options: dict[str, Any] = {"params": dict(call.query), "headers": dict(call.headers)}
        if seconds is not None:
            options["timeout"] = seconds
        with self.platform.calls(call.doing):
            send: Any = getattr(self.client, call.method.lower())
            sent: dict[str, Any] = {} if call.method == "GET" else {"body": dict(call.body) if call.body else None}
            return await send(call.path, cast_to=httpx2.Response, options=options, **sent)

    def object_in(self, answer: Any, call: Call) -> Object:
        """The object of an answer, its words without keys: platforms echo what they were sent.

        Raises:
            PlatformError: It is none.
        """
        try:
            found = answer.json()
        except ValueError:
            found = None
        if isinstance(found, dict):
            return _scrubbed(found, self.platform.scrub)
        shown = self.platform.scrub(str(answer.text))[:120]
        raise PlatformError(
            f"could not {call.doing}: {self.platform.name} answered with something that is not OpenAI's protocol "
            f"({shown!r}). Check the address; it usually ends in /v1.",
            status_code=int(answer.status_code),
            code=UNREADABLE,
            retryable=True,
        )

    async def pages(self, call: Call, *, size: int = PAGE, seconds: float | None = None) -> AsyncIterator[list[Object]]:
        """The pages of a list, until one has no further: a missing `has_more` is told by a page that is not full."""
        seen, query, before = set[str](), {**call.query, "limit": size}, list[Object]()
        for _ in range(MOST_PAGES):
            answer = await self.send(Call(call.doing, call.method, call.path, query=query), seconds=seconds)
            found = objects_in(answer)
            content = [{**one, "id": None} for one in found]  # ids are not the same in each answer of every platform
            if found and content == before:
                return  # the cursor is ignored
            before = content
            yield found
            last = str((found or [{}])[-1].get("id") or "")
            more = answer.get("has_more", len(found) >= size)
            if not more or not last or last in seen:
                return
            seen.add(last)
            query["after"] = last


def objects_in(answer: Object) -> list[Object]:
    """The objects of a list; what is none is passed over."""
    data = answer.get("data")
    items = cast("list[object]", data) if isinstance(data, list) else []
    return [cast("Object", item) for item in items if isinstance(item, dict)]


def _scrubbed(value: Any, scrub: Callable[..., str], *, words: bool = False) -> Any:
    """A JSON value without keys; of names and ids those that are short are left: one may be in them by chance."""
    if isinstance(value, str):
        return scrub(value, names=not words)
    if isinstance(value, list):
        return [_scrubbed(item, scrub, words=words) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    found = dict[str, Any]()
    for name, item in cast("Object", value).items():
        told = words or name in WORDS or (name == "data" and isinstance(item, dict))  # of an event; a page has a list
        found[name] = _scrubbed(item, scrub, words=told)
    return found


@asynccontextmanager
async def wired(platform: Platform) -> AsyncGenerator[Wire]:
    """A connection for the calls within.

    Raises:
        PlatformError: There is no key.
    """
    with platform.calls("connect"):
        connection = platform.async_client()
    async with connection as client:
        yield Wire(platform, client.with_options(max_retries=0))
