"""A row as it is compared: who says what in plain texts, and what it carries beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from finetune_lib.data.together.differences import NUMBER, tokens
from finetune_lib.data.together.vocabulary import words
from finetune_lib.data.together.wording import HAN, plain
from finetune_lib.records import Case, Example, as_example
from finetune_lib.rows.exchange import as_json, spoken

DIGIT = re.compile(r"\d")
PICTURE = re.compile(r"^#\d{12,}$", re.MULTILINE)
HAN_RUN = re.compile(rf"[{HAN}]{{2,}}")
WORD = re.compile(rf"[^\W\d_{HAN}]{{2,}}")
STEM = 5
LABEL_SIZE, LABEL_TOKENS = 12, 6
SPOKEN, OWN_EXCHANGE = 6, 28  # sizes of a question, and of it and its answer, that are a dialogue's own
OWN_QUESTION = 12  # size of a question that is the same one in another conversation: 6 characters, 3 words
ASKING, ASKING_HAN = words("asking"), words("asking_han")


class Turn(NamedTuple):
    """What one side says, in a plain text."""

    role: str
    text: str


class Exchange(NamedTuple):
    """A question and its answer, as plain texts."""

    question: str
    answer: str

    @property
    def is_own(self) -> bool:
        """Whether both say so much that only this dialogue says it."""
        enough = size(self.question) >= SPOKEN and size(self.question) + size(self.answer) >= OWN_EXCHANGE
        return enough and bool(content(self.question))


@dataclass(frozen=True)
class Row:
    """What of a row is compared with others.

    Attributes:
        turns: Who says what up to the last answer, instructions left out.
        wording: The last question as it was written.
        beside: What else a row says: its instructions, tools, labels, a rejected answer, what graders read.
        pictures: The pictures and files that it shows.
    """

    turns: tuple[Turn, ...]
    wording: str
    beside: str
    pictures: frozenset[str]

    @cached_property
    def answer(self) -> str:
        """The last answer; empty where there is none."""
        return self.turns[-1].text if self.turns and self.turns[-1].role == "assistant" else ""

    @cached_property
    def prompt(self) -> str:
        """All that is said before the last answer."""
        asked = self.turns[:-1] if self.turns and self.turns[-1].role == "assistant" else self.turns
        return "\n".join(turn.text for turn in asked)

    @cached_property
    def question(self) -> str:
        """The last question before the answer."""
        return next((turn.text for turn in reversed(self.turns) if turn.role == "user"), "")

    @cached_property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Each question with the first answer to it."""
        found: list[Exchange] = []
        asked = ""
        for role, text in self.turns:
            if role == "user":
                asked = text
            elif role == "assistant" and asked:
                found.append(Exchange(asked, text))
                asked = ""
        return tuple(found)

    @cached_property
    def digits(self) -> str:
        """The digits of all turns whatever their order: of duplicates they are the same ones."""
        return "".join(sorted(DIGIT.findall("".join(turn.text for turn in self.turns))))

    @property
    def is_dialogue(self) -> bool:
        """Whether more is said than one question and its answer."""
        return len(self.turns) > 2

    @property
    def says_nothing(self) -> bool:
        """Whether there is no text to compare."""
        return not any(turn.text for turn in self.turns)


def look(item: Example | Case | Mapping[str, Any]) -> Row:
    """A row, an example or a golden case as it is compared."""
    example = Example(item) if isinstance(item, Mapping) else as_example(item)
    said = spoken(example)
    answers = (place for place, (role, _) in enumerate(said.turns) if role == "assistant")
    texts = said.turns[: 1 + max(answers, default=len(said.turns))]
    return Row(
        tuple(Turn(role, plain(text)) for role, text in texts),
        next((text for role, text in reversed(texts) if role == "user"), ""),
        as_json([plain(said.system), plain(said.rejected or ""), said.rest]),
        frozenset(mark for _, text in texts for mark in PICTURE.findall(text)),
    )


def size(text: str) -> int:
    """How much a plain text says: 2 for a Chinese character, 4 for any other token."""
    return sum(2 if "\u3400" <= token <= "\u9fff" else 4 for token in tokens(text))


def is_label(answer: str) -> bool:
    """Whether an answer is so short that many rows have it by chance: at most 6 Chinese characters or 3 words."""
    return len(answer) <= 64 and size(answer) <= LABEL_SIZE and len(tokens(answer)) <= LABEL_TOKENS


def content(text: str) -> frozenset[str]:
    """What a plain text is about: pairs of Chinese characters, stems of words, numbers; no words of asking."""
    stems = {word[:STEM] for word in WORD.findall(text) if word not in ASKING}
    pairs = {run[i : i + 2] for run in HAN_RUN.findall(text) for i in range(len(run) - 1)} - ASKING_HAN
    return frozenset(stems | pairs | set(NUMBER.findall(text)))
