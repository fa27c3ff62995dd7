"""The rule behind every verdict, held to values worked out by hand and to coverage that was summed, not drawn."""

import numpy
import pytest
from scipy.stats import binom

from finetune_lib.statistics import equivalence, paired_difference, worst_case
from finetune_lib.statistics.intervals import ASSUMED

SEVEN = {n: [(i % 7 - 2) / 20 for i in range(1, n + 1)] for n in (50, 200, 1000)}
RUBRIC = [1] * 12 + [2] * 3 + [-1] * 5 + [-4] + [0] * 19
# Differences, the width of the scale, and what comes of them: value, low, high, p.
ORACLES = {
    "one case": ([0.2], 1, 0.2, -1, 1, 0.919155),
    "one tie": ([0.0], 1, 0, -1, 1, 1),
    "two against each other": ([0.1, -0.1], 1, 0, -1, 1, 1),
    "20 ties": ([0.0] * 20, 1, 0, -0.136829, 0.136829, 1),
    "20 wins of 20": ([1.0] * 20, 1, 1, 0.720035, 1, 0),
    "5 wins, 45 ties": ([1.0] * 5 + [0.0] * 45, 1, 0.1, -0.003383, 0.195691, 0.058001),
    "6 wins, 44 ties": ([1.0] * 6 + [0.0] * 44, 1, 0.12, 0.01, 0.220769, 0.032508),
    "12 wins, 3 losses, 25 ties": ([1.0] * 12 + [-1.0] * 3 + [0.0] * 25, 1, 0.225, 0.025350, 0.403221, 0.027206),
    "30 times +0.03": ([0.03] * 30, 1, 0.03, -0.063490, 0.119740, 0.535826),
    "100 times +0.03": ([0.03] * 100, 1, 0.03, 0.001760, 0.057064, 0.037332),
    "95 times +0.03, 5 times -0.57": ([0.03] * 95 + [-0.57] * 5, 1, 0, -0.030190, 0.030190, 1),
    "19 times +0.05, once -0.95": ([0.05] * 19 + [-0.95], 1, 0, -0.166178, 0.166178, 1),
    "30 times +0.026 on 0 to 0.8": ([0.026] * 30, 0.8, 0.026, -0.048923, 0.097673, 0.502654),
    "seven levels, 50": (SEVEN[50], 1, 0.048, -0.009039, 0.101347, 0.099309),
    "seven levels, 200": (SEVEN[200], 1, 0.0495, 0.034959, 0.063061, 0),
    "seven levels, 1000": (SEVEN[1000], 1, 0.05015, 0.043831, 0.056269, 0),
    "a judge": ([1] * 10 + [0.5] * 8 + [-0.5] * 4 + [-1] * 3 + [0] * 15, 1, 0.225, 0.019183, 0.409388, 0.032146),
    "a rubric of 1 to 5": (RUBRIC, 4, 0.225, -0.207385, 0.635956, 0.310769),
    "chrF of 0 to 100": ([i % 9 - 2 for i in range(1, 61)], 100, 1.95, -2.712104, 6.486298, 0.415146),
    "all won of three": ([1.0] * 3, 1, 1, -0.510578, 1, 0.208000),
}
D40 = [a - b for a, b in zip([1, 1, 0, 1, 0, 0, 1, 1] * 5, [0, 1, 0, 0, 0, 1, 0, 1] * 5, strict=True)]
SIZES = [g for g in range(1, 6) for _ in range(g)]
CLUSTERED = {
    "40 cases, 5 copies": (D40 * 5, list(range(40)) * 5, 0.25, 0.022532, 0.453659, 0.031238),
    "the 40 alone": (D40, list(range(40)), 0.25, 0.022532, 0.453659, 0.031238),
    "1 to 5 cases": ([(7 * i % 5 - 1) / 4 for i in range(1, 16)], SIZES, 0.258333, -0.362015, 0.731062, 0.440335),
    "one cluster": ([0.5] * 10, [0] * 10, 0.5, -1, 1, 0.807550),
    "20 of 25": (
        [d for g in range(1, 21) for d in [1] * min(g, 23) + [-1] * 2 + [0] * (23 - min(g, 23))],
        [g for g in range(20) for _ in range(25)],
        0.34, 0.154870, 0.463311, 0.000435,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ORACLES)
def test_the_wider_of_the_two_intervals(name):
    d, width, *told = ORACLES[name]
    found = paired_difference(d, [0] * len(d), scale=(0, width))
    assert [found.value, found.low, found.high, found.t.p] == pytest.approx(told, abs=1e-6)
    assert found.p == pytest.approx(told[3], abs=1e-6) or (found.p > told[3] and "mid-p" in found.method)


@pytest.mark.parametrize("name", CLUSTERED)
def test_each_cluster_counts_once(name):
    d, ids, *told = CLUSTERED[name]
    found = paired_difference(d, [0] * len(d), ids, scale=(0, 1))
    assert [found.value, found.low, found.high, found.t.p] == pytest.approx(told, abs=1e-6)


@pytest.mark.parametrize(
    ("looks", "low", "high"), [(1, 0.163825, 0.598080), (2, 0.130799, 0.631106), (5, 0.090540, 0.671365)]
)
def test_planned_looks_share_the_five_percent(looks, low, high):
    won, lost = [1] * 20 + [0] * 20, [0] * 20 + [1] * 4 + [0] * 16
    found, once = paired_difference(won, lost, planned_looks=looks), paired_difference(won, lost)
    assert [found.low, found.high] == pytest.approx([low, high], abs=1e-6)
    assert found.p == pytest.approx(looks * once.p)
    assert (f"one of {looks} planned looks" in found.method) == (looks > 1)


def test_missing_scores_of_a_side_are_filled_on_that_side_alone():
    a, b = [1, 1, None, *[1] * 9], [0, 0, 0, None, 0, 0, 0, 0, 0, 1, 0, 0]
    there = [(x, y) for x, y in zip(a, b, strict=True) if None not in (x, y)]
    left_out, (against, favour) = paired_difference(*zip(*there, strict=True)), worst_case(a, b)
    for found, told in (
        (left_out, (0.9, 0.355066, 1)),
        (against, (0.75, 0.277187, 1)),
        (favour, (11 / 12, 0.451448, 1)),
    ):
        assert [found.value, found.low, found.high] == pytest.approx(told, abs=1e-6)


def test_the_one_sided_p_against_a_margin():
    t = paired_difference([-0.01] * 30, [0] * 30, scale=(0, 1)).t
    assert t.p_above(-0.05) == pytest.approx(0.186296, abs=1e-6)
    assert equivalence([-0.01] * 30, [0] * 30, 0.05, scale=(0, 1)).p == pytest.approx(0.186296, abs=1e-6)


def test_what_may_be_unseen_is_left_out_only_where_that_was_assumed():
    plain, assumed = (paired_difference([0.03] * 30, [0] * 30, assume=assume) for assume in (None, ASSUMED))
    assert plain.low < 0 < assumed.low
    assert [assumed.low, assumed.high] == pytest.approx(plain.seen)
    assert ASSUMED in assumed.method
    with pytest.raises(ValueError, match="assume is None or 'cases not seen are like those seen', not True"):
        paired_difference([1], [0], assume=True)
    for looks in (0, 1.5):
        with pytest.raises(ValueError, match="planned_looks"):
            paired_difference([1], [0], planned_looks=looks)


def test_a_difference_beyond_the_declared_scale_is_refused_with_its_place():
    with pytest.raises(ValueError, match=r"the scores of item 1 differ by 5, .* from 0 to 4"):
        paired_difference([1, 5, 2], [0, 0, 0], scale=(0, 4))


@pytest.mark.parametrize("n", [20, 50, 100, 200])
def test_the_interval_of_rare_losses_holds_the_truth_in_929_of_1000_sets_at_least(n):
    """A loss of one size with some rate, else a gain: the sets are summed over the binomial, none is drawn."""
    rates, k = numpy.concatenate([numpy.linspace(0.002, 0.1, 40), numpy.linspace(0.1, 0.5, 20)]), numpy.arange(n + 1)
    weights = binom.pmf(k[:, None], n, rates[None, :])
    for loss in (0.1, 0.57, 1.0):
        for gain in (0.0, 0.03, 0.3, 1.0):
            ends = numpy.array([_ends([gain] * (n - lost) + [-loss] * lost) for lost in range(n + 1)])
            truth = gain * (1 - rates) - loss * rates
            held = (ends[:, :1] - 1e-9 <= truth) & (truth <= ends[:, 1:] + 1e-9)
            assert (weights * held).sum(axis=0).min() >= 0.929


def _ends(d):
    found = paired_difference(d, [0] * len(d), scale=(0, 1))
    return found.low, found.high
