"""Tools and their calls in the shapes that different projects give them.

OpenAI's arguments are JSON text and its calls have ids; TRL, Gemini and Anthropic keep arguments as objects,
ShareGPT pairs a call with its result by order alone, and OpenAI's older `functions` know one call a message.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any, cast

from finetune_lib.data.formats.json_text import object_of, text_of, value_of
from finetune_lib.rows.messages import changed_messages, fields_of, is_list, is_object, items_of


def arguments_as_text(data: Mapping[str, Any]) -> dict[str, Any]:
    """The row with tool arguments that are objects written as JSON text, as OpenAI has them."""
    return changed_messages(data, lambda messages, _: _with_arguments(messages, _text))


def arguments_as_objects(data: Mapping[str, Any]) -> dict[str, Any]:
    """The row with tool arguments read into objects, as TRL and chat templates have them.

    Text that is not a JSON object stays as it is.
    """
    return changed_messages(data, lambda messages, _: _with_arguments(messages, _object))


def functions_to_tools(data: Mapping[str, Any]) -> dict[str, Any]:
    """The row with OpenAI's older `functions` and `function_call` as `tools` and `tool_calls`.

    A call gets an id that is unique in its conversation, and the `function` message after it answers it. A
    function's name stays on its result only where it differs from the name that was called.
    """
    row = changed_messages(data, _modern)
    return _modern_tools(row) if "input" not in row else {**row, "input": _modern_tools(fields_of(row["input"]))}


def with_call_ids(data: Mapping[str, Any]) -> dict[str, Any]:
    """The row with an id on every tool call, and on every result the id of the call it answers by order."""
    return changed_messages(data, lambda messages, taken: paired(messages, taken=taken))


def paired(messages: list[Any], *, taken: frozenset[str] = frozenset(), results: bool = True) -> list[Any]:
    """The messages with ids on calls, and on results in the order of the calls; ids that exist stay.

    Args:
        messages: Messages in OpenAI's shape.
        taken: Ids that the conversation used before.
        results: Whether results get ids; without it only calls do.
    """
    ids = fresh_ids(messages, taken)
    pending: deque[str] = deque()
    done: list[Any] = []
    for message in messages:
        fields = fields_of(message)
        if fields.get("tool_calls"):
            message = {**fields, "tool_calls": [_identified(call, ids) for call in items_of(fields["tool_calls"])]}
            pending = deque(str(fields_of(call).get("id")) for call in message["tool_calls"] if call)
        elif results and fields.get("role") == "tool":
            message = _answering(fields, pending)
        done.append(message)
    return done


def _identified(call: Any, ids: Iterator[str]) -> Any:
    fields = fields_of(call)
    return {**fields, "id": next(ids)} if fields and not fields.get("id") else call


def _answering(message: Mapping[str, Any], pending: deque[str]) -> Mapping[str, Any]:
    given = message.get("tool_call_id")
    if given in pending:
        pending.remove(given)
    return message if given or not pending else {**message, "tool_call_id": pending.popleft()}


def fresh_ids(messages: list[Any], taken: frozenset[str] = frozenset()) -> Iterator[str]:
    """Ids that no call or result of a conversation has."""
    calls = (call for message in messages for call in items_of(fields_of(message).get("tool_calls")))
    used = [fields_of(call).get("id") for call in calls] + [fields_of(m).get("tool_call_id") for m in messages]
    known = taken.union(id for id in used if isinstance(id, str))
    return (id for number in count(1) if (id := f"call_{number}") not in known)


def call(name: object, arguments: object) -> dict[str, Any]:
    """One tool call in OpenAI's shape, still without an id."""
    return {"id": "", "type": "function", "function": {"name": name, "arguments": _text(arguments)}}


def calls_in(text: object) -> list[dict[str, Any]] | None:
    """The calls that a JSON text like `{"name": …, "arguments": …}` or a list of such says; None where it does not."""
    value = value_of(text) if isinstance(text, str) else text
    given = value if is_list(value) else [value]
    found = [_call_of(fields_of(item)) for item in given]
    return [item for item in found if item] if found and all(found) else None


def _call_of(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """A call from its fields; None where it has other fields than a call's, which would be lost."""
    inner = fields_of(fields.get("function")) or fields
    names = [name for name in ("arguments", "parameters") if name in inner]
    known = {"id", "type", "function", "name", *names}
    if not isinstance(inner.get("name"), str) or len(names) > 1 or not known.issuperset({*fields, *inner}):
        return None
    made = call(inner["name"], inner[names[0]] if names else {})
    return {**made, "id": fields["id"]} if isinstance(fields.get("id"), str) else made


def tool_list(value: object) -> Any:
    """A tool list in OpenAI's shape, from a list or its JSON text; what is not one stays as it is."""
    read = value_of(value) if isinstance(value, str) else value
    if is_list(read):
        return [_tool(tool) for tool in read]
    return [_tool(read)] if is_object(read) else value


def _tool(value: Any) -> Any:
    """One tool: wrapped in `function` where it is a bare one, as LLaMA-Factory, Anthropic and Responses have it."""
    fields = fields_of(value)
    if not isinstance(fields.get("name"), str) or "function" in fields or fields.get("type", "function") != "function":
        return value
    inner = {name: field for name, field in fields.items() if name != "type"}
    if "input_schema" in inner:
        inner["parameters"] = inner.pop("input_schema")
    return {"type": "function", "function": inner}


def _with_arguments(messages: list[Any], change: Callable[[Any], Any]) -> list[Any]:
    return [_changed_calls(message, change) for message in messages]


def _changed_calls(message: Any, change: Callable[[Any], Any]) -> Any:
    fields = fields_of(message)
    if not isinstance(fields.get("tool_calls"), list):
        return message
    return {**fields, "tool_calls": [_changed_call(call, change) for call in fields["tool_calls"]]}


def _changed_call(call: Any, change: Callable[[Any], Any]) -> Any:
    function = fields_of(fields_of(call).get("function"))
    if "arguments" not in function:
        return call
    return {**call, "function": {**function, "arguments": change(function["arguments"])}}


def _text(arguments: Any) -> Any:
    return text_of(arguments) if is_object(arguments) or is_list(arguments) else arguments


def _object(arguments: Any) -> Any:
    read = object_of(arguments)
    return arguments if read is None else read


def _modern(messages: list[Any], taken: frozenset[str]) -> list[Any]:
    ids = fresh_ids(messages, taken)
    pending: tuple[str, object] | None = None
    done: list[Any] = []
    for message in messages:
        fields = fields_of(message)
        if isinstance(function := fields.get("function_call"), Mapping) and "tool_calls" not in fields:
            pending = next(ids), fields_of(cast("object", function)).get("name")
            done.append(_calling(fields, pending[0]))
        elif fields.get("role") == "function":
            done.append(_result(fields, pending))
            pending = None
        else:
            done.append(message)
    return done


def _calling(message: Mapping[str, Any], id: str) -> dict[str, Any]:
    """The message with its one function call as a tool call, in the place the call had."""
    calls = [{"id": id, "type": "function", "function": message["function_call"]}]
    renamed = {"function_call": "tool_calls"}
    return {renamed.get(key, key): calls if key == "function_call" else value for key, value in message.items()}


def _result(message: Mapping[str, Any], pending: tuple[str, object] | None) -> Mapping[str, Any]:
    if pending is None:
        return message
    kept = {key: value for key, value in message.items() if key != "name" or value != pending[1]}
    return {**kept, "role": "tool", "tool_call_id": pending[0]}


def _modern_tools(row: Mapping[str, Any]) -> dict[str, Any]:
    functions = row.get("functions")
    if not isinstance(functions, list) or "tools" in row:
        return dict(row)
    tools = [{"type": "function", "function": function} for function in cast("list[Any]", functions)]
    return {"tools" if key == "functions" else key: tools if key == "functions" else row[key] for key in row}
