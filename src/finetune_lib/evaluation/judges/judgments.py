"""One judgment, and what all judgments of one case come to: one preference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from finetune_lib.evaluation.judges.judge import FOR_THE_FIRST, LEVELS, Level
from finetune_lib.records import Case
from finetune_lib.shown import Shown

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
Cases = Sequence[Case] | Sequence[str]


@dataclass(frozen=True, slots=True)
class Judgment(Shown):
    """What one judge said of one pair in one order, or why it said nothing.

    Attributes:
        case: The case's id.
        candidate: Whose answer is compared.
        baseline: With whose.
        judge: Who compared.
        candidate_first: Whether the judge saw the candidate's answer first.
        repeat: The number of the repeat, from 0.
        level: The verdict in the order that the judge saw; None where it is missing.
        reason: Why, in the judge's words.
        error: Why the verdict is missing; None otherwise.
        seconds: Wall time of the call.
        cost: US dollars; None where they are not known.
        asked: Whether the judge was asked at all; identical answers are a tie without a question.

    Raises:
        ValueError: The level is not one of `LEVELS`.

    Example:
        >>> from finetune_lib.evaluation.judges import Judgment
        >>> Judgment("7", "tuned", "base", "gpt-4.1", candidate_first=False, level="second_slightly_better").preference
        0.5
    """

    case: str
    candidate: str
    baseline: str
    judge: str
    candidate_first: bool
    repeat: int = 0
    level: Level | None = None
    reason: str = ""
    error: str | None = None
    seconds: float = 0.0
    cost: float | None = None
    asked: bool = True

    def __post_init__(self) -> None:
        if self.level is not None and self.level not in FOR_THE_FIRST:
            raise ValueError(f"the level of a judgment is one of {', '.join(LEVELS)} or None, not {self.level!r}")

    @property
    def for_the_first(self) -> float | None:
        """How much it speaks for the answer that the judge saw first, from -1 to 1; None where it is missing."""
        return None if self.level is None else FOR_THE_FIRST[self.level]

    @property
    def preference(self) -> float | None:
        """How much it speaks for the candidate, from -1 to 1; None where it is missing."""
        first = self.for_the_first
        return first if first is None or self.candidate_first else 0.0 - first

    def seen_from(self, candidate: str) -> Judgment:
        """The same judgment with this side of the pair as the candidate."""
        if candidate == self.candidate:
            return self
        turned = not self.candidate_first
        return replace(self, candidate=self.baseline, baseline=self.candidate, candidate_first=turned)


def preferences(
    judgments: Iterable[Judgment],
    cases: Cases,
    candidate: str,
    baseline: str,
    judge: str | None = None,
    *,
    missing: float | None = None,
) -> tuple[float | None, ...]:
    """How much the judges prefer a candidate to another one: from -1 to 1, one for each case.

    The case is the unit of every test, so all that was said of it becomes one number: first both orders of one judge
    and repeat are averaged, which takes the judge's taste for a place away, then the repeats of each judge, then
    judges. A repeat that lacks one of its orders counts for nothing.

    Args:
        judgments: All there are; those of other pairs are passed over, those of the turned pair count turned.
        cases: The golden set, or its ids.
        candidate: Whose preference.
        baseline: The other side.
        judge: One judge alone.
        missing: What a verdict counts as that was not given; None leaves it out.

    Returns:
        One number a case; None where no judge judged it in both orders.

    Example:
        >>> from finetune_lib.evaluation.judges import Judgment, preferences
        >>> both = [
        ...     Judgment("1", "tuned", "base", "j", candidate_first=True, level="first_much_better"),
        ...     Judgment("1", "tuned", "base", "j", candidate_first=False, level="tie"),
        ... ]
        >>> preferences(both, ["1", "2"], "tuned", "base")
        (0.5, None)
    """
    chosen = of_the_pair(judgments, candidate, baseline, judge)
    by_case = grouped(chosen, lambda judgment: judgment.case)
    return tuple(_preference(by_case.get(id, []), missing) for id in map(id_of, cases))


def of_the_pair(
    judgments: Iterable[Judgment], candidate: str, baseline: str, judge: str | None = None
) -> list[Judgment]:
    """The judgments of one pair, all seen from the candidate's side."""
    pairs = {(candidate, baseline), (baseline, candidate)}
    return [
        judgment.seen_from(candidate)
        for judgment in judgments
        if (judgment.candidate, judgment.baseline) in pairs and judge in (None, judgment.judge)
    ]


def id_of(case: Case | str) -> str:
    """A case's id."""
    return case if isinstance(case, str) else case.id


def grouped(items: Iterable[T], key: Callable[[T], K]) -> Mapping[K, list[T]]:
    """Items by their key, in the order in which they came."""
    groups: defaultdict[K, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of those that are not missing; None where all are."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _preference(judgments: Sequence[Judgment], missing: float | None) -> float | None:
    judges = grouped(judgments, lambda judgment: judgment.judge).values()
    repeats = (grouped(given, lambda judgment: judgment.repeat).values() for given in judges)
    found = mean(mean(_over_orders(each, missing) for each in some) for some in repeats)
    return missing if found is None else found


def _over_orders(judgments: Sequence[Judgment], missing: float | None) -> float | None:
    told = [(j.candidate_first, missing if j.preference is None else j.preference) for j in judgments]
    orders = [mean(value for first, value in told if first == order) for order in (True, False)]
    return missing if None in orders else mean(orders)
