"""Whatever a row holds: reading it as a dialect never fails, and writing it loses nothing without saying so."""

from __future__ import annotations

import contextlib
import json
from copy import deepcopy
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_lib.data.formats import (
    FormatName,
    arguments_as_objects,
    arguments_as_text,
    as_chat,
    dialect_of,
    exported,
    functions_to_tools,
    translated,
    with_call_ids,
)
from finetune_lib.data.formats.translating import READERS
from finetune_lib.records import Example

TEXT = st.text(max_size=6) | st.sampled_from(["<image>", "看<image>圖", "問題", "", "{", '{"a": 1}', " a\n"])
NAMES = st.sampled_from(["f", "查詢"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
ARGUMENTS = st.dictionaries(TEXT, JSON, max_size=2).map(json.dumps) | st.sampled_from(["{", "[1]", '{"a":1,"a":2}'])
PARTS = st.one_of(
    TEXT.map(lambda text: {"type": "text", "text": text}),
    st.sampled_from(["a.png", "data:image/png;base64,eA==", "https://x.tw/b.jpg"]).map(
        lambda url: {"type": "image_url", "image_url": {"url": url}}
    ),
    st.just({"type": "image_url", "image_url": {"url": "c.png", "detail": "low"}}),
)
CONTENT = TEXT | st.lists(PARTS, min_size=1, max_size=3)


def _extra(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def _calls(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A call turn and its results, mostly in order."""
    ids = draw(st.lists(st.sampled_from(["call_1", "call_2", "x", "abcdefghi"]), min_size=1, max_size=2, unique=True))
    calls = [
        {"id": id, "type": "function", "function": {"name": draw(NAMES), "arguments": draw(ARGUMENTS)}} for id in ids
    ]
    said = draw(st.sampled_from([{}, {"content": None}, {"content": ""}, {"content": "等等"}]))
    answered = draw(st.permutations(ids))[: draw(st.integers(0, 2))]
    results = [{"role": "tool", "tool_call_id": id, "content": draw(TEXT)} for id in answered]
    return [{"role": "assistant", **said, "tool_calls": calls}, *results]


SAID = st.tuples(
    st.sampled_from(["user", "assistant", "user", "assistant", "system", "developer"]),
    CONTENT,
    _extra(weight=st.sampled_from([0, 1]), name=NAMES, refusal=TEXT, reasoning_content=TEXT) | st.just({}),
).map(lambda m: [{"role": m[0], "content": m[1], **m[2]}])
ROUND = st.tuples(CONTENT, CONTENT, st.sampled_from([{}, {}, {"weight": 0}, {"weight": 1}])).map(
    lambda t: [{"role": "user", "content": t[0]}, {"role": "assistant", "content": t[1], **t[2]}]
)
TURNS = st.lists(ROUND | ROUND | SAID | _calls(), min_size=1, max_size=3).map(
    lambda groups: [m for g in groups for m in g]
)
TOLD = st.tuples(st.sampled_from([[], [], [{"role": "system", "content": "你是客服。"}]]), TURNS).map(
    lambda t: t[0] + t[1]
)
TOOLS = st.just([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}])
BESIDE = _extra(
    tools=TOOLS,
    parallel_tool_calls=st.booleans(),
    target=TEXT,
    label=st.booleans(),
    system=TEXT,
    images=st.just(["z.png"]),
    chosen=TEXT,
    prompt=TEXT,
)
CHATS = st.tuples(TOLD, BESIDE | st.just({})).map(lambda t: {"messages": t[0], **t[1]})
ANSWER = CONTENT.map(lambda text: [{"role": "assistant", "content": text}])
PREFERENCES = st.tuples(TOLD, ANSWER | TURNS, ANSWER, BESIDE | st.just({}), st.just({}) | _extra(tools=TOOLS)).map(
    lambda t: {"input": {"messages": t[0], **t[4]}, "preferred_output": t[1], "non_preferred_output": t[2], **t[3]}
)
PAIRS = st.tuples(TEXT, TEXT, st.just({}) | BESIDE).map(
    lambda t: {"prompt": t[0], "completion": t[1]} | _no_prompt(t[2])
)


def _no_prompt(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != "prompt"}


def _same(data: Any) -> Any:
    """What a row says, without what says nothing: default weights, nulls, spacing of JSON, the spelling of ids."""
    row = deepcopy(dict(as_chat(Example(data), None, pairs=True).data))
    ids: dict[str, int] = {}
    inner = row.get("input")
    for place in ([inner] if isinstance(inner, dict) else []) + [row]:
        for key in ("messages", "preferred_output", "non_preferred_output"):
            if key in place:
                place[key] = [_same_message(message, ids) for message in place[key]]
        if not place.get("tools", True):
            del place["tools"]
    return row


def _same_message(message: dict[str, Any], ids: dict[str, int]) -> dict[str, Any]:
    kept = {key: value for key, value in message.items() if value is not None and (key, value) != ("weight", 1)}
    if "tool_calls" in kept:
        kept["tool_calls"] = [
            (ids.setdefault(call["id"], len(ids)), call["function"]["name"], _value(call["function"]["arguments"]))
            for call in kept["tool_calls"]
        ]
        kept = {key: value for key, value in kept.items() if (key, value) != ("content", "")}
    if "tool_call_id" in kept:
        kept["tool_call_id"] = ids.setdefault(kept["tool_call_id"], len(ids))
    return kept | ({"content": _same_content(kept["content"])} if "content" in kept else {})


def _same_content(content: Any) -> Any:
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    merged: list[Any] = []
    for part in parts:
        if part["type"] == "text" and merged and isinstance(merged[-1], str):
            merged[-1] += part["text"]
        else:
            merged.append(part["text"] if part["type"] == "text" else part)
    return [part for part in merged if part != ""] or [""]


def _value(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


@pytest.mark.parametrize("format", get_args(FormatName))
@settings(max_examples=300, deadline=None)
@given(row=CHATS | PREFERENCES | PAIRS)
def test_what_a_format_takes_comes_back_the_same(format: FormatName, row: dict[str, Any]) -> None:
    before = json.dumps(row)
    example = translated(Example(row))  # a system text or pictures beside the messages move into them
    try:
        written = exported(example, format=format)
    except ValueError:
        return
    back = arguments_as_text(translated(Example(written)).data)  # what F501's fix does for TRL's `messages`
    assert _same(back) == _same(example.data)
    assert json.dumps(row) == before


# fmt: off
KEYS = st.sampled_from([
    "messages", "conversations", "conversation", "chosen", "rejected", "prompt", "completion", "instruction", "input",
    "output", "system", "history", "tools", "images", "label", "contents", "systemInstruction", "ideal", "sample",
    "query", "response", "question", "answer", "rejected_response", "chosen_messages", "rejected_messages", "request",
    "choices", "body", "text", "preferred_output", "non_preferred_output", "preferred_completion",
    "non_preferred_completion", "functions", "問題", "答案",
])
INNER = st.sampled_from([
    "role", "content", "from", "value", "parts", "text", "type", "tool_calls", "function", "name", "arguments", "id",
    "image_url", "url", "functionCall", "args", "function_call", "tool_call_id", "weight", "loss_weight", "train",
    "messages", "choices", "message", "human", "assistant",
])
WORDS = st.sampled_from([
    "user", "assistant", "human", "gpt", "system", "tool", "observation", "function_call", "Chatbot", "User", "model",
    "text", "reasoning", "tool_call", "image", "tool_use", "tool_result", "thinking", "message",
    "function_call_output", "<image>",
])
# fmt: on
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | WORDS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(INNER, inner, max_size=4),
    max_leaves=12,
)
MESSAGES = st.lists(st.dictionaries(INNER, ANYTHING, min_size=1, max_size=4), min_size=1, max_size=3)


@settings(max_examples=600, deadline=None)
@given(row=st.dictionaries(KEYS, ANYTHING | MESSAGES, max_size=5))
def test_no_row_makes_reading_it_fail(row: dict[str, Any]) -> None:
    before = json.dumps(row)
    once = translated(Example(row))
    assert json.dumps(row) == before
    assert (once.dialect is None) == (dialect_of(row) is None)
    if once.data is not row:
        assert READERS[once.dialect or ""]
        assert once.kind in ("chat", "preference")
    for change in (functions_to_tools, arguments_as_text, arguments_as_objects, with_call_ids):
        assert change(change(row)) == change(row)


@settings(max_examples=300, deadline=None)
@given(row=st.dictionaries(KEYS, ANYTHING | MESSAGES, max_size=4), format=st.sampled_from(get_args(FormatName)))
def test_a_row_that_is_not_sound_is_refused_by_a_value_error(row: dict[str, Any], format: FormatName) -> None:
    with contextlib.suppress(ValueError):
        json.dumps(exported(Example(row), format=format))


@given(turns=st.lists(st.tuples(st.sampled_from(["human", "gpt", "system", "Kunde"]), TEXT), min_size=1, max_size=5))
def test_every_text_of_a_sharegpt_row_is_kept(turns: list[tuple[str, str]]) -> None:
    row = {"conversations": [{"from": speaker, "value": text} for speaker, text in turns]}
    texts = [message["content"] for message in translated(Example(row)).data["messages"]]
    assert [text for text in texts if text] == [text for _, text in turns if text]
