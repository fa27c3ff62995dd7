"""Number formats as they are written (ECMA-376, part 1, section 18.8.31): sections, and the signs in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

LANGUAGES = {"zh-tw": 0x404, "zh-cn": 0x804, "zh-hk": 0xC04, "zh-sg": 0x1004, "zh-mo": 0x1404, "en-us": 0x409}
TAIWAN, CHINA = 0x404, 0x804
CHINESE = frozenset({TAIWAN, CHINA, 0xC04, 0x1004, 0x1404})
VIEWERS = frozenset({0xF800, 0xF400})  # the long date and the time of whoever looks
ORDINARY = frozenset({0, 1})  # numerals and calendar of the west
MOST_SECTIONS = 4
SIGN = re.compile(
    r'"(?P<text>[^"]*)"|[\\!](?P<escaped>.)|(?P<pad>_.)|(?P<fill>\*.)|(?P<end>;)'
    r"|\[(?P<elapsed>h+|m+|s+)\]|\[\$(?P<money>[^\]-]*)(?:-(?P<language>[0-9a-z-]+)(?:,[^\]]*)?)?\]"
    r"|\[(?P<bound>(?:<=|>=|<>|<|>|=)-?[\d.]+)\]|\[DBNum(?P<numerals>\d)\]"
    r"|\[(?P<colour>[a-z]+ ?\d*|[黑藍青綠洋紅白黄黃蓝绿红]+)\]"
    r"|(?P<general>General|G/通用格式)|(?P<half>AM/PM|A/P|上午/下午)|(?P<power>E[+-][0#?]+)"
    r"|(?P<date>y+|e+|g+|b+|m+|d+|a{3,4}|h+|s+)|(?P<digit>[0#?])|(?P<point>\.)|(?P<comma>,)|(?P<percent>%)"
    r'|(?P<slash>/)|(?P<at>@)|(?P<stray>["\[\\!_*])|(?P<other>.)',
    re.IGNORECASE | re.DOTALL,
)
LITERAL = frozenset({"text", "escaped", "money", "other"})
UNSEEN = frozenset({"fill", "bound", "numerals", "colour"})


class UntoldError(ValueError):
    """What a cell shows cannot be told for sure: programs and settings differ in it, or the format is broken."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign of a format: its kind, by the groups of `SIGN` with all literal ones as `text`, and its letters."""

    kind: str
    text: str


@dataclass(frozen=True, eq=False)
class Section:
    """One of the parts of a format; it is itself alone, so that what is worked out for it is quickly found.

    Attributes:
        signs: What is shown, in order.
        bound: The condition under which the section holds, as `<1000`.
        language: The language that the format names, as a Windows code; 0 for none.
        numerals: The Chinese numerals that it asks for: 1, 2 or 3 of `[DBNum1]`; empty for none.
    """

    signs: Sequence[Sign]
    bound: str = ""
    language: int = 0
    numerals: str = ""

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of its signs."""
        return frozenset(sign.kind for sign in self.signs)

    def has(self, *kinds: str) -> bool:
        """Whether a sign of one of these kinds is there."""
        return not self.kinds.isdisjoint(kinds)

    @cached_property
    def dated(self) -> bool:
        """Whether it shows a date or a time."""
        return self.has("date", "elapsed", "half")


@lru_cache(maxsize=4096)
def sections(code: str) -> Sequence[Section]:
    """The sections of a format.

    Raises:
        UntoldError: It is broken, or names a calendar or numerals of another kind.
    """
    parts: list[list[re.Match[str]]] = [[]]
    for match in SIGN.finditer(code):
        if match.lastgroup == "end":
            parts.append([])
        else:
            parts[-1].append(match)
    if len(parts) > MOST_SECTIONS and not parts[-1]:
        parts.pop()
    if len(parts) > MOST_SECTIONS or any(match["stray"] for part in parts for match in part):
        raise UntoldError(code)
    return tuple(map(_section, parts))


def _section(matches: Sequence[re.Match[str]]) -> Section:
    bounds = (match["bound"] for match in matches if match["bound"])
    languages = (_language(match["language"]) for match in matches if match["language"])
    numerals = (match["numerals"] for match in matches if match["numerals"])
    return Section(tuple(_signs(matches)), next(bounds, ""), next(languages, 0), next(numerals, ""))


def _signs(matches: Sequence[re.Match[str]]) -> Iterator[Sign]:
    for match in matches:
        kind = "money" if match["language"] else match.lastgroup or "other"
        if kind == "pad":
            yield Sign("text", " ")
        elif kind in LITERAL:
            yield Sign("text", match[kind])
        elif kind not in UNSEEN:
            yield Sign(kind, match[kind])


def _language(written: str) -> int:
    if written.lower() in LANGUAGES:
        return LANGUAGES[written.lower()]
    try:
        number = int(written, 16)
    except ValueError as error:
        raise UntoldError(written) from error
    if number in VIEWERS or {number >> 16 & 0xFF, number >> 24} - ORDINARY:
        raise UntoldError(written)
    return number
