"""What is asked, under what it is kept, and what is read from the answer."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import finetune_lib as ft
from finetune_lib.errors import PlatformError
from finetune_lib.platforms.asking import Reply, Request, reply_in
from finetune_lib.platforms.asking.request import key_of
from finetune_lib.records import ToolCall, Usage

REQUEST = Request("m", [{"role": "user", "content": "行李可以帶多少公斤？"}])
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["choices", "message", "content", "usage", "tool_calls", "function"]), inner)
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_comes_is_a_reply_or_a_platform_error(body):
    with suppress(PlatformError):
        assert isinstance(reply_in(body, REQUEST).text, str)


def body(message: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": message, "finish_reason": "stop"}], "model": "m-1", **more}


def test_a_plain_answer():
    reply = reply_in(body({"content": "23"}, usage={"prompt_tokens": 7, "completion_tokens": 2}), REQUEST, seconds=0.5)
    assert reply == Reply("23", usage=Usage(7, 2), finish_reason="stop", model="m-1", seconds=0.5)
    assert Reply.from_json(json.loads(json.dumps(reply.as_json()))).text == "23"


def test_calls_of_tools_survive_being_kept():
    calls = [{"id": "a", "function": {"name": "f", "arguments": '{"x": 1}'}}, {"type": "custom"}]
    reply = reply_in(body({"content": None, "tool_calls": calls}), REQUEST)
    assert reply.tool_calls == (ToolCall("f", '{"x": 1}'),)
    assert Reply.from_json(reply.as_json()).tool_calls == reply.tool_calls


def test_a_platform_that_counts_nothing_is_reckoned_with_what_was_expected():
    assert reply_in(body({"content": "x"}), REQUEST).usage == REQUEST.expected()
    half = reply_in(body({"content": "x"}, usage={"prompt_tokens": 7, "completion_tokens": None}), REQUEST)
    assert half.usage == Usage(7, 0)


def test_expected_tokens_count_tools_and_forms_and_the_most_that_may_be_written():
    plain = REQUEST.expected()
    tools = Request("m", REQUEST.messages, options={"tools": [{"type": "function", "function": {"name": "f" * 90}}]})
    assert tools.expected().prompt_tokens > plain.prompt_tokens + 5
    assert Request("m", REQUEST.messages, options={"max_tokens": 9}).expected().completion_tokens == 9


def test_the_key_is_that_of_the_content():
    here, there = ft.connect("http://a/v1", api_key="k"), ft.connect("http://b/v1", api_key="k")
    again = ft.connect("http://a/v1", api_key="another key")
    keys = {
        key_of(where, Request(model, REQUEST.messages, options=options).body(model), salt)
        for where in (here, there)
        for model in ("m", "n")
        for options in ({}, {"temperature": 0})
        for salt in ("", "#1")
    }
    assert len(keys) == 16
    assert key_of(again, REQUEST.body("m"), "") in keys
