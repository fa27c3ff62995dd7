"""Exact match, contains, regular expressions, and the form in which texts are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.evaluation.scorers import Contains, ExactMatch, RegexMatch, normalised
from finetune_lib.records import Case


def case(expected="", **metadata):
    return Case("7", (), expected, metadata=metadata)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (" ＡＢＣ１ ", "abc1"),
        ("Straße", "STRASSE"),
        ("使用 iPhone 手機", "使用iPhone手機"),
        ("七\u3000天", "七天"),
        ("new\n  york", "New York"),
        ("㍿", "株式会社"),
    ],
)
def test_what_nobody_sees_does_not_count(one, other):
    assert ExactMatch()(one, case(other)) == 1


@pytest.mark.parametrize(("one", "other"), [("newyork", "new york"), ("退貨", "换货"), ("1.5", "15"), ("軟體", "软件")])
def test_what_differs_counts(one, other):
    assert ExactMatch()(one, case(other)) == 0


def test_scripts_are_the_same_only_when_asked():
    assert ExactMatch()("軟件。", case("软件")) == 0
    assert ExactMatch(script="same")("軟件。", case("软件")) == 1
    assert Contains(script="same")("請更新軟件再試", case("软件")) == 1


def test_texts_as_they_are():
    assert ExactMatch(normalize=False)("Yes", case("yes")) == 0
    assert ExactMatch(normalize=False)("yes", case("yes")) == 1


def test_any_of_several_right_answers():
    several = case("NYC", ideal=["NYC", "New York"])
    assert ExactMatch()("new york", several) == 1
    assert Contains()("It is New York.", several) == 1
    assert Contains(need="all")("It is New York.", several) == 0
    assert ExactMatch()("new york", case("NYC", places=["Boston", "New York"])) == 0


def test_own_texts_all_or_any():
    assert Contains(["退款", "七天"])("七天內退款", case()) == 1
    assert Contains(["退款", "七天"])("七天內退貨", case()) == 0
    assert Contains(["退款", "七天"], need="any")("七天內退貨", case()) == 1
    assert Contains("退款")("款退", case()) == 0  # one text, not its characters


def test_nothing_to_look_for_is_no_score():
    with pytest.raises(ValueError, match="case 7 has no expected text"):
        Contains()("anything", case(" "))


@pytest.mark.parametrize("options", [{"script": "Hant"}, {"need": "some"}])
def test_unknown_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        Contains("x", **options)


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    once = normalised(text)
    assert normalised(once) == once


def test_patterns():
    assert RegexMatch(r"^\d{4}-\d{2}$")("2026-11", case()) == 1
    assert RegexMatch(r"(?i)refund")("REFUND", case()) == 1
    assert RegexMatch(r"退\w")("換貨", case()) == 0


def test_a_bad_pattern_is_told_at_once():
    with pytest.raises(ValueError, match=r"'\(' is no regular expression: missing \)"):
        RegexMatch("(")


def test_a_pattern_that_never_ends_is_a_missing_score():
    with pytest.raises(ValueError, match="found no end"):
        RegexMatch(r"(a|aa)+$")("a" * 80 + "b", case())
