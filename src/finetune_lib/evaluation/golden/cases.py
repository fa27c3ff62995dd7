"""From a row of whatever shape to a case, and back: a table's columns, a chat, OpenAI's evals, grader rows; pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from finetune_lib.data.formats import dialect_of, functions_to_tools, translated
from finetune_lib.data.formats.json_text import value_of
from finetune_lib.data.reading.meaning import METADATA
from finetune_lib.evaluation.golden.fields import fields_among
from finetune_lib.records import Case, Example, Message, ToolCall, kind_of
from finetune_lib.rows.messages import INSTRUCTIONS, fields_of, is_list, items_of

OUR_OWN = frozenset({None, "openai-evals", "question-answer", "query-response", "text", "kto"})
SURE = frozenset({"expected", "ideal"})  # beside a whole conversation other names are what graders read


class NoCaseError(ValueError):
    """A row that is no case; the message says why."""


def case_of(row: Example, names: Mapping[str, str], *, number: int, system: str | None = None) -> Case:
    """The case that a row says.

    Args:
        row: The row, its fields under their own names.
        names: From a field to its name in the row.
        number: What it is called by where it has no id.
        system: The system message of a case that has none.

    Raises:
        NoCaseError: Nothing is asked in it, or a part of it is malformed.
    """
    data, category = _unpacked(row)
    if data is not row.data:
        names = fields_among(tuple(data))
    messages, expected, used = _turns(data, names)
    if not any(message.role not in INSTRUCTIONS and _says(message) for message in messages):
        raise NoCaseError(f"nothing is asked; the row has {', '.join(data) or 'no fields'}")
    label = {field: _text(data.get(names.get(field, ""))).strip() for field in ("category", "cluster", "id")}
    ours = fields_of(data.get(METADATA))
    return Case(
        label["id"] or str(row.origin.row or number),
        (*_system(messages, system), *messages),
        expected.text,
        label["category"] or category or ours.get("category"),
        cluster=label["cluster"] or ours.get("family"),
        expected_calls=expected.calls,
        tools=tuple(_listed(data, names.get("tools", "tools"))),
        metadata=_metadata(data, {*used, *_labelling(data, names), "tools", names.get("tools", "tools"), METADATA}),
    )


def _unpacked(row: Example) -> tuple[Mapping[str, Any], str | None]:
    """The row in OpenAI's own shape and its category: out of another project's, out of the `item` of a hosted eval."""
    data = row.data
    if "item" in data and data.keys() <= {"item", "sample"}:
        data = fields_of(data["item"])
    dialect, category = dialect_of(data), row.category
    if dialect not in OUR_OWN or (dialect == "openai-evals" and "sample" in data) or data.get("history"):
        found = translated(Example(data))
        data, category = found.data, found.category or category
    old = "functions" in data and "messages" in data
    return (functions_to_tools(data) if old else data), category


def _labelling(data: Mapping[str, Any], names: Mapping[str, str]) -> set[str]:
    """The fields that are not metadata; beside a conversation they may be what a grader reads, by whatever name."""
    labels = {field: names[field] for field in ("category", "cluster", "id") if field in names}
    return {name for field, name in labels.items() if "messages" not in data or name == field}


@dataclass(frozen=True, slots=True)
class Expected:
    """The right answer."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()


Turns = tuple[tuple[Message, ...], Expected, set[str]]


def _turns(data: Mapping[str, Any], names: Mapping[str, str]) -> Turns:
    """What is asked, what is the right answer, and the fields that said so."""
    if kind_of(data) == "preference":
        turns = [*items_of(fields_of(data["input"]).get("messages")), *items_of(data.get("preferred_output"))]
        return _of_chat(turns, data, {"input", "preferred_output"})
    if is_list(data.get("messages")):
        return _of_chat(data["messages"], data, {"messages"})
    asked = data.get(names.get("input", ""))
    if is_list(asked) and "expected" not in names:
        return _of_chat(asked, data, {names["input"]})
    told = data.get(names.get("system", ""))
    system = [{"role": "system", "content": _text(told)}] if told else []
    turns = asked if is_list(asked) else [{"role": "user", "content": _with_context(asked, data, names)}]
    expected, used = _expected(data, names.get("expected", ""))
    used |= {names[field] for field in ("input", "system") if field in names}
    return tuple(map(_message, [*system, *cast("list[Any]", turns)])), expected, used


def _of_chat(turns: Sequence[Any], data: Mapping[str, Any], used: set[str]) -> Turns:
    """A conversation that ends with the right answer, or, as rows for graders do, with the question."""
    messages = tuple(map(_message, turns))
    beside = next((name for name in SURE if name in data), "")
    if beside or "expected_calls" in data or not messages or messages[-1].role != "assistant":
        expected, more = _expected(data, beside)
        return messages, expected, used | more
    last = messages[-1]
    if not last.text and not last.tool_calls:
        raise NoCaseError("its last assistant turn has neither text nor calls")
    return messages[:-1], Expected(last.text, tuple(map(_call, last.tool_calls or ()))), used


def _message(turn: Any) -> Message:
    fields = fields_of(turn)
    if not isinstance(fields.get("role"), str):
        raise NoCaseError("a message is an object with role and content")
    try:
        return Message.model_validate(fields)
    except ValueError as error:
        raise NoCaseError(f"a message of role {fields['role']} is malformed: {' '.join(str(error).split())}") from None


def _says(message: Message) -> bool:
    return bool(message.text.strip() or message.tool_calls or (is_list(message.content) and message.content))


def _system(messages: Sequence[Message], system: str | None) -> tuple[Message, ...]:
    if system is None or any(message.role in INSTRUCTIONS for message in messages):
        return ()
    return (Message(role="system", content=system),)


def _with_context(asked: Any, data: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The question, with what belongs to it where that stands beside it, as training data has it."""
    context = data.get(names.get("context", ""))
    joined = isinstance(context, str) and context.strip() and not _text(asked).endswith(context)
    return f"{_text(asked)}\n\n{context}" if joined else _text(asked)


def _expected(data: Mapping[str, Any], name: str) -> tuple[Expected, set[str]]:
    """The right answer, of several the first, and the fields that are told by it; a list stays in the metadata."""
    calls = tuple(map(_call, _listed(data, "expected_calls")))
    value = data.get(name)
    if is_list(value):
        return Expected(_text(value[0]) if value else "", calls), {"expected_calls"}
    return Expected(_text(value), calls), {"expected_calls", name}


def _listed(data: Mapping[str, Any], name: str) -> list[Any]:
    """A list, or the JSON text of one, as the cells of a table hold it."""
    value = data.get(name)
    if isinstance(value, str) and value.strip():
        value = value_of(value)
    if value in (None, "") or is_list(value):
        return items_of(value)
    raise NoCaseError(f"{name} is a list, or its JSON text")


def _text(value: Any) -> str:
    """A value as the text that a model would write: JSON for anything but text."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _call(call: Any) -> ToolCall:
    fields = fields_of(call)
    function = fields_of(fields.get("function")) or fields
    arguments = function.get("arguments", {})
    if not isinstance(function.get("name"), str):
        raise NoCaseError("an expected tool call has no name")
    return ToolCall(function["name"], arguments if isinstance(arguments, str) else _text(arguments))


def _metadata(data: Mapping[str, Any], used: set[str]) -> Mapping[str, Any]:
    """What else the row says; its own `metadata` is not put into another one."""
    rest = {name: value for name, value in data.items() if name not in used}
    own = rest.get("metadata")
    if not isinstance(own, Mapping):
        return rest
    return {**{name: value for name, value in rest.items() if name != "metadata"}, **cast("Mapping[str, Any]", own)}


def categories_of(cases: Iterable[Case]) -> dict[str, int]:
    """How many cases each category has, the largest first."""
    return dict(Counter(case.category for case in cases if case.category).most_common())


def unanswered(cases: Iterable[Case]) -> int:
    """How many cases have no right answer."""
    return sum(not case.expected and not case.expected_calls for case in cases)


def asked(case: Case) -> dict[str, Any]:
    """What a case asks and expects, as plain JSON values; one plain question as its text, anything else as messages."""
    plain = [message.model_dump(exclude_unset=True) for message in case.messages]
    alone = len(plain) == 1 and plain[0].keys() == {"role", "content"} and plain[0]["role"] == "user"
    given = plain[0]["content"] if alone and isinstance(plain[0]["content"], str) else plain
    calls = [{"name": call.name, "arguments": call.arguments} for call in case.expected_calls]
    return {"input": given, "expected": case.expected, "expected_calls": calls}


def as_row(case: Case) -> dict[str, Any]:
    """The case as an object that loads back as it is."""
    labels = {"category": case.category, "cluster": case.cluster}
    beside = {"tools": list(case.tools), "metadata": dict(case.metadata)}
    row = {"id": case.id, **asked(case), **labels, **beside}
    return {name: value for name, value in row.items() if name == "expected" or value not in (None, "", [], {})}
