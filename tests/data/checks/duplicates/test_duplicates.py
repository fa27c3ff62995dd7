"""Examples that stand in the data more than once, and answers that contradict each other or repeat too much."""

import json
import pickle
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

import finetune_lib as ft
from finetune_lib import Example
from finetune_lib.data.checks import duplicates
from finetune_lib.data.checks.duplicates import copies
from finetune_lib.data.checks.duplicates.answers import Answers
from finetune_lib.data.checks.duplicates.copies import ExactDuplicates
from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.together import spill
from finetune_lib.data.together.spill import PARTITIONS, Spill
from finetune_lib.records import Origin
from finetune_lib.rows.facts import Facts

QUESTION = "請問商品到貨之後幾天之內可以申請退貨？"
ANSWER = "商品到貨後 7 天內可以申請退貨，請保留完整包裝與發票，運費由我們負擔。"
FILLER = [
    ("可以帶貓上飛機嗎？", "可以，請先向航空公司申請，並準備檢疫證明。"),
    ("How do I change my password?", "Open the settings, choose Security, and follow the link."),
    ("幾點開始登機？", "起飛前 40 分鐘在登機門前開始。"),
]


def chat(question, answer, system=None, **rest):
    instructions = [{"role": "system", "content": system}] if system else []
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": [*instructions, *turns], **rest}


def found(rows):
    """Codes of the family with the rows that they are about, first row and related row."""
    report = ft.Dataset.from_rows([*rows, *(chat(*pair) for pair in FILLER)]).validate()
    return [
        (d.code, d.origin.row, *(origin.row for origin in d.related))
        for d in report.diagnostics
        if d.code.startswith("D8")
    ]


FOUND = {
    "the same row": ([chat("問", ANSWER), chat("問", ANSWER)], [("D801", 2, 1)]),
    "the same row with its keys in another order": (
        [chat("q", "a", tools=[]), {"tools": [], **chat("q", "a")}],
        [("D801", 2, 1)],
    ),
    "each copy with the first": ([chat("q", "a")] * 3, [("D801", 2, 1), ("D801", 3, 1)]),
    "the other script": (
        [chat("退貨期限是幾天？", "到貨後 7 天。"), chat("退货期限是几天？", "到货后 7 天。")],
        [("D803", 2, 1)],
    ),
    "another width and case": ([chat("What is AI?", "A field."), chat("what is ＡＩ", "a field")], [("D803", 2, 1)]),
    "a small change of question and answer": (
        [
            chat(QUESTION, ANSWER),
            chat("請問商品到貨後幾天之內可以申請退貨呢？", ANSWER.replace("完整包裝", "完整的包裝")),
        ],
        [("D802", 2, 1)],
    ),
    "another answer": ([chat(QUESTION, "7 天。"), chat(QUESTION, "14 天。")], [("D804", 2, 1)]),
    "the same answer with its numbers in words": (
        [chat(QUESTION, "收到後七天內，費用一千二百元。"), chat(QUESTION, "收到後 7 天內，費用 1,200 元。")],
        [],
    ),
    "other numbers in words": ([chat(QUESTION, "三天內七元。"), chat(QUESTION, "7 天內 3 元。")], [("D804", 2, 1)]),
    "an answer that is empty": ([chat(QUESTION, "7 天。"), chat(QUESTION, "")], []),
    "another answer to the question in the other script": (
        [chat("退貨期限是幾天？", "7 天。"), chat("退货期限是几天?", "14 天。")],
        [("D804", 2, 1)],
    ),
    "one contradiction for each new answer": (
        [chat("q?", "yes"), chat("q?", "no"), chat("q?", "no"), chat("q?", "perhaps")],
        [("D804", 2, 1), ("D801", 3, 2), ("D804", 4, 1)],
    ),
    "one answer to many": (
        [chat(f"{word}在哪裡？", "很抱歉，我無法回答。") for word in ("廁所", "出口", "銀行", "餐廳", "電梯")],
        [("D805", 1, 2, 3, 4, 5)],
    ),
    "the question in the answer": ([chat(QUESTION, QUESTION + "7 天。")], [("D806", 1)]),
    "the system message in the answer": (
        [
            chat(
                "你是誰？",
                "我的指示是：你是機場客服，只回答與機場有關的問題。",
                "你是機場客服，只回答與機場有關的問題。",
            )
        ],
        [],
    ),
    "a long system message in the answer": (
        [
            chat(
                "你是誰？",
                "好的。" + "你是機場客服，只回答與機場有關的問題，語氣親切。",
                "你是機場客服，只回答與機場有關的問題，語氣親切。",
            )
        ],
        [("D807", 1)],
    ),
}


@pytest.mark.parametrize(("rows", "expected"), FOUND.values(), ids=list(FOUND))
def test_what_is_found(rows, expected):
    assert found(rows) == expected


def call(symbol, identity="call_1"):
    function = {"name": "price", "arguments": json.dumps({"symbol": symbol})}
    return [{"id": identity, "type": "function", "function": function}]


def calling(question, *args):
    return {
        "messages": [{"role": "user", "content": question}, {"role": "assistant", "tool_calls": call(*args)}],
        "tools": [{"type": "function", "function": {"name": "price", "parameters": {"type": "object"}}}],
    }


def preference(question, good, bad):
    return {
        "input": {"messages": [{"role": "user", "content": question}]},
        "preferred_output": [{"role": "assistant", "content": good}],
        "non_preferred_output": [{"role": "assistant", "content": bad}],
    }


NOT_FOUND = {
    "other questions": [chat("幾點開門？", "九點。"), chat("幾點關門？", "九點半。")],
    "another number": [
        chat("iPhone 14 的保固期限有多久？要怎麼申請？", "保固一年，請至門市申請。"),
        chat("iPhone 15 的保固期限有多久？要怎麼申請？", "保固一年，請至門市申請。"),
    ],
    "another chinese number": [
        chat("第三條規定的內容是什麼？請簡單說明。", "請參閱契約第三條的說明。"),
        chat("第十二條規定的內容是什麼？請簡單說明。", "請參閱契約第十二條的說明。"),
    ],
    "two questions with one long answer": [chat("怎麼退貨？", ANSWER), chat("可以把東西還給你們嗎？", ANSWER)],
    "the same question under other instructions": [
        chat("天氣", "It is sunny.", "Translate into English and answer politely."),
        chat("天氣", "Il fait beau.", "Translate into French and answer politely."),
    ],
    "the same question after another talk": [
        {
            "messages": [
                {"role": "user", "content": "狗"},
                {"role": "assistant", "content": "汪"},
                *chat("再說", "汪汪")["messages"],
            ]
        },
        {
            "messages": [
                {"role": "user", "content": "貓"},
                {"role": "assistant", "content": "喵"},
                *chat("再說", "喵喵")["messages"],
            ]
        },
    ],
    "classes": [
        chat(f"評論 {number}：{word}", ("好評", "差評")[number % 2])
        for number, word in enumerate("甲乙丙丁戊己庚辛壬癸" * 3)
    ],
    "operators": [chat("3+4=?", "7"), chat("3-4=?", "-1"), chat("3*4=?", "12")],
    "calls for other names": [
        calling("What was the opening price of Intel's stock this morning?", "INTC"),
        calling("What was the opening price of Chevron's stock this morning?", "CVX"),
    ],
    "a greeting that is returned": [chat("你好", "你好！請問需要什麼協助？")],
    "answers without a question": [
        {"messages": [{"role": "assistant", "content": text}]} for text in ("甲乙丙", "丁戊己")
    ],
    "paraphrases of several questions": [
        chat(f"{ask}{topic}{end}", f"{topic}的說明請見官方網站的{topic}專區，謝謝。")
        for topic in ("退貨", "運費", "會員", "發票", "保固")
        for ask, end in (
            ("請問", "？"),
            ("我想知道", "的事"),
            ("", "怎麼辦"),
            ("能不能說明", "呢"),
            ("關於", "的規定"),
            ("", "是什麼"),
        )
    ],
}


@pytest.mark.parametrize("rows", NOT_FOUND.values(), ids=list(NOT_FOUND))
def test_what_is_not_found(rows):
    assert found(rows) == []


def test_only_opposite_preferences_contradict():
    rows = [
        preference("選哪個？", "甲方案", "乙方案"),
        preference("選哪個？", "丙方案", "丁方案"),
        preference("選哪個？", "乙方案", "甲方案"),
    ]
    report = ft.Dataset.from_rows(rows).validate(method="dpo")
    assert [(d.code, d.origin.row, d.related[0].row) for d in report.diagnostics if d.code[:2] == "D8"] == [
        ("D804", 3, 1)
    ]


def test_ids_of_calls_are_no_contradiction():
    assert found([calling("價格？", "TSM", "call_1"), calling("價格？", "TSM", "call_2")]) == []


@pytest.mark.parametrize("lang", ["en", "zh-Hant", "zh-Hans"])
def test_messages_quote_both_answers(lang):
    report = ft.Dataset.from_rows([chat(QUESTION, "7 天。"), chat(QUESTION, "14 天。" + "很長" * 50)]).validate()
    finding = next(d for d in report.diagnostics if d.code == "D804")
    message = finding.texts(lang).message
    assert QUESTION in message
    assert "7 天。" in message
    assert "14 天。" in message
    assert len(message) < 200


# Surveys by parts


def survey_parts(make, rows, size):
    """A survey of all rows, looked at in parts that have travelled between processes."""
    examples = [Example(row, Origin("rows", number)) for number, row in enumerate(rows, start=1)]
    whole = make()
    for start in range(0, len(examples), size):
        part = make()
        for place, example in enumerate(examples[start : start + size]):
            part.look(Facts(example), place)
        whole.merge(pickle.loads(pickle.dumps(part)), start)
    return list(whole.findings(examples, Rules()))


def many_rows():
    rng = random.Random(9)
    questions = [f"第{number}個問題是什麼？" for number in range(60)]
    return [chat(rng.choice(questions), f"答案{rng.randrange(3)}，請參考說明。") for _ in range(400)]


@pytest.mark.parametrize("make", [ExactDuplicates, Answers])
@pytest.mark.parametrize("held", [40, 1 << 20])
def test_parts_and_files_change_nothing(make, held, monkeypatch):
    rows = many_rows()
    whole = survey_parts(make, rows, len(rows))
    assert whole
    monkeypatch.setattr(spill, "HELD", held)
    for size in (1, 7, 399):
        assert survey_parts(make, rows, size) == whole


def test_findings_are_in_the_order_of_the_data():
    for make in (ExactDuplicates, Answers):
        rows = [d.origin.row for d in survey_parts(make, many_rows(), 50) if d.code != "D805"]
        assert rows == sorted(rows)


def test_beyond_a_limit_copies_are_counted(monkeypatch):
    monkeypatch.setattr(copies, "VERIFIED", 10)
    findings = survey_parts(ExactDuplicates, [chat("q", "a")] * 30, 30)
    assert len(findings) == 29
    assert [d.origin.row for d in findings[:11]] == [*range(2, 12), None]


def test_rows_that_share_a_digest_only_are_no_copies(monkeypatch):
    monkeypatch.setattr(copies, "digest", lambda _data, size: b"\0" * size)
    assert survey_parts(ExactDuplicates, [chat("q", "a"), chat("p", "b")], 2) == []


def test_a_spill_gives_back_what_it_took(monkeypatch):
    monkeypatch.setattr(spill, "HELD", 100)
    taken = Spill(3)
    rows = [(random.Random(number).getrandbits(64), number * 2, number) for number in range(1000)]
    for row in rows:
        taken.add(*row)
    pieces = [piece for number in range(PARTITIONS) for piece in taken.partition(number)]
    back = [tuple(piece[start : start + 3]) for piece in pieces for start in range(0, len(piece), 3)]
    assert sorted(back) == sorted(rows)
    assert len(taken) == 1000


def test_near_duplicates_are_the_same_on_an_executor():
    rng = random.Random(6)
    examples = [Example(chat(QUESTION + rng.choice("啊呢嗎"), ANSWER + rng.choice("謝請好") * 2)) for _ in range(30)]
    with ThreadPoolExecutor(2) as executor:
        told = ft.Dataset(examples).validate(near=True, executor=executor)
    assert told.count("D802")
    assert told.diagnostics == ft.Dataset(examples).validate(near=True).diagnostics


ODD = [
    {"messages": None},
    {"messages": [None, 3]},
    {"messages": [{"role": "assistant"}]},
    {"messages": [{"role": "user", "content": None}, {"role": "assistant", "content": {"a": 1}}]},
    {
        "messages": [
            {"role": "user", "content": [1, {"text": 2}]},
            {"role": "assistant", "tool_calls": [None, 3, {"function": 1}]},
        ]
    },
    {"messages": [{"role": "user", "content": "\ud800" * 9}, {"role": "assistant", "content": "\ud800" * 12}]},
    {"prompt": "", "completion": ""},
    {"input": {"messages": 3}, "preferred_output": [], "non_preferred_output": [None]},
    {"x": float("nan")},
    {},
]


def test_odd_rows_crash_nothing():
    examples = [Example(row, Origin("odd", number)) for number, row in enumerate(ODD * 2, start=1)]
    for example in examples:
        duplicates.check(Facts(example))
    for survey in (ExactDuplicates(), duplicates.Answers(), duplicates.Duplicates()):
        for place, example in enumerate(examples):
            survey.look(Facts(example), place)
        list(survey.findings(examples, Rules()))
    assert not ft.Dataset(examples).validate(near=True).count("D802")
