"""FewShot: which examples are shown, in which order, and never the answer itself."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import finetune_lib as ft
from finetune_lib.evaluation.candidates import FewShot
from finetune_lib.records import Case, Message
from finetune_lib.tokens import counter_for

PAIRS = {
    "行李可以帶幾件？": "兩件。",
    "行李超重怎麼計費？": "每公斤 300 元。",
    "可以帶寵物嗎？": "要先申請。",
    "幾點可以登機？": "起飛前 30 分鐘。",
    "Where do I check in?": "Hall 3.",
}
DATA = ft.Dataset.from_rows([{"prompt": q, "completion": a} for q, a in PAIRS.items()], system="訓練時的系統訊息")


def shown(candidate: FewShot, case: Case) -> list[str]:
    """What the user turns before the question are."""
    messages = asyncio.run(candidate.request(case)).messages
    assert [m["role"] for m in messages if m["role"] != "system"] == ["user", "assistant"] * (len(messages) // 2) + [
        "user"
    ]
    return [m["content"] for m in messages if m["role"] == "user"][:-1]


def test_the_nearest_comes_last(case):
    assert shown(FewShot("m", examples=DATA, k=2), case("行李超重了怎麼辦")) == [
        "行李可以帶幾件？",
        "行李超重怎麼計費？",
    ]


def test_simplified_characters_find_traditional_ones(case):
    assert shown(FewShot("m", examples=DATA, k=1), case("我的宠物能上飞机吗")) == ["可以帶寵物嗎？"]


def test_where_nothing_is_near_the_first_are_shown(case):
    assert len(shown(FewShot("m", examples=DATA, k=3), case("zzz"))) == 3


def test_the_system_message_is_the_case_s_own_or_the_candidate_s(service, platform, case, answers):
    for candidate in (
        FewShot("m", examples=DATA, platform=platform),
        FewShot("m", examples=DATA, platform=platform, system="mine"),
    ):
        answers(candidate, case("幾點登機", system="theirs"))
    systems = [[m["content"] for m in chat["messages"] if m["role"] == "system"] for chat in service.chats]
    assert systems == [["theirs"], ["mine"]]


@pytest.mark.parametrize("selection", ["nearest", "first", "random", "diverse", lambda _, examples: examples])
def test_an_example_that_asks_the_same_is_never_shown(case, selection):
    twice = [*DATA, *DATA]
    found = shown(FewShot("m", examples=twice, k=4, selection=selection), case("行李超重怎么计费"))
    assert "行李超重怎麼計費？" not in found
    assert len(found) >= 4


def test_first_and_random_and_diverse(case):
    asked = [case(f"問題 {n}", id=str(n)) for n in range(8)]
    assert shown(FewShot("m", examples=DATA, k=2, selection="first"), asked[0]) == list(PAIRS)[:2]
    drawn = [shown(FewShot("m", examples=DATA, k=2, selection="random"), one) for one in asked]
    assert drawn == [shown(FewShot("m", examples=DATA, k=2, selection="random"), one) for one in asked]
    assert len({tuple(found) for found in drawn}) > 1
    likewise = ft.Dataset.from_rows([{"prompt": f"行李超重 {n} 公斤怎麼計費？", "completion": "x"} for n in range(9)])
    pool = [*likewise, *DATA[2:]]
    spread = {tuple(shown(FewShot("m", examples=pool, k=4, selection="diverse"), one)) for one in asked}
    assert len(spread) == 1
    assert sum("行李" in question for question in spread.pop()) == 1


def test_a_function_chooses_and_orders(case):
    chosen = FewShot("m", examples=DATA, selection=lambda _, examples: [examples[3], examples[0]])
    assert shown(chosen, case("q")) == ["幾點可以登機？", "行李可以帶幾件？"]


def test_a_conversation_is_shown_whole_and_calls_get_a_result(case):
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turns = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b", "weight": 0},
        {"role": "user", "content": "c"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
    ]
    candidate = FewShot("m", examples=[ft.Example({"messages": turns})])
    assert asyncio.run(candidate.request(case("q"))).messages == [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "OK"},
        {"role": "user", "content": "q"},
    ]


@settings(deadline=None)
@given(st.integers(0, 300))
def test_the_prompt_fits_the_limit_where_the_question_does(limit):
    asked = Case("1", (Message(role="user", content="行李超重"),))
    candidate = FewShot("gpt-4.1-mini", examples=DATA, k=5, max_prompt_tokens=limit)
    messages = asyncio.run(candidate.request(asked)).messages
    size = counter_for("gpt-4.1-mini").example
    assert size(messages) <= max(limit, size(messages[-1:]))
    whole = asyncio.run(FewShot("gpt-4.1-mini", examples=DATA, k=5).request(asked)).messages
    assert messages == whole[len(whole) - len(messages) :]  # the nearest stay


@pytest.mark.parametrize("wrong", [{"k": 0}, {"selection": "best"}])
def test_wrong_arguments(wrong):
    with pytest.raises(ValueError, match=r"k is at least|selection is one of"):
        FewShot("m", examples=DATA, **wrong)


def test_examples_without_an_answer_are_no_examples(case):
    rows = [{"messages": [{"role": "user", "content": "q"}], "target": 1}]
    with pytest.raises(ValueError, match="there is none"):
        asyncio.run(FewShot("m", examples=ft.Dataset.from_rows(rows)).request(case("a")))


def test_names_differ_from_the_bare_model_s():
    assert FewShot("m", examples=DATA, k=3).name == "m + 3 examples"
    assert FewShot("m", examples=DATA, name="shots").name == "shots"
