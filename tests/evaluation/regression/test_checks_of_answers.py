"""What a case of a suite may ask of an answer."""

from __future__ import annotations

import pytest

import finetune_lib as ft
from finetune_lib.evaluation.regression import AsAsked, suite_of


def scored(check, answer, expected=""):
    return AsAsked()(answer, ft.Case("7", (), expected, metadata={"check": check}))


@pytest.mark.parametrize(
    ("check", "expected", "right", "wrong"),
    [
        ({"number": True}, "1,020", "一共 1020 元", "一共 1200 元"),
        ({"json": True}, '{"a": 1}', '```json\n{"a": 1}\n```', '{"a": 2}'),
        ({"exact": True}, "機場", "机场。", "機場在哪"),
        ({"contains": ["東海", "黃海"]}, "x", "黃海和东海", "東海"),
        ({"any": ["週三", "星期三"], "whole": False}, "x", "每周三下午", "每週五"),
        ({"contains": ["學校"], "script": None}, "x", "在學校", "在学校"),
        ({"choice": ["正面", "負面"]}, "負面", "這是負面的。", "正面"),
        ({"regex": ["^[^一-鿿]+$", "12"]}, "x", "12 months", "12 個月"),
        ({"number": True, "forbids": ["miles"]}, "42", "42 km", "42 km or 26 miles"),
        ({"contains": ["雨"], "length": {"max": 5}}, "x", "因為下雨", "因為今天早上下了雨"),
        ({"contains": ["手機"], "writing": "zh-Hant"}, "x", "手機號碼", "手機号码"),
        ({"declines": True}, "x", "很抱歉，我不知道。", "她叫小花。"),
        ({"declines": False}, "x", "她叫小花。", "我不知道。"),
    ],
)
def test_each_check(check, expected, right, wrong):
    assert scored(check, right, expected).value == 1
    assert scored(check, wrong, expected).value == 0
    assert next(iter(check)) in scored({**check}, wrong, expected).reason or len(check) > 1


def test_without_a_check_the_expected_text_is_looked_for():
    assert scored(None, "答案：桃園機場", "桃园机场").value == 1
    assert scored(None, "松山機場", "桃園機場").value == 0


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ({"nummer": True}, "nummer is none of number, json"),
        ({"regex": ["("]}, "regular expression"),
        ({"length": {"most": 3}}, "check of case 1"),
        ("{", "check of case 1"),
    ],
)
def test_a_check_that_cannot_be_is_named_before_anything_is_asked(check, said):
    suite = ft.GoldenSet((ft.Case("1", (), "x", metadata={"check": check}), ft.Case("2", (), "y")), name="own")
    with pytest.raises(ft.DataError, match=said) as raised:
        suite_of(suite)
    assert str(raised.value).startswith("own:")


def test_a_case_that_asks_nothing_is_named():
    with pytest.raises(ft.DataError, match="case 1 has neither an expected answer nor a check"):
        suite_of(ft.GoldenSet((ft.Case("1", ()),)))
