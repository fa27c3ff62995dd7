"""Tool calls: their shape, arguments that are JSON and match the tool's schema, and results that name their calls.

Source: OpenAI's OpenAPI document f85dbe2 (ChatCompletionMessageToolCall, ChatCompletionRequestToolMessage).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from finetune_lib.data.checks.form.schemas import NAME, Toolbox, broken_rules, merged, toolbox
from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic, diagnose, name_of
from finetune_lib.records import Example, Origin
from finetune_lib.rows.messages import fields_of, items_of

Messages = Sequence[Mapping[str, Any]]
DECLARING = ("tools", "functions")
NO_TOOLS: Mapping[str, Any] = {}


def check_calls(message: Mapping[str, Any], path: str, origin: Origin, rules: Rules) -> Iterator[Diagnostic]:
    """The shape of the calls of one message; `path` is the message's."""
    calls, legacy = message.get("tool_calls"), message.get("function_call")
    if isinstance(calls, list):
        for index, call in enumerate(cast("list[object]", calls)):
            yield from _call(call, f"{path}/tool_calls/{index}", origin, rules)
    elif calls is not None:
        yield diagnose("F512", origin, f"{path}/tool_calls")
    if legacy is not None:
        yield from _function(legacy, f"{path}/function_call", origin, rules)


def _call(call: object, path: str, origin: Origin, rules: Rules) -> Iterator[Diagnostic]:
    fields = fields_of(call)
    if fields.get("type") == "custom" and "custom" in fields:
        return
    id = fields.get("id")
    if not _named(fields, ids=rules.profile.call_ids):
        yield diagnose("F512", origin, path)
        return
    if isinstance(id, str) and not rules.call_id_fits(id):
        yield diagnose("F513", origin, f"{path}/id", id=id, target=rules.name)
    yield from _function(fields.get("function"), f"{path}/function", origin, rules, whole=path)


def _named(call: Mapping[str, Any], *, ids: bool) -> bool:
    """Whether a call says what it is, and, where `ids` are used, which."""
    id = call.get("id")
    return (isinstance(id, str) and id != "" and call.get("type") == "function") if ids else "function" in call


def _function(
    function: object, path: str, origin: Origin, rules: Rules, *, whole: str | None = None
) -> Iterator[Diagnostic]:
    fields = fields_of(function)
    if not isinstance(fields.get("name"), str) or "arguments" not in fields:
        yield diagnose("F512", origin, whole or path)
        return
    given: object = fields["arguments"]
    place, text = f"{path}/arguments", rules.profile.arguments == "text"
    if arguments_of(given) is None:
        yield diagnose("F502", origin, place)
    elif isinstance(given, str) != text:
        yield diagnose("F501", origin, place, what=name_of(given), wanted=name_of("" if text else {}))


def arguments_of(given: object) -> dict[str, Any] | None:
    """The arguments of a call as an object; None where they are none, in text or not."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return None
    return cast("dict[str, Any]", given) if isinstance(given, dict) else None


def check_declared(holder: Mapping[str, Any], path: str, origin: Origin) -> Iterator[Diagnostic]:
    """Every finding about the tools that are declared; `holder` has `tools` or `functions`."""
    for key, box in _declared(holder).items():
        for flaw in box.flaws:
            yield diagnose(flaw.code, origin, f"{path}/{key}{flaw.path}", **flaw.args)
    if holder.get("functions") is not None:
        yield diagnose("F507", origin, f"{path}/functions")


def check_called(holder: Mapping[str, Any], messages: object, path: str, origin: Origin) -> Iterator[Diagnostic]:
    """The calls of `messages` held against the tools that `holder` declares."""
    turns = items_of(messages)
    if not all(isinstance(turn, dict) for turn in turns):
        return
    boxes = list(_declared(holder).values())
    if holder.get("functions") is None:
        yield from _legacy(turns, path, origin)
    for place, function in functions_called(turns, path):
        name = function.get("name")
        if isinstance(name, str):
            yield from _held(name, function.get("arguments"), place, origin, merged(boxes) if boxes else None)


def _declared(holder: Mapping[str, Any]) -> dict[str, Toolbox]:
    return {key: toolbox(holder[key], legacy=key == "functions") for key in DECLARING if holder.get(key) is not None}


def _legacy(messages: Messages, path: str, origin: Origin) -> Iterator[Diagnostic]:
    """The deprecated way to call functions, named once a row."""
    for place, message in enumerate(messages):
        called = message.get("function_call") is not None
        if called or message.get("role") == "function":
            yield diagnose("F507", origin, f"{path}/{place}/{'function_call' if called else 'role'}")
            return


def _held(name: str, given: object, path: str, origin: Origin, box: Toolbox | None) -> Iterator[Diagnostic]:
    """One call held against the tools that are declared."""
    declared: Mapping[str, Any] = box.validators if box else NO_TOOLS
    validator: Any = declared.get(name)
    arguments = arguments_of(given)
    if name not in declared and not NAME.fullmatch(name):
        yield diagnose("F509", origin, f"{path}/name", name=name)
    elif box is None:
        yield diagnose("F504", origin, f"{path}/name", name=name, severity="warning")
    elif name not in declared and box.complete:
        yield diagnose("F504", origin, f"{path}/name", name=name)
    elif validator is not None and arguments is not None:
        for broken in broken_rules(validator, arguments):
            yield diagnose("F503", origin, f"{path}/arguments", name=name, **broken)


def functions_called(messages: Messages, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The functions that a conversation calls, with their places."""
    for place, message in enumerate(messages):
        for index, call in enumerate(items_of(message.get("tool_calls"))):
            if function := fields_of(fields_of(call).get("function")):
                yield f"{path}/{place}/tool_calls/{index}/function", function
        if legacy := fields_of(message.get("function_call")):
            yield f"{path}/{place}/function_call", legacy


class SomeTools:
    """Counts rows with and without tools."""

    def __init__(self) -> None:
        self.numbers = [0, 0]
        self.places: list[int | None] = [None, None]

    def look(self, example: Example, place: int) -> None:
        """Take up one example."""
        having = bool(example.data.get("tools") or example.data.get("functions"))
        self.numbers[having] += 1
        if self.places[having] is None:
            self.places[having] = place

    def take_plain(self, number: int, places: Sequence[int]) -> None:
        """Take up plain chats, which have no tools."""
        self.numbers[False] += number
        known = self.places[False]
        self.places[False] = places[0] if known is None else min(places[0], known)

    def merge(self, later: SomeTools, offset: int) -> None:
        """Take up the survey of the part behind this one."""
        for having in (False, True):
            place = later.places[having]
            self.numbers[having] += later.numbers[having]
            if self.places[having] is None and place is not None:
                self.places[having] = place + offset

    def findings(self, examples: Sequence[Example], rules: Rules) -> Iterator[Diagnostic]:  # noqa: ARG002
        """Some rows have tools and some have none: the first of either is named."""
        without, having = self.places
        if without is not None and having is not None:
            first, other = examples[without].origin, examples[having].origin
            yield diagnose("F511", first, related=(other,), number=self.numbers[1], total=sum(self.numbers))
