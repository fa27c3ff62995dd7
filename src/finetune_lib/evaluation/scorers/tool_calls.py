"""A scorer for answers that call functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Literal, NamedTuple, cast

from finetune_lib.evaluation.scorers.json_text import USUAL, fields
from finetune_lib.evaluation.scorers.scorer import Instant
from finetune_lib.records import Answer, Case, Score, ToolCall
from finetune_lib.shown import Shown
from finetune_lib.texts.json_values import whole_json

Arguments = Literal["equal", "subset", "ignore"]
SHOWN = 3


class _Read(NamedTuple):
    """A call with its arguments as a value; None where they are no JSON object."""

    name: str
    arguments: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class ToolCallMatch(Shown, Instant):
    """1 where the answer makes the expected calls and no others, else 0; the reason says which differ.

    Arguments are compared as JSON values. A case with tools and without expected calls expects none.

    Attributes:
        arguments: "equal"; "subset" allows further arguments beside the expected ones; "ignore" compares names alone.
        order: Whether several calls must come in the expected order.
        name: What reports call it.

    Raises:
        ValueError: When called: the case has neither tools nor expected calls; or an expected call's arguments are no
            JSON object.

    Example:
        >>> from finetune_lib.records import Answer, Case, ToolCall
        >>> from finetune_lib.evaluation.scorers import ToolCallMatch
        >>> case = Case("1", (), expected_calls=(ToolCall("weather", '{"city": "台北", "days": 1}'),))
        >>> ToolCallMatch()(Answer(tool_calls=(ToolCall("weather", '{"days": 1.0, "city": "台北"}'),)), case).value
        1.0
    """

    whole_answer: ClassVar[bool] = True

    _: KW_ONLY
    arguments: Arguments = "equal"
    order: bool = False
    name: str = "tool_calls"

    def __post_init__(self) -> None:
        if self.arguments not in ("equal", "subset", "ignore"):
            raise ValueError(f'arguments is "equal", "subset" or "ignore", not {self.arguments!r}')

    def __call__(self, answer: Answer, case: Case, /) -> Score:
        """Score one answer."""
        if not case.expected_calls and not case.tools:
            raise ValueError(f"case {case.id} has neither tools nor expected calls")
        expected = [self._expected(call, case) for call in case.expected_calls]
        made = [_Read(call.name, _arguments(call)) for call in answer.tool_calls]
        names, given = [call.name for call in expected], [call.name for call in made]
        if names != given and (self.order or sorted(names) != sorted(given)):
            return Score(0.0, reason=f"{_listed(given)} called where {_listed(names)} is expected")
        fits = [[not self._difference(one, other) for other in made] for one in expected]
        right = all(fits[i][i] for i in range(len(fits))) if self.order else _all_paired(fits)
        return Score(1.0) if right else Score(0.0, reason="; ".join(self._differences(expected, made, fits)))

    def _expected(self, call: ToolCall, case: Case) -> _Read:
        value = _arguments(call)
        if value is None and self.arguments != "ignore":
            raise ValueError(f"case {case.id} expects a call of {call.name} whose arguments are no JSON object")
        return _Read(call.name, value)

    def _difference(self, expected: _Read, made: _Read) -> str:
        """What is wrong with a call; empty where it fits."""
        if expected.name != made.name:
            return f"{made.name} instead of {expected.name}"
        if self.arguments == "ignore":
            return ""
        if expected.arguments is None or made.arguments is None:
            return f"the arguments of {made.name} are no JSON object"
        given = made.arguments
        if self.arguments == "subset":
            given = {key: value for key, value in given.items() if key in expected.arguments}
        wrong = [field for field in fields(expected.arguments, given, USUAL) if field.difference]
        return "; ".join(f"{made.name}: {field.path}: {field.difference}" for field in wrong[:SHOWN])

    def _differences(self, expected: list[_Read], made: list[_Read], fits: list[list[bool]]) -> Iterator[str]:
        """Of each expected call that none fits, with the made one it is compared with."""
        for place, row in enumerate(fits):
            if not (row[place] if self.order else any(row)):
                others = [made[place]] if self.order else [call for call in made if call.name == expected[place].name]
                yield self._difference(expected[place], others[0])
        if not self.order and all(map(any, fits)):
            yield "one call is made twice where two different ones are expected"


def _arguments(call: ToolCall) -> dict[str, Any] | None:
    """The arguments as a value; None where they are no JSON object. A call without any may leave the text empty."""
    try:
        value = whole_json(call.arguments or "{}")
    except ValueError:
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _all_paired(fits: list[list[bool]]) -> bool:
    """Whether each expected call has a made one of its own: a perfect matching by augmenting paths (Kuhn 1955)."""
    taken: dict[int, int] = {}

    def place(one: int, tried: set[int]) -> bool:
        for other in (j for j, fit in enumerate(fits[one]) if fit and j not in tried):
            tried.add(other)
            if other not in taken or place(taken[other], tried):
                taken[other] = one
                return True
        return False

    return all(place(one, set()) for one in range(len(fits)))


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "nothing"
