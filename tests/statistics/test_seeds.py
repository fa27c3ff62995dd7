"""Cross-fitted rows and several seeds, held to values worked out by another program, and to what must not be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.statistics import paired_difference, seeds_difference

D40 = [a - b for a, b in zip([1, 1, 0, 1, 0, 0, 1, 1] * 5, [0, 1, 0, 0, 0, 1, 0, 1] * 5, strict=True)]
D240 = [1] * 30 + [-1] * 6 + [0] * 204
SEEDS = list(
    zip(D240, [1] * 25 + [0] * 5 + [-1] * 6 + [0] * 204, [1] * 34 + [0] * 2 + [-1] * 4 + [0] * 200, strict=True)
)


@pytest.mark.parametrize(
    ("d", "folds", "told"),
    [
        (D40, 5, (0.250000, -0.002912, 0.479102, 0.052703)),
        (D240, 5, (0.100000, 0.044746, 0.153601, 0.000402)),
        (D240, 10, (0.100000, 0.047859, 0.150488, 0.000178)),
    ],
)
def test_rows_that_were_judged_in_folds(d, folds, told):
    found = paired_difference(d, [0] * len(d), scale=(0, 1), folds=folds)
    assert [found.value, found.low, found.high, found.p] == pytest.approx(told, abs=1e-6)
    assert f"cross-fitted in {folds} folds" in found.method


def test_three_seeds_of_one_recipe():
    found = seeds_difference(SEEDS)
    assert found.these.value == pytest.approx(0.101389, abs=1e-6)
    assert [found.these.low, found.these.high] == pytest.approx((0.056965, 0.144137), abs=1e-6)
    assert found.spread == pytest.approx(0.022948, abs=1e-6)
    assert [found.recipe.low, found.recipe.high] == pytest.approx((0.028791, 0.172311), abs=1e-6)
    assert found.more_seeds  # .022948 is more than a quarter of .0436


def test_seeds_that_agree_add_nothing():
    found = seeds_difference([(d, d, d) for d in D240], folds=5)
    alone = paired_difference(D240, [0] * 240, scale=(0, 1), folds=5)
    assert (found.recipe.low, found.recipe.high) == pytest.approx((alone.low, alone.high), abs=1e-9)
    assert found.recipe.p == pytest.approx(alone.t.p, abs=1e-9)
    assert not found.more_seeds


def test_all_seeds_up_is_no_proof_of_a_recipe():
    """Each of the three is better on these very rows; seeds that differ so much may as well go down."""
    found = seeds_difference([(1, 0, 0)] * 30 + [(1, 1, 0)] * 10 + [(0, 0, 1)] * 4 + [(0, 0, 0)] * 200)
    assert found.these.low > 0
    assert found.these.p < 0.05
    assert found.recipe.low < 0
    assert found.recipe.p > 0.05


def test_copies_of_rows_add_nothing():
    once = seeds_difference(SEEDS, list(range(240)), folds=5)
    copied = seeds_difference(SEEDS * 4, list(range(240)) * 4, folds=5)
    for one, other in ((once.these, copied.these), (once.recipe, copied.recipe)):
        assert (one.low, one.high, one.p) == pytest.approx((other.low, other.high, other.p), abs=1e-9)
    assert once.spread == pytest.approx(copied.spread, abs=1e-12)


@given(st.lists(st.tuples(*[st.integers(-1, 1)] * 3), min_size=3, max_size=40), st.sampled_from([None, 2, 5, 10]))
def test_interval_and_p_agree_and_the_recipe_is_the_wider_claim(rows, folds):
    found = seeds_difference(rows, folds=folds)
    assert found.recipe.low <= found.these.low <= found.these.high <= found.recipe.high
    assert (found.recipe.p < 0.05) == (found.recipe.low > 0 or found.recipe.high < 0)


@pytest.mark.parametrize("folds", [0, 1, -3, 2.5])
def test_folds_that_are_none(folds):
    with pytest.raises(ValueError, match="folds"):
        paired_difference([1, 0], [0, 0], folds=folds)


@pytest.mark.parametrize("rows", [[], [(1,)], [(1, 0), (1,)], [(1, float("nan"))]])
def test_seeds_that_are_none(rows):
    with pytest.raises(ValueError, match="seed"):
        seeds_difference(rows)
