"""What `auto` means."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.local.base_models import TINY_DEFAULTS
from finetune_lib.local.training.recipe import choose, defaults_of


@pytest.mark.parametrize(
    ("examples", "epochs"),
    [(1, 25), (4, 25), (10, 10), (20, 5), (33, 3), (34, 3), (100, 3), (8_333, 3), (10_000, 2), (30_000, 1)],
)
def test_epochs_by_openais_rule(examples, epochs):
    assert choose({}, {}, examples=examples, few=False).n_epochs == epochs


@pytest.mark.parametrize(("examples", "epochs"), [(1, 50), (6, 50), (10, 30), (12, 25), (14, 22), (100, 3), (1000, 3)])
def test_epochs_by_tinys_rule(examples, epochs):
    recipe = choose({}, TINY_DEFAULTS, examples=examples, few=False)
    assert recipe.n_epochs == epochs
    assert recipe.batch_size == min(2, examples)
    assert recipe.learning_rate == 2e-3


@pytest.mark.parametrize(("examples", "batch"), [(10, 1), (500, 1), (1000, 2), (5000, 10), (100_000, 16)])
def test_batch_is_a_five_hundredth_of_the_examples(examples, batch):
    assert choose({}, {}, examples=examples, few=False).batch_size == batch


def test_lora_learns_ten_times_faster():
    rates = [choose({}, {}, examples=10, few=few).learning_rate for few in (True, False)]
    assert rates == pytest.approx([2e-4, 2e-5])


def test_multiplier_multiplies_the_rate():
    recipe = choose({"learning_rate_multiplier": 0.5}, TINY_DEFAULTS, examples=10, few=False)
    assert recipe.learning_rate == pytest.approx(1e-3)
    assert recipe.hyperparameters() == {"n_epochs": 30, "batch_size": 2, "learning_rate_multiplier": 0.5}


def test_auto_is_the_same_as_nothing():
    auto = dict.fromkeys(("n_epochs", "batch_size", "learning_rate_multiplier"), "auto")
    assert choose(auto, {}, examples=10, few=False) == choose({}, {}, examples=10, few=False)


@given(
    examples=st.integers(1, 10**6),
    epochs=st.integers(1, 50) | st.just("auto"),
    batch=st.integers(1, 256) | st.just("auto"),
    defaults=st.sampled_from([{}, TINY_DEFAULTS]),
)
def test_what_is_asked_is_done_and_the_rest_is_sound(examples, epochs, batch, defaults):
    recipe = choose({"n_epochs": epochs, "batch_size": batch}, defaults, examples=examples, few=False)
    assert recipe.n_epochs == epochs if epochs != "auto" else 1 <= recipe.n_epochs <= 50
    assert recipe.batch_size == min(batch, examples) if batch != "auto" else 1 <= recipe.batch_size <= examples


def test_defaults_lie_beside_the_base(tmp_path):
    assert defaults_of(str(tmp_path)) == {}
    assert defaults_of("org/name") == {}
    (tmp_path / "finetune_defaults.json").write_text(json.dumps({"batch_size": 4}))
    assert defaults_of(str(tmp_path)) == {"batch_size": 4}
