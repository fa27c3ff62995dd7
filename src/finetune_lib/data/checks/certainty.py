"""What of a data set is counted by guess, so that a number says by itself how far it is to be trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from finetune_lib.pictures import picture_tokens
from finetune_lib.records import Example
from finetune_lib.rows.messages import calls_of, fields_of, is_object, items_of, message_lists, tools_of
from finetune_lib.tokens import Counter as TokenCounter
from finetune_lib.tokens import pictures_in

COUNTED = ("text", "image_url", "refusal")
NOTES = {
    "no rule": "{n} pictures are not counted: how this model counts them is not known",
    "guess": "{n} pictures are counted by guess, without a detail as high, at an unknown size as 1,024 × 1,024 pixels; "
    'exact are data URLs with detail "high", and any picture with "low" where the model counts tiles '
    "(OpenAI docs: images and vision)",
    "other": "{n} parts are neither text nor pictures and are not counted",
    "tools": "{n} examples have tools or calls, counted as JSON; how the platform writes them is not published",
    "rejected": "{n} preferences are counted without their rejected side; how the platform bills it is not published",
}


@dataclass
class Doubts:
    """Counts what is not sure, example by example."""

    counter: TokenCounter
    found: Counter[str] = field(default_factory=Counter[str])

    def look(self, example: Example) -> None:
        """Take up one example."""
        said = (message for _, messages in message_lists(example.data) for message in messages)
        messages = list(filter(is_object, said))
        self.found["rejected"] += example.kind == "preference"
        self.found["tools"] += bool(tools_of(example.data)) or any(map(calls_of, messages))
        for message in messages:
            if type(message.get("content")) is list:
                parts = map(fields_of, items_of(message["content"]))
                self.found["other"] += sum(part.get("type") not in COUNTED for part in parts)
                self._look_at_pictures(message)

    def _look_at_pictures(self, message: Mapping[str, Any]) -> None:
        for part in pictures_in(message):
            if self.counter.pictures is None:
                self.found["no rule"] += 1
            elif not picture_tokens(part, self.counter.pictures).sure:
                self.found["guess"] += 1

    @property
    def exact(self) -> bool:
        """Whether every number is counted as the platform does."""
        return self.counter.exact and not any(self.found.values())

    def notes(self) -> Iterator[str]:
        """What is not sure, in words."""
        yield from (note.format(n=f"{self.found[name]:,}") for name, note in NOTES.items() if self.found[name])


def is_sure(example: Example, counter: TokenCounter) -> bool:
    """Whether the tokens of an example are counted as the platform counts them, as far as its rules are known."""
    doubts = Doubts(counter)
    doubts.look(example)
    return not any(doubts.found.values())
