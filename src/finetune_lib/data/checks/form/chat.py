"""Chat rows: their keys, their messages, their tools, and the conversation as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from finetune_lib.data.checks.form.conversation import check_ending, check_order
from finetune_lib.data.checks.form.images import too_many
from finetune_lib.data.checks.form.pairing import check_pairs
from finetune_lib.data.checks.form.structure import check_keys, check_messages, is_role
from finetune_lib.data.checks.form.tools import check_called, check_declared
from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic
from finetune_lib.records import Example, Origin
from finetune_lib.rows.messages import RESULTS, items_of

CALLING = frozenset({"tool_calls", "function_call", "tool_call_id"})


def check(example: Example, rules: Rules) -> Iterator[Diagnostic]:
    """Every finding about one chat row."""
    yield from check_keys(example.data, rules.profile.row_keys, "", example.origin, extra=rules.extra_keys)
    messages = example.data["messages"]
    yield from check_conversation(example.data, messages, ("", "/messages"), example.origin, rules)
    if turns := whole(messages):
        yield from check_ending(turns, "/messages", example.origin, rules)


def check_conversation(
    holder: Mapping[str, Any], messages: object, paths: tuple[str, str], origin: Origin, rules: Rules
) -> Iterator[Diagnostic]:
    """Every finding about a conversation but for its end.

    Args:
        holder: What holds the tools that are declared.
        messages: The conversation as it is.
        paths: The place of `holder` and that of `messages`.
        origin: Where the example is from.
        rules: Whose rules.
    """
    found = list(check_messages(messages, paths[1], origin, rules))
    yield from found
    turns = whole(messages)
    yield from check_declared(holder, paths[0], origin)
    if not turns or calls(turns):
        yield from check_called(holder, messages, paths[1], origin)
        if rules.profile.call_ids and not any(finding.code == "F512" for finding in found):
            yield from check_pairs(turns, paths[1], origin)
    yield from check_order(turns, paths[1], origin, rules)
    yield from too_many(turns, paths[1], origin, rules)


def whole(messages: object) -> list[Mapping[str, Any]]:
    """The messages where each has a known role, so that their order says something; else none."""
    turns = items_of(messages)
    for turn in turns:
        if not isinstance(turn, dict) or not is_role(cast("dict[str, Any]", turn).get("role")):
            return []
    return turns


def calls(turns: Sequence[Mapping[str, Any]]) -> bool:
    """Whether tools are called in a conversation, or results given; most have nothing of that."""
    return not CALLING.isdisjoint(set[str]().union(*turns)) or any(turn["role"] in RESULTS for turn in turns)
