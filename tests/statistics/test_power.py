import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.statistics import (
    SamplingNoise,
    detectable_difference,
    items_needed,
    items_needed_graded,
    sampling_noise,
)


def test_items_needed_of_worked_cases():
    assert items_needed(0.10, 0.3) == 234
    assert items_needed(0.05, 0.2) == 626
    assert items_needed(-0.10, 0.3) == 234


def test_the_example_of_rs_powertools():
    """0.8 and 0.9 right independently: 26 % are discordant; 269.01 items for power 0.9."""
    assert items_needed(0.1, 0.8 * 0.1 + 0.2 * 0.9, power=0.9) == 270


def test_paired_t_as_in_the_power_tables():
    assert items_needed_graded(0.2, 1.0) == 199
    assert items_needed_graded(0.5, 1.0) == 34


def test_points_that_a_golden_set_can_show():
    points = [100 * detectable_difference(n, 0.3) for n in (50, 100, 200, 500, 1000, 2000)]
    assert points == pytest.approx([21, 15, 11, 6.8, 4.8, 3.4], abs=0.3)
    assert detectable_difference(5, 0.1) is None


@given(st.floats(0.05, 1), st.floats(0.02, 1))
def test_detectable_difference_turns_items_needed_round(discordant, part):
    difference = discordant * part
    n = items_needed(difference, discordant)
    assert detectable_difference(n, discordant) == pytest.approx(difference, rel=0.35)
    assert detectable_difference(n, discordant) <= difference * (1 + 1e-9)


def test_impossible_plans_are_refused():
    for difference, discordant in ((0, 0.3), (0.4, 0.3), (0.1, 1.5)):
        with pytest.raises(ValueError, match="discordant"):
            items_needed(difference, discordant)
    with pytest.raises(ValueError, match="power"):
        items_needed(0.1, 0.3, power=1.0)
    with pytest.raises(ValueError, match="at least one item"):
        detectable_difference(0, 0.3)
    with pytest.raises(ValueError, match="standard deviation"):
        items_needed_graded(0.1, 0)


def test_millers_repeats():
    """Variance 1/9 between questions and 1/6 within for each of two models, 3 points: 3,876, 1,260, 969."""
    noise = SamplingNoise(between=1 / 9, within=1 / 3, repeats=1, n=1000)
    assert [noise.items_needed(0.03, repeats=k) for k in (1, 10, 10**9)] == [3876, 1260, 969]


def test_noise_of_repeats_is_told_from_that_of_items():
    steady = sampling_noise([[0, 1, 0, 1, 1, 0]] * 3)
    assert steady.within == 0
    assert steady.share == 0
    assert "more items" in str(steady)
    coin = sampling_noise([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1]])
    assert coin.between == 0
    assert coin.share == 1
    assert "more repeats" in str(coin)
    assert steady.standard_error == pytest.approx((0.3 / 6) ** 0.5)


def test_repeats_may_come_from_generators():
    rows = [[1, 0, 1], [1, 1, 0]]
    assert sampling_noise(iter(row) for row in rows) == sampling_noise(rows)


def test_noise_needs_repeats_of_the_same_items():
    for rows in ([[1, 0]], [[1, 0], [1]], [[1], [0]]):
        with pytest.raises(ValueError, match="two repeats of the same items"):
            sampling_noise(rows)
    with pytest.raises(ValueError, match=r"scores_by_repeat\[1\]\[0\] = nan"):
        sampling_noise([[1, 0], [float("nan"), 0]])
