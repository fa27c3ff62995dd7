"""Metrics from events, and their picture."""

from __future__ import annotations

import re

import pytest

import finetune_lib as ft
from finetune_lib.jobs.metrics import Step


def told(number, data, kind="metrics"):
    return ft.JobEvent(id=f"ftevent-{number}", created_at=number, level="info", message="m", type=kind, data=data)


def test_metrics_rows_become_steps_in_order_each_once():
    rows = [{"step": 2, "train_loss": 0.2}, {"step": 1, "train_loss": 0.5}, {"step": 2, "train_loss": 0.1}]
    metrics = ft.Metrics.from_events(told(n, row) for n, row in enumerate(rows))
    assert [(step.step, step.train_loss) for step in metrics] == [(1, 0.5), (2, 0.1)]


@pytest.mark.parametrize(
    "event", [told(1, {"step": 1}, "message"), told(1, None), told(1, {}), told(1, {"train_loss": 1.0})]
)
def test_other_events_are_passed_over(event):
    assert len(ft.Metrics.from_events([event])) == 0


def test_full_validation_goes_before_that_of_a_batch():
    full = {"full_valid_loss": 0.4, "full_valid_mean_token_accuracy": 0.0}
    batch = {"valid_loss": 0.9, "valid_mean_token_accuracy": 0.1}
    (both,) = ft.Metrics.from_events([told(1, {"step": 1, **full, **batch})])
    assert (both.valid_loss, both.valid_mean_token_accuracy) == (0.4, 0.0)
    (one,) = ft.Metrics.from_events([told(1, {"step": 1, **batch, "full_valid_loss": None})])
    assert (one.valid_loss, one.valid_mean_token_accuracy) == (0.9, 0.1)


def test_metrics_are_a_sequence():
    metrics = ft.Metrics(tuple(Step(n, train_loss=1 / n) for n in range(1, 6)))
    assert metrics[-1] == Step(5, train_loss=0.2)
    assert metrics[1:3] == ft.Metrics(metrics.steps[1:3])
    assert list(metrics) == list(metrics.steps)
    assert Step(3, train_loss=1 / 3) in metrics


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (Step(1, train_loss=0.5),),
        (Step(1, train_loss=float("nan")), Step(2, train_loss=float("inf"), valid_loss=0.1)),
        (Step(1, valid_loss=0.5), Step(2)),
        tuple(Step(n, train_loss=0.0, valid_loss=0.0) for n in range(3)),
    ],
    ids=["none", "one", "not finite", "gaps", "flat"],
)
def test_every_curve_can_be_drawn_and_saved(steps, tmp_path):
    plot = ft.Metrics(steps).plot()
    path = plot.save(tmp_path / "deep" / "curve.svg")
    assert path.read_text(encoding="utf-8") == plot.svg == ft.Metrics(steps)._repr_html_()
    assert plot.svg.startswith("<svg")
    assert not re.search(r"\b(nan|inf)\b", plot.svg)
