"""The repairs of rows: one small function a code, which changes a copy of the row where the finding points."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from finetune_lib.data.checks.form.structure import meant_role
from finetune_lib.data.checks.form.texts import MENDS as TEXT_MENDS
from finetune_lib.data.checks.form.texts import SAFE_MENDS
from finetune_lib.data.checks.form.tools import arguments_of
from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic
from finetune_lib.data.fixing.functions import modernize
from finetune_lib.data.fixing.row_proof import Loss

Row = dict[str, Any]
Kind = Literal["safe", "unsafe"]
WEIGHTS = {"0": 0, "1": 1}


@dataclass(frozen=True, slots=True)
class Mend:
    """One repair.

    Attributes:
        code: The findings that it mends.
        apply: Changes a copy of the row in place.
        kind: Whether it takes a person's word.
        loss: What it may lose.
        named: The keys whose values it may add or change.
    """

    code: str
    apply: Callable[[Row, Diagnostic, Rules], None]
    kind: Kind = "safe"
    loss: Loss = "nothing"
    named: tuple[str, ...] = ()


def _at(row: Row, path: str) -> Any:
    """What stands at a place; None where there is nothing."""
    value: Any = row
    for step in path.split("/")[1:]:
        if isinstance(value, dict):
            value = cast("Row", value).get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(cast("list[Any]", value)):
            value = cast("list[Any]", value)[int(step)]
        else:
            return None
    return value


def _holder(row: Row, finding: Diagnostic, key: str | None = None) -> tuple[Any, Any]:
    """The object or list that a finding points into, and the key or index there."""
    path = finding.path or ""
    key = path.rpartition("/")[2] if key is None else key
    holder: Any = _at(row, path[: -len(key) - 1])
    return holder, int(key) if isinstance(holder, list) else key


def _replaced(change: Callable[[Any, Rules], Any]) -> Callable[[Row, Diagnostic, Rules], None]:
    """A repair that puts another value at the place; the same value where it has none."""

    def apply(row: Row, finding: Diagnostic, rules: Rules) -> None:
        holder, key = _holder(row, finding)
        holder[key] = change(holder[key], rules)

    return apply


def _renamed(row: Row, finding: Diagnostic, rules: Rules) -> None:  # noqa: ARG001 - repairs share one shape
    """Another key in the same place."""
    old = str(finding.args.get("key", finding.args.get("name")))
    holder, _ = _holder(row, finding, old)
    new = {finding.args["meant"] if key == old else key: value for key, value in holder.items()}
    holder.clear()
    holder.update(new)


def _deleted(row: Row, finding: Diagnostic, rules: Rules) -> None:  # noqa: ARG001
    holder, key = _holder(row, finding, finding.args.get("key"))
    del holder[key]


def _weight(row: Row, finding: Diagnostic, rules: Rules) -> None:  # noqa: ARG001
    holder, key = _holder(row, finding)
    value = holder[key]
    if value is None:
        del holder[key]
    elif isinstance(value, str):
        holder[key] = WEIGHTS.get(value, value)
    elif isinstance(value, (bool, float)) and value in (0, 1):
        holder[key] = int(value)


def _role(value: Any, rules: Rules) -> Any:
    meant = meant_role(value) if isinstance(value, str) else None
    return meant if meant in rules.profile.roles else value


def _number_as_text(value: Any, rules: Rules) -> Any:  # noqa: ARG001
    """A whole number alone: the digits of any other were not kept when it was read."""
    return json.dumps(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _arguments(value: Any, rules: Rules) -> Any:
    if rules.profile.arguments == "text":
        return json.dumps(value, ensure_ascii=False)
    return arguments_of(value)


def _output(value: Any, rules: Rules) -> Any:  # noqa: ARG001
    return [{"role": "assistant", "content": value} if isinstance(value, str) else {"role": "assistant", **value}]


def _modern(row: Row, finding: Diagnostic, rules: Rules) -> None:  # noqa: ARG001
    inside = row.get("input") if (finding.path or "").startswith("/input/") else row
    if isinstance(inside, dict):
        modernize(cast("Row", inside))


def _cut_after(*roles: str) -> Callable[[Row, Diagnostic, Rules], None]:
    """A repair that ends the conversation with the last turn of these roles."""

    def apply(row: Row, finding: Diagnostic, rules: Rules) -> None:  # noqa: ARG001
        messages = _at(row, (finding.path or "").rpartition("/")[0].rpartition("/")[0])
        last = max((place for place, turn in enumerate(messages) if turn["role"] in roles), default=None)
        if last is not None:
            del messages[last + 1 :]

    return apply


def _joined(row: Row, finding: Diagnostic, rules: Rules) -> None:  # noqa: ARG001
    """A turn put to the one of the same role before it, where both are text alone."""
    place = (finding.path or "").rpartition("/")[0]
    messages, index = _at(row, place.rpartition("/")[0]), int(place.rpartition("/")[2])
    one, other = messages[index - 1], messages[index]
    if _is_text(one) and _is_text(other):
        one["content"] = f"{one['content']}\n{other['content']}"
        del messages[index]


def _is_text(message: Mapping[str, Any]) -> bool:
    return set(message) == {"role", "content"} and isinstance(message["content"], str)


def _cleaned(code: str, clean: Callable[[str], str], kind: Kind) -> Mend:
    """What mends a text."""
    change = _replaced(lambda value, _: clean(value) if isinstance(value, str) else value)
    return Mend(code, change, kind, "characters")


MENDS = (
    Mend("S302", _renamed),
    Mend("P603", _renamed),
    Mend("P604", _replaced(_output), named=("role",)),
    Mend("S310", _replaced(_role), named=("role",)),
    Mend("S309", _replaced(_role), named=("role",)),
    Mend("S311", _replaced(_number_as_text)),
    Mend("S313", _weight, named=("weight",)),
    Mend("S318", _deleted, named=("weight",)),
    Mend(
        "S314",
        _replaced(lambda value, _: {"type": "text", "text": value} if isinstance(value, str) else value),
        named=("type",),
    ),
    Mend("S326", _replaced(lambda value, _: {"url": value})),
    Mend("F507", _modern, named=("role", "type", "id", "tool_call_id")),
    Mend("F501", _replaced(_arguments)),
    Mend("S306", _deleted, "unsafe", "parts"),
    Mend("S307", _deleted, "unsafe", "parts"),
    Mend("C404", _joined, "unsafe", "joints", named=("role",)),
    Mend("C402", _cut_after("assistant"), "unsafe", "parts"),
    Mend("C409", _cut_after("assistant"), "unsafe", "parts"),
    Mend("P606", _cut_after("user"), "unsafe", "parts"),
    *(_cleaned(code, clean, "safe") for code, clean in SAFE_MENDS.items()),
    *(_cleaned(code, clean, "unsafe") for code, clean in TEXT_MENDS.items()),
)
