"""The one relation of rows: pairs with their right answers, both ways round, in any script."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.files import SHARED

import finetune_lib as ft
from finetune_lib.data.together import groups
from finetune_lib.data.together.rows import look
from finetune_lib.records import Case, Message

FEE = "可以減免，憑身心障礙證明至門市辦理，每月減免兩百元。"


def chat(*texts, **rest):
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)], **rest}


def shown(url):
    return [{"type": "text", "text": "這是什麼？"}, {"type": "image_url", "image_url": {"url": url}}]


def asked(text):
    return {"messages": [{"role": "user", "content": text}]}


RIGHT = {
    "manners": ("duplicate", chat("月租費可以減免嗎？", FEE), chat("請問月租費可不可以減免呢", FEE + "謝謝您！")),
    "another script": ("duplicate", chat("退貨期限是幾天？", "七天。"), chat("退货期限是几天", "7天")),
    "a typing slip": (
        "duplicate",
        chat("How do I cancel my subscription?", "Open Settings and choose Cancel."),
        chat("How can I cancel my subscripton", "Open settings and choose cancel."),
    ),
    "a paraphrase": ("variant", chat("身障人士的月租費可以減免嗎？", FEE), chat("領有身障證明，電話費有折扣嗎？", FEE)),
    "another answer": ("variant", chat("退貨期限是幾天？", "七天。"), chat("退貨期限是幾天？", "十四天。")),
    "another label to the same text": ("variant", chat("餐點很好吃", "正面"), chat("餐點很好吃", "負面")),
    "the same label to another text": ("different", chat("餐點很好吃", "正面"), chat("房間很乾淨", "正面")),
    "other numbers": (
        "template",
        chat("12 公斤的行李要多少錢？", "12 公斤要 240 元。"),
        chat("15 公斤的行李要多少錢？", "15 公斤要 300 元。"),
    ),
    "other names": (
        "template",
        chat("請查詢訂單 A123 的進度", "訂單 A123 已出貨。"),
        chat("請查詢訂單 B777 的進度", "訂單 B777 已出貨。"),
    ),
    "a negation": ("different", chat("月租費可以減免嗎？", FEE), chat("月租費不可以減免嗎？", "不可以，沒有優惠。")),
    "an opposite": (
        "different",
        chat("May I eat before the test?", "Yes, you may eat a light meal before the test."),
        chat("May I eat after the test?", "Yes, you may eat a light meal after the test."),
    ),
    "an operator": (
        "variant",
        chat("write a test for x < 3", "assert x < 3"),
        chat("write a test for x < 3", "assert x > 3"),
    ),
    "a general answer": (
        "different",
        chat("附近有銀行嗎？", "很抱歉，這個我無法回答，請撥打服務專線。"),
        chat("明天會下雨嗎？", "很抱歉，這個我無法回答，請撥打服務專線。"),
    ),
    "one instruction before different texts": (
        "different",
        chat("請翻譯成英文：我明天要去看牙醫。", "I am seeing the dentist tomorrow."),
        chat("請翻譯成英文：這家店的咖啡很香。", "The coffee here smells wonderful."),
    ),
    "a window of the same dialogue": (
        "variant",
        chat("我要退貨，訂單編號是 8812", "好的，請問商品有瑕疵嗎？"),
        chat("我要退貨，訂單編號是 8812", "好的，請問商品有瑕疵嗎？", "螢幕破了", "已為您安排收件。"),
    ),
    "later windows of the same dialogue": (
        "variant",
        chat("你好", "您好", "手機螢幕破了可以送修嗎", "可以，請攜帶購買證明至門市。", "要多久", "約七天。"),
        chat("手機螢幕破了可以送修嗎", "可以，請攜帶購買證明至門市。", "要多久", "約七天。", "謝謝", "不客氣"),
    ),
    "dialogues that share a greeting": (
        "different",
        chat("你好", "您好，很高興為您服務", "想改地址", "請提供訂單編號。"),
        chat("你好", "您好，很高興為您服務", "發票開錯了", "請提供統一編號。"),
    ),
    "asked inside a dialogue": (
        "variant",
        chat("請問運費由誰負擔呢？", "由我們負擔。"),
        chat("我要退貨", "好的。", "運費由誰負擔", "我們負擔。", "謝謝", "不客氣"),
    ),
    "without answers": ("duplicate", asked("退貨期限是幾天？"), asked("請問退貨期限是幾天呢")),
    "without answers, other questions": ("different", asked("退貨期限是幾天？"), asked("門市營業到幾點？")),
    "without answers, for other graders": (
        "variant",
        {**asked("17 + 25 = ?"), "reference": "42"},
        {**asked("17 + 25 = ?"), "reference": "43"},
    ),
    "plain text": ("different", {"text": "台北今天下雨"}, {"text": "高雄明天放晴"}),
    "no text": ("different", {"messages": []}, {"messages": []}),
    "under other instructions": (
        "variant",
        {"messages": [{"role": "system", "content": "用英文回答"}, *chat("你好嗎，今天好不好", "Fine.")["messages"]]},
        {"messages": [{"role": "system", "content": "語氣親切"}, *chat("你好嗎，今天好不好", "Fine.")["messages"]]},
    ),
    "other pictures": (
        "different",
        chat(
            [{"type": "text", "text": "這是什麼？"}, {"type": "image_url", "image_url": {"url": "https://a/1.png"}}],
            "貓",
        ),
        chat(
            [{"type": "text", "text": "這是什麼？"}, {"type": "image_url", "image_url": {"url": "https://a/2.png"}}],
            "貓",
        ),
    ),
}


@pytest.mark.parametrize(("kind", "x", "y"), RIGHT.values(), ids=list(RIGHT))
def test_pairs_have_their_relation_both_ways_round(kind, x, y):
    assert ft.relation(x, y).kind == kind
    assert ft.relation(y, x) == ft.relation(x, y)


def test_examples_cases_and_rows_are_compared():
    case = Case("1", (Message(role="user", content="請問退貨期限是幾天呢"),), "七天。")
    assert ft.relation(ft.Example({"prompt": "退貨期限是幾天？", "completion": "7 天"}), case).kind == "duplicate"
    assert ft.relation(case, Case("2", case.messages)).tells_the_answer


def labelled():
    folder = SHARED / "cases" / "together"
    files = ("pairs.jsonl", "adversarial.jsonl") if folder.is_dir() else ()
    return [
        (name, json.loads(line)) for name in files for line in (folder / name).read_text(encoding="utf-8").splitlines()
    ]


LABELLED = labelled()
ROWS = [pair[side] for _, pair in LABELLED for side in "ab"] or [row for _, *rows in RIGHT.values() for row in rows]
LEAST = {"pairs.jsonl": (0.97, 1.0, 0.97), "adversarial.jsonl": (1.0, 0.82, 1.0)}


@pytest.mark.skipif(not LABELLED, reason="the shared cases are not here")
@pytest.mark.parametrize("name", LEAST)
def test_labelled_pairs_reach_the_figures_of_the_rule(name):
    pairs = [pair for file, pair in LABELLED if file == name]
    kinds = [ft.relation(pair["a"], pair["b"]).kind for pair in pairs]

    def share(told, wanted, among):
        return sum(map(lambda t, w: t and w, told, wanted)) / sum(among)

    same, right_same = [kind == "duplicate" for kind in kinds], [pair["label"] == "duplicate" for pair in pairs]
    close, right_close = [kind != "different" for kind in kinds], [pair["label"] != "different" for pair in pairs]
    assert share(same, right_same, same) == 1.0
    recall, precision, close_recall = LEAST[name]
    assert share(same, right_same, right_same) >= recall
    assert share(close, right_close, close) >= precision
    assert share(close, right_close, right_close) >= close_recall


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(ROWS), st.sampled_from(ROWS))
def test_the_relation_is_symmetric_and_knows_no_script_or_width(x, y):
    told = ft.relation(x, y)
    assert ft.relation(y, x) == told
    wide = json.loads(json.dumps(x, ensure_ascii=False).replace("嗎", "吗").replace("？", "?").replace("請", "请"))
    assert ft.relation(wide, y).kind == told.kind


def test_plain_questions_form_groups():
    questions = ["退貨期限是幾天？", "運費由誰負擔？", "请问退货期限是几天", "可以退貨嗎？", "不可以退貨嗎？"]
    assert groups(questions) == [[0, 2]]
    assert groups([]) == []


def test_what_differs_place_by_place_in_a_text_that_repeats_itself_is_told_as_in_any():
    told = "本條所稱主管機關為交通部，應於{}日內公告之。"
    row = {"prompt": "第一條怎麼規定？", "completion": told.format(7) * 12}
    other = {"prompt": "第一條怎麼規定？", "completion": told.format(7) * 11 + told.format(14)}
    turned = {"prompt": "第一條怎麼規定？", "completion": told.format(7) * 11 + told.format(7).replace("應", "不")}
    assert ft.relation(row, other).kind == ft.relation(other, row).kind == "variant"
    assert ft.relation(row, turned).kind == ft.relation(turned, row).kind == "variant"
    assert ft.relation(row, dict(row)).kind == "duplicate"


def test_texts_of_few_words_and_unequal_length_are_told_as_any():
    """Their words are counted, where aligning them would take the square of their length."""
    few = random.Random(3)
    told = "".join(few.choices("是的沒錯好對", k=300))
    row = {"prompt": "第一條怎麼規定？", "completion": told}
    longer = {**row, "completion": "".join(few.choices("是的沒錯好對", k=330))}
    assert ft.relation(row, longer).kind == ft.relation(longer, row).kind == "variant"
    other = {"prompt": "運費由誰負擔？", "completion": longer["completion"]}
    assert ft.relation(row, other).kind == "different"
    turned = {**row, "completion": "".join(reversed(told))}  # the same words in another order
    assert ft.relation(row, turned).kind == "variant"


DIGITS = st.sampled_from(["7", "14", "2026", "七", "十四", "3.5", "12:30", "７"])
TOLD = st.sampled_from(["退貨期限是{}天", "at {} o'clock", "第{}條規定{}日內公告", "共 {} 元，分 {} 期"])


@settings(deadline=None, max_examples=200)
@given(TOLD, TOLD, st.lists(DIGITS, min_size=4, max_size=4), st.lists(DIGITS, min_size=4, max_size=4))
def test_duplicates_have_the_same_digits(asked, answered, these, those):
    x, y = (
        {"prompt": asked.format(*numbers[:2]), "completion": answered.format(*numbers[2:])}
        for numbers in (these, those)
    )
    if ft.relation(x, y).kind == "duplicate":
        assert look(x).digits == look(y).digits
