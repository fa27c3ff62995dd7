"""Where a text could have a typing slip, and which; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from random import Random
from typing import Literal

from finetune_lib.files import packaged_text
from finetune_lib.texts.scripts import HAN, variety

Kind = Literal["width", "punctuation", "spacing", "zhuyin", "pinyin", "typos"]
Write = Callable[[str, Random], str]

H = f"[{HAN}]"
# What no slip may touch: code, addresses, placeholders and tags, numbers, and words with a capital, a digit or `_`.
KEPT = re.compile(
    r"```.*?```|`[^`\n]*`|\$[^$\n]+\$|^(?:\t| {4})[^\n]*$|^[^\n]*[{;][ \t]*$"
    r"|(?:https?://|www\.)[!-~]+(?:(?<=[=/&#?])[\u4e00-\u9fff]+[!-~]*)*|(?<![A-Za-z0-9_.+-])[A-Za-z0-9_.+-]+@[A-Za-z0-9.-]+|[@#][A-Za-z0-9_]+"
    r"|\{[^{}\n]*\}|<[^<>\n]*>"
    r"|(?<![A-Za-z0-9_-])[A-Za-z0-9_-]+(?:[./\\][A-Za-z0-9_-]+)+|(?:~?/|[A-Z]:\\)[!-~]+"
    r"|\d(?:[\d.,:/%：，．／-]*\d)?[A-Za-z0-9_]*"
    r"|(?<![A-Za-z_])[A-Za-z_]*[A-Z_\d][A-Za-z0-9_]*(?:['’-][A-Za-z0-9_]+)*",
    re.MULTILINE | re.DOTALL,
)
HALF = str.maketrans("，。？！：；（）", ",.?!:;()")
FULL = str.maketrans(",?!:;", "，？！：；")
FULL_WORD = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
WIDTH_TO_HALF = re.compile(r"[，。？！：；（）]")
WIDTH_TO_FULL = re.compile(rf"(?<={H})[,?!:;](?!\d)")
LATIN_AMONG_HAN = re.compile(rf"(?<={H})[a-z]{{2,8}}(?={H}|[，。？！]|$)")
ENDING = re.compile(r"(?<=[^\s。．.!?！？])([。．.!?！？])(?=\s|$)")
PAUSE = re.compile(rf"(?<={H})[，、,]\s?(?=\S)")
LATIN_PAUSE = re.compile(r"(?<=[a-z]), (?=[a-z])")
BESIDE_LATIN = re.compile(rf"(?<={H}) +(?=[A-Za-z0-9])|(?<=[A-Za-z0-9]) +(?={H})")
NO_SPACE = re.compile(rf"(?<={H})(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?={H})")
BETWEEN_WORDS = re.compile(r"(?<=[a-z]) (?=[a-z])")
LONG_WORD = re.compile(r"(?<![A-Za-zÀ-ɏ'’-])[a-z]{4,}(?![A-Za-zÀ-ɏ'’-])")
KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where a slip could be.

    Attributes:
        kind: The kind of slip.
        start: Where it begins in the text; equal to `end` between two characters.
        end: Where it ends.
        write: From what stands there to what a slip makes of it.
    """

    kind: Kind
    start: int
    end: int
    write: Write


@dataclass(frozen=True, slots=True)
class Slips:
    """A table of words and their slips.

    Attributes:
        words: The slips of each word; a word without any is there to be left alone (目的, where 的 would change).
        pattern: Finds the words, longer ones first.
    """

    words: Mapping[str, tuple[str, ...]]
    pattern: re.Pattern[str]


@cache
def table(name: str) -> Slips:
    """A table from its file: a word, a tab, its slips with spaces between; `#` begins a remark."""
    text = packaged_text("finetune_lib.data.augmenters", "tables", f"{name}.tsv")
    lines = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    words = {line[0]: tuple(line[1].split()) if len(line) > 1 else () for line in lines}
    longest_first = sorted(words, key=len, reverse=True)
    edge = r"(?<![A-Za-z'’-]){}(?![A-Za-z'’-])" if name == "english" else "{}"
    return Slips(words, re.compile(edge.format(f"(?:{'|'.join(map(re.escape, longest_first))})")))


def spots(text: str, kinds: Sequence[Kind]) -> list[Spot]:
    """All places of a text for slips of these kinds, in the order of the kinds."""
    kept = [match.span() for match in KEPT.finditer(text)]
    found = (spot for kind in kinds for spot in KINDS[kind](text))
    return [spot for spot in found if not any(_touches(spot, *span) for span in kept)]


def _touches(spot: Spot, start: int, end: int) -> bool:
    return spot.start < end and start < spot.end if spot.start < spot.end else start < spot.start < end


def _each(kind: Kind, pattern: re.Pattern[str], text: str, write: Write) -> Iterator[Spot]:
    return (Spot(kind, *match.span(), write) for match in pattern.finditer(text))


def _to(*slips: str) -> Write:
    return lambda _, chance: chance.choice(slips)


def _width(text: str) -> Iterator[Spot]:
    """Half for full width and the other way round."""
    yield from _each("width", WIDTH_TO_HALF, text, lambda said, _: said.translate(HALF))
    yield from _each("width", WIDTH_TO_FULL, text, lambda said, _: said.translate(FULL))
    yield from _each("width", LATIN_AMONG_HAN, text, lambda said, _: said.translate(FULL_WORD))


def _punctuation(text: str) -> Iterator[Spot]:
    """The mark at the end left out or doubled, the comma left out or a space instead."""
    yield from _each("punctuation", ENDING, text, lambda said, chance: chance.choice(_ends(said)))
    yield from _each("punctuation", PAUSE, text, _to("", " "))
    yield from _each("punctuation", LATIN_PAUSE, text, _to(" "))


def _ends(mark: str) -> Sequence[str]:
    """Most people leave the mark out; questions and exclamations are also doubled."""
    return ("", "", mark * 2) if mark in "?!？！" else ("",)


def _spacing(text: str) -> Iterator[Spot]:
    """Spaces between Chinese and Latin, after a comma, and between words."""
    yield from _each("spacing", BESIDE_LATIN, text, _to(""))
    yield from _each("spacing", NO_SPACE, text, _to(" "))
    yield from _each("spacing", LATIN_PAUSE, text, _to(","))
    yield from _each("spacing", BETWEEN_WORDS, text, _to("  "))


def _homophones(text: str, *, kind: Literal["zhuyin", "pinyin"], other: str) -> Iterator[Spot]:
    """Homophones of an input method, and 注音文; not in text of the other script."""
    slips = table(kind)
    for match in slips.pattern.finditer(text) if variety(text) != other else ():
        if written := slips.words[match[0]]:
            yield Spot(kind, *match.span(), _to(*written))


def _typos(text: str) -> Iterator[Spot]:
    """Misspellings that are common, and slips of the fingers in any longer word."""
    slips = table("english")
    yield from (Spot("typos", *match.span(), _to(*slips.words[match[0]])) for match in slips.pattern.finditer(text))
    yield from _each("typos", LONG_WORD, text, _fingers)


def _fingers(word: str, chance: Random) -> str:
    """Two letters swapped, one left out, doubled, or the key beside it; the first letter is right."""
    place = chance.randrange(1, len(word) - 1)
    here, after = word[place], word[place + 1]
    row = next(row for row in KEYS if here in row)
    key = row.index(here)
    beside = chance.choice(row[max(key - 1, 0) : key] + row[key + 1 : key + 2])
    made = chance.choice((after + here, after, here + here + after, beside + after))
    written = word[:place] + made + word[place + 2 :]
    return written if written != word else word[:place] + here + word[place:]


KINDS: Mapping[Kind, Callable[[str], Iterator[Spot]]] = {
    "width": _width,
    "punctuation": _punctuation,
    "spacing": _spacing,
    "zhuyin": partial(_homophones, kind="zhuyin", other="zh-Hans"),
    "pinyin": partial(_homophones, kind="pinyin", other="zh-Hant"),
    "typos": _typos,
}
