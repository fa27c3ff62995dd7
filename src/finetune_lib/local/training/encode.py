"""From a row to tokens and labels: the model learns the assistant's words alone, and of them those not weighted 0."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from finetune_lib.records import conversation

IGNORED = -100


class TemplateError(ValueError):
    """The base's chat template renders a turn differently once another one follows."""


def encode(row: Mapping[str, Any], tokenizer: Any, *, limit: int) -> dict[str, list[int]]:
    """Tokens and labels of a row, cut at `limit`.

    What an assistant turn adds to the rendered text is found by rendering the conversation up to it with the
    generation prompt, and up to and including it; this needs no marks in the template.

    Raises:
        TemplateError: The rendered beginning of a conversation is not the beginning of the whole.
    """
    messages = [plain(message) for message in conversation(row)]
    tools = row.get("tools") or None
    ids: list[int] = []
    labels: list[int] = []
    for place, message in enumerate(conversation(row)):
        if message["role"] == "assistant":
            before = _render(tokenizer, messages[:place], tools, prompt=True)
            after = _render(tokenizer, messages[: place + 1], tools, prompt=False)
            _extend(ids, labels, _continued(before, ids), learned=False)
            _extend(ids, labels, _continued(after, ids), learned=message.get("weight", 1) != 0)
    return {"input_ids": ids[:limit], "labels": labels[:limit]}


def plain(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as chat templates know it.

    Its content is text, `developer` is `system`, it has no weight, and arguments of tool calls are objects.
    """
    kept = {key: value for key, value in message.items() if key != "weight"}
    if calls := kept.get("tool_calls"):
        kept["tool_calls"] = [_call(call) for call in calls]
    content = kept.get("content")
    if isinstance(content, list):
        kept["content"] = "".join(str(part.get("text", "")) for part in content)  # pyright: ignore
    return {**kept, "role": "system" if kept["role"] == "developer" else kept["role"]}


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    """A tool call whose arguments are an object, as templates expect; the wire has them as JSON text."""
    function = dict(call["function"])
    if isinstance(function.get("arguments"), str):
        function["arguments"] = json.loads(function["arguments"])
    return {**call, "function": function}


def _render(tokenizer: Any, messages: Sequence[Mapping[str, Any]], tools: Any, *, prompt: bool) -> list[int]:
    rendered = tokenizer.apply_chat_template(
        messages, tools=tools, add_generation_prompt=prompt, tokenize=True, return_dict=True
    )
    return rendered["input_ids"]


def _continued(whole: list[int], beginning: list[int]) -> list[int]:
    if whole[: len(beginning)] != beginning:
        raise TemplateError(
            "the chat template of this base rewrites earlier turns when a conversation goes on, so the "
            "assistant's words cannot be told apart; use examples with one assistant turn, or another base"
        )
    return whole[len(beginning) :]


def _extend(ids: list[int], labels: list[int], new: list[int], *, learned: bool) -> None:
    ids += new
    labels += new if learned else [IGNORED] * len(new)
