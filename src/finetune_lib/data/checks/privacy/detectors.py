"""What the detectors of personal data and of secrets share."""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from finetune_lib.data.diagnostics import Severity
from finetune_lib.files import packaged_text

FREE, ENDS = r"(?<![A-Za-z0-9_/#.-])", r"(?![A-Za-z0-9_]|[-.][0-9])"


# Full-width forms, one character for each, so that places stay. Source: the Unicode Standard, U+FF01 to U+FF5E.
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_WIDE = re.compile("[\uff10-\uff19\uff20]")


def narrowed(text: str) -> str:
    """A text with full-width digits or signs in the forms that detectors know; every place stays what it was."""
    return text if text.isascii() or not _WIDE.search(text) else text.translate(_NARROW)


class Found(NamedTuple):
    """A piece of a text that should not be there.

    Attributes:
        start: Where it begins.
        end: Where it ends.
        detector: What it is.
    """

    start: int
    end: int
    detector: Detector


@dataclass(frozen=True, slots=True)
class Detector:
    """One kind of identifier or secret.

    Attributes:
        kind: What reports call it.
        label: What `redact` writes in its place, in brackets.
        pattern: How it looks; its group `value`, where it has one, is what is hidden.
        holds: Whether a match is one: check digits, context, and no value made up for a manual.
        hints: Texts of which one stands in every match; they spare the search.
        severity: What it weighs.
    """

    kind: str
    label: str
    pattern: re.Pattern[str]
    holds: Callable[[re.Match[str]], bool]
    hints: tuple[str, ...] = ()
    severity: Severity = "warning"

    def find(self, text: str, start: int, end: int) -> list[Found]:
        """Each place in a stretch of the text."""
        if not self.pattern.search(text, start, end):  # an iterator costs more, and nearly always has nothing
            return []
        value = "value" if "value" in self.pattern.groupindex else 0
        matches = self.pattern.finditer(text, start, end)
        return [Found(*match.span(value), self) for match in matches if self.holds(match)]


def table(name: str) -> Mapping[str, Mapping[str, Any]]:
    """The entries of a data file of detectors, in their order."""
    return tomllib.loads(packaged_text("finetune_lib.data.checks.privacy", name))


def made_up(digits: str) -> bool:
    """Whether digits are a manual's: counted up or down, or one or two digits again and again."""
    runs = ("0123456789012345", "9876543210987654")
    counted = any(digits[i : i + 6] in run for run in runs for i in range(len(digits) - 5))
    return counted or len(set(digits)) <= 2 or any(digit * 6 in digits for digit in "0123456789")


def entropy(text: str) -> float:
    """How irregular a text is, in bits a character. Source: Shannon 1948."""
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values())


def preceded(match: re.Match[str], words: re.Pattern[str], *, within: int) -> bool:
    """Whether one of the words stands shortly before a match."""
    start = match.start()
    return words.search(match.string, max(0, start - within), start) is not None
