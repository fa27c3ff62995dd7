"""Pilots: small trainings that say whether more data still helps, and no more than they know."""

from __future__ import annotations

import math

import pytest

import finetune_lib as ft
from finetune_lib.jobs.pilot import Pilot, PilotStep

SHORT = {"n_epochs": 1, "batch_size": 8}


def steps(*scores, sizes=(100, 200, 400, 800, 1600)):
    return tuple(PilotStep(size, (), score, 0.0) for size, score in zip(sizes, scores, strict=False))


def pilot(*scores, **more):
    return Pilot(steps(*scores, **more), None, None)


@pytest.mark.parametrize("scores", [(0.5,), (0.4, 0.5), (0.4, 0.5, 0.55)])
def test_three_sizes_give_no_curve(scores):
    assert pilot(*scores).expected(3_200) is None


def test_the_curve_is_the_line_over_the_root_of_the_size():
    exact = pilot(*(0.9 - 2 / math.sqrt(n) for n in (100, 200, 400, 800)))
    guess = exact.expected(1_600)
    assert guess.value == pytest.approx(0.9 - 2 / 40)
    assert guess.high - guess.low == pytest.approx(0, abs=1e-9)


def test_scattered_scores_are_less_sure_than_scores_in_line():
    calm, wild = pilot(0.70, 0.76, 0.80, 0.83), pilot(0.60, 0.86, 0.70, 0.93)
    widths = [found.high - found.low for found in (calm.expected(1_600), wild.expected(1_600))]
    assert widths[0] < widths[1]


@pytest.mark.parametrize("fractions", [(0.5, 1.0), (0.25, 0.5, 1.0), (0.1, 0.2, 0.5, 1.5), (0, 0.2, 0.5, 1)])
def test_too_few_sizes_are_refused_before_anything_is_sent(data, platform, fractions):
    before = len(ft.Job.list(limit=None, platform=platform))
    with pytest.raises(ValueError, match="at least 4"):
        ft.Job.pilot(
            data,
            model="tiny",
            evaluator=ft.Evaluator([ft.ExactMatch()]),
            golden=[],
            fractions=fractions,
            platform=platform,
        )
    assert len(ft.Job.list(limit=None, platform=platform)) == before


def test_a_pilot_trains_each_size_and_compares_them(rows, platform, tmp_path):
    data = ft.Dataset.from_rows([rows[n % 12] for n in range(24)])
    golden = ft.Dataset.from_rows(rows[:4])
    evaluator = ft.Evaluator([ft.ExactMatch()], store=tmp_path / "answers.db")
    options = {"hyperparameters": SHORT, "platform": platform, "subsets": 1, "fractions": (0.45, 0.6, 0.8, 1.0)}
    found = ft.Job.pilot(data, model="tiny", evaluator=evaluator, golden=golden, **options)
    assert [step.examples for step in found.steps] == [11, 14, 19, 24]
    assert all(len(step.jobs) == 1 and step.jobs[0].done and step.usd == 0.0 for step in found.steps)
    assert not found.still_rising  # one epoch teaches `tiny` nothing
    assert "still rising: not shown" in str(found)
    assert "with another one" in str(found)
    again = ft.Job.pilot(data, model="tiny", evaluator=evaluator, golden=golden, **options)
    assert [step.jobs[0].id for step in again.steps] == [step.jobs[0].id for step in found.steps]
