"""What a target asks of training data. Source: OpenAI's fine-tuning guides and specification, read 2026-11-20."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from finetune_lib.records import Kind, Method

Target = Literal["openai", "compatible", "local"]

MINIMUM_EXAMPLES = 10
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
ROW_KEYS = frozenset({"messages", "tools", "parallel_tool_calls", "functions"})
MESSAGE_KEYS = frozenset(
    {"role", "content", "name", "weight", "refusal", "audio", "tool_calls", "tool_call_id", "function_call"}
)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one platform, method and model.

    Attributes:
        target: Whose rules: `openai`, `compatible` for the same without OpenAI's dates, or `local`.
        method: The training method.
        model: The base model; None leaves its limits unchecked.
    """

    target: Target = "openai"
    method: Method = "supervised"
    model: str | None = None

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The formats of a row that the method learns from."""
        if self.method == "dpo":
            return ("preference",)
        pairs: tuple[Kind, ...] = ("completion",) if self.target == "local" and self.method == "supervised" else ()
        return ("chat", *pairs)

    @property
    def extra_keys(self) -> bool:
        """Whether a row may have further keys: reinforcement's graders read them."""
        return self.method == "reinforcement"

    def remedy(self, kind: Kind) -> str:
        """How to come from rows of another kind to what the method needs."""
        if kind == "completion":
            return 'turn the pairs into chats: Dataset.load(path, system="…")'
        return f'pass method="{"dpo" if kind == "preference" else "supervised"}", or bring other data'
