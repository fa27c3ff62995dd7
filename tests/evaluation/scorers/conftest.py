"""A small service that speaks chat completions and embeddings over real HTTP."""

from __future__ import annotations

import pytest
from tests.doubles import Service, serving

import finetune_lib as ft


@pytest.fixture(autouse=True)
def answers_of_this_test_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path))


@pytest.fixture
def service():
    with serving(Service()) as service:
        yield service


@pytest.fixture
def platform(service) -> ft.Platform:
    return ft.connect(service.url, api_key="k")
