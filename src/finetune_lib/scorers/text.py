"""Scorers that compare texts."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from finetune_lib.records import Case


@dataclass(frozen=True, slots=True)
class ExactMatch:
    """1 where the answer is the expected text, else 0.

    Both are normalised first: Unicode NFKC (full-width forms become plain), case folded, spaces around cut.

    Example:
        >>> from finetune_lib import Case, ExactMatch
        >>> ExactMatch()(" ＹＥＳ", Case("1", (), expected="yes"))
        1.0
    """

    name: str = "exact_match"

    def __call__(self, answer: str, case: Case, /) -> float:
        """Score one answer."""
        return float(_normalised(answer) == _normalised(case.expected))


@dataclass(frozen=True, slots=True)
class Contains:
    """1 where the expected text stands somewhere in the answer, else 0; normalised as in `ExactMatch`.

    Raises:
        ValueError: The case expects no text, which every answer would contain; the report has it as a failure.
    """

    name: str = "contains"

    def __call__(self, answer: str, case: Case, /) -> float:
        """Score one answer."""
        wanted = _normalised(case.expected)
        if not wanted:
            raise ValueError(f"case {case.id} has no expected text to look for")
        return float(wanted in _normalised(answer))


def _normalised(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()
