"""ChatModel: a model of a platform, asked through chat completions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from finetune_lib.evaluation.candidates.candidate import asked
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking import Price, Request, current_session
from finetune_lib.records import Answer, Case
from finetune_lib.rows.messages import INSTRUCTIONS
from finetune_lib.shown import Shown


@dataclass(frozen=True)
class ChatModel(Shown):
    """A model as a candidate: the case's messages go to chat completions.

    Attributes:
        model: The model, a fine-tuned model or a checkpoint.
        name: What reports call it; by default the model's name.
        system: A system message that takes the place of the case's own.
        temperature: 0 for repeatable answers; None leaves it to the platform, as some models demand.
        max_tokens: Tokens of the answer at most; by default the platform's limit.
        response_format: Structured output as the wire has it, as `{"type": "json_object"}`.
        options: Further fields of the call, as `{"top_p": 0.9, "seed": 7}`.
        platform: Where the model runs; by default as `connect()` chooses.
        price: US dollars for a million tokens read and written; by default as the catalogue says.

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
    response_format: Mapping[str, Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    platform: Platform | None = None
    price: Price | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.model)

    async def __call__(self, case: Case, /) -> Answer:
        """Ask the model.

        Raises:
            PlatformError: The platform refused or did not answer.
        """
        async with current_session() as session:
            return await asked(session, await self.request(case))

    async def request(self, case: Case, /) -> Request:
        """What the platform is asked about a case; an equal question is never paid twice."""
        return self.question(self.messages(case), case)

    def messages(self, case: Case) -> list[Mapping[str, Any]]:
        """The case's conversation, under the candidate's own system message where it has one."""
        plain: list[Mapping[str, Any]] = [m.model_dump(exclude_none=True, exclude={"weight"}) for m in case.messages]
        if self.system is None:
            return plain
        return [{"role": "system", "content": self.system}, *(m for m in plain if m["role"] not in INSTRUCTIONS)]

    def question(self, messages: Sequence[Mapping[str, Any]], case: Case, *, sources: tuple[str, ...] = ()) -> Request:
        """These messages to the candidate's model, in its way."""
        chosen = {
            "temperature": self.temperature,
            "max_completion_tokens": self.max_tokens,
            "response_format": self.response_format,
            "tools": list(case.tools) or None,
        }
        given = {name: value for name, value in chosen.items() if value is not None}
        options = {**given, **self.options}
        return Request(self.model, messages, options=options, platform=self.platform, price=self.price, sources=sources)
