"""What goes into an evaluation, checked and named; and the records of what comes out of each unit of its work."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, TypeVar, cast

from finetune_lib.concurrency import name_of
from finetune_lib.errors import DataError
from finetune_lib.evaluation.judges import LEVELS, Verdict
from finetune_lib.files import refuse_path
from finetune_lib.records import Answer, Case, Example, Score, ToolCall, Usage
from finetune_lib.texts.thoughts import parted

T = TypeVar("T")
# Numbers of a judge from here on speak clearly for one side.
MUCH, SLIGHTLY = 0.75, 0.25
MODELS = {
    "candidate": 'a model is ft.ChatModel("{}")',
    "judge": 'a model that judges is ft.PairwiseJudge("{}")',
    "scorer": "a scorer is an object as ft.ExactMatch(), or a function",
}


def cases_of(golden: Iterable[Case | Example]) -> tuple[Case, ...]:
    """The cases of a golden set.

    Raises:
        DataError: An example has no expected answer; it is named.
        ValueError: There is none, or two of them have one id.
    """
    refuse_path(golden, "golden has cases", "ft.GoldenSet.load")
    cases = tuple(_case(item, number) for number, item in enumerate(golden, start=1))
    if not cases:
        raise ValueError("the golden set is empty")
    ids = [case.id for case in cases]
    if doubled := sorted({id for id in ids if ids.count(id) > 1})[:5] if len(set(ids)) < len(ids) else []:
        raise ValueError(f"two cases have one id: {', '.join(doubled)}; ids tell votes and answers apart")
    return cases


def _case(item: Case | Example, number: int) -> Case:
    if isinstance(item, Case):
        return item
    if not isinstance(item, Example):  # pyright: ignore[reportUnnecessaryIsInstance]
        told = "write ft.GoldenSet.from_rows(rows)" if isinstance(item, dict) else "a golden set has cases or examples"
        raise TypeError(f"row {number} of golden is {type(item).__name__}: {told}")
    try:
        return Case.from_example(item, number=number)
    except (KeyError, TypeError, ValueError) as error:
        place = item.origin.row or number
        raise DataError(f"golden example {place} of {item.origin.source or 'the set'} is no case: {error}") from error


def named(things: Sequence[T], what: str) -> dict[str, T]:
    """Things by their names.

    Raises:
        TypeError: One of them cannot be called.
        ValueError: Two of them have one name.
    """
    given = cast("object", things)
    if isinstance(given, str) or not isinstance(given, Iterable):
        told = _uncallable(given, what) if isinstance(given, str) else f"is {type(given).__name__}"
        raise TypeError(f"{what}s {told}: several are wanted, so write {what}s=[…]")
    if problems := [
        f"{what} {place} {said}" for place, one in enumerate(things, 1) if (said := _uncallable(one, what))
    ]:
        raise TypeError("; ".join(problems))
    names = [name_of(thing) for thing in things]
    if doubled := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"two {what}s are named {doubled!r}: give one of them another name")
    return dict(zip(names, things, strict=True))


def _uncallable(thing: object, what: str) -> str | None:
    if isinstance(thing, str):
        return f"is a text, {thing!r}; {MODELS[what].format(thing)}"
    if isinstance(thing, type):
        return f"is the class {thing.__name__}, not one of its objects: write ft.{thing.__name__}(…)"
    if not callable(thing) and not hasattr(thing, "request"):
        return f"is {type(thing).__name__!r}, which nobody can call"
    if any(map(inspect.isgeneratorfunction, (thing, type(thing).__call__))) or inspect.isasyncgenfunction(thing):
        return f"({name_of(thing)}) gives its answer in pieces (yield); it has to return it"
    return None


def content_of(case: Case) -> list[Any]:
    """All of a case that a candidate or scorer can see, but its id: the same question is the same question."""
    messages = [message.model_dump(exclude_none=True) for message in case.messages]
    calls = [[call.name, call.arguments] for call in case.expected_calls]
    return [messages, case.expected, calls, list(case.tools), dict(case.metadata), case.category]


@dataclass(frozen=True, slots=True)
class Contents:
    """A golden set told by its content.

    Attributes:
        digest: Of the whole set, whatever the order of its cases.
        each: Of each case, by its id.
    """

    digest: str
    each: Mapping[str, str]

    @property
    def tokens(self) -> list[str]:
        """Short marks of the cases, enough to tell whether a set holds another one."""
        return [content[:12] for content in self.each.values()]

    @staticmethod
    def of(cases: Iterable[Case]) -> Contents:
        """Read once what every unit needs."""
        each = {case.id: digest(content_of(case)) for case in cases}
        return Contents(hashlib.sha256("".join(sorted(each.values())).encode()).hexdigest()[:16], each)


def digest(parts: list[Any]) -> str:
    """Equal for equal content."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def answer_of(given: object, seconds: float = 0.0) -> Answer:
    """What a candidate of the user's gave in so many seconds, as an answer without the thought before it."""
    if isinstance(given, Answer):
        return without_thought(given if given.seconds else replace(given, seconds=seconds))
    if not isinstance(given, str):
        raise TypeError(f"a candidate answers with text or an Answer, not {type(given).__name__}")
    return without_thought(Answer(given, seconds=seconds))


def without_thought(answer: Answer) -> Answer:
    """The answer with what it thought before apart."""
    thought, text = parted(answer.text)
    if text == answer.text:
        return answer
    return replace(answer, text=text, reasoning="\n\n".join(filter(None, (answer.reasoning, thought))))


def score_of(given: object, _: float = 0.0) -> Score:
    """What a scorer gave, as a score."""
    value: Any = given.value if isinstance(given, Score) else given
    value = value.item() if hasattr(value, "item") else value  # numbers and truth values of numpy and torch
    if not isinstance(value, Real) or not math.isfinite(value):
        raise TypeError(f"a scorer gives a finite number or a truth value, not {value!r}")
    return replace(given, value=float(value)) if isinstance(given, Score) else Score(float(value))


def verdict_of(given: object, _: float = 0.0) -> Verdict:
    """What a judge gave, as a verdict; a number counts for the first answer where it is above 0."""
    if isinstance(given, Verdict):
        return given
    if isinstance(given, str) and given in LEVELS:
        return Verdict(given)
    if isinstance(given, (int, float)) and -1 <= given <= 1:
        much, slightly = abs(given) >= MUCH, abs(given) >= SLIGHTLY
        side = "first" if given > 0 else "second"
        name = f"{side}_much_better" if much else f"{side}_slightly_better" if slightly else "tie"
        return Verdict(next(level for level in LEVELS if level == name))
    raise TypeError(f"a judge gives a Verdict, one of {', '.join(LEVELS)}, or a number from -1 to 1, not {given!r}")


def load_answer(kept: Mapping[str, Any]) -> Answer:
    """An answer as it was kept."""
    calls = tuple(ToolCall(**call) for call in kept["tool_calls"])
    usage = Usage(**kept["usage"])
    plain = {name: value for name, value in kept.items() if name not in {"tool_calls", "usage", "sources", "links"}}
    told: dict[str, Any] = {name: tuple(kept.get(name, ())) for name in ("sources", "links")}
    return without_thought(Answer(**plain, tool_calls=calls, usage=usage, **told))


def load_score(kept: Mapping[str, Any]) -> Score:
    """A score as it was kept."""
    return Score(**kept)


def load_verdict(kept: Mapping[str, Any]) -> Verdict:
    """A verdict as it was kept."""
    return Verdict(**cast("dict[str, Any]", kept))
