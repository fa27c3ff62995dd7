"""Metrics from events, and their picture."""

from __future__ import annotations

import base64
import random
import re
import sys

import pytest

import finetune_lib as ft
from finetune_lib.jobs.metrics import Step
from finetune_lib.records import Checkpoint


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


def test_full_validation_stands_beside_that_of_a_batch():
    full = {"full_valid_loss": 0.4, "full_valid_mean_token_accuracy": 0.0}
    batch = {"valid_loss": 0.9, "valid_mean_token_accuracy": 0.1}
    (both,) = ft.Metrics.from_events([told(1, {"step": 1, **full, **batch})])
    assert (both.valid_loss, both.valid_mean_token_accuracy) == (0.9, 0.1)
    assert (both.full_valid_loss, both.full_valid_mean_token_accuracy) == (0.4, 0.0)
    (one,) = ft.Metrics.from_events([told(1, {"step": 1, **batch, "full_valid_loss": None})])
    assert (one.valid_loss, one.full_valid_loss) == (0.9, None)


@pytest.mark.parametrize("missing", [-1, -1.0, "-1", "", None, "n/a", True, [], 10**400])
def test_what_is_missing_in_any_form_is_none(missing):
    (step,) = ft.Metrics.from_events([told(1, {"step": 1, "train_loss": 0.5, "valid_loss": missing})])
    assert step == Step(1, train_loss=0.5)


@pytest.mark.parametrize("step", [None, "", "x", -1, 1.5, "nan", float("inf"), [], {}])
def test_row_without_a_whole_step_is_passed_over(step):
    events = [told(1, {"step": step, "train_loss": 0.5}), told(2, {"step": "2.0", "train_loss": "0.25"})]
    assert list(ft.Metrics.from_events(events)) == [Step(2, train_loss=0.25)]


def test_rewards_and_speed_are_told_where_they_are():
    scores = {"train_reward_mean": 0.25, "valid_reward_mean": -0.5, "graders": []}
    row = {"step": 1, "scores": scores, "full_valid_mean_reward": "0.75", "tokens_per_second": 900}
    (step,) = metrics = ft.Metrics.from_events([told(1, row)])
    assert step == Step(
        1, train_mean_reward=0.25, valid_mean_reward=-0.5, full_valid_mean_reward=0.75, tokens_per_second=900.0
    )
    assert "training reward" in metrics.plot().svg
    assert metrics.best_step == 1


OPENAI = b"step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,1.9,0.5,2.0,0.4\n2,0.5,0.8,,\n"
AZURE = (
    b"step,train_loss,train_mean_token_accuracy,valid_loss,validation_mean_token_accuracy,full_valid_loss,"
    b"full_valid_mean_token_accuracy\r\n1,1.9,0.5,2.0,0.4,-1,-1\r\n2,0.5,0.8,-1.0,-1.0,0.6,0.7\r\n"
)
LEGACY = (
    b"step,elapsed_tokens,elapsed_examples,training_loss,training_sequence_accuracy,training_token_accuracy,"
    b"validation_loss,validation_sequence_accuracy,validation_token_accuracy\n1,8,1,1.9,0,0.5,2.0,0,0.4\n2,9,2,0.5,0,0.8,,,\n"
)
FIRST = Step(1, 1.9, 0.5, 2.0, 0.4)


@pytest.mark.parametrize(
    ("content", "last"),
    [
        (OPENAI, Step(2, 0.5, 0.8)),
        (AZURE, Step(2, 0.5, 0.8, full_valid_loss=0.6, full_valid_mean_token_accuracy=0.7)),
        (LEGACY, Step(2, 0.5, 0.8)),
    ],
    ids=["openai", "azure", "legacy"],
)
@pytest.mark.parametrize(
    "wrapped",
    [bytes, base64.b64encode, base64.encodebytes, lambda raw: b"\xef\xbb\xbf" + raw],
    ids=["plain", "base64", "lines", "mark"],
)
def test_results_file_is_read_in_every_form(content, last, wrapped):
    assert list(ft.Metrics.from_events([], results=wrapped(content))) == [FIRST, last]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>sign in</html>",
        b"\xff\xfe\x00",
        b"epoch,loss\n1,2\n",
        b"AAAA",
        b"step\n",
        b'{"step": 1}',
        b"\x00" * 9,
    ],
)
def test_unreadable_results_file_leaves_the_curve_of_the_events(content):
    events = [told(1, {"step": 1, "train_loss": 0.5})]
    assert list(ft.Metrics.from_events(events, results=content)) == [Step(1, train_loss=0.5)]


def test_results_file_fills_what_the_events_left_out():
    events = [told(1, {"step": 2, "train_loss": 0.25, "full_valid_loss": 0.75})]
    file = b"step,train_loss,valid_loss\n1,1.5,\n2,0.3,0.75\n3,0.1,0.8\n"
    steps = [Step(1, 1.5), Step(2, 0.25, full_valid_loss=0.75), Step(3, 0.1, valid_loss=0.8)]
    assert list(ft.Metrics.from_events(events, results=file)) == steps


def curve(*losses, name="full_valid_loss"):
    return ft.Metrics(tuple(Step(number, **{name: loss}) for number, loss in enumerate(losses, 1)))


@pytest.mark.parametrize("name", ["full_valid_loss", "valid_loss"])
@pytest.mark.parametrize(
    ("losses", "best", "overfits"),
    [
        ((0.9, 0.5, 0.6, 0.8), 2, 2),
        ((0.5, 0.51, 0.52), 1, None),  # no more than 5 %
        ((0.9, 0.5, 0.8), 2, None),  # once
        ((0.9, 0.5, 0.8, 0.6), 2, None),  # it comes down again
        ((0.9, 0.7, 0.5), 3, None),
        ((float("nan"), 0.5, float("inf"), 0.6, 0.7), 2, 2),
        ((), None, None),
    ],
)
def test_best_step_and_overfitting(name, losses, best, overfits):
    metrics = curve(*losses, name=name)
    assert (metrics.best_step, metrics.overfits_from) == (best, overfits)


def test_noise_of_batches_is_no_overfitting():
    noise = random.Random(7)
    metrics = curve(*(0.4 + 2 / n + noise.gauss(0, 0.05) for n in range(1, 301)), name="valid_loss")
    assert metrics.overfits_from is None
    turned = curve(*(0.4 + abs(n - 150) / 300 + noise.gauss(0, 0.05) for n in range(1, 301)), name="valid_loss")
    assert 90 <= turned.overfits_from <= 200


def checkpoint(step, **metrics):
    return Checkpoint(id=f"ckpt-{step}", step_number=step, metrics=metrics or None)


def test_best_checkpoint_is_the_one_with_the_least_validation_loss():
    saved = [
        checkpoint(3, full_valid_loss=0.7),
        checkpoint(2, full_valid_loss="0.6"),
        checkpoint(1, full_valid_loss=-1),
    ]
    assert ft.Metrics().best_of(saved).step_number == 2
    assert curve(0.5, 0.6, 0.7).best_of([checkpoint(3), checkpoint(2), checkpoint(None)]).step_number == 2
    assert ft.Metrics().best_of([checkpoint(1)]) is None
    assert ft.Metrics().best_of([]) is None


def test_plot_has_a_line_each_for_training_validation_and_full_validation():
    steps = tuple(Step(n, train_loss=1 / n, valid_loss=1.5 / n, full_valid_loss=2 / n) for n in range(1, 4))
    svg = ft.Metrics(steps).plot().svg
    assert svg.count("<polyline") == 3
    assert len(set(re.findall(r'stroke="(#\w+)"', svg))) == 3
    for title in ("training loss", "validation loss", "full validation loss"):
        assert f">{title}</text>" in svg


def test_text_is_one_short_line():
    assert str(ft.Metrics()) == "0 steps"
    text = str(curve(0.9, 0.5, 0.6, 0.8))
    assert text == "4 steps, full validation loss 0.90 → 0.80 █▁▂▆, best at step 2, overfits from step 2"
    long = str(ft.Metrics(tuple(Step(n, train_loss=1 / n) for n in range(1, 10_001))))
    assert len(long) < 100
    assert "█" in long


def test_frame_has_a_row_for_each_step():
    frame = curve(0.5, 0.25).to_pandas()
    assert list(frame.step) == [1, 2]
    assert list(frame.full_valid_loss) == [0.5, 0.25]
    assert list(ft.Metrics().to_pandas().columns) == list(Step.__dataclass_fields__)


def test_frame_without_pandas_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ft.MissingExtraError, match="frames"):
        curve(0.5).to_pandas()


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
