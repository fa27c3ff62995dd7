import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.statistics import paired_difference, sign_test


def test_sign_test_of_darwins_maize_pairs():
    """Thirteen of fifteen pairs favour crossing: exact two-sided p 0.007385; mid-p is less by half its last term."""
    exact, last_term = 0.007385, 2 * 105 / 2**15
    assert sign_test(13, 2) == pytest.approx(exact - last_term / 2, abs=2e-6)


def test_mid_p_mcnemar_of_agrestis_approval_ratings():
    """Agresti, Categorical Data Analysis, table 10.1: 150 and 86 changed their minds; mid-p 2.893e-05."""
    assert sign_test(86, 150) == pytest.approx(2.893e-5, rel=1e-3)


def test_large_binary_set_agrees_with_the_published_interval():
    """The same table: difference -0.04, 95 % interval (-0.0587, -0.0213) by the normal approximation."""
    first = [1] * 794 + [1] * 150 + [0] * 86 + [0] * 570
    second = [1] * 794 + [0] * 150 + [1] * 86 + [0] * 570
    found = paired_difference(second, first)
    assert found.value == pytest.approx(-0.04)
    assert found.low == pytest.approx(-0.0587, abs=0.002)
    assert found.high == pytest.approx(-0.0213, abs=0.002)
    assert "BCa" in found.method


def test_graded_scores_of_darwins_maize_pairs():
    """Published: t = 2.148, p = 0.0497; the sign-flip permutation of Fisher (1935) gives 0.0526."""
    differences = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75]
    found = paired_difference(differences, [0] * 15)
    assert found.value == pytest.approx(20.93, abs=0.01)
    assert found.p == pytest.approx(0.0526, abs=0.006)
    assert found.low == pytest.approx(0.03, abs=0.02)
    assert found.n == 15


def test_a_small_set_without_any_difference_keeps_an_honest_interval():
    found = paired_difference([1] * 20, [1] * 20)
    assert found.value == 0.0
    assert found.low < -0.05 < 0.05 < found.high
    assert found.p == 1.0


def test_a_large_set_where_everything_was_won_has_an_interval():
    found = paired_difference([1] * 200, [0] * 200)
    assert 0.9 < found.low < found.high == 1.0


def test_all_pairs_differing_by_one_amount_have_an_interval_too():
    found = paired_difference([0.75] * 20, [0.25] * 20)
    assert found.value == 0.5
    assert 0.2 < found.low < found.high <= 0.5


@pytest.mark.parametrize(("a", "b"), [([], []), ([1], [1, 0])])
def test_unpaired_scores_are_refused(a, b):
    with pytest.raises(ValueError, match="equal numbers"):
        paired_difference(a, b)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=60))
def test_swapping_the_sides_mirrors_the_estimate(pairs):
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    one, other = paired_difference(a, b), paired_difference(b, a)
    assert one.value == pytest.approx(-other.value)
    assert one.p == other.p
    assert one.low <= one.value <= one.high
    assert one.low == pytest.approx(-other.high, abs=0.03)


def test_the_small_set_interval_covers_the_truth_about_as_often_as_it_says():
    """300 sets of 40 items with a true difference of 0.1: the 95 % interval should hold it in at least 90 %."""
    rng = random.Random(11)
    held = 0
    for _ in range(300):
        draws = rng.choices([1, 0, -1], weights=[0.2, 0.7, 0.1], k=40)
        found = paired_difference([max(d, 0) for d in draws], [max(-d, 0) for d in draws])
        held += found.low <= 0.1 <= found.high
    assert held / 300 >= 0.90


def test_differences_that_are_equal_but_for_float_noise_have_an_interval():
    first = [number / 100 + 0.1 for number in range(40)]
    found = paired_difference(first, [number / 100 for number in range(40)])
    assert found.value == pytest.approx(0.1)
    assert 0 < found.low < found.high == pytest.approx(0.1)
