"""ChatModel: what reaches the platform, and what comes back of it."""

from __future__ import annotations

import json

import pytest

from finetune_lib.evaluation.candidates import ChatModel
from finetune_lib.records import ToolCall, Usage

TOOL = {"type": "function", "function": {"name": "stock", "parameters": {"type": "object", "properties": {}}}}


def test_an_answer_tells_tokens_time_and_cost(service, platform, case, answers):
    (answer,) = answers(ChatModel("m", platform=platform, price=(1.0, 10.0)), case("hello"))
    assert (answer.text, answer.usage, answer.finish_reason) == ("hello", Usage(100, 50), "stop")
    assert answer.cost == (100 * 1 + 50 * 10) / 1_000_000
    assert answer.seconds > 0


def test_structured_output_is_asked_for(service, platform, case, answers):
    form = {"type": "json_schema", "json_schema": {"name": "verdict", "strict": True, "schema": {"type": "object"}}}
    service.answer = lambda _: {"role": "assistant", "content": json.dumps({"refund": True})}
    (answer,) = answers(ChatModel("m", platform=platform, response_format=form), case("q"))
    assert service.chats[0]["response_format"] == form
    assert json.loads(answer.text) == {"refund": True}


def test_tools_of_the_case_are_offered_and_calls_come_back(service, platform, case, answers):
    call = {"id": "c1", "type": "function", "function": {"name": "stock", "arguments": '{"id": 7}'}}
    service.answer = lambda _: {"role": "assistant", "content": None, "tool_calls": [call]}
    (answer,) = answers(ChatModel("m", platform=platform), case("in stock?", tools=(TOOL,)))
    assert service.chats[0]["tools"] == [TOOL]
    assert (answer.text, answer.tool_calls, answer.finish_reason) == (
        "",
        (ToolCall("stock", '{"id": 7}'),),
        "tool_calls",
    )


def test_the_own_system_message_takes_the_place_of_the_case_s(service, platform, case, answers):
    answers(ChatModel("m", platform=platform, system="mine"), case("q", system="theirs"))
    assert service.chats[0]["messages"] == [{"role": "system", "content": "mine"}, {"role": "user", "content": "q"}]


def test_equal_questions_are_paid_once(service, platform, case, answers):
    found = answers(ChatModel("m", platform=platform), *(case("q", id=str(n)) for n in range(20)))
    assert len(service.chats) == 1
    assert {answer.text for answer in found} == {"q"}


@pytest.mark.parametrize(
    "message",
    [
        {"content": "<think>8 groups of 9</think>72"},
        {"content": "72", "reasoning_content": "8 groups of 9"},
        {"content": "72", "reasoning": "8 groups of 9"},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "8 groups of 9"}]}, {"text": "72"}]},
    ],
)
def test_thought_and_answer_are_apart(service, platform, case, answers, message):
    service.answer = lambda _: {"role": "assistant", **message}
    (answer,) = answers(ChatModel("m", platform=platform), case("q"))
    assert (answer.text, answer.reasoning) == ("72", "8 groups of 9")


@pytest.mark.parametrize("message", [{"content": "<think>8 gro"}, {"content": None, "reasoning_content": "8 gro"}])
def test_a_thought_without_an_end_is_no_answer(service, platform, case, answers, message):
    service.answer = lambda _: {"role": "assistant", **message}
    (answer,) = answers(ChatModel("m", platform=platform), case("q"))
    assert (answer.text, answer.reasoning) == ("", "8 gro")
