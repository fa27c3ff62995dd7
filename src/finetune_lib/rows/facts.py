"""What the checks ask of a row, walked once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from finetune_lib.records import Example
from finetune_lib.rows.exchange import Turns, turns_of
from finetune_lib.rows.messages import INSTRUCTIONS, NOTHING, is_object, items_of
from finetune_lib.rows.turns import answers


class Facts:
    """What a row says, each part walked when it is first asked for.

    Attributes:
        texts: All that a plain chat says, in its order (`plain_chat.is_plain`); None of any other row.
    """

    def __init__(self, example: Example) -> None:
        self.texts: Sequence[str] | None = None
        self._read: Callable[[], Example] = lambda: example

    @classmethod
    def of_plain(
        cls, texts: Sequence[str], *, system: bool, read: Callable[[], Example], category: str | None = None
    ) -> Facts:
        """Those of a plain chat, which has no walk to make: question and answer take turns, the answer comes last.

        Args:
            texts: What it says.
            system: Whether a system message begins it.
            read: What gives the row, where it is asked for.
            category: Its category.
        """
        facts = cls.__new__(cls)
        facts.texts, facts._read = texts, read
        facts.opening = texts[0] if system else None
        facts.answers = texts[1 + system :: 2]
        path = f"/messages/{len(texts) - 1}/content"
        facts.turns = Turns(facts.opening or "", tuple(texts[system:-1]), texts[-2], texts[-1], None, False, path)
        facts.is_chat, facts.category = True, category
        return facts

    @property
    def example(self) -> Example:
        """The row itself."""
        return self._read()

    @cached_property
    def category(self) -> str | None:
        """The category of the row."""
        return self.example.category

    @cached_property
    def turns(self) -> Turns | None:
        """What is asked and answered (`exchange.turns_of`)."""
        return turns_of(self.example)

    @cached_property
    def answers(self) -> Sequence[str]:
        """The texts that a model is trained to write."""
        return answers(self.example.data)

    @cached_property
    def is_chat(self) -> bool:
        """Whether the row is a chat of at least one message."""
        return any(map(is_object, items_of(self.example.data.get("messages"))))

    @cached_property
    def opening(self) -> str | None:
        """The text of the system message, where it opens the conversation of a chat."""
        first = next(filter(is_object, items_of(self.example.data.get("messages"))), NOTHING)
        content = first.get("content")
        return content if first.get("role") in INSTRUCTIONS and isinstance(content, str) else None
