"""Whether one text says the opposite of another."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.files import SHARED

from finetune_lib.texts.polarity import opposed
from finetune_lib.texts.quantities import same_quantities

OPPOSED = [
    ("寵物可以進店嗎", "寵物不可以進店嗎"),
    ("未滿 18 歲可以申請嗎", "已滿 18 歲可以申請嗎"),
    ("身心障礙人士可以減免嗎", "身心障礙人士禁止減免嗎"),
    ("可以退換嗎", "不行退換嗎"),
    ("出發前多久可以改票", "出發後多久可以改票"),
    ("不需要發票怎麼辦", "需要發票怎麼辦"),
    ("最高可以借多少", "最低可以借多少"),
    ("沒有會員可以買嗎", "有會員可以買嗎"),
    ("怎麼開啟通知", "怎麼關閉通知"),
    ("能不能不付運費", "能不能付運費"),
    ("无法收到验证码", "可以收到验证码"),
    ("国内运费", "国外运费"),
    ("成年人可以買嗎", "未成年人可以買嗎"),
    ("超過 20 公斤要加錢嗎", "不到 20 公斤要加錢嗎"),
    ("Can I fly with a passport?", "Can I fly without a passport?"),
    ("Can I cancel before departure?", "Can I cancel after departure?"),
    ("How do I enable roaming?", "How do I disable roaming?"),
    ("How do I log in?", "How can I log out?"),
    ("Is smoking allowed?", "Is smoking forbidden?"),
    ("I can log in", "I cannot log in"),
    ("Do children under 12 pay?", "Do children over 12 pay?"),
    ("Is it possible to return?", "Is it impossible to return?"),
]
AGREED = [
    ("可以退嗎", "能不能退貨"),
    ("請問有沒有停車場", "你們有停車場嗎"),
    ("登不進去怎麼辦", "登入失敗怎麼處理"),
    ("不成功怎麼辦", "失敗怎麼辦"),
    ("不允許帶寵物嗎", "禁止帶寵物嗎"),
    ("貨到了沒？謝謝", "我的貨到了嗎"),
    ("不好意思，請問怎麼退", "怎麼退"),
    ("是不是可以退", "不是可以退嗎"),
    ("能休年假不？", "可以休年假吗"),
    ("商品多久會到？", "何時能送達呢"),
    ("Can I return it?", "Can't I return it?"),
    ("I can't log in", "I'm unable to log in"),
    ("My order hasn't arrived", "My order is late"),
    ("How do I pay?", "payment methods"),
    ("I don't know how to pay", "How do I pay?"),
    ("不曉得怎麼付款", "怎麼付款"),
    ("有沒有不含糖的", "無糖的有嗎"),
]
WORDS = st.lists(
    st.sampled_from(
        [
            "可以",
            "不",
            "不是",
            "沒有",
            "未",
            "前",
            "後",
            "退",
            "嗎",
            "before",
            "after",
            "not",
            "can't",
            "unable",
            "able",
            "on",
            "off",
            "log",
            "?",
            "\n",
        ]
    ),
    max_size=8,
)


@pytest.mark.parametrize(("one", "other"), OPPOSED)
def test_opposites(one, other):
    assert opposed(one, other)


@pytest.mark.parametrize(("one", "other"), AGREED)
def test_other_words_for_the_same(one, other):
    assert not opposed(one, other)


@given(WORDS.map(" ".join), WORDS.map(" ".join))
def test_it_is_symmetric_and_no_text_is_its_own_opposite(one, other):
    assert opposed(one, other) == opposed(other, one)
    assert not opposed(one, one)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared cases are not here")
def test_no_labelled_copy_is_opposed_and_nine_tenths_of_the_paraphrases_are_not():
    lines = (SHARED / "cases" / "together" / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    pairs = [pair for pair in map(json.loads, lines) if "noise" in pair["kind"] or "paraphrase" in pair["kind"]]
    wrong = [pair for pair in pairs if opposed(*(row["messages"][0]["content"] for row in (pair["a"], pair["b"])))]
    assert not [pair for pair in wrong if pair["label"] == "duplicate"]
    assert len(wrong) <= 0.1 * sum(pair["label"] == "variant" for pair in pairs)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("7 天內", "14 天內", False),
        ("７天內", "7 天內", True),
        ("七天", "十四天", False),
        ("7 天", "七十天", False),
        ("半年", "一年", False),
        ("二周", "兩週", True),
        ("一個人", "兩個人", False),
        ("一個人怎麼去", "自己怎麼去", True),
        ("第一次", "第二次", False),
        ("星期二", "星期三", False),
        ("十分好用", "很好用", True),
        ("滿 1,200 元", "滿一千二百元", True),
        ("2026 年", "二〇二六年", True),
        ("十萬元", "100000 元", True),
        ("1.5 kg", "15 kg", False),
        ("007", "7", False),
        ("two weeks", "three weeks", False),
        ("twenty-five days", "25 days", True),
        ("the third time", "the 3rd time", True),
        ("half a year", "a year", False),
        ("a year", "one year", True),
    ],
)
def test_quantities(one, other, same):
    assert same_quantities(one, other) == same
    assert same_quantities(other, one) == same
