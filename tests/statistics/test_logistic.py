"""A logistic regression by its own equations: what is fitted is where nothing can be won any more."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_lib.statistics import ridge_logistic

NUMBERS = st.floats(-1e3, 1e3).map(lambda one: round(one, 3))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, st.booleans()), min_size=4, max_size=30), st.sampled_from([0.3, 1.0, 5.0]))
def test_it_solves_its_equations(rows, ridge):
    yes = [one for _, _, one in rows]
    if len(set(yes)) < 2:
        return
    fitted = ridge_logistic([row[:2] for row in rows], yes, ridge=ridge)
    wrong = [fitted.chance(row[:2]) - row[2] for row in rows]
    assert math.isclose(sum(wrong), 0, abs_tol=1e-5)
    for column in range(2):
        z = [(row[column] - fitted.means[column]) / fitted.spreads[column] for row in rows]
        slope = sum(a * b for a, b in zip(z, wrong, strict=True)) + ridge * fitted.weights[column]
        assert math.isclose(slope, 0, abs_tol=1e-5)


def test_two_points_by_hand():
    """z = -1 and 1, one no and one yes: 1 / (1 + e^w) = w / 2, so w = 0.6750 (Newton by hand: f(.675) = -.0002)."""
    fitted = ridge_logistic([[10.0], [30.0]], [False, True])
    assert (fitted.means, fitted.spreads) == ((20.0,), (10.0,))
    assert fitted.weights[0] == pytest.approx(2 / (1 + math.exp(fitted.weights[0])))
    assert fitted.chance([30.0]) == pytest.approx(1 - fitted.chance([10.0]))


def test_a_column_that_is_constant_tells_nothing():
    fitted = ridge_logistic([[1, 7], [2, 7], [3, 7], [4, 7]], [False, True, False, True])
    assert fitted.weights[1] == pytest.approx(0, abs=1e-9)
    assert fitted.chance([2, 7]) == pytest.approx(fitted.chance([2, 8]))


def test_it_does_not_matter_in_which_unit_a_column_is():
    yes = [False, True, False, True, True]
    one = ridge_logistic([[1, 2], [2, 1], [3, 5], [4, 4], [5, 9]], yes)
    other = ridge_logistic([[1000, -2], [2000, -1], [3000, -5], [4000, -4], [5000, -9]], yes)
    assert one.chance([2, 3]) == pytest.approx(other.chance([2000, -3]), abs=1e-6)


def test_far_values_are_a_chance_still():
    fitted = ridge_logistic([[1], [2], [3], [4]], [False, False, True, True])
    assert 0 <= fitted.chance([-1e9]) < 1e-9
    assert 1 - 1e-9 < fitted.chance([1e9]) <= 1


@pytest.mark.parametrize(
    ("rows", "yes", "options", "said"),
    [
        ([], [], {}, "one or more rows"),
        ([[1], [1, 2]], [True, False], {}, "equally many"),
        ([[1], [2]], [True], {}, "a yes or no for each"),
        ([[1], [2]], [True, True], {}, "all 2 are yes"),
        ([[1], [float("nan")]], [True, False], {}, "not finite"),
        ([[1], [2]], [True, False], {"ridge": 0}, "ridge is above 0"),
    ],
)
def test_what_cannot_be_fitted_is_refused(rows, yes, options, said):
    with pytest.raises(ValueError, match=said):
        ridge_logistic(rows, yes, **options)
