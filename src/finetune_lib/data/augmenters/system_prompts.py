"""SystemPrompts: the same conversation under other system messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from finetune_lib.data.augmenters.augmenter import Child, Missing, randomness
from finetune_lib.data.augmenters.gate import CHANGED, Gate
from finetune_lib.records import Example
from finetune_lib.rows.messages import INSTRUCTIONS, fields_of
from finetune_lib.shown import Shown


@dataclass(frozen=True)
class SystemPrompts(Shown):
    """The same conversation under other system messages; where it has none, one is put before it.

    Attributes:
        variants: The system messages.
        n: How many of them each example gets, chosen by its content and the seed; by default all.

    Example:
        >>> import finetune_lib as ft
        >>> ft.SystemPrompts(["你是機場客服。", "你是桃園機場的智慧客服，只回答機場業務。"], n=1).name
        'system_prompt'
    """

    variants: Sequence[str]
    n: int | None = None

    name: ClassVar[str] = "system_prompt"
    gate: ClassVar[Gate] = CHANGED

    def __post_init__(self) -> None:
        if isinstance(self.variants, str) or not self.variants or not all(map(str.strip, self.variants)):
            raise ValueError("SystemPrompts needs a list of system messages, none of them blank")

    def __call__(self, example: Example, /) -> Iterator[Child | Missing]:
        """One child for each chosen system message."""
        numbers = range(len(self.variants))
        if self.n is not None:
            numbers = sorted(randomness(self.name, example).sample(numbers, min(self.n, len(numbers))))
        for number in numbers:
            data = _under(example.data, self.variants[number])
            yield Child(data, str(number + 1)) if data else Missing("the row has no messages")


def _under(data: Mapping[str, Any], system: str) -> Mapping[str, Any] | None:
    """The row with `system` for its system message; None for a row without messages."""
    if isinstance(data.get("input"), Mapping) and "messages" not in data:
        inner = _under(data["input"], system)
        return {**data, "input": inner} if inner else None
    messages = data.get("messages")
    if not isinstance(messages, list) or not messages:
        return None
    return {**data, "messages": _replaced(cast("list[Any]", messages), system)}


def _replaced(messages: list[Any], system: str) -> list[Any]:
    first = fields_of(messages[0])
    if first.get("role") in INSTRUCTIONS:
        return [{**first, "content": system}, *messages[1:]]
    return [{"role": "system", "content": system}, *messages]
