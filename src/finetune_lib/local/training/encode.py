"""From a row to tokens and labels: the model learns the assistant's words alone, and of them those not weighted 0."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from finetune_lib.rows.messages import trained

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
    turns = trained(row)
    messages = [plain(message) for message, _ in turns]
    tools = row.get("tools") or None
    told, ids, labels = "", list[int](), list[int]()
    for place, (message, learned) in enumerate(turns):
        if message["role"] == "assistant":
            before = _render(tokenizer, messages[:place], tools, prompt=True)
            after = _render(tokenizer, messages[: place + 1], tools, prompt=False)
            question, answer = _continued(before, told), _continued(after, before)
            _extend(ids, labels, _tokens(tokenizer, question), learned=False)
            _extend(ids, labels, _tokens(tokenizer, answer), learned=learned)
            told = after
    return {"input_ids": ids[:limit], "labels": labels[:limit]}


def _tokens(tokenizer: Any, text: str) -> list[int]:
    """Question and answer are tokenised apart, as they are when the model answers."""
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def plain(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as chat templates know it.

    Its content is text, `developer` is `system`, it has no weight, and arguments of tool calls are objects.
    """
    kept = {key: value for key, value in message.items() if key != "weight"}
    if calls := kept.get("tool_calls"):
        kept["tool_calls"] = [_call(call) for call in calls]
    content = kept.get("content")
    if isinstance(content, list):
        kept["content"] = "".join(_text_of(part) for part in content)  # pyright: ignore
    if refusal := kept.pop("refusal", None):
        kept["content"] = kept.get("content") or refusal
    return {**kept, "role": "system" if kept["role"] == "developer" else kept["role"]}


def _text_of(part: Any) -> str:
    """The text of a content part; the models of this platform read nothing else."""
    if part.get("type", "text") != "text":
        raise ValueError(f"a content part of type {part['type']!r} cannot be learned here: only text can")
    return part["text"]


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    """A tool call whose arguments are an object, as templates expect; the wire has them as JSON text."""
    function = dict(call["function"])
    if isinstance(function.get("arguments"), str):
        function["arguments"] = json.loads(function["arguments"])
    return {**call, "function": function}


def _render(tokenizer: Any, messages: Sequence[Mapping[str, Any]], tools: Any, *, prompt: bool) -> str:
    return tokenizer.apply_chat_template(messages, tools=tools, add_generation_prompt=prompt, tokenize=False)


def _continued(whole: str, beginning: str) -> str:
    if not whole.startswith(beginning):
        raise TemplateError(
            "the chat template of this base rewrites earlier turns when a conversation goes on, so the "
            "assistant's words cannot be told apart; use examples with one assistant turn, or another base"
        )
    return whole[len(beginning) :]


def _extend(ids: list[int], labels: list[int], new: list[int], *, learned: bool) -> None:
    ids += new
    labels += new if learned else [IGNORED] * len(new)
