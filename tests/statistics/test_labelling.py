"""Labels drawn with known chances: unbiased by enumeration of every draw there is, not by chance."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_lib.statistics import (
    drawn_to_label,
    labelled_mean,
    labelling_chances,
    labelling_width,
    paired_difference,
)

PREFERENCES = st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0])
SPREADS = st.lists(st.floats(0, 5).map(lambda one: round(one, 2)), min_size=1, max_size=12)


def every_draw(chances):
    """Each draw that there is, with its chance: between two ticks of the running sums nothing changes."""
    sums = [0.0]
    for chance in chances:
        sums.append(sums[-1] + chance)
    ends = sorted({0.0, 1.0, *(one % 1 for one in sums)})
    for low, high in itertools.pairwise(ends):
        if high - low > 1e-8:
            yield high - low, drawn_to_label(chances, start=(low + high) / 2)


@settings(max_examples=100, deadline=None)
@given(SPREADS, st.data())
def test_every_item_is_drawn_with_its_chance_and_always_as_many(spreads, data):
    count = data.draw(st.integers(1, len(spreads)))
    chances = labelling_chances(spreads, count)
    assert math.isclose(sum(chances), count)
    assert min(chances) >= min(1, 0.5 * count / len(spreads)) - 1e-9
    drawn = [0.0] * len(chances)
    for weight, places in every_draw(chances):
        assert len(places) == len(set(places)) == count
        for place in places:
            drawn[place] += weight
    assert all(math.isclose(a, b, abs_tol=1e-6) for a, b in zip(drawn, chances, strict=True))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), st.sampled_from([-1.0, 0.0, 1.0])),
        min_size=2,
        max_size=9,
    ),
    st.data(),
)
def test_the_estimate_is_unbiased_whatever_the_judge_and_the_spreads_are_worth(items, data):
    spreads = data.draw(st.lists(st.floats(0, 3), min_size=len(items), max_size=len(items)))
    chances = labelling_chances(spreads, data.draw(st.integers(1, len(items))))
    judged, truth = zip(*items, strict=True)
    mean = 0.0
    for weight, places in every_draw(chances):
        mean += weight * labelled_mean(judged, chances, {place: truth[place] for place in places}).value
    assert math.isclose(mean, sum(truth) / len(truth), abs_tol=1e-6)


def test_the_naive_mean_of_the_interesting_cases_is_not():
    """What it is for: the judge errs on two doubtful cases of ten; labels go there, and their plain mean misleads."""
    judged, truth, spreads = [1.0] * 10, [1.0] * 8 + [-1.0] * 2, [0.1] * 8 + [1.0] * 2
    chances = labelling_chances(spreads, 4)
    naive = sum(w * sum(truth[p] for p in places) / 4 for w, places in every_draw(chances))
    right = sum(
        w * labelled_mean(judged, chances, {p: truth[p] for p in places}).value for w, places in every_draw(chances)
    )
    assert right == pytest.approx(0.6)
    assert naive < 0.3


def test_by_hand():
    assert labelling_chances([1, 1, 3, 3], 2) == [0.375, 0.375, 0.625, 0.625]
    # Shares .125, .125, .125, .625: the last one would have 1.875 of 3, so it is drawn for sure; 2 of 3 for the others.
    assert labelling_chances([0, 0, 0, 5], 3) == pytest.approx([2 / 3, 2 / 3, 2 / 3, 1.0])
    found = labelled_mean([1, 1, 0, 0], [0.375, 0.375, 0.625, 0.625], {1: 1, 2: -1})
    assert found.value == pytest.approx(0.5 + (0 - 1 / 0.625) / 4)


def test_all_labelled_is_what_they_say():
    truth = [1.0, -1.0, 0.0, 1.0]
    found = labelled_mean([0.0] * 4, [1.0] * 4, dict(enumerate(truth)))
    assert (found.value, found.low, found.high) == pytest.approx((0.25, 0.25, 0.25))


def test_the_interval_holds_in_nearly_all_of_many_draws():
    """Over every draw of ten lists whose order is random: at least 93 %."""
    held = weight_of_all = 0.0
    for seed in range(40):
        drawn = random.Random(seed)
        rate = (0.02, 0.1, 0.3, 0.5)[seed % 4]
        judged = [drawn.choice([-1.0, 0.0, 1.0]) for _ in range(300)]
        off = [drawn.random() < rate for _ in judged]
        truth = [drawn.choice([-1.0, 0.0, 1.0]) if bad else said for said, bad in zip(judged, off, strict=True)]
        spreads = [1.0 if bad and drawn.random() < 0.7 else 0.3 for bad in off]
        chances = labelling_chances(spreads, (20, 60)[seed % 2])
        for weight, places in every_draw(chances):
            found = labelled_mean(judged, chances, {place: truth[place] for place in places})
            held += weight * (found.low <= sum(truth) / 300 <= found.high)
            weight_of_all += weight
    assert held / weight_of_all >= 0.93


def test_good_spreads_make_it_narrower_than_an_even_draw():
    rough = [0.2] * 180 + [1.5] * 20
    assert labelling_width(rough, 60) < labelling_width([(180 * 0.04 + 20 * 2.25) ** 0.5 / 200**0.5] * 200, 60)
    widths = [labelling_width(rough, count) for count in (10, 25, 50, 100, 200)]
    assert widths == sorted(widths, reverse=True)


def test_the_width_foretold_is_that_of_the_rule():
    """Equal chances, and errors as large as foretold: the rule over the same corrections, by paired_difference."""
    errors = [0.5, -0.5] * 50
    found = paired_difference(errors, [0.0] * 100, scale=(0, 2))
    assert labelling_width([0.5] * 400, 100) == pytest.approx((found.high - found.low) / 2, rel=0.05)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: labelling_chances([], 1), "one or more spreads"),
        (lambda: labelling_chances([-1.0], 1), "at least 0"),
        (lambda: labelling_chances([1.0], 2), "between 1 and the 1 items"),
        (lambda: labelled_mean([1.0], [1.0], {}), "1 items were drawn and 0 are labelled"),
        (lambda: labelled_mean([1.0], [1.0], {0: 3.0}), "beyond the scale"),
        (lambda: labelled_mean([1.0, 0.0], [1.0], {0: 1.0}), "2 judged items and 1 chances"),
        (lambda: labelled_mean([1.0, 0.0], [0.0, 1.0], {0: 1.0}), "could not have been drawn"),
    ],
)
def test_what_cannot_be_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
