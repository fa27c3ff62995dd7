"""Shares of common n-grams: ROUGE and GLEU, of tokens that fit Chinese too; pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from finetune_lib.extras import require
from finetune_lib.texts.folding import CJK

TOKEN = re.compile(rf"[{CJK}]|(?:(?![{CJK}])[^\W_])+")
LONGEST = 4


def tokens(text: str) -> list[str]:
    """Each Chinese or Japanese character, and each run of other letters and digits, in lower case.

    Of ASCII text these are the tokens of the package rouge-score, which drops all others.
    """
    return TOKEN.findall(unicodedata.normalize("NFKC", text).lower())


def rouge_n(reference: Sequence[str], given: Sequence[str], n: int) -> float:
    """The F1 of common n-grams (Lin 2004); of a reference that has none, 1 where both are the same.

    Raises:
        ValueError: The reference has fewer than n tokens, and other ones.
    """
    if len(reference) < n:
        if list(reference) == list(given):
            return 1.0
        raise ValueError(f"rouge_{n} is undefined: the reference has fewer than {n} words or Chinese characters")
    expected, found = _grams(reference, n), _grams(given, n)
    return _f1(_common(expected, found), expected.total(), found.total())


def rouge_l(reference: Sequence[str], given: Sequence[str]) -> float:
    """The F1 of the longest common subsequence (Lin 2004)."""
    distance = require("rapidfuzz.distance", extra="eval", feature="rouge_l")
    return _f1(distance.LCSseq.similarity(reference, given), len(reference), len(given))


def gleu(reference: Sequence[str], given: Sequence[str]) -> float:
    """Common n-grams of one to four tokens, divided by those of the longer text (Wu and others 2016)."""
    pairs = [(_grams(reference, n), _grams(given, n)) for n in range(1, LONGEST + 1)]
    longer = max(sum(one.total() for one, _ in pairs), sum(other.total() for _, other in pairs))
    return sum(_common(one, other) for one, other in pairs) / longer if longer else 0.0


def _grams(words: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[place : place + n]) for place in range(len(words) - n + 1))


def _common(one: Counter[tuple[str, ...]], other: Counter[tuple[str, ...]]) -> int:
    return (one & other).total()


def _f1(common: int, expected: int, given: int) -> float:
    return 2 * common / (expected + given) if common else 0.0
