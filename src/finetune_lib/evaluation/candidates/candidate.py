"""The seam: a candidate is anything that can be called with a case."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, runtime_checkable

from finetune_lib.platforms.asking import Request, Session, cost, price_of
from finetune_lib.records import Answer, Case


class Candidate(Protocol):
    """Answers a case: a plain function, an async one, or an object with `__call__`; it may have a `name`."""

    def __call__(self, case: Case, /) -> str | Answer | Awaitable[str | Answer]:
        """The answer to `case`; an exception counts as a failure of this case alone."""
        ...


@runtime_checkable
class AsksModel(Protocol):
    """A candidate whose answer is that of one call to a model: it can be kept, repeated and sent in batches."""

    async def request(self, case: Case, /) -> Request:
        """What the model is asked about a case."""
        ...


async def asked(session: Session, request: Request, *, by: str = "") -> Answer:
    """The answer to one request, with its price where it is known; it counts for `by`.

    Raises:
        NotAskedError: The limits of the run forbid the call.
        PlatformError: The platform refused or did not answer.
    """
    reply = await session.ask(request, by=by)
    price = price_of(request.model, request.price, await session.platform_of(request.platform))
    return Answer(
        reply.text,
        usage=reply.usage,
        seconds=reply.seconds,
        tool_calls=reply.tool_calls,
        finish_reason=reply.finish_reason,
        cost=cost(reply.usage, price) * reply.price_share if price else None,
        sources=request.sources,
        reasoning=reply.reasoning,
        links=request.links,
        logprob=reply.logprob,
    )
