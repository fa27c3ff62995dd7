"""What a model has written, read back: text, reasoning and tool calls.

How a family writes them is told by response templates, the form that `tokenizer.parse_response` reads. Which of them a
base needs is not guessed from its name: the first one that reads back what the base's own chat template writes is it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

CALL: Final = {"type": "function", "function": {"name": "{name}", "arguments": "{content}"}}


def _family(anchor: str, fields: Mapping[str, Any], *, pattern: bool = False) -> dict[str, Any]:
    start = "start_anchor_pattern" if pattern else "start_anchor"
    return {"defaults": {"role": "assistant"}, start: anchor, "fields": dict(fields)}


def _calls(opened: str, closed: str, content: str = "json", **more: Any) -> dict[str, Any]:
    found = {"open_pattern": opened, "close_pattern": closed, "repeats": True, "content": content, "transform": CALL}
    return found | more


def _text(close: str, **opened: str) -> dict[str, Any]:
    return {**opened, "close_pattern": close, "content": "text"}


def _tagged(tag: str) -> dict[str, Any]:
    """Arguments as one tag each."""
    return {"tag_pattern": tag, "value_parser": {"name": "text"}}


_THOUGHT = _text(r"</think>\s*", open="<think>")
_STARTED_THOUGHT = _text(r"</think>\s*", open_pattern=r"(?=[\s\S]*?</think>)")  # the prompt has opened it
_IM_END = _text(r"<\|im_end\|>\s*")
_JSON_CALLS = {
    "open": "<tool_call>",
    "close_pattern": r"</tool_call>\s*",
    "repeats": True,
    "content": "json",
    "transform": {"type": "function", "function": "{content}"},
}
_XML_CALLS = _calls(
    r"<tool_call>\s*<function=(?P<name>[^\n>]+)>",
    r"</tool_call>\s*",
    "xml-inline",
    content_args=_tagged(r"<parameter=(?P<key>[^>\n]+)>\n?(?P<value>.*?)\n?</parameter>"),
)
_ATOM = r"[^\[\]{}'\"]|'[^']*'|\"[^\"]*\""
_NESTED = rf"{_ATOM}|[\[{{](?:{_ATOM}|[\[{{](?:{_ATOM}|[\[{{](?:{_ATOM})*[\]}}])*[\]}}])*[\]}}]"
_PYTHON_CALLS = _calls(
    r"(?:<\|tool_call_start\|>\[|,\s*)(?P<name>\w+)\(",
    r"\)(?:\]<\|tool_call_end\|>)?\s*",
    "xml-inline",
    content_args={
        "tag_pattern": rf"(?P<key>\w+)=(?P<value>'[^']*'|[\[{{](?:{_NESTED})*[\]}}]|[^,)]*)",
        "value_parser": {"name": "json", "args": {"string_delims": [["'", "'"]], "allow_non_json": True}},
    },
)
_GEMMA = {
    "reasoning_content": _text(r"<channel\|>\s*", open="<|channel>thought\n"),
    "tool_calls": _calls(
        r"<\|tool_call>call:(?P<name>\w+)",
        r"<tool_call\|>\s*",
        content_args={"string_delims": [['<|"|>', '<|"|>']], "unquoted_keys": True},
    ),
    "content": _text(r"(?:<turn\|>|<\|tool_response>|<eos>)\s*|$"),
}
# Formats of families, as their chat templates write them (Qwen, Nemotron, GLM, Llama, gpt-oss, LFM, Gemma, DeepSeek).
FAMILIES: Final[tuple[dict[str, Any], ...]] = (
    _family("<|im_start|>assistant\n", {"reasoning_content": _THOUGHT, "tool_calls": _JSON_CALLS, "content": _IM_END}),
    _family("<|im_start|>assistant\n", {"reasoning_content": _THOUGHT, "tool_calls": _XML_CALLS, "content": _IM_END}),
    _family(
        r"<\|im_start\|>assistant\n<think>(?:\n|</think>)?",
        {"reasoning_content": _STARTED_THOUGHT, "tool_calls": _XML_CALLS, "content": _IM_END},
        pattern=True,
    ),
    _family(
        "<|im_start|>assistant\n", {"reasoning_content": _THOUGHT, "tool_calls": _PYTHON_CALLS, "content": _IM_END}
    ),
    _family(
        "<|assistant|>",
        {
            "reasoning_content": _THOUGHT,
            "tool_calls": _calls(
                r"<tool_call>(?P<name>\S+)\n?",
                r"</tool_call>\s*",
                "xml-inline",
                content_args=_tagged(r"<arg_key>(?P<key>[^<]+)</arg_key>\s*\n<arg_value>(?P<value>.*?)</arg_value>"),
            ),
            "content": _text(r"<\|user\|>\s*|$"),
        },
    ),
    _family(
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        {
            "tool_calls": _calls(r'\{"name":\s*"(?P<name>[^"]+)",\s*"parameters":\s*', r"\}<\|eot_id\|>\s*"),
            "content": _text(r"<\|eot_id\|>\s*"),
        },
    ),
    _family(
        "<|start|>assistant",
        {
            "reasoning_content": _text(r"<\|end\|>(?:<\|start\|>assistant)?\s*", open="<|channel|>analysis<|message|>"),
            "content": _text(r"<\|return\|>\s*", open="<|channel|>final<|message|>"),
            "tool_calls": _calls(
                r"to=functions\.(?P<name>\S+?)<\|channel\|>commentary\s+json<\|message\|>", r"<\|call\|>\s*"
            ),
        },
    ),
    _family(
        "<|start|>assistant",
        {
            "reasoning_content": _text(r"<\|eom\|>(?:<\|start\|>assistant)?", open=" to=self<|message|>"),
            "tool_calls": _calls(
                r' to=[^<]+<\|message\|><atem:function_calls>\s*<atem:invoke name="(?P<name>[^"]+)">',
                r"</atem:invoke>\s*</atem:function_calls>(?:<\|eom\|>|<\|eot\|>)?(?:<\|start\|>assistant)?",
                "xml-inline",
                content_args=_tagged(r'<atem:parameter name="(?P<key>[^"]+)">(?P<value>.*?)</atem:parameter>'),
            ),
            "content": _text(r"<\|eot\|>\s*", open=" to=user<|message|>"),
        },
    ),
    _family(r"(?:<\|turn>model\n|<tool_response\|>)", _GEMMA, pattern=True),
    _family(
        "<｜Assistant｜><think>\n",
        {"reasoning_content": _STARTED_THOUGHT, "content": _text(r"<｜end▁of▁sentence｜>\s*|$")},
    ),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model has written.

    Attributes:
        text: The answer; what could not be read stands here as it was written.
        reasoning: What it thought before; empty where it wrote none.
        tool_calls: The calls as the wire has them, without their ids.
    """

    text: str
    reasoning: str = ""
    tool_calls: tuple[Mapping[str, Any], ...] = ()


def read(
    tokenizer: Any, family: Mapping[str, Any], text: str, *, prompt: str, tools: Sequence[Any] | None = None
) -> Answer | None:
    """What a text says in the format of a family; None where it is cut or broken."""
    try:
        found: Mapping[str, Any] = tokenizer.parse_response(text, dict(family), prefix=prompt, tools=tools)
        calls = tuple(map(_on_the_wire, found.get("tool_calls") or ()))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, re.error):
        return None
    reasoning = found.get("reasoning_content") or found.get("thinking") or ""
    return Answer(_stripped(found.get("content")), _stripped(reasoning), calls)


def _on_the_wire(call: Mapping[str, Any]) -> Mapping[str, Any]:
    function = call["function"]
    arguments = function.get("arguments", function.get("parameters", {}))
    if not isinstance(arguments, Mapping) or not isinstance(function["name"], str) or not function["name"]:
        raise ValueError("no call")
    return {
        "type": "function",
        "function": {"name": function["name"], "arguments": json.dumps(arguments, ensure_ascii=False)},
    }


def _stripped(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
