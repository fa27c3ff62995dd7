"""Personal data and secrets replaced by what they are: `[EMAIL]`, `[TW_ID]`, `[API_KEY]`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from finetune_lib.data.checks.privacy import NO_TEXT, pieces
from finetune_lib.records import Example

_QUOTE = re.compile(r'(?<!\\)(?:\\\\)*"')  # one that begins or ends a text in JSON


@dataclass(slots=True)
class Redaction:
    """One redaction of many texts: what it replaced, and the number of each value where they are numbered.

    Attributes:
        numbered: Whether equal values get one number and others another: `[EMAIL_1]`, `[EMAIL_2]`.
        counts: How many pieces were replaced, by label.
    """

    numbered: bool = False
    counts: Counter[str] = field(default_factory=Counter[str])
    _numbers: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])

    def text(self, text: str, *, json: bool = False) -> str:
        """A text with each piece replaced; in JSON a number becomes a text, so that JSON it stays.

        What one piece hid from view, as the second of two that touched, is found on the next look.
        """
        while found := pieces(text):
            parts: list[str] = []
            last = 0
            for piece in found:
                placeholder = self._placeholder(piece.detector.label, text[piece.start : piece.end])
                bare = json and _QUOTE.subn("", text[: piece.start])[1] % 2 == 0
                parts += [text[last : piece.start], f'"{placeholder}"' if bare else placeholder]
                last = piece.end
            text = "".join([*parts, text[last:]])
        return text

    def example(self, example: Example) -> Example:
        """An example with each text replaced; keys, roles, tools and images stay."""
        data = {key: self._value(key, value) for key, value in example.data.items()}
        return example if data == example.data else replace(example, data=data)

    def _value(self, key: str, value: Any) -> Any:
        if key in NO_TEXT:
            return value
        if isinstance(value, str):
            return self.text(value, json=key == "arguments")
        if isinstance(value, dict):
            return {inner: self._value(inner, held) for inner, held in cast("dict[str, Any]", value).items()}
        if isinstance(value, list):
            return [self._value("", held) for held in cast("list[Any]", value)]
        return value

    def _placeholder(self, label: str, value: str) -> str:
        self.counts[label] += 1
        if not self.numbered:
            return f"[{label}]"
        numbers = self._numbers.setdefault(label, {})
        return f"[{label}_{numbers.setdefault(value, len(numbers) + 1)}]"


def redact(text: str, *, numbered: bool = False) -> tuple[str, Mapping[str, int]]:
    """Replace personal data and secrets in a text.

    Args:
        text: Any text.
        numbered: Whether equal values get one number: `[EMAIL_1]`.

    Returns:
        The text, and how many pieces were replaced by label.

    Example:
        >>> redact("請寄到 mei.lin@gmail.com")
        ('請寄到 [EMAIL]', {'EMAIL': 1})
    """
    redaction = Redaction(numbered)
    return redaction.text(text), dict(redaction.counts)


def redacted(example: Example, *, numbered: bool = False) -> Example:
    """Replace personal data and secrets in all texts of an example; itself where there are none."""
    return Redaction(numbered).example(example)
