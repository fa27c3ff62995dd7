"""One vote, unblinded, and what is told of several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from finetune_lib.evaluation.review.items import Choice
from finetune_lib.shown import Shown

OF_LEFT: Mapping[str, float] = {
    "left_much": 1.0, "left": 0.5, "same": 0.0, "right": -0.5, "right_much": -1.0, "both_good": 0.0, "both_bad": 0.0
}  # fmt: skip
OF_SIDE = {"left": 1.0, "same": 0.0, "right": -1.0}
NO_RUBRIC: Mapping[str, str] = {}
ItemKey = tuple[str, tuple[str, str]]  # the case and its two candidates


@dataclass(frozen=True, slots=True)
class Vote(Shown):
    """What one person said to one item.

    Attributes:
        rater: Who.
        case_id: The case.
        left: The candidate whose answer was on the left.
        right: The other one.
        choice: What was chosen, seen from the page: `left_much` … `both_bad`, `skip`, `wrong_question`.
        repeat: Whether it is the second showing, with the sides swapped, that tests the rater.
        category: The case's category.
        reasons: Tags of what is wrong with the weaker answer.
        comment: What was written.
        rubric: For each criterion `left`, `same` or `right`.
        seconds: How long the item was looked at before the choice.
        position: The place in the rater's own order, from 1.
        history: Every choice in turn; None where one was taken back.
    """

    rater: str
    case_id: str
    _: KW_ONLY
    left: str
    right: str
    choice: Choice
    repeat: bool = False
    category: str | None = None
    reasons: tuple[str, ...] = ()
    comment: str = ""
    rubric: Mapping[str, str] = field(default_factory=lambda: NO_RUBRIC)
    seconds: float = 0.0
    position: int | None = None
    history: tuple[Choice | None, ...] = ()

    @property
    def key(self) -> ItemKey:
        """The case with its candidates, sorted."""
        return self.case_id, pair_of(self.left, self.right)

    def value(self, candidate: str, *, criterion: str | None = None) -> float | None:
        """1 where the candidate is much better, 0.5 slightly, 0 for a tie, -0.5 and -1 for the other; else None.

        With a criterion of the rubric: 1, 0 or -1.
        """
        scale, said = (OF_LEFT, self.choice) if criterion is None else (OF_SIDE, self.rubric.get(criterion, ""))
        if said not in scale or candidate not in (self.left, self.right):
            return None
        return scale[said] if candidate == self.left else 0.0 - scale[said]


@dataclass(frozen=True, slots=True)
class DoubleVote(Shown):
    """A vote that came in more than one file; the newest revision counts.

    Attributes:
        files: Where it stands.
        differ: Whether the files say different things.
    """

    rater: str
    case_id: str
    repeat: bool
    files: tuple[str, ...]
    differ: bool


@dataclass(frozen=True, slots=True)
class Consistency(Shown):
    """How often a rater preferred the same answer when an item came again with the sides swapped."""

    repeats: int
    same: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.same / self.repeats


@dataclass(frozen=True, slots=True)
class Attention(Shown):
    """On how many of the items with a plainly broken answer a rater preferred the sound one."""

    items: int
    passed: int


@dataclass(frozen=True, slots=True)
class Disputed(Shown):
    """An item on which raters differ.

    Attributes:
        values: What each rater said, for the candidate that comes first by name.
        spread: The variance of the values, from 0 to 1.
    """

    case_id: str
    candidate: str
    values: Mapping[str, float]
    spread: float


@dataclass(frozen=True, slots=True)
class Quote(Shown):
    """What a rater wrote about a case."""

    rater: str
    case_id: str
    comment: str


def pair_of(one: str, other: str) -> tuple[str, str]:
    """Two candidates, sorted."""
    return (one, other) if one < other else (other, one)
