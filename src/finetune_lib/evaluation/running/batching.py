"""The same calls through the platform's Batch API: what it answers is kept, and the run then finds it there."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from finetune_lib.concurrency import together
from finetune_lib.errors import PlatformError
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking import (
    NotAskedError,
    Price,
    Question,
    Request,
    Session,
    Ticket,
    about_the_form,
    price_of,
    reply_in,
)
from finetune_lib.platforms.batches import MISSING, Batches

SHORT = 16  # characters of a key that tell it from all others of a store
Group = dict[str, Question]
Outcome = Mapping[str, Any] | PlatformError


async def in_batches(session: Session, requests: Sequence[Request]) -> None:
    """Send what is not kept yet in batches, one for each platform and model, and keep the answers.

    What a batch does not answer is not asked live, which would cost twice as much: it is missing, with the reason.
    """
    groups: dict[tuple[Platform, str], Group] = {}
    for request in requests:
        question = await session.question(request)
        if session.kept.get(question.key) is None:
            groups.setdefault((question.platform, request.model), {})[question.key] = question
    await together(_Batch(session, *where).answer(group) for where, group in groups.items())


class _Batch:
    """The requests to one model of one platform."""

    def __init__(self, session: Session, platform: Platform, model: str) -> None:
        self._session, self._platform, self._model = session, platform, model
        self._share = platform.kind.batch_share
        self._tickets: dict[str, Ticket] = {}
        self._register = Register(session, platform, model)

    async def answer(self, group: Group) -> None:
        """Answer what can be answered, and say of the rest why it is missing."""
        try:
            await self._take_up(group)
            formless = await self._send(self._affordable(group), held=True)
            await self._send(formless, held=False)
        except PlatformError as error:
            self._give_up(error)
        self._give_up(PlatformError("the batch ended without an answer to this request", retryable=True))

    async def _take_up(self, group: Group) -> None:
        """Read what an interrupted run has sent already: it is paid."""
        for id in self._register.batches_of(group):
            try:
                async for key, outcome in Batches(self._platform).resume([id]):
                    if not isinstance(outcome, PlatformError):
                        self._keep(key, group.pop(key, None), outcome)
            except PlatformError as error:
                if error.status_code != MISSING:
                    self._tickets |= {key: Ticket(self._model, None) for key in group}
                    raise
            self._register.forget(id)

    def _affordable(self, group: Group) -> Group:
        for key, question in group.items():
            try:
                self._tickets[key] = self._session.purse.reserve_now(question.request, self._price(question.request))
            except NotAskedError as error:
                self._session.refuse(key, error)
        return {key: question for key, question in group.items() if key in self._tickets}

    def _price(self, request: Request) -> Price | None:
        price = price_of(request.model, request.price, self._platform)
        return (price[0] * self._share, price[1] * self._share) if price else None

    async def _send(self, group: Group, *, held: bool) -> Group:
        """Keep what is answered; what is left is refused only because the platform cannot hold a model to a form."""
        formless: Group = {}
        async for key, outcome in self._outcomes(group, held=held):
            question = group[key]
            if held and question.request.form and isinstance(outcome, PlatformError) and about_the_form(outcome):
                formless[key] = question
            else:
                self._keep(key, question, outcome)
        return formless

    async def _outcomes(self, group: Group, *, held: bool) -> AsyncGenerator[tuple[str, Outcome]]:
        if not group:
            return
        await self._session.admit(self._platform, self._model)
        model = self._platform.model_id(self._model)
        bodies = {key: question.request.body(model, held=held) for key, question in group.items()}
        begun: list[str] = []

        def remember(id: str) -> None:
            begun.append(id)
            self._register.add(id, bodies)

        async for found in Batches(self._platform, on_batch=remember).run(bodies):
            yield found
        for id in begun:
            self._register.forget(id)

    def _keep(self, key: str, question: Question | None, outcome: Outcome) -> None:
        """An answer that nobody waits for is kept all the same: it may be asked for the next time."""
        price = self._price(question.request) if question else None
        ticket = self._tickets.pop(key, None) or Ticket(self._model, price)
        used = None
        try:
            if isinstance(outcome, PlatformError):
                raise outcome
            reply = reply_in(outcome, question and question.request, price_share=self._share)
            used = reply.usage
            self._session.keep(key, self._model, reply)
        except PlatformError as error:
            self._session.refuse(key, error)
        finally:
            self._session.purse.settle(ticket, used)

    def _give_up(self, error: PlatformError) -> None:
        for key, ticket in self._tickets.items():
            self._session.refuse(key, error)
            self._session.purse.settle(ticket, None)
        self._tickets.clear()


class Register:
    """The batches of one model that were begun and not yet read to the end, and what each of them asks."""

    def __init__(self, session: Session, platform: Platform, model: str) -> None:
        self._kept, self._model = session.kept, model
        self._key = f"batches {platform.identity} {model}"

    @property
    def _open(self) -> dict[str, list[str]]:
        return (self._kept.get(self._key) or {"open": {}})["open"]

    def batches_of(self, keys: Mapping[str, object]) -> list[str]:
        """Those that ask one of these questions."""
        wanted = {key[:SHORT] for key in keys}
        return [id for id, asked in self._open.items() if not wanted.isdisjoint(asked)]

    def add(self, id: str, keys: Mapping[str, object]) -> None:
        """A batch was begun, one of those that ask these questions."""
        self._save(self._open | {id: [key[:SHORT] for key in keys]})

    def forget(self, id: str) -> None:
        """A batch was read to the end."""
        self._save({other: keys for other, keys in self._open.items() if other != id})

    def _save(self, batches: dict[str, list[str]]) -> None:
        if batches:
            self._kept.put(self._key, self._model, {"open": batches})
        else:
            self._kept.forget(self._key)
