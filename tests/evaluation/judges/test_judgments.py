"""From single judgments to one preference a case."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import finetune_lib as ft
from finetune_lib.evaluation.judges import LEVELS, Judgment, preferences

MUCH, SLIGHTLY, TIE = "first_much_better", "first_slightly_better", "tie"
IDS = [str(number) for number in range(4)]


def judgment(case="1", *, first=True, level=None, judge="j", repeat=0, pair=("tuned", "base"), **more):
    return Judgment(case, *pair, judge, first, repeat, level, **more)


def both(one, other, **more):
    return [judgment(first=True, level=one, **more), judgment(first=False, level=other, **more)]


anything = st.lists(
    st.builds(
        judgment,
        st.sampled_from(IDS),
        first=st.booleans(),
        level=st.sampled_from([*LEVELS, None]),
        judge=st.sampled_from(["j", "k"]),
        repeat=st.integers(0, 2),
        pair=st.sampled_from([("tuned", "base"), ("base", "tuned"), ("tuned", "other")]),
    ),
    max_size=40,
)


class TestJudgment:
    @pytest.mark.parametrize(
        ("first", "level", "preference"),
        [
            (True, "first_much_better", 1.0),
            (True, "second_slightly_better", -0.5),
            (False, "first_much_better", -1.0),
            (False, "second_slightly_better", 0.5),
            (True, "tie", 0.0),
            (False, "both_bad", 0.0),
            (True, None, None),
        ],
    )
    def test_preference(self, first, level, preference):
        assert judgment(first=first, level=level).preference == preference

    def test_the_turned_pair(self):
        turned = judgment(first=True, level=MUCH).seen_from("base")
        assert (turned.candidate, turned.baseline, turned.candidate_first) == ("base", "tuned", False)
        assert (turned.preference, turned.for_the_first) == (-1.0, 1.0)

    def test_an_unknown_level(self):
        with pytest.raises(ValueError, match=r"first_much_better.*not 'A'"):
            judgment(level="A")


class TestPreferences:
    def test_both_orders_are_averaged(self):
        assert preferences(both(MUCH, TIE), ["1"], "tuned", "base") == (0.5,)

    def test_a_judge_that_always_takes_the_first_says_nothing(self):
        assert preferences(both(MUCH, MUCH), ["1"], "tuned", "base") == (0.0,)

    @pytest.mark.parametrize("pair", [[judgment(level=MUCH)], both(MUCH, None), both(None, None), []])
    def test_a_missing_order_is_a_missing_preference(self, pair):
        assert preferences(pair, ["1"], "tuned", "base") == (None,)

    def test_a_repeat_with_one_order_is_left_out(self):
        judgments = [*both(MUCH, "second_much_better"), *both(None, MUCH, repeat=1)]
        assert preferences(judgments, ["1"], "tuned", "base") == (1.0,)

    def test_each_judge_counts_alike_whatever_its_repeats(self):
        one = [pair for repeat in range(3) for pair in both(MUCH, "second_much_better", repeat=repeat)]
        other = both("second_much_better", MUCH, judge="k")
        assert preferences([*one, *other], ["1"], "tuned", "base") == (0.0,)
        assert preferences([*one, *other], ["1"], "tuned", "base", "k") == (-1.0,)
        assert preferences([*one, *other], ["1"], "tuned", "base", "nobody") == (None,)

    def test_judgments_of_the_turned_pair_alone(self):
        judgments = both(SLIGHTLY, "second_much_better", pair=("base", "tuned"))
        assert preferences(judgments, ["1"], "tuned", "base") == (-0.75,)

    def test_cases_or_their_ids_in_their_order(self):
        judgments = both(MUCH, "second_much_better", case="2")
        cases = [ft.Case(id, ()) for id in ("3", "2")]
        assert preferences(judgments, cases, "tuned", "base") == preferences(judgments, ["3", "2"], "tuned", "base")
        assert preferences(judgments, cases, "tuned", "base") == (None, 1.0)

    @given(anything)
    def test_the_other_side_sees_the_opposite(self, judgments):
        ours, theirs = preferences(judgments, IDS, "tuned", "base"), preferences(judgments, IDS, "base", "tuned")
        assert ours == tuple(None if value is None else -value for value in theirs)
        assert all(value is None or -1 <= value <= 1 for value in ours)

    @given(anything, st.randoms())
    def test_the_order_of_arrival_does_not_matter(self, judgments, source: random.Random):
        shuffled = source.sample(judgments, len(judgments))
        one, other = (preferences(found, IDS, "tuned", "base") for found in (judgments, shuffled))
        assert all(a == b or a == pytest.approx(b) for a, b in zip(one, other, strict=True))

    @given(st.sampled_from(LEVELS), anything)
    def test_other_pairs_change_nothing(self, level, judgments):
        others = [j for j in judgments if "other" in (j.candidate, j.baseline)]
        pair = both(level, level)
        assert preferences([*others, *pair], ["1"], "tuned", "base") == preferences(pair, ["1"], "tuned", "base")
