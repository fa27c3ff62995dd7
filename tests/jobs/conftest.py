"""Haste, and a record of runs of one test alone."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.jobs.scripts import hasten

import finetune_lib as ft


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the record, where waiting is short."""
    hasten(monkeypatch.setattr)
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def scripted(own_home: Path) -> Any:
    """Starts a scripted platform, which is ended with the test."""
    with ExitStack() as stack:

        def start(kind: Any = "openai", **options: Any) -> ft.testing.ScriptedPlatform:
            return stack.enter_context(ft.testing.ScriptedPlatform(kind, **options))

        yield start
