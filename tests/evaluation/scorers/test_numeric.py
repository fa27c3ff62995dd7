"""Numbers as people write them, and which one of an answer counts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.evaluation.scorers import NumericMatch
from finetune_lib.evaluation.scorers.quantities import Quantity, answered, quantities
from finetune_lib.records import Case


def score(answer, expected, **options):
    return NumericMatch(**options)(answer, Case("7", (), expected)).value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234.5", "1234.5"),
        ("１，２３４", "1234"),
        ("-5", "-5"),
        ("−7 度", "-7"),
        ("負5", "-5"),
        ("答案是-5元", "-5"),
        ("-$5", "-5"),
        ("NT$1,200", "1200"),
        ("3.5萬", "35000"),
        ("3百萬", "3000000"),
        ("2億5000萬", "250000000"),
        ("1万2000", "12000"),
        ("2.5 million", "2500000"),
        ("3千米", "3"),
        ("3/4", "0.75"),
        ("1½", "1.5"),
        ("1 1/2", "1.5"),
        (r"\frac{3}{4}", "0.75"),
        ("4分之3", "0.75"),
        ("四分之三", "0.75"),
        ("1.2e6", "1200000"),
        ("1.2×10⁶", "1200000"),
        ("10²", "100"),
        ("三百二十", "320"),
        ("一億零五萬", "100050000"),
        ("二〇二六", "2026"),
        ("壹仟伍佰", "1500"),
        ("三點一四", "3.14"),
        ("一定是三個", "3"),
        ("零下五度", "-5"),
        ("零下 5.5 度", "-5.5"),
        ("負五", "-5"),
        ("负 5", "-5"),
        ("－５", "-5"),
        ("答案是-五", "-5"),
        ("minus 5", "-5"),
        ("1万2", "12000"),
        ("1萬2千", "12000"),
        ("1萬05", "10005"),
        ("12萬5元", "125000"),
        ("3億5", "350000000"),
        ("三千五", "3500"),
        ("負三千五", "-3500"),
        ("三千零五", "3005"),
        ("兩萬五", "25000"),
        ("一百二十五", "125"),
        ("三萬一千", "31000"),
        ("二十一天", "21"),
        ("二十分鐘", "20"),
        ("十分之三", "0.3"),
        ("負四分之三", "-0.75"),
    ],
)
def test_a_number_is_read(text, value):
    found = answered(text)
    assert found is not None
    assert (found.value, found.percent) == (Decimal(value), False)


@pytest.mark.parametrize("text", ["25%", "２５％", "百分之25", "百分之二十五", "25 percent"])
def test_a_percentage_is_read(text):
    found = answered(text)
    assert (found.value, found.percent) == (25, True)


@pytest.mark.parametrize("text", ["-25%", "負百分之25", "負百分之二十五", "百分之負二十五"])
def test_a_percentage_below_0_is_read(text):
    found = answered(text)
    assert (found.value, found.percent) == (-25, True)


@pytest.mark.parametrize("text", ["", "none", "A12", "gpt4", "1/0", "一定", "十分好"])
def test_no_number_is_made_up(text):
    assert answered(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5 apples and 3 pears make 8", 8),
        ("It is 42, I think.\n#### 17", 17),
        ("#### 42 of 100", 42),
        (r"so \boxed{17}, since 3 + 14", 17),
        ("from 3-5", 5),
        ("5 - 3", 3),
        ("- 5 apples\n- 3 pears", 3),
        ("it went from 10 to - 3", -3),
    ],
)
def test_which_one_counts(text, value):
    assert answered(text).value == value


@given(st.integers(-(10**15), 10**15))
def test_integers_survive_every_writing(number):
    for written in (f"{number}", f"{number:,}", f"答案：{number:,}元"):
        assert answered(written).value == number


@given(st.text(max_size=200))
def test_any_text_can_be_read(text):
    assert all(value.value.is_finite() for value in quantities(text) if isinstance(value, Quantity))


def test_right_and_wrong_with_their_reason():
    told = NumericMatch()("大約 41 元", Case("7", (), "42"))
    assert (told.value, told.reason) == (0, "41 元 where 42 is expected")
    assert NumericMatch()("不知道", Case("7", (), "42")).reason == "no number in the answer"


def test_tolerances():
    assert score("41", "42") == 0
    assert score("41", "42", tolerance=1) == 1
    assert score("101", "100", relative=0.01) == 1
    assert score("102", "100", relative=0.01) == 0
    assert score("0.3", "0.1 + 0.2 = 0.3") == 1


@pytest.mark.parametrize(("answer", "expected"), [("25%", "0.25"), ("25%", "25"), ("0.25", "25%"), ("25", "25%")])
def test_a_percentage_on_one_side_may_mean_both(answer, expected):
    assert score(answer, expected) == 1


def test_two_percentages_mean_one_thing():
    assert score("0.25%", "25%") == 0


def test_long_identifiers_are_told_apart():
    assert score("9" * 40, "9" * 39 + "8") == 0
    assert score("9" * 40, "9" * 40) == 1


def test_a_case_without_a_number_is_no_score():
    with pytest.raises(ValueError, match="case 7 expects no number"):
        score("42", "many")
    with pytest.raises(ValueError, match="at least 0"):
        NumericMatch(tolerance=-1)


@pytest.mark.parametrize(
    "text", ["1" * 20_000, "**1" * 5_000, "answer is " * 5_000 + "5", "一個半" * 3_000, "1.2 " * 5_000]
)
def test_long_answers_are_read(text):
    assert score(text, "7") == 0
