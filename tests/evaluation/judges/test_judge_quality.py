"""Whether a judge can be trusted: what is found, and what is said where there is nothing to find."""

from __future__ import annotations

import random

import pytest
from benchmarks.judge_bias import JUDGES, Run

import finetune_lib as ft
from finetune_lib.evaluation.judges import JudgeQuality, Judgment, Places

FIRST, SECOND = "first_much_better", "second_much_better"
OPPOSITE = {FIRST: SECOND, SECOND: FIRST, "tie": "tie"}


def pair(case, one, other, *, judge="j", **more):
    levels = {True: one, False: other}
    return [Judgment(str(case), "tuned", "base", judge, first, level=levels[first], **more) for first in levels]


def consistent(case, level, **more):
    return pair(case, level, OPPOSITE[level], **more)


def quality(pairs, **more):
    judgments = [judgment for judged in pairs for judgment in judged]
    ids = list(dict.fromkeys(judgment.case for judgment in judgments))
    return JudgeQuality.of(judgments, ids, "tuned", "base", **more)


def mixed(n, *, judge="j", wins=0.5, seed=1):
    source = random.Random(seed)
    return [consistent(case, FIRST if source.random() < wins else SECOND, judge=judge) for case in range(n)]


class TestNothingToFind:
    def test_no_judgment(self):
        found = JudgeQuality.of([], [], "tuned", "base")
        assert found == JudgeQuality("no judge")
        assert str(found) == "no judge: nothing was judged."
        assert (found.warnings, found.trusted, found.places.favoured, found.favoured_length) == ((), None, None, None)

    def test_all_missing(self):
        found = quality([pair(case, None, None, error="429") for case in range(5)], votes={"1": 1.0})
        assert (found.asked, found.missing, found.places, found.win_rate) == (10, 10, Places(), None)
        assert found.warnings == (
            "j: 0 pairs of answers judged in both orders; 10 of 10 calls gave no verdict. What is missing may decide.",
        )

    def test_ties_only(self):
        lengths = {(name, str(case)): len(name) + case for case in range(30) for name in ("tuned", "base")}
        votes = {str(case): 0.0 for case in range(30)}
        found = quality([consistent(case, "tie") for case in range(30)], lengths=lengths, votes=votes)
        assert found.places.consistency.value == 1.0
        assert (found.places.first, found.places.favoured, found.length, found.people) == (None, None, None, None)
        assert found.win_rate.value == 0.5
        assert found.warnings == ()

    def test_one_case(self):
        found = quality([consistent(1, FIRST)], votes={"1": 1.0}, lengths={("tuned", "1"): 5, ("base", "1"): 2})
        assert (found.places.pairs, found.length, found.corrected) == (1, None, None)
        assert found.trusted in (None, False)
        assert str(found)

    def test_identical_answers_are_no_sign_of_a_good_judge(self):
        same = [pair(case, "tie", "tie", asked=False) for case in range(50)]
        found = quality([*same, *[pair(f"x{n}", FIRST, FIRST) for n in range(10)]])
        assert (found.asked, found.places.pairs, found.places.consistency.value) == (20, 10, 0.0)
        assert found.win_rate.n == 60


class TestPlaces:
    def test_a_judge_that_takes_the_first_place(self):
        found = quality([*mixed(50), *[pair(f"x{n}", FIRST, FIRST) for n in range(20)]])
        assert (found.places.first_both, found.places.second_both) == (20, 0)
        assert found.places.favoured == "first"
        assert "It favours the first answer (p < 0.001)" in found.warnings[0]
        assert found.places.consistency.value == pytest.approx(50 / 70)

    def test_a_judge_that_takes_the_second_place(self):
        found = quality([*mixed(50), *[pair(f"x{n}", SECOND, SECOND) for n in range(20)]])
        assert found.places.favoured == "second"
        assert found.places.first.value < 0.5

    def test_a_clear_winner_is_no_bias(self):
        found = quality(mixed(100, wins=1.0))
        assert (found.places.favoured, found.places.consistency.value, found.places.first.value) == (None, 1.0, 0.5)
        assert found.win_rate.value == 1.0
        assert found.warnings == ()

    def test_half_a_bias_leans_too(self):
        found = quality([pair(case, FIRST, "tie") for case in range(20)])
        assert (found.places.first_both, found.places.favoured) == (0, "first")
        assert found.places.consistency.value == 0.0
        assert any("order decides more" in warning for warning in found.warnings)

    def test_strength_is_no_inconsistency(self):
        found = quality([pair(case, FIRST, "second_slightly_better") for case in range(20)])
        assert (found.places.consistency.value, found.places.favoured) == (1.0, None)

    def test_repeats_are_one_pair(self):
        judged = [[*consistent(case, FIRST), *consistent(case, FIRST, repeat=1)] for case in range(5)]
        assert (quality(judged).asked, quality(judged).places.pairs, quality(judged).win_rate.n) == (20, 5, 5)


class TestLength:
    def lengths(self, pairs, apart):
        return {
            (name, str(case)): 100 + (apart[case] if name == "tuned" else 0)
            for case in pairs
            for name in ("tuned", "base")
        }

    def test_the_longer_always_wins(self):
        """A logit has no finite answer to that: it must be told all the same, and without a warning of the library."""
        apart = [(-1) ** case * (10 + case) for case in range(60)]
        judged = [consistent(case, FIRST if apart[case] > 0 else SECOND) for case in range(60)]
        found = quality(judged, lengths=self.lengths(range(60), apart))
        assert found.favoured_length == "longer"
        assert found.length.controlled.value == pytest.approx(0.5, abs=0.05)
        assert "It favours longer answers" in found.warnings[0]

    def test_the_shorter_wins(self):
        source = random.Random(3)
        apart = [source.gauss(0, 50) for _ in range(80)]
        judged = [consistent(case, FIRST if apart[case] + source.gauss(0, 30) < 0 else SECOND) for case in range(80)]
        assert quality(judged, lengths=self.lengths(range(80), apart)).favoured_length == "shorter"

    def test_all_of_one_length_or_unknown(self):
        assert quality(mixed(50), lengths=self.lengths(range(50), [0] * 50)).length is None
        assert quality(mixed(50), lengths={("tuned", "1"): 5}).length is None


class TestPanelAndPeople:
    def test_a_panel(self):
        one, other = mixed(60, judge="a"), mixed(60, judge="b")
        found = quality([*one, *other])
        assert found.judge == "a + b"
        assert found.panel.value == pytest.approx(1.0)
        assert quality([*one, *other], judge="a").panel is None
        assert quality([*one, *mixed(60, judge="b", seed=2)]).panel.low < 0.5

    def votes(self, judged, right, n):
        source = random.Random(5)
        sides = {j.case: j.preference for both in judged[:n] for j in both}
        return {case: side if source.random() < right else -side for case, side in sides.items()}

    @pytest.mark.parametrize(("right", "n", "trusted"), [(0.97, 100, True), (0.6, 100, False), (1.0, 30, False)])
    def test_the_gate(self, right, n, trusted):
        judged = mixed(200)
        found = quality(judged, votes=self.votes(judged, right, n))
        assert found.people.n == n
        assert found.trusted is trusted
        assert any("headline must not rest" in warning for warning in found.warnings) is not trusted

    def test_people_correct_the_win_rate(self):
        """The judge gives every third loss away; people see 60 of 300 cases."""
        source = random.Random(9)
        truth = [source.random() < 0.4 for _ in range(300)]
        judged = [consistent(case, FIRST if win or case % 3 == 0 else SECOND) for case, win in enumerate(truth)]
        found = quality(
            judged, votes={str(case): 1.0 if truth[case] else -1.0 for case in source.sample(range(300), 60)}
        )
        actual = sum(truth) / 300
        assert found.win_rate.low > actual
        assert found.corrected.low < actual < found.corrected.high

    def test_votes_on_every_case_are_the_answer(self):
        found = quality(mixed(40), votes={str(case): 1.0 for case in range(40)})
        assert (found.corrected.value, found.corrected.n) == (1.0, 40)

    def test_too_few_votes_correct_nothing(self):
        assert quality(mixed(40), votes={"1": 1.0, "unknown": 1.0}).corrected is None


def test_clusters_of_cases_widen_the_interval():
    cases = [ft.Case(str(n), (), cluster=str(n // 10)) for n in range(100)]
    level = {c.id: FIRST if int(c.cluster) % 3 else SECOND for c in cases}
    judgments = [judgment for case in cases for judgment in consistent(case.id, level[case.id])]
    alone = JudgeQuality.of(judgments, [case.id for case in cases], "tuned", "base").win_rate
    together = JudgeQuality.of(judgments, cases, "tuned", "base").win_rate
    assert together.high - together.low > alone.high - alone.low


def test_cases_that_are_left_out_count_nowhere():
    judgments = [judgment for both in [*mixed(5), pair("leaked", FIRST, FIRST)] for judgment in both]
    found = JudgeQuality.of(judgments, [str(n) for n in range(5)], "tuned", "base")
    assert (found.asked, found.places.pairs, found.places.first_both) == (10, 5, 0)


@pytest.mark.parametrize(
    ("judge", "place", "length"),
    [(0, False, False), (1, True, False), (2, True, False), (3, False, True), (4, True, True)],
)
def test_planted_biases_are_found_and_nothing_else(judge, place, length):
    """40 golden sets of 100 cases; where nothing is planted, one in twenty is found all the same."""
    runs = [Run.of(JUDGES[judge], 100, seed) for seed in range(40)]
    for planted, found in ((place, [run.place for run in runs]), (length, [run.length for run in runs])):
        assert sum(found) >= 38 if planted else sum(found) <= 5
    one_order, both, _ = (sum(errors) / len(runs) for errors in zip(*(run.errors for run in runs), strict=True))
    if place and not length:
        assert abs(both) < 0.01 < 0.08 < abs(one_order)
