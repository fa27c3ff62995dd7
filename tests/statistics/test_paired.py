import json
import random
import subprocess
import sys

import numpy
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_lib.statistics import (
    equivalence,
    mean_score,
    paired_difference,
    paired_metric,
    tally,
    win_rate,
    worst_case,
)

MAIZE = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75]
# The first call imports scipy, which takes longer than an example may.
PATIENT = settings(deadline=None)
verdicts = st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=60)
shares = st.lists(st.sampled_from([0, 0.25, 0.5, 0.7, 1]), min_size=1, max_size=25)


def agresti():
    """Agresti, Categorical Data Analysis, table 10.1: 1,600 people asked twice."""
    first = [1] * 794 + [1] * 150 + [0] * 86 + [0] * 570
    second = [1] * 794 + [0] * 150 + [1] * 86 + [0] * 570
    return second, first


def test_agrestis_approval_ratings():
    """Published: -0.04, standard error 0.0095, 95 % interval (-0.06, -0.02), z -4.17."""
    found = paired_difference(*agresti())
    assert found.value == pytest.approx(-0.04)
    assert round(found.standard_error, 4) == 0.0095
    assert (round(found.low, 2), round(found.high, 2)) == (-0.06, -0.02)
    assert found.low == pytest.approx(-0.0587, abs=2e-4)
    assert found.high == pytest.approx(-0.0213, abs=2e-4)
    assert found.statistic == pytest.approx(-4.1660, abs=5e-5)
    assert found.p == pytest.approx(2.893e-5, rel=0.2)


def test_darwins_maize_pairs():
    """Published: t = 2.148, p = 0.0497 if nothing unseen is allowed for; so many heights rule out no rare loss."""
    found = paired_difference(MAIZE, [0] * 15)
    assert found.value == pytest.approx(314 / 15)
    assert found.statistic == pytest.approx(2.148, abs=5e-4)
    assert found.p > 0.0497
    assert found.low < 0
    assert found.n == 15
    assert "scale -67 to 75 as seen" in found.method


def test_many_graded_scores_agree_with_the_t_test():
    first = [(i * 37 % 101) / 100 for i in range(400)]
    second = [(i * 53 % 89) / 100 for i in range(400)]
    found = paired_difference(first, second)
    from scipy.stats import ttest_rel

    plain = ttest_rel(first, second)
    assert found.p == pytest.approx(plain.pvalue, abs=0.01)
    assert found.low == pytest.approx(plain.confidence_interval().low, abs=0.003)
    assert found.high == pytest.approx(plain.confidence_interval().high, abs=0.003)


def test_a_set_without_any_difference_keeps_an_honest_interval():
    found = paired_difference([1] * 20, [1] * 20)
    assert (found.value, found.p) == (0.0, 1.0)
    assert found.low < -0.05 < 0.05 < found.high


def test_all_won_has_an_interval_that_ends_at_one():
    for n in (20, 2000):
        found = paired_difference([1] * n, [0] * n)
        assert 0.7 < found.low < found.high == 1.0


@pytest.mark.parametrize(("score", "p"), [(1, 0.666667), (0.2, 0.919155), (0, 1.0)])
def test_one_item_shows_nothing(score, p):
    found = paired_difference([score], [0])
    assert found.low < 0 < found.high
    assert (found.p, found.n, found.standard_error) == (pytest.approx(p, abs=1e-6), 1, None)
    assert (found.low, found.high) == (-1, 1)
    assert paired_difference([score], [0], ["x"]) == found


def test_five_wins_of_five_are_enough_and_four_are_not():
    five, four = paired_difference([1] * 5, [0] * 5), paired_difference([1] * 4, [0] * 4)
    assert (five.low > 0, five.p < 0.05) == (True, True)
    assert (four.low > 0, four.p < 0.05) == (False, False)


def test_differences_that_are_equal_but_for_float_noise_have_an_interval():
    first = [number / 100 + 0.1 for number in range(40)]
    found = paired_difference(first, [number / 100 for number in range(40)])
    assert found.value == pytest.approx(0.1)
    assert 0 < found.low < 0.1 < found.high


def test_percentages_and_shares_tell_the_same():
    a, b = [1, 0, 1, 1, 0, 1, 1], [0, 0, 1, 0, 1, 0, 0]
    one, hundred = paired_difference(a, b), paired_difference([100 * x for x in a], [100 * x for x in b])
    assert hundred.p == pytest.approx(one.p)
    assert [hundred.low, hundred.high] == pytest.approx([100 * one.low, 100 * one.high])


@pytest.mark.parametrize(("a", "b"), [([], []), ([1], [1, 0])])
def test_unpaired_scores_are_refused(a, b):
    with pytest.raises(ValueError, match="equal numbers"):
        paired_difference(a, b)


@pytest.mark.parametrize("bad", [float("nan"), None, float("inf"), "1"])
def test_a_score_that_is_no_number_is_named_with_its_place(bad):
    with pytest.raises(ValueError, match=r"a\[2\] = .*worst_case"):
        paired_difference([0, 1, bad], [0, 0, 0])


@PATIENT
@given(verdicts)
def test_swapping_the_sides_mirrors_the_estimate(signs):
    a, b = [max(d, 0) for d in signs], [max(-d, 0) for d in signs]
    one, other = paired_difference(a, b), paired_difference(b, a)
    assert one.p == pytest.approx(other.p)
    assert [one.value, one.low, one.high] == pytest.approx([-other.value, -other.high, -other.low])
    assert -1 <= one.low <= one.value <= one.high <= 1


@PATIENT
@given(shares)
def test_graded_intervals_hold_their_value_and_do_not_know_the_order(scores):
    zeros = [0.5] * len(scores)
    one, other = paired_difference(scores, zeros), paired_difference(scores[::-1], zeros)
    assert one.low <= one.value <= one.high
    assert [other.low, other.high] == pytest.approx([one.low, one.high])
    assert 0 < one.p <= 1


@PATIENT
@given(verdicts)
def test_clusters_of_one_are_no_clusters(signs):
    a, b = [max(d, 0) for d in signs], [max(-d, 0) for d in signs]
    assert paired_difference(a, b, range(len(a))) == paired_difference(a, b)
    assert paired_difference(a, b, [None] * len(a)) == paired_difference(a, b)


def test_copies_in_a_cluster_add_nothing():
    """Five copies of each of 40 items say about as much as the 40."""
    a, b = [1, 1, 0, 1, 0, 0, 1, 1] * 5, [0, 1, 0, 0, 0, 1, 0, 1] * 5
    once = paired_difference(a, b)
    copied = paired_difference(a * 5, b * 5, list(range(40)) * 5)
    naive = paired_difference(a * 5, b * 5)
    width, wide, narrow = (e.high - e.low for e in (once, copied, naive))
    assert wide == pytest.approx(width, rel=0.05)
    assert narrow < 0.5 * width
    assert "40 clusters" in copied.method
    assert copied.p > naive.p


def test_the_clustered_error_is_that_of_miller():
    """SE² = (1/n²) Σ (Σ (d - mean))² over clusters, times G / (G - 1)."""
    differences = [1, 0, -1, 1, 1, 0, 0, 1, 0, 0, 1, -1]
    together = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    mean = sum(differences) / 12
    sums = [sum(d - mean for d, g in zip(differences, together, strict=True) if g == k) for k in range(4)]
    found = paired_difference([max(d, 0) for d in differences], [max(-d, 0) for d in differences], together)
    assert found.standard_error == pytest.approx((sum(s * s for s in sums) * 4 / 3) ** 0.5 / 12)


def test_two_or_three_clusters_never_show_anything_and_one_knows_nothing():
    for k in (2, 3):
        assert paired_difference([1] * 50, [0] * 50, [i % k for i in range(50)]).low < 0
    alone = paired_difference([1] * 50, [0] * 50, ["one"] * 50)
    assert (alone.low, alone.high, alone.standard_error, alone.clusters) == (-1, 1, None, 1)


def test_copies_in_clusters_give_the_very_estimate_of_the_items_alone():
    for a, b in ([1, 1, 0, 1, 0, 0, 1] * 6, [0, 1, 0, 0, 0, 1, 0] * 6), ([0.3, 0.9, 0.5] * 9, [0.2, 0.1, 0.5] * 9):
        once, copied = paired_difference(a, b), paired_difference(a * 4, b * 4, [*range(len(a))] * 4)
        assert [copied.low, copied.high] == pytest.approx([once.low, once.high])


@pytest.mark.parametrize(("big", "size", "small", "least"), [(3, 20, 40, 0.95), (10, 12, 30, 0.95)])
def test_a_few_large_clusters_among_single_items_do_not_make_the_interval_too_narrow(big, size, small, least):
    """All of a cluster is won with probability 0.2, or tied: the truth lies within at least 19 times in 20."""
    ids = [i // size for i in range(big * size)] + [None] * small
    rng, held = random.Random(5), 0
    for _ in range(200):
        won = [rng.random() < 0.2 for _ in range(big)]
        scores = [won[i] for i in ids[: big * size]] + [rng.random() < 0.2 for _ in range(small)]
        found = paired_difference(scores, [0] * len(scores), ids)
        held += found.low <= 0.2 <= found.high
    assert held / 200 >= least


def test_a_large_cluster_counts_once():
    """Three documents of 20 questions, all won, beside 40 single ones, all tied: the mean of 43, not of 100."""
    found = paired_difference([1] * 60 + [0] * 40, [0] * 100, [i // 20 for i in range(60)] + [None] * 40)
    assert found.value == pytest.approx(3 / 43)
    assert (found.n, found.clusters) == (100, 43)
    assert "each of 43 clusters counted once" in found.method


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_items_without_a_cluster_stand_alone(missing):
    scores, zeros = [1, 0, 1, 1] * 10, [0] * 40
    assert paired_difference(scores, zeros, [missing] * 40) == paired_difference(scores, zeros)
    mixed = [*["x"] * 20, *[missing] * 20]
    assert paired_difference(scores, zeros, mixed) == paired_difference(scores, zeros, ["x"] * 20 + [*range(20)])


@pytest.mark.parametrize("kind", [tuple, iter, numpy.array, pandas.Series])
def test_any_row_of_values_will_do(kind):
    a, b, ids = [1, 0.5, 1, 1] * 5, [0, 0, 1, 0] * 5, [*range(10)] * 2
    assert paired_difference(kind(a), kind(b), kind(ids)) == paired_difference(a, b, ids)
    assert equivalence(kind(a), kind(b), 0.1) == equivalence(a, b, 0.1)
    assert worst_case(kind(a), kind(b)) == worst_case(a, b)
    assert win_rate(kind(a), kind(ids)) == win_rate(a, ids)
    assert mean_score(kind(a)) == mean_score(a)
    assert tally(kind(a)) == tally(a)
    assert paired_metric(sum, kind(a), kind(b), resamples=9) == paired_metric(sum, a, b, resamples=9)


@pytest.mark.parametrize("odd", ["110", {"x": 1}, {1, 0}, 1, None, numpy.ones((2, 1))])
def test_what_is_no_row_of_values_is_refused(odd):
    with pytest.raises(TypeError, match="must be a list or another row of values"):
        paired_difference(odd, [0, 0])
    with pytest.raises(TypeError, match="preferences must be a list"):
        win_rate(odd)


@pytest.mark.parametrize("scale", [(1, 1), (1, 0), (0, 1, 2), (0, float("nan"))])
def test_the_ends_of_a_scale_differ(scale):
    with pytest.raises(ValueError, match="a higher one"):
        win_rate([1], scale=scale)
    with pytest.raises(ValueError, match="a higher one"):
        worst_case([1], [0], scale=scale)


def test_a_mean_of_shares_keeps_within_0_and_1():
    for scores in ([0, 0, 1, 0] * 3, [1] * 12, [0] * 12, [0.5, 1, 0.9] * 4):
        for ids in (None, [i // 2 for i in range(12)]):
            found = mean_score(scores, ids)
            assert 0 <= found.low <= found.value <= found.high <= 1
            assert found.high - found.low > 0.05
    assert mean_score([3, 5, 4, 4]).high > 4.2


def test_clusters_need_an_id_for_each_item():
    with pytest.raises(ValueError, match="2 ids for 3 items"):
        paired_difference([1, 1, 1], [0, 0, 0], ["x", "y"])


@PATIENT
@given(verdicts)
def test_the_win_rate_is_the_difference_on_another_scale(signs):
    rate = win_rate([(sign + 1) / 2 for sign in signs])
    difference = paired_difference([max(d, 0) for d in signs], [max(-d, 0) for d in signs])
    assert rate.p == difference.p
    assert [2 * x - 1 for x in (rate.value, rate.low, rate.high)] == pytest.approx(
        [difference.value, difference.low, difference.high]
    )
    assert win_rate(signs, scale=(-1, 1)) == rate
    assert win_rate([(sign + 3) / 2 for sign in signs], scale=(1, 2)) == rate


def test_a_draw_is_written_0_or_15_in_files_of_alpaca_eval():
    assert win_rate([2, 1, 0, 1.5], scale=(1, 2)).value == 0.5
    assert tally([2, 1, 0, 1.5], scale=(1, 2)).ties == 2


def test_preferences_outside_the_scale_are_refused_with_the_scales():
    with pytest.raises(ValueError, match=r"preferences\[1\] = 2 is not between 0 .*\(1, 2\).*\(-1, 1\)"):
        win_rate([1, 2, 1])
    with pytest.raises(ValueError, match=r"preferences\[0\] = 0 is not between 1"):
        win_rate([0, 1, 1, 0], scale=(1, 2))
    with pytest.raises(ValueError, match=r"preferences\[2\] = nan"):
        win_rate([0, 1, float("nan")])


def test_fair_evals_human_votes():
    """41 wins, 14 ties, 25 losses: the exact sign test gives 0.064, mid-p less."""
    found = win_rate([1] * 41 + [0.5] * 14 + [0] * 25)
    assert found.value == pytest.approx(0.6)
    assert 0.045 < found.p < 0.064
    assert found.low == pytest.approx(0.5, abs=0.01)


def test_equivalence_is_shown_exactly_where_the_interval_lies_within_the_margin():
    a, b = [1, 0, 1, 1, 0, 1, 1, 0] * 40, [1, 0, 1, 1, 0, 1, 0, 1] * 40
    for margin in (0.02, 0.04, 0.05, 0.1):
        found = equivalence(a, b, margin)
        assert (found.p < 0.05) == (-margin < found.low and found.high < margin)
    assert equivalence(a, b, 0.02).p > 0.05 > equivalence(a, b, 0.1).p
    for margin in (0, -0.1, float("nan"), float("inf"), "0.1", None):
        with pytest.raises(ValueError, match="a margin is a number above 0"):
            equivalence(a, b, margin)


def test_missing_scores_are_bounded_from_both_sides():
    against, favour = worst_case([1, 1, None, 0.8, 1], [0, 0, 0, None, None])
    assert against.value == pytest.approx((1 + 1 + 0 - 0.2 + 0) / 5)
    assert favour.value == pytest.approx((1 + 1 + 1 + 0.8 + 1) / 5)
    assert worst_case([1, None], [0, 0]) == worst_case([1, float("nan")], [0, 0])
    assert worst_case([1, 0], [0, 0]) == (paired_difference([1, 0], [0, 0]),) * 2


def test_a_metric_of_the_set_is_compared_by_swapping_sides():
    def mean(records):
        return sum(records) / len(records)

    a, b = [1, 0, 1, 1, 0, 1, 1, 1, 0, 1] * 6, [0, 0, 1, 0, 1, 1, 0, 1, 0, 0] * 6
    one, other = paired_metric(mean, a, b), paired_difference(a, b)
    assert one.value == pytest.approx(other.value)
    assert [one.low, one.high] == pytest.approx([other.low, other.high], abs=0.04)
    assert one.p < 0.01
    assert paired_metric(mean, a, a).p == 1.0
    with pytest.raises(ValueError, match="equal numbers"):
        paired_metric(mean, a, b[:-1])


def test_the_same_scores_give_the_same_estimate():
    a, b = [i % 7 / 7 for i in range(50)], [i % 5 / 5 for i in range(50)]
    assert paired_difference(a, b) == paired_difference(a, b)


def test_importing_the_package_loads_neither_numpy_nor_scipy():
    code = "import sys, json, finetune_lib.statistics; print(json.dumps([*sys.modules]))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "scipy", "pandas", "statsmodels", "evalica"} & set(json.loads(found.stdout))
