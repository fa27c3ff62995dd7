import json
from typing import Any, get_args

import pytest

from finetune_lib.data.formats import FormatName, arguments_as_text, exported, translated
from finetune_lib.records import Example

QUESTION = {"role": "user", "content": "問"}
YES = {"role": "assistant", "content": "答"}
NO = {"role": "assistant", "content": "否"}
SYSTEM = {"role": "system", "content": "s"}
TOOLS = [{"type": "function", "function": {"name": "天氣", "parameters": {"type": "object"}}}]
CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "天氣", "arguments": '{"城市": "台北"}'}}],
}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "雨"}
PICTURE = {"type": "image_url", "image_url": {"url": "a.jpg"}}
PREFERENCE = {
    "input": {"messages": [QUESTION], "tools": TOOLS},
    "preferred_output": [YES],
    "non_preferred_output": [NO],
}


def chat(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"messages": list(messages), **more}


def export(row: dict[str, Any], format: FormatName) -> dict[str, Any]:
    before = json.dumps(row)
    written = exported(Example(row), format=format)
    assert json.dumps(row) == before
    return written


AGENT = chat(SYSTEM, QUESTION, CALL, RESULT, YES, tools=TOOLS)
SILENT = {**NO, "weight": 0}
OBJECTS = {
    **CALL,
    "tool_calls": [{**CALL["tool_calls"][0], "function": {"name": "天氣", "arguments": {"城市": "台北"}}}],
}
CALL_TEXT = '{"name": "天氣", "arguments": {"城市": "台北"}}'


def turn(speaker: str, text: str) -> dict[str, Any]:
    return {"from": speaker, "value": text}


def block(role: str, weight: float, *parts: tuple[str, str], **more: Any) -> dict[str, Any]:
    content = [{"type": type, "value": value} for type, value in parts]
    return {"role": role, "content": content, **more, "loss_weight": weight}


WRITTEN: dict[str, tuple[FormatName, dict[str, Any], dict[str, Any]]] = {
    "openai": ("openai", AGENT, AGENT),
    "openai from ShareGPT": (
        "openai",
        {"conversations": [turn("human", "問"), turn("gpt", "答")]},
        chat(QUESTION, YES),
    ),
    "trl": ("trl", AGENT, chat(SYSTEM, QUESTION, OBJECTS, RESULT, YES, tools=TOOLS)),
    "trl: the learned turn at the end": (
        "trl",
        chat(QUESTION, SILENT, QUESTION, {**YES, "weight": 1}),
        {"prompt": [QUESTION, NO, QUESTION], "completion": [YES]},
    ),
    "trl: a prompt to be graded": ("trl", chat(QUESTION, target="7"), {"prompt": [QUESTION], "target": "7"}),
    "trl: pictures": (
        "trl",
        chat({"role": "user", "content": [{"type": "text", "text": "看"}, PICTURE]}, YES),
        chat({"role": "user", "content": [{"type": "text", "text": "看"}, {"type": "image"}]}, YES, images=["a.jpg"]),
    ),
    "trl: preference": ("trl", PREFERENCE, {"prompt": [QUESTION], "chosen": [YES], "rejected": [NO], "tools": TOOLS}),
    "trl: pair": ("trl", {"prompt": "問", "completion": "答"}, {"prompt": "問", "completion": "答"}),
    "sharegpt": (
        "sharegpt",
        AGENT,
        {
            "conversations": [
                turn("system", "s"),
                turn("human", "問"),
                turn("function_call", CALL_TEXT),
                turn("observation", "雨"),
                turn("gpt", "答"),
            ],
            "tools": json.dumps(TOOLS, ensure_ascii=False),
        },
    ),
    "sharegpt: pictures": (
        "sharegpt",
        chat({"role": "user", "content": [PICTURE, {"type": "text", "text": "看"}]}, YES),
        {"conversations": [turn("human", "<image>看"), turn("gpt", "答")], "images": ["a.jpg"]},
    ),
    "sharegpt: preference": (
        "sharegpt",
        PREFERENCE,
        {
            "conversations": [turn("human", "問")],
            "chosen": turn("gpt", "答"),
            "rejected": turn("gpt", "否"),
            "tools": json.dumps(TOOLS, ensure_ascii=False),
        },
    ),
    "sharegpt: pair": (
        "sharegpt",
        {"prompt": "問", "completion": "答"},
        {"conversations": [turn("human", "問"), turn("gpt", "答")]},
    ),
    "alpaca": ("alpaca", chat(QUESTION, YES), {"instruction": "問", "input": "", "output": "答"}),
    "alpaca: rounds": (
        "alpaca",
        chat(SYSTEM, QUESTION, NO, QUESTION, YES),
        {"instruction": "問", "input": "", "output": "答", "system": "s", "history": [["問", "否"]]},
    ),
    "alpaca: preference": (
        "alpaca",
        {**PREFERENCE, "input": {"messages": [QUESTION]}},
        {"instruction": "問", "input": "", "chosen": "答", "rejected": "否"},
    ),
    "completion": ("completion", chat(QUESTION, YES), {"prompt": "問", "completion": "答"}),
    "together": ("together", chat(QUESTION, SILENT, CALL, tools=TOOLS), chat(QUESTION, SILENT, CALL, tools=TOOLS)),
    "together: preference": ("together", PREFERENCE, PREFERENCE),
    "llamafactory": (
        "llamafactory",
        chat(QUESTION, SILENT, QUESTION, {**CALL, "reasoning_content": "想"}, RESULT, YES, tools=TOOLS),
        {
            "messages": [
                block("user", 0.0, ("text", "問")),
                block("assistant", 0.0, ("text", "否")),
                block("user", 0.0, ("text", "問")),
                block("assistant", 1.0, ("reasoning", "想"), ("tool_call", '{"id": "call_1", ' + CALL_TEXT[1:])),
                block("tool", 0.0, ("text", "雨"), tool_call_id="call_1"),
                block("assistant", 1.0, ("text", "答")),
            ],
            "tools": json.dumps(TOOLS, ensure_ascii=False),
        },
    ),
    "llamafactory: preference": (
        "llamafactory",
        {**PREFERENCE, "input": {"messages": [QUESTION]}},
        {
            "chosen_messages": [block("user", 0.0, ("text", "問")), block("assistant", 1.0, ("text", "答"))],
            "rejected_messages": [block("user", 0.0, ("text", "問")), block("assistant", 1.0, ("text", "否"))],
        },
    ),
}


@pytest.mark.parametrize(("format", "row", "expected"), WRITTEN.values(), ids=WRITTEN)
def test_written(format: FormatName, row: dict[str, Any], expected: dict[str, Any]) -> None:
    assert export(row, format) == expected


def test_mistrals_ids_have_nine_letters_and_still_pair() -> None:
    ours = {**CALL, "tool_calls": [{**CALL["tool_calls"][0], "id": "abcDEF123"}]}
    row = chat(QUESTION, CALL, RESULT, YES, QUESTION, ours, {**RESULT, "tool_call_id": "abcDEF123"}, YES, tools=TOOLS)
    messages = export(row, "mistral")["messages"]
    made = messages[1]["tool_calls"][0]["id"]
    assert len(made) == 9
    assert made.isalnum()
    assert messages[2]["tool_call_id"] == made
    assert (messages[5]["tool_calls"][0]["id"], messages[6]["tool_call_id"]) == ("abcDEF123", "abcDEF123")


LOST: dict[str, tuple[tuple[FormatName, ...], dict[str, Any], str]] = {
    "weight": (("sharegpt", "alpaca", "completion"), chat(QUESTION, SILENT), r"weight \(/messages/1/weight\)"),
    "weight between": (("trl",), chat(QUESTION, YES, QUESTION, SILENT), "only the assistant turns at the end"),
    "nothing learned": (("trl",), chat(QUESTION, SILENT), "weight 0 on every assistant turn"),
    "name": (
        ("sharegpt", "alpaca", "mistral", "llamafactory"),
        chat({**QUESTION, "name": "王"}, YES),
        "/messages/0/name",
    ),
    "developer": (
        ("sharegpt", "alpaca", "together", "mistral", "llamafactory"),
        chat({"role": "developer", "content": "s"}, QUESTION, YES),
        r"developer role \(/messages/0/role\)",
    ),
    "refusal": (
        ("trl", "sharegpt", "alpaca", "together", "mistral", "llamafactory", "completion"),
        chat(QUESTION, {"role": "assistant", "refusal": "不"}),
        r"refusal \(/messages/1/refusal\)",
    ),
    "parallel calls": (
        ("sharegpt", "alpaca"),
        chat(QUESTION, {**CALL, "tool_calls": [*CALL["tool_calls"], *CALL["tool_calls"]]}),
        r"parallel calls \(/messages/1/tool_calls\)",
    ),
    "text beside a call": (("sharegpt", "alpaca"), chat(QUESTION, {**CALL, "content": "等"}), "text beside calls"),
    "arguments": (
        ("trl", "sharegpt", "mistral", "llamafactory"),
        chat(
            QUESTION,
            {**CALL, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}]},
        ),
        "/messages/1/tool_calls/0/function/arguments",
    ),
    "grader's field": (("sharegpt", "alpaca", "together", "mistral"), chat(QUESTION, YES, target="7"), r"/target\)"),
    "a name that TRL uses": (("trl",), chat(QUESTION, chosen="x"), "/chosen"),
    "picture's detail": (
        ("trl", "sharegpt", "mistral", "llamafactory"),
        chat({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "a", "detail": "low"}}]}, YES),
        r"image detail \(/messages/0/content/0/image_url\)",
    ),
    "picture by address": (("together",), chat({"role": "user", "content": [PICTURE]}, YES), "a.jpg"),
    "placeholder in the text": (
        ("trl", "sharegpt"),
        chat({"role": "user", "content": [{"type": "text", "text": "<image>"}, PICTURE]}, YES),
        "placeholder in text",
    ),
    "sound": (
        ("trl", "sharegpt", "llamafactory", "together"),
        chat({"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, YES),
        r"content part \(/messages/0/content/0\)",
    ),
    "results out of order": (
        ("sharegpt",),
        chat(QUESTION, CALL, {**RESULT, "tool_call_id": "other"}, YES),
        "do not follow their calls in order",
    ),
    "no rounds": (("alpaca",), chat(QUESTION, QUESTION, YES), "questions and answers by turns"),
    "several turns": (("completion",), chat(QUESTION, NO, QUESTION, YES), "one question and one answer"),
    "preference": (("mistral", "completion"), PREFERENCE, "kind preference"),
    "older functions": (("trl", "sharegpt", "alpaca"), chat(QUESTION, YES, functions=[{"name": "f"}]), "functions"),
    "unsound": (("trl", "sharegpt"), chat({"role": "bot", "content": "x"}), "validate the data first"),
    "no row": (get_args(FormatName), {"text": "x", "category": "y"}, "validate the data first"),
    "nothing in it": (get_args(FormatName), chat(), "validate the data first"),
}


@pytest.mark.parametrize(
    ("format", "row", "told"),
    [(format, row, told) for formats, row, told in LOST.values() for format in formats],
    ids=[f"{name}-{format}" for name, (formats, _, _) in LOST.items() for format in formats],
)
def test_what_would_be_lost_is_refused_with_its_place(format: FormatName, row: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        export(row, format)


def test_all_that_would_be_lost_is_listed() -> None:
    row = chat({"role": "developer", "content": "s"}, {**QUESTION, "name": "王"}, SILENT, *[SILENT] * 8)
    with pytest.raises(ValueError, match=r"developer role.*name.*weight.* and 3 more"):
        export(row, "sharegpt")


def test_an_unknown_format_is_named() -> None:
    with pytest.raises(ValueError, match='not "jsonl"'):
        exported(Example(chat(QUESTION, YES)), format="jsonl")  # type: ignore[arg-type]


@pytest.mark.parametrize("format", ["sharegpt", "llamafactory", "trl"])
def test_an_agents_conversation_comes_back(format: FormatName) -> None:
    assert arguments_as_text(translated(Example(export(AGENT, format))).data) == AGENT


def test_a_row_for_a_grader_comes_back_whatever_its_fields_are_called() -> None:
    row = chat(QUESTION, ideal="42", input="the whole of it", body={"messages": [QUESTION]})
    assert translated(Example(export(row, "trl"))).data == row


def test_an_empty_weight_is_no_weight_of_zero() -> None:
    written = export(chat(QUESTION, {**YES, "weight": None}), "llamafactory")
    assert [message["loss_weight"] for message in written["messages"]] == [0.0, 1.0]
