"""The pieces by which folded texts are compared: what works for Chinese as for English.

Words do not show in Chinese, so a run of Chinese or Japanese characters gives its characters and its pairs of
neighbouring characters: of twelve characters one can be another, and three quarters are still the same. Any other run
gives its words and its triples of neighbouring characters, spaces counted, so that a changed ending costs little and
changed order something.
"""

from __future__ import annotations

import re
from operator import add

from finetune_lib.texts.folding import CJK

RUNS = re.compile(rf"([{CJK}]+)|[^{CJK}]+")


def shingles(folded: str) -> set[str]:
    """The pieces of a folded text.

    Example:
        >>> shingles("退貨期限") == {"退", "貨", "期", "限", "退貨", "貨期", "期限"}
        True
    """
    found: set[str] = set()
    for run in RUNS.finditer(folded):
        text = run[0]
        if not run[1]:
            found.update(text.split())
            text = f" {text.strip()} "
            found.update(map(add, map(add, text, text[1:]), text[2:]))
        else:
            found.update(text)
            found.update(map(add, text, text[1:]))
    return found


def jaccard(one: set[str], other: set[str]) -> float:
    """The share of common pieces among all pieces of both; two empty sets are equal."""
    common = len(one & other)
    return common / (len(one) + len(other) - common) if one or other else 1.0
