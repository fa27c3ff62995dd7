"""In which script a text is, and of Chinese in which kind of characters."""

import json
import re
import tomllib
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.files import ROOT, SHARED

from finetune_lib.texts.scripts import language_for, language_of, told, varieties, variety, writing

FT = SHARED / "cases" / "ft"
SOURCE = ROOT / "src" / "finetune_lib" / "texts"
COMMON_IN = {"gb2312": b"\xd8", "cp950": b"\xc6\x7f"}  # where the first levels end
HONG_KONG = "請問開户後怎樣登入？税項、温度與脱機的説明，都寫着呢。"
TAIWAN = "恒春的涂先生生活拮据，妳買胜肽保養品給牠。"
MAINLAND = "毕昇发明活字印刷，哪吒闹海，宫商角徵羽，蒜薹炒肉，他彷徨。"


@cache
def lists():
    return tomllib.loads((SOURCE / "scripts.toml").read_text(encoding="utf-8"))


def common(encoding):
    every = "".join(map(chr, range(0x4E00, 0xA000))).encode(encoding, "ignore").decode(encoding)
    return {character for character in every if character.encode(encoding) < COMMON_IN[encoding]}


def test_the_characters_that_tell_are_those_of_the_rule():
    lines = (SOURCE / "hans.txt").read_text(encoding="utf-8").splitlines()
    forms = [line for line in lines if not line.startswith("#")]
    mainland, taiwan = common("gb2312"), common("cp950")
    simplified = (mainland - taiwan) & {line[0] for line in forms}
    traditional = (taiwan - mainland) & {other for line in forms for other in line[1:]}
    both = set(lists()["both"])
    assert both <= simplified | traditional
    assert set(lists()["simplified"]) == simplified - both
    assert set(lists()["traditional"]) == traditional - both


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("請問退票", "zh-Hant"),
        ("请问退票", "zh-Hans"),
        ("我的体重", "zh-Hans"),
        ("我的體重", "zh-Hant"),
        ("於七天內", "zh-Hant"),
        ("台北的里長和皇后", "zh-Hant"),
        ("請點選「设定」", "zh-Hant"),
        ("货 貨", None),
        ("你好", None),
        ("hello", None),
        ("", None),
        (HONG_KONG, "zh-Hant"),
        (TAIWAN, "zh-Hant"),
        (MAINLAND, "zh-Hans"),
    ],
)
def test_varieties_of_chinese(text, expected):
    assert variety(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("退货期限", ("zh-Hans",)),
        ("退貨期限", ("zh-Hant",)),
        ("退货和退貨", ("zh-Hant", "zh-Hans")),
        ("中文", ()),
        ("hello", ()),
        ("陶喆在演唱", ()),
        (HONG_KONG, ("zh-Hant",)),
        (TAIWAN, ("zh-Hant",)),
        (MAINLAND, ("zh-Hans",)),
    ],
)
def test_good_texts_show_no_character_of_the_other_kind(text, expected):
    assert varieties(text) == expected


def test_the_characters_that_tell_are_named_once():
    assert told("退货货貨") == {"zh-Hant": ("貨",), "zh-Hans": ("货",)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我要退 iPhone 15", "Han"),
        ("Where is my order?", "Latin"),
        ("Où est ma commande ?", "Latin"),
        ("返品はいつまで", "Japanese"),
        ("国会議事堂前駅の図書館へ来て", "Japanese"),
        ("乐队サカナクション是日本流行的音乐艺术家，成员包括山口一郎和岩寺基晴，他们来自北海道札幌。", "Han"),
        ("The song is called ありがとう and everybody in my class loves it.", "Latin"),
        ("伊恩·默瑟", "Han"),
        ("환불 기한", "Hangul"),
        ("Где мой заказ?", "Cyrillic"),
        ("123 !?", None),
        ("１２：３０", None),
    ],
)
def test_writings(text, expected):
    assert writing(text) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("退票要多久？請問",), "zh-Hant"),
        (("我要退 iPhone 的订单",), "zh-Hans"),
        (("你好",), "zh-Hant"),
        (("你好", "您好，请问需要什么？"), "zh-Hans"),
        (("12:30", "幾點起飛？"), "zh-Hant"),
        (("How do I say 請 in English?", "請"), "en"),
        (("返品はいつまで",), "en"),
        ((), "en"),
    ],
)
def test_the_language_to_answer_in(texts, expected):
    assert language_for(*texts) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Say 請 to be polite.", "zh-Hant"),
        ("会議は The word is いつまで", "ja"),
        ("你好", None),
        ("한국어 國語", "ko"),
        (f"{'x' * 3000}請", None),
    ],
)
def test_pages_name_the_language_of_the_east_asian_letters(text, expected):
    assert language_of(text) == expected


@given(st.text(alphabet="请請问問你好の한国國 aя。1", max_size=30), st.integers(2, 5))
def test_a_text_said_again_is_in_the_same_script(text, times):
    again = "\n".join([text] * times)
    assert (writing(again), variety(again), varieties(again)) == (writing(text), variety(text), varieties(text))


@pytest.mark.skipif(not FT.is_dir(), reason="the shared cases are not here")  # published data stay outside
@pytest.mark.parametrize("name", ["lf_alpaca_zh_demo.json", "lf_dpo_zh_demo.json"])
def test_published_simplified_texts(name):
    texts = re.findall(r'"((?:[^"\\]|\\.)*)"', (FT / name).read_text(encoding="utf-8"))
    found = [variety(json.loads(f'"{text}"')) for text in texts if writing(text) == "Han"]
    assert len(found) > 500
    assert found.count("zh-Hans") > 0.9 * len(found)
    assert found.count("zh-Hant") <= 3  # three texts of these files are in Traditional characters
