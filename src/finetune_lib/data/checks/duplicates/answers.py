"""What questions and answers of all examples say together: contradictions, other forms of one, one answer for many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Self
from zlib import crc32

from finetune_lib.data.checks.duplicates.copies import digest
from finetune_lib.data.checks.duplicates.shared_answers import shared_answers, short
from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic, diagnose, place_name, quote
from finetune_lib.data.together.spill import PARTITIONS, Spill
from finetune_lib.records import Example, Origin
from finetune_lib.rows.exchange import Turns, as_json, turns_of
from finetune_lib.rows.facts import Facts
from finetune_lib.texts import fold
from finetune_lib.texts.quantities import with_digits

LOOKED_AT = 10_000  # examples whose question seems to be asked again, which are read and compared whole
LARGEST = 300_000  # different rows of one partition, after which no more are told apart: that bounds the memory
WHOLE = 96  # characters of a question that are folded whole; of longer ones both ends
END = 32  # characters of an end, folded
REPEATED = 8192  # answers that come again
BEGINNING = 16  # characters, folded, of the turn before, which tells conversations apart


class Answers:
    """Equal questions with other answers (D804), examples in two forms (D803), and answers that many share (D805).

    A question is known by a digest of its folded text; what shares one is read again and compared whole.
    """

    def __init__(self) -> None:
        self._questions = Spill(4)
        self._answers = Spill(3)

    def look(self, facts: Facts, place: int) -> None:
        """Take up one example."""
        turns = facts.turns
        if turns is None or not any(map(str.strip, turns.prompt)):
            return
        question, answer = _digest(_gist(turns)), _answer_digest(turns.answer, turns.rejected)
        wording = crc32("\0".join((turns.system, *turns.prompt)).encode("utf-8", "surrogatepass"))
        self._questions.add(question, wording, answer, place)
        if turns.answer.strip() and turns.rejected is None:
            self._answers.add(answer, question, place)

    def merge(self, later: Self, offset: int) -> None:
        """Take up the survey of the part behind this one."""
        self._questions.merge(later._questions, offset)
        self._answers.merge(later._answers, offset)

    def findings(self, examples: Sequence[Example], rules: Rules) -> Iterator[Diagnostic]:  # noqa: ARG002
        """What was found, in the order of the data; of questions asked again, so many are read again."""
        groups: dict[int, _Group] = {}
        for place, first in _asked_again(self._questions):
            if first not in groups:
                groups[first] = _Group()
                groups[first].add(_read(examples[first]))
            here = _read(examples[place])
            yield from groups[first].compare(here)
            groups[first].add(here)
        yield from shared_answers(self._answers, examples)


def _gist(turns: Turns) -> str:
    """What is the same for equal questions in any script and width, at little cost."""
    *before, last = turns.prompt
    context = fold(before[-1][: 3 * BEGINNING])[:BEGINNING] if before else ""
    system = _folded_system(turns.system) if turns.system else ""
    if len(last) <= WHOLE:
        return f"{system}\n{len(before)}\n{context}\n{fold(last)}"
    begin, end = fold(last[: WHOLE // 2])[:END], fold(last[-WHOLE // 2 :])[-END:]
    return f"{system}\n{len(before)}\n{context}\n{begin}\n{end}"


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


@lru_cache(REPEATED)
def _answer_digest(answer: str, rejected: str | None) -> int:
    return _digest(f"{answer}\0{rejected or ''}")


@lru_cache(maxsize=64)
def _folded_system(text: str) -> str:
    return fold(text)


def _asked_again(questions: Spill) -> list[tuple[int, int]]:
    """The places of questions that may have been asked before, each with the place of the first.

    The earliest with the same words and another answer, and the earliest in other words.
    """
    same: list[tuple[int, int]] = []
    other: list[tuple[int, int]] = []
    for number in range(PARTITIONS):
        seen: set[tuple[int, int, int]] = set()
        wordings: dict[tuple[int, int], int] = {}
        firsts: dict[int, int] = {}
        for question, wording, answer, place in _rows(questions, number):
            if (question, wording, answer) in seen or len(seen) > LARGEST:
                continue
            seen.add((question, wording, answer))
            if (first := wordings.setdefault((question, wording), place)) != place:
                same.append((place, first))
            elif (first := firsts.setdefault(question, place)) != place:
                other.append((place, first))
        same, other = sorted(same)[:LOOKED_AT], sorted(other)[:LOOKED_AT]
    return sorted((*same, *other))


def _rows(questions: Spill, number: int) -> Iterator[tuple[int, int, int, int]]:
    for rows in questions.partition(number):
        yield from zip(rows[::4], rows[1::4], rows[2::4], rows[3::4], strict=True)


@dataclass(frozen=True, slots=True)
class _Answered:
    """One example, read again.

    Attributes:
        origin: Where it stands.
        row: A digest of all of it.
        asked: A digest of the folded question with everything before it, the tools, and KTO's label.
        answer: A digest of the folded answer.
        rejected: One of the folded rejected answer of a pair; 0 of others.
        unwanted: Whether it shows what not to answer (KTO's label).
        turns: Its texts.
    """

    origin: Origin
    row: bytes
    asked: int
    answer: int
    rejected: int
    unwanted: bool
    turns: Turns


class _Group:
    """Examples whose questions have the same gist."""

    def __init__(self) -> None:
        self._known: dict[int, dict[tuple[int, int], _Answered]] = {}

    def add(self, example: _Answered) -> None:
        """Take up one example."""
        known = self._known.setdefault(example.asked, {})
        known.setdefault((example.answer, example.rejected), example)

    def compare(self, here: _Answered) -> Iterator[Diagnostic]:
        """What one more example says against those that were taken up."""
        known = self._known.get(here.asked, {})
        same = known.get((here.answer, here.rejected))
        if same is None:
            yield from _conflict(here, known.values())
        elif same.row != here.row:
            yield diagnose("D803", here.origin, related=(same.origin,), first=place_name(same.origin))


def _conflict(here: _Answered, known: Iterable[_Answered]) -> Iterator[Diagnostic]:
    """A contradiction to the first known answer; of pairs, to one that prefers what is rejected here."""
    others = [other for other in known if not here.rejected or other.answer == here.rejected]
    others = [other for other in others if _says_another(here.turns.answer, other.turns.answer)]
    if others and not here.unwanted:
        yield diagnose(
            "D804",
            here.origin,
            here.turns.path,
            related=(others[0].origin,),
            quote=quote(here.turns.answer, 0, len(here.turns.answer)),
            first=place_name(others[0].origin),
            question=short(here.turns.question),
            answer=short(here.turns.answer),
            other=short(others[0].turns.answer),
        )


def _says_another(one: str, other: str) -> bool:
    """Whether two answers differ in more than how numbers are written; one that is empty says nothing."""
    return bool(one.strip() and other.strip()) and with_digits(one) != with_digits(other)


def is_another_form(one: Example, other: Example) -> bool:
    """Whether two examples differ in script, width, case, punctuation or white space alone, as D803 tells."""
    if turns_of(one) is None or turns_of(other) is None:
        return False
    here, there = _read(one), _read(other)
    return (here.asked, here.answer, here.rejected) == (there.asked, there.answer, there.rejected)


def _read(example: Example) -> _Answered:
    turns = turns_of(example)
    if turns is None:
        raise ValueError("the data has changed since it was looked at")
    asked = [_folded_system(turns.system), *map(fold, turns.prompt)]
    beside = as_json([example.data.get(name) for name in ("tools", "functions", "label")])
    return _Answered(
        example.origin,
        digest(example.data),
        _digest("\n".join((*asked, beside))),
        _digest(fold(turns.answer)),
        _digest(fold(turns.rejected)) if turns.rejected is not None else 0,
        example.data.get("label") is False,
        turns,
    )
