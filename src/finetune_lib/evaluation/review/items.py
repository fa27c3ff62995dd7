"""What experts are shown: a question with the answers of two candidates, and the few to practise on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from itertools import pairwise
from random import Random
from typing import Literal, get_args

from finetune_lib.records import Message
from finetune_lib.shown import Shown

Choice = Literal["left_much", "left", "same", "right", "right_much", "both_good", "both_bad", "skip", "wrong_question"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
REASONS = ("wrong_fact", "missing", "too_long", "tone", "format")
SOUND, BROKEN = "(sound)", "(broken)"
NO_TEXTS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Beside(Shown):
    """One question with the answers of two candidates, side by side.

    Attributes:
        case_id: The case's id in the golden set.
        question: The conversation up to the answer, or the question as text.
        answers: The name of each of the two candidates, and its answer.
        expected: The reference answer; folded on the page, since who has read it looks for its words.
        category: The row of the per-category table; not on the page.
        context: What an expert may need to know; folded.
        sources: For each candidate what it looked up; folded on both sides alike.

    Example:
        >>> from finetune_lib.evaluation.review import Beside
        >>> item = Beside("7", "退票要多久？", {"tuned": "七個工作天。", "base": "不一定。"}, category="退票")
        >>> item.candidates
        ('base', 'tuned')
    """

    case_id: str
    question: Sequence[Message] | str
    answers: Mapping[str, str]
    _: KW_ONLY
    expected: str = ""
    category: str | None = None
    context: str = ""
    sources: Mapping[str, str] = field(default_factory=lambda: NO_TEXTS)

    @property
    def candidates(self) -> tuple[str, ...]:
        """Their names, sorted."""
        return tuple(sorted(self.answers))

    @property
    def pair(self) -> tuple[str, str]:
        """The two of them, once the item is checked."""
        first, second = self.candidates
        return first, second

    @property
    def identical(self) -> bool:
        """Whether both answers are the same text; nobody is asked then."""
        return len({answer.replace("\r\n", "\n").strip() for answer in self.answers.values()}) == 1

    @property
    def turns(self) -> tuple[tuple[str, str], ...]:
        """Role and text of each turn of the question that has a text."""
        if isinstance(self.question, str):
            return (("user", self.question),)
        return tuple((message.role, message.text) for message in self.question if message.text)


@dataclass(frozen=True, slots=True)
class Practice(Shown):
    """A question to practise on, before the ones that count.

    Attributes:
        question: The question.
        left: The answer on the left.
        right: The answer on the right.
        choice: What an experienced reader chooses, as `left_much` or `both_bad`.
        explanation: Why.
    """

    question: str
    _: KW_ONLY
    left: str
    right: str
    choice: Choice
    explanation: str


def attention_items(items: Sequence[Beside], number: int, *, drawn: Random) -> list[Beside]:
    """Questions with a sound answer beside the answer to another question, for who does not read.

    Raises:
        ValueError: There are not enough different items to make them from.
    """
    pairs = list(pairwise(items))
    drawn.shuffle(pairs)
    made = [_attention(one, other, drawn) for one, other in pairs if one.turns != other.turns]
    if len(whole := [item for item in made if not item.identical]) < number:
        raise ValueError(f"attention={number} takes more different items: {len(whole)} can be made of these")
    return whole[:number]


def _attention(item: Beside, other: Beside, drawn: Random) -> Beside:
    """By chance from either candidate: whose answer comes twice must tell nothing."""
    sound = item.expected or item.answers[drawn.choice(item.candidates)]
    return Beside(item.case_id, item.question, {SOUND: sound, BROKEN: other.answers[drawn.choice(other.candidates)]})


def check_items(items: Sequence[Beside]) -> None:
    """See that every item can be shown and told from the others.

    Raises:
        ValueError: With every problem at once.
    """
    problems = [f"case {item.case_id!r}: {problem}" for item in items for problem in _problems(item)]
    counts = Counter((item.case_id, item.candidates) for item in items)
    problems += [
        f"case {case!r} is given {n} times for {' and '.join(who)}" for (case, who), n in counts.items() if n > 1
    ]
    if items and not problems and all(item.identical for item in items):
        problems = ["both answers are the same text in every case: there is nothing to choose between"]
    if problems or not items:
        raise ValueError("these items cannot be reviewed:\n  " + "\n  ".join(problems or ["there are none"]))


def _problems(item: Beside) -> Iterator[str]:
    if len(item.answers) != 2:
        yield f"it takes the answers of exactly two candidates, not of {len(item.answers)}"
    if unknown := sorted(set(item.sources) - set(item.answers)):
        yield f"sources of {', '.join(unknown)}, who gave no answer here"
    if {SOUND, BROKEN} & set(item.answers):
        yield f"{SOUND} and {BROKEN} are no names of candidates"
    if not any(text.strip() for _, text in item.turns):
        yield "the question has no text"
