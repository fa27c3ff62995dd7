"""The watch over days and the audit of labels: oracles, silence while nothing happens, and speech after a shift."""

import numpy
import pytest

from finetune_lib.statistics import audit_evidence, shift_evidence, usual_days

ALARM, AUDIT = 365 / 0.01, 3650 / 0.01


def first_above(evidence, alarm):
    return next((place for place, one in enumerate(evidence, start=1) if one >= alarm), None)


def test_days_that_drop_and_stay():
    found = shift_evidence([0.60, 0.61, 0.59, 0.60, 0.62, 0.58, 0.60, 0.61, *[0.50] * 25])
    assert [found[7], found[14], found[32]] == pytest.approx([5.003897, 59.920297, 6365.330092], abs=1e-6)
    assert first_above(found, ALARM) is None


def test_days_that_sink():
    days = [0.60 + 0.01 * (7 * i % 5 - 2) for i in range(60)] + [0.50 - 0.001 * i for i in range(30)]
    found = shift_evidence(days)
    assert [found[59], found[69]] == pytest.approx([14.694927, 1318.056439], abs=1e-6)
    assert first_above(found, ALARM) == 76


def test_labels_of_which_more_and_more_are_wrong():
    labels = [i % 25 == 0 for i in range(1, 101)] + [i % 5 == 0 for i in range(1, 301)]
    found = audit_evidence(labels, error=0.05)
    assert [found[99], found[119]] == pytest.approx([34.862346, 448.910638], abs=1e-6)
    assert first_above(found, AUDIT) == 175


def year(chance, days=365, *, weekend=0.0, questions=200, copies=1):
    """Shares answered of each day, about .6; each question may come several times."""
    rates = [0.6 - weekend * (day % 7 >= 5) for day in range(days)]
    return [float(chance.binomial(questions // copies, rate) * copies / questions) for rate in rates]


@pytest.mark.parametrize("kind", [{}, {"weekend": 0.08}, {"copies": 5}], ids=["plain", "weekends", "repeats"])
def test_it_is_silent_through_years_in_which_nothing_happens(kind):
    chance = numpy.random.default_rng(11)
    years = [shift_evidence(year(chance, **kind), ties=chance.random(365)) for _ in range(20)]
    assert sum(first_above(found, ALARM) is not None for found in years) == 0


def test_it_speaks_after_a_lasting_shift():
    chance = numpy.random.default_rng(12)
    for _ in range(20):
        days = [*year(chance, 120), *[float(chance.binomial(200, 0.45) / 200) for _ in range(60)]]
        at = first_above(shift_evidence(days, ties=chance.random(180)), ALARM)
        assert at is not None
        assert 120 < at <= 150


def test_a_usual_day_is_known_after_four_weeks():
    days = [0.60 + 0.01 * (7 * i % 5 - 2) for i in range(28)]
    assert usual_days(days[:27]) is None
    low, high = usual_days(days) or (0, 0)
    assert low < 0.57 < 0.63 < high
    assert high < 0.72
