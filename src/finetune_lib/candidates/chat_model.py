"""ChatModel: a model of a platform, asked through chat completions."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from finetune_lib.platforms import Platform, default_platform
from finetune_lib.records import Answer, Case, Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion

SYSTEM_ROLES = frozenset({"system", "developer"})
_clients: ContextVar[dict[Platform, AsyncOpenAI] | None] = ContextVar("clients", default=None)


@asynccontextmanager
async def shared_clients() -> AsyncGenerator[None]:
    """Within it, all calls to one platform share one client and its connections."""
    clients: dict[Platform, AsyncOpenAI] = {}
    token = _clients.set(clients)
    try:
        yield
    finally:
        _clients.reset(token)
        for client in clients.values():
            await client.close()


@dataclass(frozen=True)
class ChatModel:
    """A model as a candidate: the case's messages go to chat completions.

    Attributes:
        model: The model, a fine-tuned model or a checkpoint.
        name: What reports call it; by default the model's name.
        system: A system message that takes the place of the case's own.
        temperature: 0 for repeatable answers.
        max_tokens: Tokens of the answer at most; by default the platform's limit.
        platform: Where the model runs; by default as `connect()` chooses.

    Example:
        >>> import finetune_lib as ft
        >>> ft.ChatModel("gpt-4.1-mini", name="base", system="Answer in one word.").name
        'base'
    """

    model: str
    name: str = ""
    system: str | None = None
    temperature: float = 0.0
    max_tokens: int | None = None
    platform: Platform | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.model)

    async def __call__(self, case: Case, /) -> Answer:
        """Ask the model.

        Raises:
            PlatformError: The platform refused or did not answer.
        """
        platform = self.platform or default_platform()
        with platform.calls(f"ask {self.model}"):
            completion = await self._ask(platform, self._request(case, platform.model_id(self.model)))
        choice = completion.choices[0].message
        usage = completion.usage
        tokens = Usage(usage.prompt_tokens, usage.completion_tokens) if usage else Usage()
        return Answer(choice.content or "", usage=tokens)

    async def _ask(self, platform: Platform, request: dict[str, Any]) -> ChatCompletion:
        clients = _clients.get()
        if clients is None:
            async with platform.async_client() as client:
                return cast("ChatCompletion", await client.chat.completions.create(**request))
        client = clients.get(platform) or clients.setdefault(platform, platform.async_client())
        return cast("ChatCompletion", await client.chat.completions.create(**request))

    def _request(self, case: Case, model: str) -> dict[str, Any]:
        messages = list(self._messages(case))
        limit = {} if self.max_tokens is None else {"max_completion_tokens": self.max_tokens}
        return {"model": model, "messages": messages, "temperature": self.temperature, **limit}

    def _messages(self, case: Case) -> Iterable[dict[str, Any]]:
        plain = [message.model_dump(exclude_none=True, exclude={"weight"}) for message in case.messages]
        if self.system is None:
            return plain
        kept = [message for message in plain if message["role"] not in SYSTEM_ROLES]
        return [{"role": "system", "content": self.system}, *kept]
