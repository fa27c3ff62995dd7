import random

import pytest

from finetune_lib.statistics import KAPPA_GATE, calibrated, length_effect, position_bias


def test_a_judge_that_prefers_the_first_place_is_caught():
    """ChatGPT on LLMBar: the first answer in 64.7 % of 838 calls."""
    found = position_bias(542, 296)
    assert found.value == pytest.approx(0.647, abs=5e-4)
    assert found.p < 1e-10
    assert position_bias(419, 419).p == 1.0
    with pytest.raises(ValueError, match="at least one"):
        position_bias(0, 0)


def judged(rng, n, *, length, edge=0.0):
    """Verdicts of a judge for whom a long answer is worth `length` log odds, and the lengths."""
    from math import exp, tanh

    differences = [rng.gauss(60, 100) for _ in range(n)]
    odds = [edge + length * tanh(d / 100) for d in differences]
    return [float(rng.random() < 1 / (1 + exp(-x))) for x in odds], differences


def test_injected_length_bias_is_found_and_taken_out():
    """Answers are equally good, but longer ones on average: the raw rate favours them, the controlled one does not."""
    preferences, lengths = judged(random.Random(4), 1500, length=1.5)
    found = length_effect(preferences, lengths)
    assert sum(preferences) / len(preferences) > 0.58
    assert found.coefficient.low < 1.5 < found.coefficient.high
    assert found.coefficient.p < 1e-6
    assert found.controlled.low < 0.5 < found.controlled.high
    assert found.controlled.p > 0.05


def test_a_judge_without_length_bias_is_left_alone():
    preferences, lengths = judged(random.Random(5), 1500, length=0.0, edge=0.8)
    found = length_effect(preferences, lengths)
    assert found.coefficient.low < 0 < found.coefficient.high
    assert found.controlled.low < 0.69 < found.controlled.high
    clustered = length_effect(preferences, lengths, [i // 5 for i in range(1500)])
    assert clustered.controlled.value == pytest.approx(found.controlled.value)
    assert "cluster" in clustered.controlled.method


def test_a_length_effect_needs_differences_in_both():
    for preferences, lengths in (
        ([1, 1, 1], [1, 2, 3]),
        ([1, 0, 1], [5, 5, 5]),
        ([2, 0, 1], [1, 2, 3]),
        ([1, 0], [1, 2]),
    ):
        with pytest.raises(ValueError, match="differences in both"):
            length_effect(preferences, lengths)


def test_the_formula_of_prediction_powered_inference():
    judge, human, everywhere = [1, 1, 0, 1, 0, 1], [1, 0, 0, 1, 0, 1], [1, 1, 0, 1, 1, 0, 1, 0, 1, 1]
    errors = [h - j for h, j in zip(human, judge, strict=True)]
    mean = sum(errors) / 6
    variance = 0.7 * 0.3 / 10 + sum((e - mean) ** 2 for e in errors) / 6 / 6
    found = calibrated(judge, human, everywhere)
    assert found.value == pytest.approx(0.7 + mean)
    assert found.standard_error == pytest.approx(variance**0.5)
    assert found.high - found.low > 2 * 1.959964 * variance**0.5


def test_a_judge_without_an_error_in_few_labels_may_still_err():
    found = calibrated([1] * 30, [1] * 30, [1] * 50)
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.8 < found.low < 0.95
    thousand = calibrated([1, 0] * 500, [1, 0] * 500, [1, 0] * 500)
    assert thousand.high - thousand.low == pytest.approx(2 * 1.96 * 0.5 / 1000**0.5, rel=0.05)


def test_labels_may_come_in_any_row():
    labelled, human, others = [1, 0, 1], [1, 1, 1], [0, 1, 1, 1]
    assert calibrated(iter(labelled), iter(human), iter(others)) == calibrated(labelled, human, others)


def test_one_length_that_parts_wins_from_losses_proves_little_in_few_items():
    few = length_effect([1, 1, 0, 0], [5, 6, -7, -8])
    assert few.coefficient.p > 0.05
    assert few.coefficient.low < 0 < few.coefficient.high < 20
    many = length_effect([1] * 50 + [0] * 50, [*range(1, 51), *range(-50, 0)])
    assert many.coefficient.p < 0.01
    assert many.controlled.low < 0.5 < many.controlled.high


def test_few_items_do_not_show_a_length_effect_too_often():
    """Eight wins in ten whatever the length: p is below 0.05 at most 1 time in 20, give or take chance."""
    rng, alarms = random.Random(3), 0
    for _ in range(300):
        wins = [1.0, 0.0] + [float(rng.random() < 0.8) for _ in range(18)]
        alarms += length_effect(wins, [rng.gauss(30, 100) for _ in wins]).coefficient.p < 0.05
    assert alarms / 300 < 0.07


def test_a_flattering_judge_is_corrected_and_a_useless_one_ignored():
    rng = random.Random(7)
    truth = [float(rng.random() < 0.6) for _ in range(3000)]
    flattering = [max(t, float(rng.random() < 0.5)) for t in truth]
    found = calibrated(flattering[:300], truth[:300], flattering[300:])
    assert sum(flattering) / 3000 > 0.75
    assert found.low < 0.6 < found.high < 0.7
    coin = [float(rng.random() < 0.5) for _ in truth]
    wholly, tuned = (calibrated(coin[:300], truth[:300], coin[300:], tuned=tuned) for tuned in (False, True))
    assert tuned.standard_error < 0.8 * wholly.standard_error
    with pytest.raises(ValueError, match="two labels"):
        calibrated([1], [1], [1, 0])


def test_the_gate_is_moderate_agreement():
    assert KAPPA_GATE == 0.4
