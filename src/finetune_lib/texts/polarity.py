"""Whether one text says the opposite of another that is worded much like it; pure.

A sign, no proof. It looks for a negation that comes in or goes (不可以/可以, 未滿/已滿, can/cannot), for opposites
(允許/禁止, before/after, enable/disable), and for small words that turn in their place (出發前/出發後, log in/log out);
`polarity.toml` holds the words.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from finetune_lib.files import packaged_text
from finetune_lib.texts.folding import fold

SENTENCE = re.compile(r"[。！？!?；;\n]+")
TOKEN = re.compile("[\u3400-\u9fff]|[^\\W_\u3400-\u9fff]+")
PREFIXED = re.compile(r"^(?:un|in|im|ir|il|dis|non)(?=[a-z]{4})")
MANY = 2


@dataclass(frozen=True, slots=True)
class _Words:
    no_denial: re.Pattern[str]
    denial: re.Pattern[str]
    lack: re.Pattern[str]
    contrary: tuple[tuple[str, str], ...]
    opposite: tuple[tuple[str, str], ...]
    turned: frozenset[tuple[str, str]]


def opposed(one: str, other: str) -> bool:
    """Whether the two seem to say opposite things; symmetric, and the same in every script, width and case.

    Made for texts that ought to say the same, as a paraphrase and its original: of texts on two matters it says
    little. A question and its form with both answers agree (可以退嗎, 可不可以退), and so do 不成功 and 失敗.

    Example:
        >>> opposed("寵物可以進店嗎？", "宠物不可以进店吗"), opposed("可以退嗎", "能不能退貨")
        (True, False)
    """
    first, second = _plain(one), _plain(other)
    if first == second:
        return False
    left, right = TOKEN.findall(first), TOKEN.findall(second)
    if _crossed(_words().opposite, first, second) or _turned(left, right):
        return True
    denials, others = _denials(first), _denials(second)
    # Many negations are reworded in many ways: of these only "some or none" tells.
    denied = bool(denials) != bool(others) or (max(denials, others) <= MANY and denials % 2 != others % 2)
    if _crossed(_words().contrary, first, second) or _prefixed(set(left), set(right)):
        return not denied
    return denied and not _lacks(*((second, first) if denials > others else (first, second)))


def _plain(text: str) -> str:
    return "\n".join(fold(sentence) for sentence in SENTENCE.split(text) if sentence.strip())


def _denials(text: str) -> int:
    return len(_words().denial.findall(_words().no_denial.sub(" ", text)))


def _lacks(affirming: str, denying: str) -> bool:
    """Whether a text without the negation says by a word of its own, such as 失敗, that something is not so."""
    lack = _words().lack
    return bool(set(lack.findall(affirming)) - set(lack.findall(denying)))


def _crossed(pairs: Iterable[tuple[str, str]], one: str, other: str) -> bool:
    """Whether one text has one side of a pair and the other text the other side, and neither has both."""
    for first, second in pairs:
        here, there = (_says(first, one), _says(second, one)), (_says(second, other), _says(first, other))
        if here == there and here[0] != here[1]:
            return True
    return False


def _says(word: str, text: str) -> bool:
    return word in text and (not word.isascii() or word in TOKEN.findall(text))


def _prefixed(one: set[str], other: set[str]) -> bool:
    """Whether a word of one stands in the other behind a prefix that denies it: able, unable."""
    gone, new = one - other, other - one
    return any(PREFIXED.sub("", word) in new for word in gone) or any(PREFIXED.sub("", word) in gone for word in new)


def _turned(one: list[str], other: list[str]) -> bool:
    """Whether a small word stands for its opposite beside the same neighbour."""
    left, right, turned = set(pairwise(one)), set(pairwise(other)), _words().turned
    gone, new = left - right, right - left
    return any((a == c and (b, d) in turned) or (b == d and (a, c) in turned) for a, b in gone for c, d in new)


@cache
def _words() -> _Words:
    table = tomllib.loads(packaged_text("finetune_lib.texts", "polarity.toml"))
    no_denial, denial, lack = (
        re.compile("|".join(table[name]), re.MULTILINE) for name in ("no_denial", "denial", "lack")
    )
    contrary, opposite, turned = (
        tuple((one, other) for one, _, other in (pair.partition("/") for pair in table[name].split()))
        for name in ("contrary", "opposite", "turned")
    )
    return _Words(no_denial, denial, lack, contrary, opposite, frozenset(turned) | {(b, a) for a, b in turned})
