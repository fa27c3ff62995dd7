"""ChatModel: a model of a platform, asked through chat completions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, cast

from finetune_lib.platforms import Platform, default_platform
from finetune_lib.records import Answer, Case, Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion

SYSTEM_ROLES = frozenset({"system", "developer"})


class _Connections:
    """What the calls of one evaluation share: a client for each platform, and the platform where none is named."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._clients: dict[Platform, AsyncOpenAI] = {}
        self._default: Platform | None = None
        self._lock = asyncio.Lock()

    async def default(self) -> Platform:
        async with self._lock:
            self._default = self._default or await asyncio.to_thread(default_platform)
        return self._default

    def client(self, platform: Platform) -> AsyncOpenAI:
        return self._clients.get(platform) or self._clients.setdefault(platform, platform.async_client())

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()


_connections: ContextVar[_Connections | None] = ContextVar("connections", default=None)


@asynccontextmanager
async def connections() -> AsyncGenerator[_Connections]:
    """Within it, all models share connections; inside another one, those of the outer one."""
    outer = _connections.get()
    if outer and outer.loop is asyncio.get_running_loop():
        yield outer
        return
    shared = _Connections()
    token = _connections.set(shared)
    try:
        yield shared
    finally:
        _connections.reset(token)
        await shared.close()


@dataclass(frozen=True)
class ChatModel:
    """A model as a candidate: the case's messages go to chat completions.

    Attributes:
        model: The model, a fine-tuned model or a checkpoint.
        name: What reports call it; by default the model's name.
        system: A system message that takes the place of the case's own.
        temperature: 0 for repeatable answers; None leaves it to the platform, as some models demand.
        max_tokens: Tokens of the answer at most; by default the platform's limit.
        platform: Where the model runs; by default as `connect()` chooses.

    Example:
        >>> import finetune_lib as ft
        >>> ft.ChatModel("gpt-4.1-mini", name="base", system="Answer in one word.").name
        'base'
    """

    model: str
    _: KW_ONLY
    name: str = ""
    system: str | None = None
    temperature: float | None = 0.0
    max_tokens: int | None = None
    platform: Platform | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.model)

    async def __call__(self, case: Case, /) -> Answer:
        """Ask the model.

        Raises:
            PlatformError: The platform refused or did not answer.
        """
        async with connections() as shared:
            platform = self.platform or await shared.default()
            request = self._request(case, platform.model_id(self.model))
            with platform.calls(f"ask {self.model}"):
                completion = await self._ask(shared.client(platform), request)
                choice = completion.choices[0].message
        usage = completion.usage
        tokens = Usage(usage.prompt_tokens, usage.completion_tokens) if usage else Usage()
        return Answer(choice.content or choice.refusal or "", usage=tokens)

    async def _ask(self, client: AsyncOpenAI, request: dict[str, Any]) -> ChatCompletion:
        return cast("ChatCompletion", await client.chat.completions.create(**request))

    def _request(self, case: Case, model: str) -> dict[str, Any]:
        chosen = {"temperature": self.temperature, "max_completion_tokens": self.max_tokens}
        given = {name: value for name, value in chosen.items() if value is not None}
        return {"model": model, "messages": list(self._messages(case)), **given}

    def _messages(self, case: Case) -> Iterable[dict[str, Any]]:
        plain = [message.model_dump(exclude_none=True, exclude={"weight"}) for message in case.messages]
        if self.system is None:
            return plain
        kept = [message for message in plain if message["role"] not in SYSTEM_ROLES]
        return [{"role": "system", "content": self.system}, *kept]
