"""A scorer that asks of each case what the case itself says, by scorers that exist."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import Any, ClassVar, cast

from finetune_lib.evaluation.scorers import (
    Abstains,
    Choice,
    Contains,
    ExactMatch,
    Forbids,
    JsonMatch,
    Length,
    NumericMatch,
    RegexMatch,
    Script,
)
from finetune_lib.evaluation.scorers.scorer import Instant, given_to
from finetune_lib.records import Answer, Case, Score
from finetune_lib.shown import Shown

Check = Callable[[Any, Case], float | Score]
CHECK = "check"
OPTIONS = ("script", "whole")  # of `contains` and `any`


@dataclass(frozen=True, slots=True)
class AsAsked(Shown, Instant):
    """1 where an answer is all that its case asks, else 0; the reason says what it lacks.

    What a case asks stands in its `metadata["check"]`, an object of which everything has to hold:

    - `number`: true, for the expected number, date or time (`NumericMatch`).
    - `json`: true, for the expected JSON (`JsonMatch`); `exact`: true, for the expected text (`ExactMatch`).
    - `contains`, `any`: a list of texts, all or one of which are in the answer (`Contains`), in traditional or
      simplified characters; `script: null` tells these apart, `whole: false` finds them within longer words.
    - `choice`: the labels, of which the expected one is meant (`Choice`).
    - `regex`: patterns, each of which is found (`RegexMatch`).
    - `forbids`: texts that must not be there (`Forbids`); `length`: the arguments of `Length`; `writing`: that of
      `Script`.
    - `declines`: whether the answer says that it does not know (`Abstains`).

    A case without a check asks that its expected text is in the answer.

    Attributes:
        name: What reports call it.

    Raises:
        ValueError: When called: the check is unknown or malformed; the report has it as a failure.

    Example:
        >>> from finetune_lib import Case
        >>> from finetune_lib.evaluation.regression import AsAsked
        >>> case = Case("1", (), expected="42", metadata={"check": {"number": True, "length": {"max": 20}}})
        >>> AsAsked()("一共是四十二。", case).value, AsAsked()("一共是四十三。", case).reason
        (1.0, 'number: 43 where 42 is expected')
    """

    whole_answer: ClassVar[bool] = True
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    _: KW_ONLY
    name: str = "as_asked"

    def __call__(self, answer: Answer | str, case: Case, /) -> Score:
        """Score one answer."""
        whole = Answer(answer) if isinstance(answer, str) else answer
        lacking: list[str] = []
        for name, check in checks_of(case):
            found = check(given_to(check, whole), case)
            value, reason = (found.value, found.reason) if isinstance(found, Score) else (found, "")
            if value < 1:
                lacking.append(f"{name}: {reason}" if reason else name)
        return Score(float(not lacking), reason="; ".join(lacking))


def checks_of(case: Case) -> tuple[tuple[str, Check], ...]:
    """What a case asks, by name.

    Raises:
        ValueError: It is unknown or malformed.
    """
    told = case.metadata.get(CHECK)
    if not told and not case.expected.strip():
        raise ValueError(f"case {case.id} has neither an expected answer nor a check")
    try:
        told = json.loads(told) if isinstance(told, str) and told.strip() else told  # the cell of a table
        return _made(json.dumps(told or {"contains": [case.expected]}, sort_keys=True))
    except (TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"the check of case {case.id}: {error}") from error


@lru_cache(maxsize=2048)
def _made(told: str) -> tuple[tuple[str, Check], ...]:
    return tuple(_each(json.loads(told)))


def _each(told: Mapping[str, Any]) -> Iterator[tuple[str, Check]]:
    options: dict[str, Any] = {"script": "same", **{name: told[name] for name in OPTIONS if name in told}}
    makers: Mapping[str, Callable[[Any], list[Any]]] = {
        "number": lambda _: [NumericMatch()],
        "json": lambda _: [JsonMatch()],
        "exact": lambda _: [ExactMatch(script=options["script"])],
        "contains": lambda texts: [Contains(texts, need="all", **options)],
        "any": lambda texts: [Contains(texts, need="any", **options)],
        "choice": lambda labels: [Choice(labels)],
        "regex": lambda patterns: list(map(RegexMatch, patterns)),
        "forbids": lambda texts: [Forbids(texts)],
        "length": lambda limits: [Length(**limits)],
        "writing": lambda script: [Script(script)],
        "declines": lambda declined: [_declining(declined)],
    }
    if unknown := told.keys() - {*makers, *OPTIONS}:
        raise ValueError(f"{', '.join(sorted(unknown))} is none of {', '.join(makers)}")
    for name, value in told.items():
        if name in makers:
            yield from ((name, cast("Check", scorer)) for scorer in makers[name](value))


def _declining(declined: bool) -> Check:
    """Whether an answer declines, whatever the expected one says."""

    def declines(answer: str, case: Case) -> Score:
        return Abstains()(answer, Case(case.id, (), metadata={"answerable": not declined}))

    return declines
