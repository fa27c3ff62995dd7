"""What rows that belong together have in common for sure: a few numbers of each, linear in the data."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from hashlib import blake2b
from typing import NamedTuple

from finetune_lib.data.together.differences import NUMBER
from finetune_lib.data.together.rows import OWN_QUESTION, Row, content, is_label, size


class Shared(IntEnum):
    """What two rows share."""

    QUESTION = 0
    ANSWER = 1
    FORM = 2
    EXCHANGE = 3
    BEGINNING = 4
    ASKED = 5


class Key(NamedTuple):
    """Something that a row may share with others.

    Attributes:
        digest: A number that is equal where it is shared.
        shared: What it is.
        beside: What tells apart those that share it: of an exchange the opening of its dialogue, of an answer the
            question, of a beginning whether it is the whole row, of a question inside whether the row is a dialogue.
    """

    digest: int
    shared: Shared
    beside: int = 0


def keys(row: Row) -> Iterator[Key]:
    """All that a row may share; none of a row without text."""
    if row.says_nothing:
        return
    yield Key(_digest("question", row.prompt), Shared.QUESTION)
    if row.answer and not is_label(row.answer):
        yield Key(_digest("answer", row.answer), Shared.ANSWER, _digest(row.prompt))
    if NUMBER.search(row.prompt + row.answer):
        yield Key(_digest("form", NUMBER.sub("0", row.prompt), NUMBER.sub("0", row.answer)), Shared.FORM)
    for exchange in row.exchanges:
        if exchange.is_own:
            yield Key(_digest("exchange", *exchange), Shared.EXCHANGE, _digest(*row.exchanges[0]))
    for end, turn in enumerate(row.turns, start=1):
        if turn.role == "assistant":
            said = (part for told in row.turns[:end] for part in told)
            yield Key(_digest("beginning", *said), Shared.BEGINNING, end == len(row.turns))
    for text in {turn.text for turn in row.turns if turn.role == "user"}:
        if size(text) >= OWN_QUESTION and content(text):
            yield Key(_digest("asked", text), Shared.ASKED, row.is_dialogue)


def _digest(*texts: str) -> int:
    return int.from_bytes(blake2b("\0".join(texts).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
