"""Plain chats read many at once: decoded into typed objects, and proved sound by a few looks at all together."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter

from finetune_lib.data.reading.json.fast import TypedMessage, chats_decoder
from finetune_lib.data.reading.json.plain_chat import is_plain
from finetune_lib.data.reading.json.strict import ESCAPE
from finetune_lib.records import Example, Origin

Harmless = Callable[[str], bool]
DECODE, REFUSALS = chats_decoder()
MESSAGES, ROLE, CONTENT = attrgetter("messages"), attrgetter("role"), attrgetter("content")
LINE_FEED = re.compile(rb"\n")
CHAT_ENDS = (b"]}\n", b"]}\r\n", b"]}")
# What may be a character written as an escape, or LaTeX whose backslash was read as one: \theta, \nu.
ESCAPED_CHARACTER = re.compile(
    rb"\\(?:[ubf]|(?:n(?:abla|eq|otin|subseteq|u|e|i|ot|eg|mid|less|exists|parallel|cong|leq|geq|earrow|warrow)"
    rb"|r(?:ho|ight|ightarrow|angle|floor|ceil|m)"
    rb"|t(?:imes|heta|herefore|riangle|ext|frac|binom|ilde|o|au|an|anh|op|hinspace|ext(?:bf|it|rm|tt)))(?![A-Za-z]))"
)


@dataclass(slots=True)
class PlainRows:
    """Plain chats on adjoining lines.

    Attributes:
        chats: The messages of each.
        texts: What all these messages say, one after the other.
        ends: Where the line of each ends, in bytes from the first one's beginning.
        line: The physical line of the first, from 1.
        row: Its number among the lines that are not blank, from 1.
        offset: Its first byte.
    """

    chats: Sequence[Sequence[TypedMessage]]
    texts: Sequence[str]
    ends: Sequence[int]
    line: int = 1
    row: int = 1
    offset: int = 0

    def offsets(self, base: int = 0) -> Sequence[int]:
        """The first byte of each; `base` is where what they were read from begins in the data."""
        first = base + self.offset
        return [first, *(first + end for end in self.ends[:-1])]

    @property
    def stop(self) -> int:
        """The first byte behind the last."""
        return self.offset + self.ends[-1]

    def example(self, place: int, source: str) -> Example:
        """One of them with its origin."""
        messages = [{"role": message.role, "content": message.content} for message in self.chats[place]]
        return Example({"messages": messages}, Origin(source, self.row + place, self.line + place))


def plain_rows(piece: bytes, harmless: Harmless) -> PlainRows | None:
    """What stands in a piece of JSONL, if that is nothing but plain chats, one a line; None leaves it to be looked at.

    Args:
        piece: Whole lines.
        harmless: Whether nothing is to be said of texts, which it is given joined by line feeds. Asked only where the
            piece holds what may be a special token or a character written as an escape.
    """
    if DECODE is None:
        return None
    try:
        chats = list(map(MESSAGES, DECODE(piece)))
    except REFUSALS:
        return None
    texts: list[str] = list(map(CONTENT, chain.from_iterable(chats)))
    ends = [match.end() for match in LINE_FEED.finditer(piece)]
    if not piece.endswith(b"\n"):
        ends.append(len(piece))
    sound = (
        _one_a_line(len(chats), piece, ends)
        and _keys_stand_once(piece, len(chats), len(texts))
        and _in_turns(chats)
        and all(map(str.lstrip, texts))
        and (not is_marked(piece) or harmless("\n".join(texts)))
    )
    return PlainRows(chats, texts, ends) if sound else None


def is_marked(raw: bytes) -> bool:
    """Whether bytes hold what may be a special token or a character written as an escape."""
    return (b"|" in raw and b"<|" in raw) or ESCAPED_CHARACTER.search(raw) is not None


def _one_a_line(chats: int, piece: bytes, ends: Sequence[int]) -> bool:
    """Whether each line has one chat: they are as many, and as no text has a line feed, each line ends with a chat."""
    return chats == len(ends) and all(tail.endswith(CHAT_ENDS) for tail in {piece[end - 4 : end] for end in ends})


def _keys_stand_once(piece: bytes, chats: int, messages: int) -> bool:
    """Whether no key was lost to an equal one: a chat has one key, a message two keys and two texts, each in quotes."""
    more = piece.count(b'"') - 2 * (chats + 4 * messages)
    return not more or more == ESCAPE.findall(piece).count(b'\\"')


def _in_turns(chats: Sequence[Sequence[TypedMessage]]) -> bool:
    """Whether the roles come in the order of plain chats; there are few orders in many chats."""
    orders = {tuple(map(ROLE, chat)) for chat in chats}
    return all(is_plain({"messages": [{"role": role, "content": "…"} for role in order]}) for order in orders)
