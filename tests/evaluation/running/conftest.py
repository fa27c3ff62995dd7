"""A platform that is an HTTP double, and a run on a store of its own."""

from __future__ import annotations

import pytest
from tests.doubles import serving
from tests.evaluation.running.double import Double
from tests.evaluation.running.scenario import cases

import finetune_lib as ft


@pytest.fixture
def double():
    with serving(Double()) as double:
        yield double


@pytest.fixture
def platform(double) -> ft.Platform:
    return ft.connect(double.url, api_key="k")


@pytest.fixture
def run(platform, tmp_path):
    """Evaluate one model on so many cases, unless told otherwise."""

    def run(number=20, *, candidates=None, scorers=None, progress=None, **options) -> ft.Report:
        options = {"platform": platform, "store": tmp_path / "answers.db", **options}
        evaluator = ft.Evaluator(scorers or [ft.Contains()], **options)
        asked = candidates or [ft.ChatModel("base")]
        return evaluator.run(cases(number), candidates=asked, on_progress=progress)

    return run


@pytest.fixture
def hasty(monkeypatch):
    """Waits are short."""
    monkeypatch.setattr("finetune_lib.platforms.asking.pacing.FIRST_WAIT", 0.02)
    monkeypatch.setattr("finetune_lib.platforms.asking.pacing.LONGEST_WAIT", 0.05)
