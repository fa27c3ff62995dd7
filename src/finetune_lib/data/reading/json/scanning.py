"""Where a text stops being JSON, and in what surroundings: what the causes of errors are told from.

The grammar is RFC 8259's. A parser's own complaint says only what it waited for; a cause needs to know what was
open, what came before and which string was the last one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isinf
from typing import Any, Literal

Expected = Literal["value", "first value", "key", "first key", "colon", "comma", "end"]

MOST_LEVELS = 256
MOST_DIGITS = 4300  # what Python turns into a number, https://docs.python.org/3/library/stdtypes.html
SPACES = re.compile(r"[ \t\n\r]*")
STRING = r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"'
SCALAR = r"(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?![\w.+-])"
TOKEN = re.compile(rf"[ \t\n\r]*(?:(?P<string>{STRING})|(?P<scalar>{SCALAR})|(?P<mark>[{{}}\[\],:]))")
OPENING = {"{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing in a text that is not strict JSON.

    Attributes:
        code: The diagnostic that it becomes.
        start: Where it stands, in characters from 0.
        length: How many characters it takes.
        path: The JSON pointer of the value, where the structure before it is sound.
        args: What fills the diagnostic's texts.
    """

    code: str
    start: int
    length: int = 1
    path: str | None = None
    args: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(slots=True)
class Level:
    """One open object or list."""

    opening: str
    start: int
    at: str | int = 0
    keys: set[str] = field(default_factory=set[str])


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the grammar was left.

    Attributes:
        text: The whole text.
        position: The first character that does not fit, behind any spaces; the text's length at its end.
        expected: What would have fitted.
        levels: What is open there, the outermost first.
        last: The token before, None at the beginning.
        begin: Where the value begins.
    """

    text: str
    position: int
    expected: Expected
    levels: tuple[Level, ...]
    last: re.Match[str] | None
    begin: int

    @property
    def rest(self) -> str:
        """The next characters, enough to tell what they are."""
        return self.text[self.position : self.position + 400]

    @property
    def before(self) -> str:
        """The token before, without spaces."""
        return self.last[self.last.lastgroup or 0] if self.last else ""

    @property
    def before_start(self) -> int:
        """Where the token before begins."""
        return self.last.start(self.last.lastgroup or 0) if self.last else self.begin

    @property
    def before_end(self) -> int:
        """Where the token before ends."""
        return self.last.end() if self.last else self.begin

    @property
    def missing(self) -> str:
        """The brackets that would close what is open."""
        return "".join(OPENING[level.opening] for level in reversed(self.levels))


def scan(text: str, *, start: int = 0, alone: bool = True) -> Stop | Fault | None:
    """Follow the grammar up to its first breach.

    Args:
        text: The text.
        start: Where the value begins.
        alone: Whether the value must reach to the end of the text; else what stands behind it does not matter.

    Returns:
        None for strict JSON; the fault where the grammar holds but the value is refused (a key twice, a number that
        overflows, too many levels); else where the grammar was left.
    """
    return _Scan(text, start, alone).run()


class _Scan:
    def __init__(self, text: str, start: int, alone: bool) -> None:
        self.text = text
        self.position = self.begin = start
        self.alone = alone
        self.expected: Expected = "value"
        self.levels: list[Level] = []
        self.last: re.Match[str] | None = None

    def run(self) -> Stop | Fault | None:
        """Take token after token."""
        while self.alone or self.expected != "end":
            token = TOKEN.match(self.text, self.position)
            if token is None or not self._fits(token):
                return self._stop()
            fault = self._take(token)
            if fault:
                return fault
            self.position, self.last = token.end(), token
        return None

    def _stop(self) -> Stop | None:
        space = SPACES.match(self.text, self.position)
        position = space.end() if space else self.position
        if self.expected == "end" and position == len(self.text):
            return None
        return Stop(self.text, position, self.expected, tuple(self.levels), self.last, self.begin)

    def _fits(self, token: re.Match[str]) -> bool:
        mark, expected = token["mark"], self.expected
        if mark is None:
            return expected in VALUES or (expected in KEYS and token["string"] is not None)
        if mark in OPENING:
            return expected in VALUES
        if mark == ":":
            return expected == "colon"
        if mark == ",":
            return expected == "comma"
        return expected in CLOSABLE[mark] and OPENING[self.levels[-1].opening] == mark

    def _take(self, token: re.Match[str]) -> Fault | None:
        mark = token["mark"]
        if mark is None:
            return self._text_or_scalar(token)
        if mark in OPENING:
            if len(self.levels) == MOST_LEVELS:
                return Fault("J232", token.start("mark"), args={"limit": MOST_LEVELS})
            self.levels.append(Level(mark, token.start("mark")))
            self.expected = "first key" if mark == "{" else "first value"
        elif mark == ":":
            self.expected = "value"
        elif mark == ",":
            level = self.levels[-1]
            if isinstance(level.at, int) and level.opening == "[":
                level.at += 1
            self.expected = "key" if level.opening == "{" else "value"
        else:
            self.levels.pop()
            self._valued()
        return None

    def _valued(self) -> None:
        self.expected = "comma" if self.levels else "end"

    def _text_or_scalar(self, token: re.Match[str]) -> Fault | None:
        if self.expected in KEYS:
            return self._key(token)
        self._valued()
        scalar = token["scalar"]
        if scalar is None or not _overflows(scalar):
            return None
        shown = scalar if len(scalar) <= 24 else f"{scalar[:20]}…"
        return Fault("J215", token.start("scalar"), len(scalar), pointer(self.levels), {"value": shown})

    def _key(self, token: re.Match[str]) -> Fault | None:
        level, raw = self.levels[-1], token["string"]
        key = json.loads(raw) if "\\" in raw else raw[1:-1]
        twice, level.at = key in level.keys, key
        level.keys.add(key)
        self.expected = "colon"
        return Fault("J214", token.start("string"), len(raw), pointer(self.levels), {"key": key}) if twice else None


def pointer(levels: Sequence[Level]) -> str:
    """The JSON pointer of the value that is being read."""
    names = (str(level.at).replace("~", "~0").replace("/", "~1") for level in levels)
    return "".join(f"/{name}" for name in names)


VALUES: tuple[Expected, ...] = ("value", "first value")
KEYS: tuple[Expected, ...] = ("key", "first key")
CLOSABLE: Mapping[str, tuple[Expected, ...]] = {"}": ("first key", "comma"), "]": ("first value", "comma")}


def _overflows(scalar: str) -> bool:
    """Whether a number of JSON's grammar has no finite value in Python."""
    if scalar.lstrip("-").isdecimal():
        return len(scalar.lstrip("-")) > MOST_DIGITS
    return scalar[-1].isdecimal() and isinf(float(scalar))
