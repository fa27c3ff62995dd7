"""The one relation between two rows: whether the answer of one is known from the other; symmetric and pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from finetune_lib.data.together.differences import NUMBER, Difference, difference, tokens
from finetune_lib.data.together.rows import OWN_QUESTION, Row, content, is_label, look, size
from finetune_lib.data.together.wording import plain
from finetune_lib.records import Case, Example
from finetune_lib.shown import Shown
from finetune_lib.texts import jaccard, shingles

Kind = Literal["duplicate", "variant", "template", "different"]

LONG = 80  # size of a text from which a small change is no other text
SMALL_SHARE, SMALL_MOST = 0.04, 6  # of its tokens, and in all
NEAR_DIALOGUE, NEAR_QUESTION, NEAR_LABELLED, NEAR_CARRIED, NEAR_NAMED = 0.7, 0.75, 0.6, 0.3, 0.35
NEAR_ANSWER = 0.4
OWN_QUESTIONS, OWN_CONTENT = 24, 3  # of all that two dialogues share
SHORTEST_INSTRUCTION = 4
SLOTS, LONGEST_SLOT, SHORTEST_NAME = 2, 12, 4
SAME_LONG_ANSWER, ANOTHER_QUESTION = "same answer", "same answer, another question"

SAME_ANSWER = frozenset({SAME_LONG_ANSWER, "near question, same label", "near question"})  # of questions in other words


@dataclass(frozen=True, slots=True)
class Relation(Shown):
    """How two rows belong together.

    Attributes:
        kind: `duplicate`: the same but for wording, one of them may go. `variant`: the answer of one is known from
            the other, as of a paraphrase, a window of the same dialogue, the same question answered otherwise; never
            on both sides of a split. `template`: one form with other numbers or names; both are worth keeping, on
            one side of a split while groups allow. `different`: neither tells the other's answer.
        reason: Why, in a few words, as `same question, other answer`.
    """

    kind: Kind
    reason: str

    @property
    def tells_the_answer(self) -> bool:
        """Whether who has learned one row knows the other."""
        return self.kind in ("duplicate", "variant")


def relation(x: Example | Case | Mapping[str, Any], y: Example | Case | Mapping[str, Any]) -> Relation:
    """How two rows belong together: the one rule of near duplicates, splits, proofs and golden sets.

    It needs no other data and is the same both ways round. Script, width, case, punctuation, politeness and typing
    slips do not count; a negation, a number and an operator always do.

    Args:
        x: An example, a golden case, or a row (`messages`, or `prompt` and `completion`).
        y: The same.

    Example:
        >>> import finetune_lib as ft
        >>> x = {"prompt": "月租費可以減免嗎？", "completion": "可以，憑證明到門市辦理。"}
        >>> ft.relation(x, {"prompt": "请问月租费可以减免吗", "completion": "可以，憑證明到門市辦理。"}).kind
        'duplicate'
        >>> ft.relation(x, {"prompt": "月租費不可以減免嗎？", "completion": "不可以，此方案沒有優惠。"}).kind
        'different'
    """
    return related(look(x), look(y))


def related(one: Row, other: Row) -> Relation:
    """The relation of two rows that were looked at; the first rule that fits."""
    one, other = sorted((one, other), key=lambda row: (row.turns, row.wording, row.beside))
    if one.says_nothing or other.says_nothing:
        return Relation("different", "no text")
    if (one.is_dialogue or other.is_dialogue) and (found := _dialogues(one, other)):
        return found
    if one.pictures != other.pictures:
        return Relation("different", "other pictures")
    asked, answered = difference(*_bodies(one, other)), difference(one.answer, other.answer)
    if not (one.answer and other.answer):
        return _unanswered(one, other, asked)
    if not answered or _is_small(answered, one.answer, other.answer):
        return _same_answer(one, other, asked)
    if not asked or _is_small(asked, one.prompt, other.prompt):
        return Relation("variant", "same question, other answer")
    return _other_answer(one, other, asked, answered)


def asked_again(one: Row, other: Row) -> Relation:
    """How two golden cases belong together, of which only the last answer is asked for.

    As `related`, but that other numbers make another question, that an answer of which neither question speaks may be a
    class with a long name, and that what both begin with, as examples before the question, says nothing of either.
    """
    one, other = _without_beginning(one, other)
    found = related(one, other)
    if found.reason == ANOTHER_QUESTION or (found.reason == SAME_LONG_ANSWER and _in_one_class(one, other)):
        return Relation("template", found.reason)
    return found


def _in_one_class(one: Row, other: Row) -> bool:
    """Whether an answer looks like a class: the questions are not near, and none of them speaks of it."""
    asked, again = _bodies(one, other)
    return _near(asked, again) < NEAR_CARRIED and (content(asked) | content(again)).isdisjoint(content(one.answer))


def _without_beginning(one: Row, other: Row) -> tuple[Row, Row]:
    """Two rows without the turns that both begin with; a question and its answer are left of each."""
    turns = zip(one.turns, other.turns, strict=False)
    same = next((place for place, (a, b) in enumerate(turns) if a != b), min(len(one.turns), len(other.turns)))
    cut = max(0, min(same, *(len(row.turns) - 1 - bool(row.answer) for row in (one, other))))
    return replace(one, turns=one.turns[cut:]), replace(other, turns=other.turns[cut:])


def _dialogues(one: Row, other: Row) -> Relation | None:
    """What the turns tell where at least one row has several; None where question and answer decide."""
    if len(one.turns) == len(other.turns) and all(map(_says_the_same, one.turns, other.turns)):
        return _same(one, other)
    if _share_exchanges(one, other):
        return Relation("variant", "window of the same dialogue")
    if _asked_inside(one, other) or _asked_inside(other, one):
        return Relation("variant", "asked in the dialogue")
    if one.prompt == other.prompt:
        return Relation("variant", "same question, other answer")
    if _near(one.prompt, other.prompt) < NEAR_DIALOGUE:
        return Relation("different", "other dialogue")
    if (
        one.answer == other.answer
        and not is_label(one.answer)
        and not _on_one_thing(one, other, one.question, other.question)
    ):
        return Relation("different", "closing of another dialogue")
    return None


def _says_the_same(one: tuple[str, str], other: tuple[str, str]) -> bool:
    return one[0] == other[0] and not difference(one[1], other[1])


def _same(one: Row, other: Row) -> Relation:
    """Question and answer are the same: one row may go, unless what stands beside them differs."""
    if one.beside != other.beside or one.pictures != other.pictures:
        return Relation("variant", "same but for instructions, tools or labels")
    return Relation("duplicate", "wording")


def _share_exchanges(one: Row, other: Row) -> bool:
    """Whether one dialogue goes on where the other stands: more in common than greetings and closings."""
    if len(one.exchanges) < 2 and len(other.exchanges) < 2:
        return False
    short, long = sorted((one.turns, other.turns), key=len)
    shared = set(one.exchanges) & set(other.exchanges)
    asked = "".join(sorted(exchange.question for exchange in shared))
    if long[: len(short)] == short and len(short) > 1 and content(asked):
        return True
    enough = len(shared) > 1 and size(asked) >= OWN_QUESTIONS and len(content(asked)) >= OWN_CONTENT
    return enough or any(exchange.is_own for exchange in shared)


def _asked_inside(one: Row, dialogue: Row) -> bool:
    """Whether a dialogue asks the one question of the other row, be it between others."""
    if one.is_dialogue or not dialogue.is_dialogue or size(one.question) < OWN_QUESTION or not content(one.question):
        return False
    return any(_ask_the_same(one.question, turn.text) for turn in dialogue.turns if turn.role == "user")


def _ask_the_same(one: str, other: str) -> bool:
    asked = difference(one, other)
    return not asked or not (asked.polar or asked.in_numbers_only or _near(one, other) < NEAR_QUESTION)


def _unanswered(one: Row, other: Row, asked: Difference) -> Relation:
    """Where a row has no answer its question alone is compared."""
    if not asked:
        return Relation("variant", "same question") if one.answer or other.answer else _same(one, other)
    if asked.in_numbers_only:
        return Relation("template", "other numbers")
    if asked.polar or _near(*_bodies(one, other)) < NEAR_QUESTION:
        return Relation("different", "other question")
    return Relation("variant", "near question")


def _same_answer(one: Row, other: Row, asked: Difference) -> Relation:
    if not asked or _is_small(asked, one.prompt, other.prompt):
        return _same(one, other)
    bodies = _bodies(one, other)
    if not is_label(one.answer):
        if not _on_one_thing(one, other, *bodies):
            return Relation("different", "an answer to many questions")
        another = _other_values(asked) or (asked.polar and _near(*bodies) >= NEAR_LABELLED)
        return Relation("variant", ANOTHER_QUESTION if another else SAME_LONG_ANSWER)
    if asked.in_numbers_only:
        return Relation("template", "other numbers")
    if asked.polar or _near(*bodies) < NEAR_LABELLED:
        return Relation("different", "same label")
    if _is_slot(asked) and _names(asked.gone) and _names(asked.new) and sorted(asked.gone) != sorted(asked.new):
        return Relation("template", "other names")  # a label is no content: the names make it another question
    return Relation("variant", "near question, same label")


def _on_one_thing(one: Row, other: Row, asked: str, again: str) -> bool:
    """Whether two questions speak of the same thing, or one of them of what the answer speaks of."""
    first, second = content(asked), content(again)
    return bool(first & second or (first | second) & content(one.answer) & content(other.answer))


def _other_answer(one: Row, other: Row, asked: Difference, answered: Difference) -> Relation:
    """Where question and answer both differ: one form, or two things."""
    if asked.polar or answered.polar:
        return Relation("different", "the opposite")
    if is_label(one.answer) and is_label(other.answer) and not answered.in_numbers_only:
        return Relation("different", "other label")
    if asked.in_numbers_only and (answered.in_numbers_only or _masked(one.answer) == _masked(other.answer)):
        return Relation("template", "other numbers")
    alike = _near(*_bodies(one, other))
    if alike >= NEAR_CARRIED and _carried(one, other, asked, answered):
        return Relation("template", "values of the question in the answer")
    if (
        alike >= NEAR_NAMED
        and _is_slot(asked)
        and _is_slot(answered)
        and _near(one.answer, other.answer) >= NEAR_ANSWER
    ):
        return Relation("template", "other names")
    return Relation("different", "other question and answer")


def _carried(one: Row, other: Row, asked: Difference, answered: Difference) -> bool:
    """Whether what differs in the answers is read off the questions, numbers aside."""
    changed = {*asked.gone, *asked.new}.intersection(answered.gone + answered.new)
    return bool(changed) and _read_off(answered.gone, one.prompt) and _read_off(answered.new, other.prompt)


def _read_off(words: tuple[str, ...], question: str) -> bool:
    return {word for word in words if not word[0].isdigit()} <= set(tokens(question))


def _is_slot(found: Difference) -> bool:
    """Whether a few short words stand for others."""
    short = max(sum(map(len, found.gone)), sum(map(len, found.new))) <= LONGEST_SLOT
    return found.spans <= SLOTS and short and bool(found.gone and found.new)


def _names(words: tuple[str, ...]) -> bool:
    """Whether a change is of whole words, as of one name for another: two Chinese characters, or one Latin word."""
    return size("".join(words)) >= SHORTEST_NAME


def _other_values(found: Difference) -> bool:
    """Whether both sides have numbers that the other lacks: another wording of a question keeps its numbers."""
    return all(any(token[0].isdigit() for token in side) for side in (found.gone, found.new))


def _is_small(found: Difference, one: str, other: str) -> bool:
    """Whether so little of a long text differs that it is the same text."""
    changed = found.gone + found.new
    if len(changed) > SMALL_MOST or found.polar or any(token[0].isdigit() for token in changed):
        return False
    shorter = min(one, other, key=len)
    return size(shorter) >= LONG and len(changed) <= SMALL_SHARE * len(tokens(shorter)) + 1


def _bodies(one: Row, other: Row) -> tuple[str, str]:
    """Two prompts without the instruction that single questions both begin with, as `Translate:`."""
    whole = one.prompt, other.prompt
    if one.is_dialogue or other.is_dialogue:
        return whole
    asked = one.wording, other.wording
    common = next((i for i, (a, b) in enumerate(zip(*asked, strict=False)) if a != b), min(map(len, asked)))
    cut = 1 + max(asked[0].rfind(mark, 0, common) for mark in ":：\n")
    rest = [text[cut:] for text in asked]
    return (plain(rest[0]), plain(rest[1])) if cut >= SHORTEST_INSTRUCTION and all(map(str.strip, rest)) else whole


def _near(one: str, other: str) -> float:
    return jaccard(shingles(one), shingles(other))


def _masked(text: str) -> str:
    return NUMBER.sub("0", text)
