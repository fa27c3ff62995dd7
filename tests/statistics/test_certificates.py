"""The certificate's rule: its oracles, and how often its promise is broken, summed exactly for curves of any shape."""

from itertools import product
from math import comb, inf, nan

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from finetune_lib.statistics import cases_to_certify, certified_threshold, least_to_certify
from finetune_lib.statistics.certificates import (
    Promised,
    allowed_errors,
    chance_of_passing,
    clopper_pearson,
    simultaneous_level,
)

# cases and promise: the level, the chance of any pass, errors allowed when all answer.
LEVELS = {
    (60, 0.05): (0.048495, 0.048495, 0),
    (100, 0.05): (0.035648, 0.035648, 0),
    (240, 0.05): (0.017719, 0.045742, 4),
    (1000, 0.05): (0.008179, 0.049993, 33),
    (30, 0.10): (0.047101, 0.047101, 0),
    (48, 0.10): (0.038152, 0.038152, 0),
    (60, 0.10): (0.033786, 0.049800, 1),
    (100, 0.10): (0.022313, 0.048759, 3),
    (240, 0.10): (0.012129, 0.049957, 13),
    (1000, 0.10): (0.006146, 0.049948, 76),
    (240, 0.02): (0.045456, 0.045456, 0),
    (1000, 0.02): (0.013207, 0.049999, 10),
    (60, 0.20): (0.018570, 0.049498, 5),
}


@pytest.mark.parametrize(("n", "error"), LEVELS)
def test_one_level_for_every_threshold(n, error):
    level, chance, allowed = LEVELS[n, error]
    found = simultaneous_level(n, error, 0.05)
    errors = allowed_errors(n, found, error)
    assert [found, chance_of_passing(errors, error)] == pytest.approx([level, chance], abs=1e-6)
    assert errors[-1] == allowed


@pytest.mark.parametrize(("n", "error"), LEVELS)
def test_allowed_errors_are_those_of_the_binomial_law(n, error):
    level = simultaneous_level(n, error, 0.05)
    for answered, most in enumerate(allowed_errors(n, level, error)[1:], start=1):
        assert most < 0 or binom.cdf(most, answered, error) <= level * (1 + 1e-9)
        assert binom.cdf(most + 1, answered, error) > level


@pytest.mark.parametrize("error", [0.2, 0.5])
def test_the_chance_of_passing_is_that_of_all_sequences(error):
    """Each of the 2^12 orders of right and wrong, weighed by its chance."""
    n, chance = 12, 0.3
    allowed = allowed_errors(n, simultaneous_level(n, error, chance), error)
    total = 0.0
    for answers in product((0, 1), repeat=n):
        errors = numpy.cumsum(answers)
        if any(errors[j - 1] <= allowed[j] for j in range(1, n + 1)):
            total += error ** sum(answers) * (1 - error) ** (n - sum(answers))
    assert chance_of_passing(allowed, error) == pytest.approx(total, abs=1e-12)
    assert total <= chance


def test_below_the_least_nothing_can_be_shown():
    assert [least_to_certify(e) for e in (0.05, 0.10, 0.02)] == [59, 29, 149]
    assert simultaneous_level(58, 0.05, 0.05) == 0
    assert certified_threshold([1.0] * 58, [False] * 58) is None


I240 = range(1, 241)
W240 = [i in (240, 200) or i <= 60 for i in I240]
TIES = [1.0] * 130 + [0.8] * 50 + [0.6] * 40 + [0.4] * 20
TIED = [1] + [0] * 129 + [1] * 2 + [0] * 48 + [1] * 9 + [0] * 31 + [1] * 11 + [0] * 9
I100, I1000 = range(1, 101), range(1, 1001)
C100, C240, C1000 = ([i / n for i in range(1, n + 1)] for n in (100, 240, 1000))
# confidences, wrong, promise; threshold, answered, wrong of the answers; the same of all questions.
ORACLES = {
    "59 right": ([i / 59 for i in range(1, 60)], [0] * 59, 0.05, (0.016949, 59, 0), (0.016949, 59, 0)),
    "58 right": ([i / 58 for i in range(1, 59)], [0] * 58, 0.05, None, None),
    "100, 35 wrong": (C100, [i <= 35 for i in I100], 0.05, (0.36, 65, 0), (0.35, 66, 1)),
    "100, 36 wrong": (C100, [i <= 36 for i in I100], 0.05, None, (0.36, 65, 1)),
    "100, 36 wrong, 10 %": (C100, [i <= 36 for i in I100], 0.10, (0.36, 65, 1), (0.33, 68, 4)),
    "240": (C240, W240, 0.05, (0.254167, 180, 2), (0.2375, 184, 6)),
    "240, one without a verdict": (
        C240, [None if i == 150 else w for i, w in zip(I240, W240, strict=True)], 0.05, None, (0.241667, 183, 6),
    ),
    "240, 20 without confidence": (
        [nan if i <= 20 else i / 240 for i in I240], W240, 0.05, (0.254167, 180, 2), (0.2375, 184, 6),
    ),
    "ties": (TIES, TIED, 0.05, (1.0, 130, 1), (0.8, 180, 3)),
    "1000": (C1000, [i % 50 == 0 or i <= 300 for i in I1000], 0.05, (0.294, 707, 21), (0.277, 724, 38)),
}  # fmt: skip


@pytest.mark.parametrize("name", ORACLES)
def test_the_lowest_threshold_that_passes(name):
    confidences, wrong, error, answers, questions = ORACLES[name]
    promises: list[tuple[Promised, object]] = [("answers", answers), ("questions", questions)]
    for of, told in promises:
        found = certified_threshold(confidences, wrong, error=error, of=of)
        assert (found is None) == (told is None)
        if found and told:
            assert (round(found.value, 6), found.answered, found.wrong) == told
            assert found.share == pytest.approx(found.answered / len(wrong))


def broken(blocks, n, error, *, of="answers"):
    """The exact chance that a bad threshold passes, of a signal with few values: (share, chance of a wrong answer).

    Cases fall into the blocks from the surest on; state: how many were answered, how many of them are wrong.
    """
    level = simultaneous_level(n, error, 0.05)
    allowed = allowed_errors(n, level, error) if level else numpy.full(n + 1, -1)
    most = [k for k in range(n + 1) if binom.cdf(k, n, error) <= 0.05]
    state = numpy.zeros((n + 1, n + 1))
    state[0, 0], out, left, seen, bad = 1.0, 0.0, 1.0, 0.0, 0.0
    for share, rate in blocks:
        now, chance = numpy.zeros_like(state), min(1.0, share / left)
        for answered in range(n + 1):
            for wrong in numpy.flatnonzero(state[answered] > 1e-18):
                weight = state[answered, wrong]
                for more in range(n - answered + 1):
                    p = (
                        binom.pmf(more, n - answered, chance)
                        if 0 < chance < 1
                        else float(more == (n - answered) * chance)
                    )
                    if p > 1e-16:
                        now[answered + more, wrong : wrong + more + 1] += (
                            weight * p * binom.pmf(numpy.arange(more + 1), more, rate)
                        )
        state, left, seen, bad = now, left - share, seen + share, bad + share * rate
        risk = bad / seen if of == "answers" else bad
        if risk > error:
            for answered in range(1, n + 1):
                limit = allowed[answered] if of == "answers" else max(most, default=-1)
                if limit >= 0:
                    out += state[answered, : limit + 1].sum()
                    state[answered, : limit + 1] = 0.0
    return out


CURVES = {
    "flat, just above": [(0.2, 0.1001)] * 5,
    "sharp": [(0.35, 0.1001), (0.3, 0.101), (0.35, 0.9)],
    "gradual": [(0.2, 0.08), (0.2, 0.121), (0.2, 0.2), (0.2, 0.3), (0.2, 0.5)],
    "sure and wrong": [(0.15, 0.5), (0.2, 0.0), (0.3, 0.07), (0.35, 0.12)],
    "up and down": [(0.3, 0.11), (0.2, 0.0), (0.2, 0.24), (0.1, 0.0), (0.2, 0.22)],
}


@pytest.mark.parametrize("name", CURVES)
def test_no_curve_breaks_the_promise_more_often_than_agreed(name):
    assert broken(CURVES[name], 35, 0.10) <= 0.05
    assert broken(CURVES[name], 35, 0.10, of="questions") <= 0.05


def test_the_flat_curve_uses_up_nearly_all_of_it():
    """The bound is not merely safe: with fine steps, a curve that always errs just too often comes near it."""
    level = simultaneous_level(60, 0.10, 0.05)
    chance = numpy.random.default_rng(7)
    passes = 0
    allowed = allowed_errors(60, level, 0.10)
    for _ in range(4000):
        errors = numpy.cumsum(chance.random(60) < 0.10)
        passes += bool((errors <= allowed[1:]).any())
    assert 0.04 < passes / 4000 < 0.06


@given(
    st.lists(st.tuples(st.sampled_from([0.2, 0.5, 0.9, nan, None]), st.sampled_from([True, False, None])), min_size=1)
)
def test_more_errors_never_help(cases):
    confidences, wrong = zip(*cases, strict=True)
    found = certified_threshold(confidences, wrong, error=0.4, confidence=0.8)
    worse = certified_threshold(confidences, [True, *wrong[1:]], error=0.4, confidence=0.8)
    assert worse is None or (found is not None and found.answered >= worse.answered)


def test_a_confidence_may_be_any_number():
    assert certified_threshold([-inf] * 59, [False] * 59) is None
    found = certified_threshold([inf] * 30 + [-3.5] * 29, [False] * 59)
    assert found is not None
    assert found.value == -3.5


def test_how_many_cases_to_plan_for():
    told = {(1.0, 0): 60, (1.0, 0.005): 105, (1.0, 0.01): 145, (1.0, 0.02): 360, (0.6, 0): 115, (0.6, 0.01): 255}
    assert {key: cases_to_certify(0.05, answered=key[0], wrong=key[1]) for key in told} == told
    assert [cases_to_certify(0.10, answered=0.6, wrong=r) for r in (0, 0.01, 0.02, 0.03)] == [55, 95, 125, 205]
    assert cases_to_certify(0.05, wrong=0.06) is None


def test_the_exact_interval_of_a_share():
    low, high = clopper_pearson(3, 10)
    upper = sum(comb(10, k) * low**k * (1 - low) ** (10 - k) for k in range(3, 11))
    lower = sum(comb(10, k) * high**k * (1 - high) ** (10 - k) for k in range(4))
    assert [upper, lower] == pytest.approx([0.025, 0.025])
    assert clopper_pearson(0, 10)[0] == 0
    assert clopper_pearson(10, 10)[1] == 1


@pytest.mark.parametrize(
    "given",
    [{"error": 0}, {"error": 5}, {"confidence": 95}, {"of": "all"}],
)
def test_what_is_no_promise_is_refused(given):
    with pytest.raises(ValueError, match=next(iter(given)) if "of" in given or "error" in given else "confidence"):
        certified_threshold([1.0], [False], **given)


def test_each_case_has_a_confidence_and_a_verdict():
    with pytest.raises(ValueError, match="got 2 and 1"):
        certified_threshold([1.0, 0.5], [False])
