"""Which rows are duplicates of kept ones, at any number of rows: candidates by marks that small changes leave alone.

The pieces of a row fall into three classes by their checksums. One changed word or character changes two classes at
most, so that duplicates agree in a third; manners and numerals, in which they may differ more, have no part in it.
What agrees is read again and verified by the relation.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Self
from unicodedata import is_normalized, normalize
from zlib import crc32

from finetune_lib.data.together.links import Rows
from finetune_lib.data.together.spill import PARTITIONS, Spill
from finetune_lib.data.together.vocabulary import words
from finetune_lib.data.together.wording import MANNERS_LATIN, NUMERALS, SAME_LATIN
from finetune_lib.records import Example
from finetune_lib.rows.exchange import spoken
from finetune_lib.rows.facts import Facts
from finetune_lib.texts.folding import DROPPED, fold

CLASSES = 3
IDLE_HAN = frozenset("".join(words("idle_han")) + NUMERALS)
IDLE = frozenset(
    map(str.encode, MANNERS_LATIN.union(*map(str.split, (*SAME_LATIN, *SAME_LATIN.values())), words("idle")))
)
END = 120  # characters of both ends of a long text
REMEMBERED = 1 << 17  # pieces
REPEATED = 8192  # texts that come again, as stock answers do
FEW = 64  # rows that share a mark, up to which those of about one length are looked at; of more, the first and the last
TRIES = 8
SLACK, SLACK_SHARE = 3, 0.04  # characters by which the questions of duplicates may differ in length
MIXED = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)
WORD_64 = (1 << 64) - 1


class _Table(dict[int, str]):
    """From each character to what is left of it, folded; a space behind every fourth ideograph on average."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kept = " " if character.isspace() else "".join(map(_kept, fold(character)))
        self[code] = kept if character not in DROPPED else ""
        return self[code]


def _kept(character: str) -> str:
    if character in IDLE_HAN:
        return ""
    if "\u3400" <= character <= "\u9fff":
        return character + " " * (ord(character) % 4 == 0)
    return character if character.isalnum() else " "


class _Codes(dict[str | bytes, int]):
    """From each piece of a text to its checksum, each class in 64 bits of its own; nothing of idle words."""

    def __missing__(self, piece: str | bytes) -> int:
        word = piece.encode("utf-8", "surrogatepass") if isinstance(piece, str) else piece
        code = 0 if word in IDLE else crc32(word.rstrip(b"s"))
        if len(self) >= REMEMBERED:
            self.clear()
        self[piece] = code = code << 64 * (code % CLASSES)
        return code


TABLE, CODES = _Table(), _Codes()
ASCII = bytes(ord(chr(code).lower()) if chr(code).isalnum() else 32 for code in range(128)) + bytes(range(128, 256))


class Marks:
    """The marks of many rows; they travel between processes."""

    def __init__(self) -> None:
        self._spill = Spill(3)

    def look(self, facts: Facts, place: int) -> None:
        """Take up one row."""
        asked, answered = _texts(facts)
        (one, length), (other, more) = _summed(asked), _summed(answered)
        if not (length or more):
            return
        for number in range(CLASSES):
            part, rest = one >> 64 * number & WORD_64, other >> 64 * number & WORD_64
            if part or (rest and not length):
                self._spill.add((part * MIXED[0] + rest * MIXED[1] + number) & WORD_64, length, place)
        self._spill.add(hash((one, other)) & WORD_64, length, place)

    def merge(self, later: Self, offset: int) -> None:
        """Take up the marks of the part behind this one."""
        self._spill.merge(later._spill, offset)

    def left_out(self, examples: Sequence[Example]) -> dict[int, int]:
        """The places of duplicates, each with the kept row before it that it is a duplicate of."""
        rows = Rows(examples)
        kept: dict[int, int] = {}
        for place, others in sorted(self._candidates().items()):
            stand_ins = dict.fromkeys(kept.get(other, other) for other in sorted(others))
            for other in list(stand_ins)[:TRIES]:
                if rows.is_copy(other, place) or rows.are_duplicates(other, place):
                    kept[place] = other
                    break
        return kept

    def _candidates(self) -> dict[int, set[int]]:
        """Of each row the earlier ones that share a mark."""
        found: defaultdict[int, set[int]] = defaultdict(set)
        for number in range(PARTITIONS):
            buckets: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
            for part in self._spill.partition(number):
                for mark, length, place in zip(part[::3], part[1::3], part[2::3], strict=True):
                    buckets[mark].append((length, place))
            for members in buckets.values():
                for place, other in _pairs(members) if len(members) > 1 else ():
                    found[place].add(other)
        return found


def _pairs(members: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Each row that shares a mark with an earlier one of about its length, later place first."""
    if len(members) > FEW:
        places = [place for _, place in members]
        for before, place in pairwise(places):
            yield from {(place, before), (place, places[0])}
        return
    members.sort()
    for number, (length, place) in enumerate(members):
        least = bisect_left(members, (length - SLACK - int(SLACK_SHARE * length), 0))
        for _, other in members[least:number]:
            if other != place:
                yield max(place, other), min(place, other)


def _texts(facts: Facts) -> tuple[str, str]:
    """What is asked and what is answered."""
    if turns := facts.turns:
        return "\n".join(turns.prompt), turns.answer
    return "\n".join(text for _, text in spoken(facts.example).turns), ""


@lru_cache(REPEATED)
def _summed(text: str) -> tuple[int, int]:
    """The checksums of the pieces, summed up by class whatever their order; and how long all pieces are."""
    if len(text) > 3 * END:  # who has both ends and the length in common is looked at whole
        text = f"{text[:END]} {text[-END:]}"
    if text.isascii():
        pieces: Sequence[str | bytes] = (plain := text.encode().translate(ASCII, b"'")).split()
        length = len(plain) - plain.count(b" ")
    else:
        plain = (text if is_normalized("NFC", text) else normalize("NFC", text)).translate(TABLE)
        pieces, length = plain.split(), len(plain) - plain.count(" ")
    return sum(map(CODES.__getitem__, pieces)), length
