"""Tokens to text while they come: no piece breaks a character, and no stop word is seen, nor a beginning of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

BROKEN = "\ufffd"


class Writer:
    """The text of one answer.

    Attributes:
        tokens: What was written.
        stopped: Whether a stop word came.
    """

    def __init__(self, tokenizer: Any, stops: Sequence[str]) -> None:
        self._tokenizer, self._stops = tokenizer, [word for word in stops if word]
        self.tokens: list[int] = []
        self.stopped = False
        self._told = ""
        self._waiting = ""
        self._from = self._read = 0

    def take(self, token: int) -> str:
        """What can be shown now."""
        self.tokens.append(token)
        known = self._decoded(self.tokens[self._from : self._read])
        text = self._decoded(self.tokens[self._from :])
        if len(text) <= len(known) or text.endswith(BROKEN):
            return ""
        self._from, self._read = self._read, len(self.tokens)
        self._waiting += text[len(known) :]
        return self._shown()

    def _shown(self) -> str:
        at = min((found for word in self._stops if (found := self._waiting.find(word)) >= 0), default=None)
        if at is not None:
            self.stopped = True
            piece, self._waiting = self._waiting[:at], ""
        else:
            kept = max((_overlap(self._waiting, word) for word in self._stops), default=0)
            cut = len(self._waiting) - kept
            piece, self._waiting = self._waiting[:cut], self._waiting[cut:]
        self._told += piece
        return piece

    def rest(self) -> str:
        """What is left to show at the end."""
        whole = self.text()
        return whole[len(self._told) :] if whole.startswith(self._told) else ""

    def text(self) -> str:
        """All that the answer says, up to the first stop word."""
        whole = self._decoded(self.tokens)
        at = min((found for word in self._stops if (found := whole.find(word)) >= 0), default=None)
        self.stopped = self.stopped or at is not None
        return whole if at is None else whole[:at]

    def _decoded(self, tokens: Sequence[int]) -> str:
        return self._tokenizer.decode(list(tokens), skip_special_tokens=True)


def _overlap(text: str, word: str) -> int:
    """How many of the last characters may begin a word."""
    return next((size for size in range(min(len(text), len(word) - 1), 0, -1) if text.endswith(word[:size])), 0)
