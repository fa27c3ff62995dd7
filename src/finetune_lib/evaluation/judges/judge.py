"""The seam: a judge sees a question and two answers, and says which one is better. It never learns whose they are."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, get_args, runtime_checkable

from finetune_lib.platforms.asking import Reply, Request
from finetune_lib.records import Case
from finetune_lib.shown import Shown

Level = Literal[
    "first_much_better", "first_slightly_better", "tie", "second_slightly_better", "second_much_better", "both_bad"
]
LEVELS: tuple[Level, ...] = get_args(Level)
# How much each level speaks for the first answer.
FOR_THE_FIRST: Mapping[Level, float] = {
    "first_much_better": 1.0,
    "first_slightly_better": 0.5,
    "tie": 0.0,
    "second_slightly_better": -0.5,
    "second_much_better": -1.0,
    "both_bad": 0.0,
}


@dataclass(frozen=True, slots=True)
class Verdict(Shown):
    """What a judge says of two answers, in the order it saw them.

    Attributes:
        level: Which one is better, and by how much.
        reason: Why, in words.
    """

    level: Level
    reason: str = ""


Judged = Verdict | str | float


class Judge(Protocol):
    """Compares two answers: a plain function, an async one, or an object with `__call__`; it may have a `name`.

    It is always called twice for each pair, in both orders, and gives a `Verdict`, a level, or a number from 1
    (the first answer is much better) to -1 (the second is), which is taken as the nearest level. An exception is a
    missing judgment, never a tie.
    `repeats`, where it has one, is how often it is called for each order.
    """

    def __call__(self, case: Case, first: str, second: str, /) -> Judged | Awaitable[Judged]:
        """Compare the answers."""
        ...


@runtime_checkable
class AsksJudge(Protocol):
    """A judge that asks a model: its calls can be kept and sent in batches."""

    def request(self, case: Case, first: str, second: str, /) -> Request:
        """What the model is asked about a pair."""
        ...

    def read(self, reply: Reply, /) -> Verdict:
        """The verdict in the model's reply.

        Raises:
            UnreadableAnswerError: There is none in it; the model is asked once more, then the verdict is missing.
        """
        ...
