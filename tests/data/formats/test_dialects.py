import json
from typing import Any

import pytest
from tests.files import SHARED

import finetune_lib as ft
from finetune_lib.data.formats import (
    arguments_as_objects,
    arguments_as_text,
    as_chat,
    dialect_of,
    functions_to_tools,
    translated,
    with_call_ids,
)
from finetune_lib.records import Example, Origin

CASES = SHARED / "cases"
# Skipped where the shared real files do not lie beside the repository.
REAL = pytest.mark.skipif(not CASES.exists(), reason="the shared real files are not here")


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def said(text: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


def system(text: str) -> dict[str, Any]:
    return {"role": "system", "content": text}


def tool(text: str, id: str) -> dict[str, Any]:
    return {"role": "tool", "content": text, "tool_call_id": id}


def calls(*named: tuple[str, str, str]) -> dict[str, Any]:
    made = [{"id": id, "type": "function", "function": {"name": f, "arguments": a}} for id, f, a in named]
    return {"role": "assistant", "content": None, "tool_calls": made}


def picture(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


def chat(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"messages": list(messages), **more}


def preferred(prompt: list[Any], yes: Any, no: Any, **more: Any) -> dict[str, Any]:
    return {"input": {"messages": prompt}, "preferred_output": [yes], "non_preferred_output": [no], **more}


WEATHER = {"name": "天氣", "parameters": {"type": "object"}}
TOOLS = [{"type": "function", "function": WEATHER}]
QUESTION, YES, NO = user("q"), said("y"), said("n")

CHATS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "sharegpt": (
        "sharegpt",
        {
            "conversations": [
                {"from": "system", "value": "s"},
                {"from": "human", "value": "問"},
                {"from": "gpt", "value": "答"},
            ]
        },
        chat(system("s"), user("問"), said("答")),
    ),
    "sharegpt: system beside, empty things left out, others kept": (
        "sharegpt",
        {"id": "7", "conversations": [{"from": "human", "value": "q"}], "system": "s", "tools": "", "images": []},
        chat(system("s"), QUESTION, id="7"),
    ),
    "sharegpt: call and result paired by order": (
        "sharegpt",
        {
            "conversations": [
                {"from": "human", "value": "q"},
                {"from": "function_call", "value": '{"name": "天氣", "arguments": {"城市": "台北"}}'},
                {"from": "observation", "value": "雨"},
                {"from": "function_call", "value": '[{"name": "a", "arguments": {}}, {"name": "b", "parameters": {}}]'},
                {"from": "observation", "value": "1"},
                {"from": "observation", "value": "2"},
                {"from": "gpt", "value": "y"},
            ],
            "tools": json.dumps([WEATHER]),
        },
        chat(
            QUESTION,
            calls(("call_1", "天氣", '{"城市": "台北"}')),
            tool("雨", "call_1"),
            calls(("call_2", "a", "{}"), ("call_3", "b", "{}")),
            tool("1", "call_2"),
            tool("2", "call_3"),
            YES,
            tools=TOOLS,
        ),
    ),
    "sharegpt: what is no call stays for the checks": (
        "sharegpt",
        {
            "conversations": [
                {"from": "function_call", "value": "天氣()"},
                {"from": "Customer", "value": None},
                {"from": "gpt"},
            ]
        },
        chat(
            {"role": "function_call", "content": "天氣()"}, {"role": "Customer", "content": None}, {"role": "assistant"}
        ),
    ),
    "sharegpt: learned turns": (
        "sharegpt",
        {
            "conversations": [
                {"from": "human", "value": "q", "weight": None, "train": False},
                {"from": "gpt", "value": "y", "train": False},
                {"from": "human", "value": "q", "loss": True},
                {"from": "gpt", "value": "y", "weight": 1},
                {"from": "gpt", "value": "y", "loss_weight": 0.5},
            ]
        },
        chat(QUESTION, said("y", weight=0), user("q") | {"loss": True}, YES, said("y", loss_weight=0.5)),
    ),
    "OpenAI's own with masks of others": (
        "loss-masks",
        chat(
            QUESTION | {"loss_weight": 0.0},
            said("n", loss=False),
            QUESTION | {"train": False},
            said("y", loss=True, loss_weight=1.0),
            said("y", train=False),
            said("y", loss_weight=0),
            said("y", loss_weight=0.5),
            target="77",
        ),
        chat(
            QUESTION,
            said("n", weight=0),
            QUESTION,
            YES,
            said("y", weight=0),
            said("y", weight=0),
            said("y", loss_weight=0.5),
            target="77",
        ),
    ),
    "sharegpt: pairs": (
        "sharegpt",
        {"system": "s", "conversation": [{"human": "q", "assistant": "y"}, {"user": "q", "bot": "n"}]},
        chat(system("s"), QUESTION, YES, QUESTION, NO),
    ),
    "sharegpt: XTuner": (
        "sharegpt",
        {"conversation": [{"system": "s", "input": "q", "output": "y"}, {"input": "q", "output": "n"}]},
        chat(system("s"), QUESTION, YES, QUESTION, NO),
    ),
    "sharegpt: turns of OpenAI's kind": (
        "sharegpt",
        {"conversation": [{"role": "User", "content": "q"}, {"role": "assistant", "content": "y", "name": "n"}]},
        chat(QUESTION, said("y", name="n")),
    ),
    "sharegpt: in messages": (
        "sharegpt",
        {"messages": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "y"}]},
        chat(QUESTION, YES),
    ),
    "LLaVA": (
        "sharegpt",
        {
            "image": "a/b.jpg",
            "conversations": [{"from": "human", "value": "<image>\n這是？"}, {"from": "gpt", "value": "y"}],
        },
        chat(user([picture("a/b.jpg"), text("\n這是？")]), YES),
    ),
    "pictures beside messages": (
        "image-placeholders",
        {"messages": [user("<image>比<image>"), YES], "images": ["1.jpg", "2.jpg"]},
        chat(user([picture("1.jpg"), text("比"), picture("2.jpg")]), YES),
    ),
    "pictures of TRL": (
        "image-placeholders",
        {"messages": [user([{"type": "image"}, text("q")]), YES], "images": ["1.jpg"]},
        chat(user([picture("1.jpg"), text("q")]), YES),
    ),
    "alpaca": (
        "alpaca",
        {"instruction": "翻譯", "input": "hello", "output": "你好"},
        chat(user("翻譯\nhello"), said("你好")),
    ),
    "alpaca: all fields": (
        "alpaca",
        {"instruction": "q", "input": "", "output": "y", "system": "s", "history": [["q", "n"]], "source": "x"},
        chat(system("s"), QUESTION, NO, QUESTION, YES, source="x"),
    ),
    "alpaca: nothing in the fields": (
        "alpaca",
        {"instruction": "q", "input": None, "output": None, "system": "", "history": []},
        chat(QUESTION, said(None)),
    ),
    "dolly": (
        "alpaca",
        {"instruction": "i", "context": "c", "response": "y", "category": "qa"},
        chat(user("i\nc"), YES),
    ),
    "ms-swift": (
        "query-response",
        {"system": "s", "query": "q", "response": "y", "history": [["q", "n"]]},
        chat(system("s"), QUESTION, NO, QUESTION, YES),
    ),
    "question and answer": ("question-answer", {"Question": "q", "Answer": "y"}, chat(QUESTION, YES)),
    "問題與答案": ("question-answer", {"問題": "q", "答案": "y", "類別": "行李"}, chat(QUESTION, YES)),
    "问题与回答": ("question-answer", {"问题": "q", "回答": "y"}, chat(QUESTION, YES)),
    "input and output": ("question-answer", {"input": "q", "output": "y"}, chat(QUESTION, YES)),
    "flat roles": ("question-answer", {"system": "s", "user": "q", "assistant": "y"}, chat(system("s"), QUESTION, YES)),
    "prompt of messages": (
        "trl-prompt-completion",
        {"prompt": [QUESTION, NO, QUESTION], "completion": [YES]},
        chat(QUESTION, said("n", weight=0), QUESTION, YES),
    ),
    "prompt alone, for a grader": (
        "trl-prompt-completion",
        {"prompt": [QUESTION], "solution": "42", "label": True},
        chat(QUESTION, solution="42", label=True),
    ),
    "TRL: arguments are objects": (
        "trl-prompt-completion",
        {
            "prompt": [QUESTION],
            "completion": [
                {
                    "role": "assistant",
                    "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": {"a": 1}}}],
                }
            ],
            "tools": TOOLS,
        },
        chat(QUESTION, {k: v for k, v in calls(("call_1", "f", '{"a": 1}')).items() if k != "content"}, tools=TOOLS),
    ),
    "LLaMA-Factory v1": (
        "llamafactory-messages",
        {
            "messages": [
                {"role": "system", "content": [{"type": "text", "value": "s"}], "loss_weight": 0.0},
                {"role": "user", "content": [{"type": "text", "value": "q"}], "loss_weight": 0.0},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "reasoning", "value": "想"},
                        {"type": "tool_call", "value": '{"name": "f", "arguments": {}}'},
                    ],
                    "loss_weight": 0.0,
                },
                {"role": "tool", "content": [{"type": "text", "value": "1"}], "loss_weight": 0.0},
                {"role": "assistant", "content": [{"type": "text", "value": "y"}], "loss_weight": 1.0},
            ],
            "tools": json.dumps(TOOLS),
        },
        chat(
            system("s"),
            QUESTION,
            calls(("call_1", "f", "{}")) | {"reasoning_content": "想", "weight": 0},
            {"role": "tool", "content": "1"},
            YES,
            tools=TOOLS,
        ),
    ),
    "OpenAI Evals": (
        "openai-evals",
        {"input": [system("s"), QUESTION], "ideal": "y"},
        chat(system("s"), QUESTION, YES),
    ),
    "OpenAI Evals: several answers": (
        "openai-evals",
        {"input": "q", "ideal": ["y", "Y"]},
        chat(QUESTION, YES, ideal=["y", "Y"]),
    ),
    "OpenAI Evals: one answer in a list": ("openai-evals", {"input": "q", "ideal": ["y"]}, chat(QUESTION, YES)),
    "OpenAI Evals: few shot": ("openai-evals", {"sample": [QUESTION, YES]}, chat(QUESTION, YES)),
    "stored completion": (
        "openai-stored",
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": "gpt-4.1",
            "metadata": {"kind": "faq"},
            "messages": [QUESTION],
            "choices": [{"index": 0, "message": said("y", refusal=None, tool_calls=None), "finish_reason": "stop"}],
            "usage": {"total_tokens": 3},
        },
        chat(QUESTION, YES, metadata={"kind": "faq"}),
    ),
    "request and response": (
        "openai-stored",
        {
            "request": {"model": "m", "messages": [QUESTION], "tools": TOOLS, "temperature": 0},
            "response": {"status_code": 200, "body": {"choices": [{"message": YES}]}},
        },
        chat(QUESTION, YES, tools=TOOLS),
    ),
    "Responses API": (
        "openai-stored",
        {
            "instructions": "s",
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "q"}]}],
            "output": [
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": "想"}]},
                {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c1", "output": "1"},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "y"}]},
            ],
            "tools": [{"type": "function", **WEATHER}],
        },
        chat(
            system("s"),
            QUESTION,
            calls(("c1", "f", "{}")) | {"reasoning_content": "想"},
            tool("1", "c1"),
            YES,
            tools=TOOLS,
        ),
    ),
    "Claude on Bedrock": ("anthropic", {"system": "s", "messages": [QUESTION, YES]}, chat(system("s"), QUESTION, YES)),
    "Anthropic's blocks": (
        "anthropic",
        {
            "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
            "messages": [
                user(
                    [
                        text("q"),
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "eA=="}},
                    ]
                ),
                said(
                    [
                        {"type": "thinking", "thinking": "想"},
                        text("看"),
                        {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
                    ]
                ),
                user([{"type": "tool_result", "tool_use_id": "t1", "content": [text("1")]}, text("然後？")]),
                YES,
            ],
            "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        },
        chat(
            system("s"),
            user([text("q"), picture("data:image/png;base64,eA==")]),
            calls(("t1", "f", '{"a": 1}')) | {"content": "看", "reasoning_content": "想"},
            tool("1", "t1"),
            user("然後？"),
            YES,
            tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        ),
    ),
    "Bedrock's conversation schema": (
        "bedrock",
        {
            "schemaVersion": "bedrock-conversation-2024",
            "system": [{"text": "s"}],
            "messages": [user([{"text": "q"}]), said([{"text": "y"}])],
        },
        chat(system("s"), QUESTION, YES),
    ),
    "Gemini": (
        "gemini",
        {
            "systemInstruction": {"role": "system", "parts": [{"text": "s"}]},
            "contents": [
                {"role": "user", "parts": [{"text": "q"}]},
                {"role": "model", "parts": [{"functionCall": {"name": "天氣", "args": {"城市": "台北"}}}]},
                {"role": "user", "parts": [{"functionResponse": {"name": "天氣", "response": {"雨": True}}}]},
                {"role": "model", "parts": [{"text": "y"}]},
            ],
            "tools": [{"functionDeclarations": [WEATHER]}],
        },
        chat(
            system("s"),
            QUESTION,
            calls(("call_1", "天氣", '{"城市": "台北"}')),
            tool('{"雨": true}', "call_1"),
            YES,
            tools=TOOLS,
        ),
    ),
    "Cohere": (
        "cohere",
        {
            "messages": [
                {"role": "System", "content": "s"},
                {"role": "User", "content": "q"},
                {"role": "Chatbot", "content": "y"},
            ]
        },
        chat(system("s"), QUESTION, YES),
    ),
}

PREFERENCES: dict[str, tuple[str, dict[str, Any]]] = {
    "ShareGPT": (
        "sharegpt-preference",
        {
            "conversations": [{"from": "human", "value": "q"}],
            "chosen": {"from": "gpt", "value": "y"},
            "rejected": {"from": "gpt", "value": "n"},
        },
    ),
    "messages with sides": (
        "sharegpt-preference",
        {"messages": [QUESTION], "chosen": YES, "rejected": NO},
    ),
    "Alpaca": ("alpaca-preference", {"instruction": "q", "input": "", "chosen": "y", "rejected": "n"}),
    "texts": ("dpo-strings", {"prompt": "q", "chosen": "y", "rejected": "n"}),
    "Orca": ("dpo-strings", {"system": "", "question": "q", "chosen": "y", "rejected": "n"}),
    "TRL": ("trl-preference", {"prompt": [QUESTION], "chosen": [YES], "rejected": [NO]}),
    "TRL without a prompt": ("trl-preference", {"chosen": [QUESTION, YES], "rejected": [QUESTION, NO]}),
    "UltraFeedback": (
        "trl-preference",
        {"prompt": "q", "chosen": [QUESTION, YES], "rejected": [QUESTION, NO], "messages": [QUESTION, YES]},
    ),
    "LLaMA-Factory v1": (
        "llamafactory-preference",
        {
            "chosen_messages": [
                {"role": "user", "content": [{"type": "text", "value": "q"}], "loss_weight": 0.0},
                {"role": "assistant", "content": [{"type": "text", "value": "y"}], "loss_weight": 1.0},
            ],
            "rejected_messages": [
                {"role": "user", "content": [{"type": "text", "value": "q"}], "loss_weight": 0.0},
                {"role": "assistant", "content": [{"type": "text", "value": "n"}], "loss_weight": 1.0},
            ],
        },
    ),
    "hh-rlhf": (
        "hh-rlhf",
        {"chosen": "\n\nHuman: q\n\nAssistant: y", "rejected": "\n\nHuman: q\n\nAssistant: n"},
    ),
    "ms-swift": ("swift-preference", {"messages": [QUESTION, YES], "rejected_response": "n"}),
    "ms-swift: messages": ("swift-preference", {"messages": [QUESTION, YES], "rejected_messages": [QUESTION, NO]}),
    "ms-swift: query": ("swift-preference", {"query": "q", "response": "y", "rejected_response": "n"}),
    "OpenAI's older names": (
        "openai-old-preference",
        {"input": {"messages": [QUESTION]}, "preferred_completion": [YES], "non_preferred_completion": [NO]},
    ),
}


@pytest.mark.parametrize(("dialect", "row", "expected"), CHATS.values(), ids=CHATS)
def test_a_dialect_reads_as_a_chat(dialect: str, row: dict[str, Any], expected: dict[str, Any]) -> None:
    before = json.dumps(row)
    example = translated(Example(row))
    assert example.data == expected
    assert (dialect_of(row), example.dialect, dialect_of(expected)) == (dialect, dialect, None)
    assert json.dumps(row) == before


@pytest.mark.parametrize(("dialect", "row"), PREFERENCES.values(), ids=PREFERENCES)
def test_a_dialect_reads_as_a_preference(dialect: str, row: dict[str, Any]) -> None:
    assert dialect_of(row) == dialect
    assert translated(Example(row)).data == preferred([QUESTION], YES, NO)


def test_sides_that_are_the_same_keep_their_last_message() -> None:
    row = {"chosen": [QUESTION, YES], "rejected": [QUESTION, YES]}
    assert translated(Example(row)).data == preferred([QUESTION], YES, YES)


def test_tools_of_a_preference_stand_in_its_input() -> None:
    row = {"prompt": [QUESTION], "chosen": [YES], "rejected": [NO], "tools": TOOLS, "score": 1}
    assert translated(Example(row)).data == {
        **preferred([QUESTION], YES, NO, score=1),
        "input": {"messages": [QUESTION], "tools": TOOLS},
    }


@pytest.mark.parametrize(
    "row",
    [
        chat(QUESTION, YES),
        chat(QUESTION, target="77", label=True, images=None),
        chat(QUESTION, label="no", system="s"),
        chat(QUESTION, said("y", loss_weight=0.5, weight=1)),
        chat(QUESTION, calls(("c", "f", "{}")), tools=TOOLS),
        chat(QUESTION, {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}),
        chat({"role": "bot", "content": "a"}, {"role": "User", "content": "q"}),
        chat({"role": "user", "content": [text("q"), picture("a")]}, YES),
        chat({"role": "user"}, {"content": "x"}, 3, None),
        chat(),
        {"messages": "q", "conversations": [{"from": "human", "value": "q"}]},
        {"prompt": "q ->", "completion": " y", "hole": 6},
        {"Prompt": "q", "Completion": "y"},
        preferred([QUESTION], YES, NO),
        {"preferred_output": [YES], "non_preferred_output": [NO]},
        {"input": {"messages": [QUESTION]}, "prefered_output": [YES]},
        {"text": "a", "category": "Company"},
        {"text": "q", "input": "", "output": "y"},
        {"question": "q", "context": "c", "answer": "y"},
        {"question": "q", "choices": ["a", "b"], "answer": 1},
        {"question": "q", "answers": {"text": ["y"]}},
        {"question": "q", "answer": "y", "response": "z"},
        {"type": "score_model", "model": "o3", "input": [QUESTION]},
        {"conversations": []},
        {},
    ],
    ids=lambda row: json.dumps(row, ensure_ascii=False)[:50],
)
def test_openais_own_rows_and_unknown_ones_stay(row: dict[str, Any]) -> None:
    example = Example(row)
    assert dialect_of(row) is None
    assert translated(example) is example


@pytest.mark.parametrize(
    ("row", "dialect"),
    [
        (chat(QUESTION, YES, label=True), "kto"),
        ({"prompt": "q", "completion": "y", "label": False}, "kto"),
        ({"instruction": "q", "output": "y", "kto_tag": True}, "kto"),
        ({"text": "長文", "id": 1}, "text"),
        (chat(user("<image>q"), YES, images=["1", "2"]), "image-placeholders"),
        (
            {
                "conversations": [{"from": "human", "value": "q"}],
                "preferred": 1,
                "input": 2,
                "chosen": 3,
                "rejected": 4,
            },
            "sharegpt-preference",
        ),
        ({"instruction": "q", "input": ["a"], "output": "y"}, "alpaca"),
        ({"instruction": "q", "output": "y", "history": "[]"}, "alpaca"),
    ],
)
def test_what_cannot_be_said_keeps_its_data_and_gets_its_name(row: dict[str, Any], dialect: str) -> None:
    example = translated(Example(row))
    assert (example.data, example.dialect) == (row, dialect)


def test_cells_and_category_move_with_their_texts() -> None:
    cells = {"/system": "問答!A2", "/問題": "問答!B2", "/答案": "問答!C2"}
    row = {"system": "s", "問題": "q", "答案": "y", "類別": "行李"}
    example = translated(Example(row, Origin("faq.xlsx", row=1, cells=cells)))
    assert example.category == "行李"
    assert [example.origin.cells[f"/messages/{i}/content"] for i in range(3)] == list(cells.values())
    assert example.origin.row == 1


def test_a_pair_that_becomes_a_chat_keeps_where_it_came_from() -> None:
    row = Example({"prompt": "q", "completion": "y"}, family="f", ignore=("D802",), dialect="x")
    example = as_chat(row, "s", pairs=True)
    assert example.data == chat(system("s"), QUESTION, YES)
    assert (example.family, example.ignore, example.dialect) == ("f", ("D802",), "x")


def test_older_functions_become_tools() -> None:
    row = chat(
        QUESTION,
        {"role": "assistant", "content": None, "function_call": {"name": "天氣", "arguments": "{}"}, "weight": 0},
        {"role": "function", "name": "天氣", "content": "雨"},
        {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "g", "content": "1"},
        {"role": "function", "name": "f", "content": "無人叫"},
        functions=[WEATHER],
    )
    second = {key: value for key, value in calls(("call_2", "f", "{}")).items() if key != "content"}
    assert functions_to_tools(row) == chat(
        QUESTION,
        calls(("call_1", "天氣", "{}")) | {"weight": 0},
        tool("雨", "call_1"),
        second,
        tool("1", "call_2") | {"name": "g"},
        {"role": "function", "name": "f", "content": "無人叫"},
        tools=TOOLS,
    )


def test_ids_of_outputs_differ_from_those_of_their_prompt() -> None:
    call = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    row = preferred([QUESTION, call, {"role": "function", "name": "f", "content": "1"}], call, NO)
    row["input"]["functions"] = [WEATHER]
    mended = functions_to_tools(row)
    assert mended["input"]["tools"] == TOOLS
    assert mended["input"]["messages"][2]["tool_call_id"] == "call_1"
    assert mended["preferred_output"][0]["tool_calls"][0]["id"] == "call_2"


def test_arguments_as_objects_and_back() -> None:
    row = chat(QUESTION, calls(("c", "f", '{"城市": "台北"}'), ("d", "g", "{"), ("e", "h", '{"a":1,"a":2}')))
    objects = arguments_as_objects(row)
    found = [call["function"]["arguments"] for call in objects["messages"][1]["tool_calls"]]
    assert found == [{"城市": "台北"}, "{", '{"a":1,"a":2}']
    assert arguments_as_text(objects) == row


def test_results_get_the_ids_of_their_calls_by_order() -> None:
    bare = {"role": "tool", "content": "1"}
    call = {"role": "assistant", "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": "{}"}}]}
    paired = with_call_ids(chat(QUESTION, call, bare, bare, call, tool("2", "call_1")))["messages"]
    assert [m["tool_calls"][0]["id"] for m in paired if "tool_calls" in m] == ["call_2", "call_3"]
    assert [m.get("tool_call_id") for m in paired if m["role"] == "tool"] == ["call_2", None, "call_1"]


REAL_FILES = {
    "ft/coig_cqia_sample.json": ("alpaca", "chat", 2),
    "ft/lf_alpaca_zh_demo.json": ("alpaca", "chat", 1000),
    "ft/lf_dpo_zh_demo.json": ("sharegpt-preference", "preference", 300),
    "ft/lf_kto_en_demo.json": ("kto", "chat", 300),
    "ft/lf_mllm_demo.json": ("image-placeholders", "chat", 6),
    "ft/lf_reason_tool_use_demo_50.jsonl": ("llamafactory-messages", "chat", 50),
    "ft/lf_v1_dpo_demo.jsonl": ("llamafactory-preference", "preference", 10),
    "ft/sarcasm_baseline_20.jsonl": ("question-answer", "chat", 20),
    "ft/lf_c4_demo.jsonl": ("text", "unknown", 300),
    "ft/dbpedia_samples.jsonl": (None, "unknown", 200),
    "ft/rft_tool_valid.jsonl": (None, "chat", 10),
    "ft/stock_toolcall_training.jsonl": (None, "chat", 86),
    "ft/zava_rft_grader-config.json": (None, "unknown", 1),
    "golden/evals_chinese_typos.jsonl": ("openai-evals", "chat", 200),
}


@REAL
@pytest.mark.parametrize(("file", "verdict"), REAL_FILES.items(), ids=REAL_FILES)
def test_real_files(file: str, verdict: tuple[str | None, str, int]) -> None:
    whole = (CASES / file).read_text("utf-8")
    read = [json.loads(line) for line in whole.splitlines()] if file.endswith("l") else json.loads(whole)
    rows = read if isinstance(read, list) else [read]
    examples = [translated(Example(row)) for row in rows]
    assert {(dialect_of(row), example.kind) for row, example in zip(rows, examples, strict=True)} == {verdict[:2]}
    assert len(examples) == verdict[2]
    for row, example in zip(rows, examples, strict=True):
        kept = "\0".join(_texts(example.data))
        assert [text for text in _texts(row) if text not in kept and not text.startswith(("{", "["))] == []


def _texts(value: Any) -> list[str]:
    """Every text in a value in the order it stands, a placeholder's sides apart; words of the format left out."""
    if isinstance(value, str):
        return [text for text in value.split("<image>") if len(text) > 12]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in inner for text in _texts(item)]


def test_a_turn_that_is_no_object_stays_for_the_checks_to_name() -> None:
    row = {"messages": ["q", YES], "rejected_response": "n"}
    assert translated(Example(row)).data == preferred(["q"], YES, said("n"))


def test_masks_of_a_file_hold_through_a_fix_and_a_save(tmp_path) -> None:
    rows = [chat(QUESTION, said("n", loss=False), QUESTION, said("y", loss=True), mood=1)] * 12
    path = tmp_path / "masks.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    fixed = ft.Dataset.load(path).fix(safe_only=False)
    assert fixed[0].data == chat(QUESTION, said("n", weight=0), QUESTION, YES)
    fixed.save(tmp_path / "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()[0]) == fixed[0].data
