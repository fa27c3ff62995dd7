"""The seam: a scorer is anything that can be called with an answer and its case."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, ClassVar, Protocol, runtime_checkable

from finetune_lib.platforms.asking import Reply, Request
from finetune_lib.records import Answer, Case, Score
from finetune_lib.statistics.estimates import ends

Scored = float | Score


class Scorer(Protocol):
    """Scores one answer: a plain function, an async one, or an object with `__call__`.

    An exception is a missing score of this answer, with its reason; it is never a 0. An object may further have:

    - `name`: what reports call it; by default the name of its class or function.
    - `signature`: how exactly it measures, as tokenizer and version; reports print it.
    - `whole_answer = True`: it is given the `Answer` (tool calls, sources, why it ended) rather than its text.
    - `instant = True`: it waits for nothing, so that it needs no thread.
    - `needs_whole = True`: it can tell nothing of an answer that was cut off; that gets the lowest score.
    - `settled(text, case)`: whether nothing that could follow a text that was cut off would change its score.
    """

    def __call__(self, answer: Any, case: Case, /) -> Scored | Awaitable[Scored]:
        """A score from 0 (wrong) to 1 (right); True and False count as 1 and 0."""
        ...


@runtime_checkable
class AsksGrader(Protocol):
    """A scorer that asks a model: its calls can be kept and sent in batches."""

    def request(self, answer: Any, case: Case, /) -> Request:
        """What the model is asked about an answer."""
        ...

    def read(self, reply: Reply, /) -> Score:
        """The score in the model's reply.

        Raises:
            UnreadableAnswerError: There is none in it; the model is asked once more, then the score is missing.
        """
        ...


class Instant:
    """Scorers that compute and wait for nothing."""

    instant: ClassVar[bool] = True


def scale_of(scorer: object) -> tuple[float, float] | None:
    """The least and the greatest score of a scorer, its `range`; None where it does not declare them.

    How sure a verdict is depends on how far a score can fall.

    Raises:
        ValueError: They are not two numbers, the second above the first.
    """
    told = getattr(scorer, "range", None)
    return None if told is None else ends(told)


def text_of(answer: Answer | str) -> str:
    """The text of what a scorer is called with."""
    return answer.text if isinstance(answer, Answer) else answer


def is_cut(answer: Answer | str) -> bool:
    """Whether the limit of tokens cut the answer off."""
    return isinstance(answer, Answer) and answer.cut


def undecided(scorer: object, answer: Answer) -> Score | None:
    """The lowest score where an answer was cut off, and the scorer can tell nothing of a part."""
    if not answer.cut or not getattr(scorer, "needs_whole", False):
        return None
    low, _ = scale_of(scorer) or (0.0, 1.0)
    return Score(low, cut=True, reason="the limit of tokens cut the answer off")


def marked_cut(score: Score, scorer: object, answer: Answer, case: Case) -> Score:
    """The score, marked where the answer was cut off and what would have followed might have made it a better one."""
    _, high = scale_of(scorer) or (0.0, 1.0)
    if not answer.cut or score.value >= high:
        return score
    settled: Callable[[str, Case], bool] | None = getattr(scorer, "settled", None)
    return replace(score, cut=settled is None or not settled(answer.text, case))


def given_to(scorer: object, answer: Answer) -> str | Answer:
    """What a scorer is called with: the text, or the whole answer where it asks for that."""
    return answer if getattr(scorer, "whole_answer", False) else answer.text
