"""Length, format, forbidden words, language and script."""

import pytest

from finetune_lib.evaluation.scorers import Forbids, Format, Length, SameLanguage, Script
from finetune_lib.records import Case, Message

CASE = Case("7", ())


def length(text, unit):
    return int(Length(min=0, unit=unit)(text, CASE).reason.split()[0])


@pytest.mark.parametrize(
    ("text", "unit", "count"),
    [
        (" 七天。\n", "characters", 3),
        ("Hello, don't worry 3.14 well-known", "words", 5),
        ("使用iPhone手機", "words", 5),
        ("", "words", 0),
        ("你好。請稍候！好嗎？", "sentences", 3),
        ("Hello there. It costs 3.5 dollars. Ok?", "sentences", 3),
        ("no stop", "sentences", 1),
        ("hello world", "tokens", 2),
    ],
)
def test_lengths(text, unit, count):
    assert length(text, unit) == count


def test_limits():
    assert Length(min=2, max=3)("三個字", CASE).value == 1
    assert Length(max=2)("三個字", CASE).reason == "3 characters, at most 2"
    assert Length(min=4)("三個字", CASE).reason == "3 characters, at least 4"
    assert Length(max=0)("", CASE).value == 1


@pytest.mark.parametrize("options", [{}, {"min": 3, "max": 2}, {"max": 3, "unit": "lines"}])
def test_limits_that_make_no_sense(options):
    with pytest.raises(ValueError, match=r"Length takes|unit is"):
        Length(**options)


@pytest.mark.parametrize(
    "text",
    ["# 標題", "這是**重點**", "```\ncode\n```", "`x`", "[a](b)", "- 一\n- 二", "| a | b |\n|---|---|", "> 引用"],
)
def test_markdown_is_seen(text):
    assert Format(no_markdown=True)(text, CASE).value == 0


@pytest.mark.parametrize("text", ["3 * 4 * 5 = 60", "snake_case_name", "第 1 點。\n1. 先登入", "a-b", "#標籤", "5 > 3"])
def test_plain_text_is_no_markdown(text):
    assert Format(no_markdown=True)(text, CASE).value == 1


def test_beginning_end_and_addresses():
    form = Format(starts_with="您好", ends_with="祝順心。", no_urls=True)
    assert form(" 您好，請稍候。祝順心。 ", CASE).value == 1
    assert form("您好，見 https://a.tw/b 祝順心。", CASE).reason == "it has the address https://a.tw/b"
    assert form("請稍候。", CASE).reason == "it does not start with '您好'; it does not end with '祝順心。'"
    with pytest.raises(ValueError, match="at least one"):
        Format()


def test_forbidden_words():
    assert Forbids(["保證", "guarantee"])("We guaranteed nothing.", CASE).value == 1
    assert Forbids(["保證", "guarantee"])("我們ＧＵＡＲＡＮＴＥＥ退款", CASE).value == 0
    assert Forbids("保證")("我們保證", CASE).reason == "it says '保證'"
    with pytest.raises(ValueError, match="at least one text"):
        Forbids(["", "x"])


def asked(prompt, expected=""):
    return Case("7", (Message(role="user", content=prompt),), expected)


@pytest.mark.parametrize(
    ("answer", "prompt", "same"),
    [
        ("七天。", "退貨期限是幾天？", 1),
        ("Seven days.", "退貨期限是幾天？", 0),
        ("退货期限是七天。", "退貨期限是幾天？", 0),
        ("請用 iPhone 的 Safari 開啟", "怎麼開啟？", 1),
        ("七日間です。", "何日ですか？", 1),
        ("七天", "何日ですか？", 0),
        ("7", "How many?", 0),
    ],
)
def test_the_language_is_kept(answer, prompt, same):
    assert SameLanguage()(answer, asked(prompt)).value == same


def test_the_expected_text_decides_before_the_question():
    assert SameLanguage()("你好", asked("Translate: hello", "您好")).value == 1
    with pytest.raises(ValueError, match="no letters"):
        SameLanguage()("x", asked("1 + 1", "2"))


@pytest.mark.parametrize(
    ("script", "answer", "right"),
    [
        ("zh-Hant", "請點選「設定」，再選 Wi-Fi。", 1),
        ("zh-Hant", "請點選「设定」。", 0),
        ("zh-Hans", "请点击“设置”。", 1),
        ("zh-Hans", "请点击「設置」。", 0),
        ("zh-Hant", "OK", 0),
        ("zh-Hant", "陶喆在台北", 1),
        ("zh-Hans", "陶喆在台北", 1),
        ("Han", "设定與設定", 1),
        ("Latin", "Hola", 1),
        ("Japanese", "お問い合わせください", 1),
    ],
)
def test_scripts(script, answer, right):
    assert Script(script)(answer, CASE).value == right


def test_an_unknown_script():
    with pytest.raises(ValueError, match="script is one of zh-Hant"):
        Script("Klingon")
