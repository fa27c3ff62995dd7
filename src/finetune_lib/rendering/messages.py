"""Messages as chat templates know them, with control tokens in people's words hidden from the template."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from finetune_lib.errors import DataError
from finetune_lib.texts.thoughts import parted

REASONING = ("reasoning_content", "reasoning", "thinking")
# Noncharacters: no text that people exchange has them.
OPEN, CLOSE = "\ufdd0", "\ufdd1"
HIDDEN = re.compile(f"{OPEN}(\\d+){CLOSE}")
NOT_SHOWN = frozenset({"weight", "refusal", "function_call", "audio", *REASONING})


class RenderingError(DataError):
    """A conversation that the base's chat template cannot say.

    Attributes:
        kind: `refused` by the template, or `lost`: a part of it does not come out.
        path: Where in the row, as a JSON pointer.
    """

    def __init__(self, message: str, *, kind: str = "refused", path: str = "/messages") -> None:
        super().__init__(message)
        self.kind, self.path = kind, path


def plain(message: Mapping[str, Any], *, reasoning: bool = False) -> dict[str, Any]:
    """A message as chat templates know it.

    Its content is text, `developer` is `system`, an older function call is a tool call, it has no weight, and
    arguments of calls are objects.

    Args:
        message: As the wire has it.
        reasoning: Whether the template has a place for thoughts, which then leave the content.

    Raises:
        RenderingError: A content part is no text, or arguments are no JSON object.
    """
    kept = {key: value for key, value in message.items() if key not in NOT_SHOWN}
    kept["role"] = {"developer": "system", "function": "tool"}.get(kept["role"], kept["role"])
    kept["content"] = _content(message)
    if calls := calls_of(message):
        kept["tool_calls"] = [_call(call) for call in calls]
    else:
        kept.pop("tool_calls", None)
    if message["role"] == "assistant":
        thought, kept["content"] = thought_and_answer(message, kept["content"], split=reasoning)
        if thought:
            kept |= {"reasoning_content": thought, "thinking": thought}
    return kept


def thought_and_answer(message: Mapping[str, Any], content: str, *, split: bool = True) -> tuple[str, str]:
    """The thought of an assistant message, from a field of its own or from the start of its content, and the rest."""
    own = next((message[name] for name in REASONING if isinstance(message.get(name), str)), "")
    found = parted(content) if split and not own and content.lstrip()[:1] in {"<", "["} else None
    return (found.reasoning, found.answer) if found and found.reasoning and found.answer else (own, content)


def calls_of(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The tool calls of a message; an older function call is one."""
    if calls := message.get("tool_calls"):
        return list(calls)
    call = message.get("function_call")
    return [{"id": "call00000", "type": "function", "function": call}] if call else []


def tools_of(row: Mapping[str, Any]) -> list[Any] | None:
    """The tools of a row; older functions are such."""
    inner = row.get("input")
    holder = cast("Mapping[str, Any]", inner) if isinstance(inner, Mapping) else row
    if tools := holder.get("tools"):
        return list(tools)
    return [{"type": "function", "function": function} for function in holder.get("functions") or ()] or None


def _content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(map(_text_of, cast("list[Any]", content)))
    return content or message.get("refusal") or ""


def _text_of(part: Any) -> str:
    """The text of a content part; the models of this platform read nothing else."""
    if part.get("type", "text") == "refusal":
        return part["refusal"]
    if part.get("type", "text") != "text":
        raise RenderingError(f"a content part of type {part['type']!r} cannot be learned here: only text can")
    return part["text"]


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    """A tool call whose arguments are an object, as templates expect; the wire has them as JSON text."""
    function = dict(call["function"])
    if isinstance(arguments := function.get("arguments"), str):
        try:
            function["arguments"] = json.loads(arguments or "{}")
        except ValueError as error:
            raise RenderingError(f"the arguments of {function.get('name')} are no JSON: {error}") from error
    return {**call, "function": function}


def leaves(value: Any) -> list[Any]:
    """Every key and value in the arguments of a call."""
    if isinstance(value, Mapping):
        return [leaf for key, inner in cast("Mapping[str, Any]", value).items() for leaf in [key, *leaves(inner)]]
    if isinstance(value, list):
        return [leaf for inner in cast("list[Any]", value) for leaf in leaves(inner)]
    return [value]


def is_said(value: Any, text: str) -> bool:
    """Whether a value stands in a text, as it is or as JSON or Python write it."""
    if value is None or value == "":
        return True
    if not isinstance(value, str):
        return any(form in text for form in (str(value), json.dumps(value, ensure_ascii=False)))
    bare = value.strip()
    return bare in text or any(
        form[1:-1].strip() in text for form in (json.dumps(bare, ensure_ascii=False), json.dumps(bare), repr(bare))
    )


@dataclass(frozen=True)
class Shield:
    """Hides control tokens in people's words, so that neither a template nor a tokenizer takes them for its own.

    Attributes:
        controls: The control tokens, and the mark that ends a turn.
    """

    controls: tuple[str, ...]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted((*self.controls, OPEN), key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest_first)))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {control: number for number, control in enumerate((*self.controls, OPEN))}

    def hidden(self, value: Any) -> Any:
        """The value with a number in place of each control token in its texts."""
        if isinstance(value, str):
            return self._pattern.sub(lambda found: f"{OPEN}{self._numbers[found[0]]}{CLOSE}", value)
        if isinstance(value, Mapping):
            mapping = cast("Mapping[str, Any]", value)
            return {key: inner if key == "role" else self.hidden(inner) for key, inner in mapping.items()}
        return [self.hidden(inner) for inner in cast("list[Any]", value)] if isinstance(value, list) else value

    def shown(self, text: str) -> str:
        """The text as it was written."""
        return "".join(piece for piece, _ in self.pieces(text))

    def pieces(self, text: str) -> list[tuple[str, bool]]:
        """The pieces of a text, each with whether it is a control token that people wrote."""
        if OPEN not in text:
            return [(text, False)]
        names = (*self.controls, OPEN)
        parts = enumerate(HIDDEN.split(text))
        return [(names[int(part)] if place % 2 else part, bool(place % 2)) for place, part in parts if part]

    def found(self, value: Any) -> list[str]:
        """The control tokens that stand in a text of people's."""
        return self._pattern.findall(value) if isinstance(value, str) else []


def controls_of(tokenizer: Any, template: str) -> tuple[str, ...]:
    """The tokens that steer a model: the special ones, and added ones like tags that the template writes."""
    added = tokenizer.added_tokens_decoder.values()
    return tuple(
        token.content
        for token in added
        if token.special or (token.content[:1] in {"<", "["} and token.content in template)
    )


def spoken(messages: Sequence[Mapping[str, Any]], *, reasoning: bool, shield: Shield) -> list[dict[str, Any]]:
    """A conversation as the template gets it."""
    return [shield.hidden(plain(message, reasoning=reasoning)) for message in messages]
