"""Settings of a job: everything that the platform would refuse is said at once, and before anything is sent."""

from __future__ import annotations

import pytest
from tests.doubles import Scripted, refusal, serving

import finetune_lib as ft

ROWS = [
    {"messages": [{"role": "user", "content": f"What is {n} and {n}?"}, {"role": "assistant", "content": str(2 * n)}]}
    for n in range(1, 13)
]
DATA = ft.Dataset.from_rows(ROWS, name="data")
ASKED = frozenset({"GET /models/gpt-4.1-mini", "GET /models/m"})  # how long a model lives
GRADER = {"type": "string_check", "name": "g", "input": "{{sample.output_text}}", "reference": "{{item.a}}"}


@pytest.fixture
def server():
    """It knows no model, and has no line for any other call: each one is counted, and would break."""
    with serving(Scripted({call: [refusal(404)] for call in ASKED})) as server:
        yield server
    assert set(server.calls) <= ASKED


def platform(server, kind="openai"):
    return ft.Platform(kind, server.url, "planted-key-0123456789")


def refused(server, kind="openai", **options):
    """What is said of settings that are refused."""
    with pytest.raises(ValueError, match=r"\w") as caught:
        ft.Job.create(DATA, model="gpt-4.1-mini", platform=platform(server, kind), **options)
    return str(caught.value)


def test_all_problems_are_said_at_once(server):
    said = refused(
        server,
        suffix="s" * 65,
        seed=-1,
        metadata={"n": 1},
        hyperparameters={"n_epochs": 0, "beta": 1},
        response_format={"type": "json_object"},
    )
    for word in ("suffix", "seed", "metadata['n']", "n_epochs", "beta", "response_format"):
        assert word in said
    assert said.count("; ") >= 5


@pytest.mark.parametrize(
    ("kind", "suffix", "fits"),
    [
        ("openai", "s" * 64, True),
        ("openai", "s" * 65, False),
        ("openai", "", False),
        ("openai", 7, False),
        ("azure", "s" * 40, True),
        ("azure", "s" * 41, False),
        ("azure", "with space", False),
        ("azure", "客服", False),
        ("openai", "客服", True),
    ],
)
def test_a_suffix_is_as_its_platform_takes_it(server, kind, suffix, fits):
    plan = ft.Job.plan(DATA, model="gpt-4.1-mini", suffix=suffix, platform=platform(server, kind))
    assert ("suffix" in " ".join(plan.settings.problems(plan.platform.kind))) is not fits
    if not fits:
        assert "suffix" in refused(server, kind, suffix=suffix)


@pytest.mark.parametrize("seed", [-1, 2**31, 1.5, True, "7"])
def test_a_seed_is_a_whole_number(server, seed):
    assert "seed is a whole number" in refused(server, seed=seed)


@pytest.mark.parametrize(
    "metadata",
    [
        {str(n): "x" for n in range(16)},
        {"n" * 65: "x"},
        {"n": "x" * 513},
        {"n": 1},
        {1: "x"},
        {"finetune_lib_key": "x"},
    ],
)
def test_metadata_that_is_not_kept(server, metadata):
    assert "metadata" in refused(server, metadata=metadata)


@pytest.mark.parametrize(
    ("method", "hyperparameters"),
    [
        ("supervised", {"n_epochs": 51}),
        ("supervised", {"n_epochs": 1.5}),
        ("supervised", {"n_epochs": True}),
        ("supervised", {"n_epochs": "many"}),
        ("supervised", {"batch_size": 257}),
        ("supervised", {"learning_rate_multiplier": 0}),
        ("supervised", {"learning_rate_multiplier": float("nan")}),
        ("supervised", {"learning_rate_multiplier": float("inf")}),
        ("supervised", {"beta": 0.1}),
        ("supervised", {"epochs": 3}),
        ("dpo", {"beta": 2.5}),
        ("dpo", {"compute_multiplier": 1}),
        ("reinforcement", {"compute_multiplier": 11}),
        ("reinforcement", {"reasoning_effort": "extreme"}),
        ("reinforcement", {"eval_samples": 0}),
    ],
)
def test_a_hyperparameter_outside_its_range(server, method, hyperparameters):
    name = next(iter(hyperparameters))
    grader = GRADER if method == "reinforcement" else None
    assert name in refused(server, method=method, hyperparameters=hyperparameters, grader=grader)


@pytest.mark.parametrize(
    ("method", "hyperparameters"),
    [
        ("supervised", {"n_epochs": "auto", "batch_size": 256, "learning_rate_multiplier": 0.1}),
        ("dpo", {"n_epochs": 50, "beta": "auto"}),
        ("reinforcement", {"compute_multiplier": 1.5, "reasoning_effort": "low", "eval_interval": 5}),
    ],
)
def test_hyperparameters_that_a_method_has(server, method, hyperparameters):
    plan = ft.Job.plan(
        DATA,
        model="gpt-4.1-mini",
        method=method,
        hyperparameters=hyperparameters,
        grader=GRADER if method == "reinforcement" else None,
        platform=platform(server),
    )
    assert list(plan.settings.problems(plan.platform.kind)) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "reinforcement"}, "needs it"),
        ({"grader": GRADER}, "grader="),
        ({"method": "guess"}, "there is no method 'guess'"),
        ({"extra": {"metadata": {}}}, "extra= has metadata"),
        ({"extra": {"training_file": "file-1", "model": "x"}}, "extra= has model, training_file"),
        ({"extra": {"when": object()}}, "extra= cannot be sent as JSON"),
        ({"integrations": [{"weight": float("nan")}]}, "integrations= cannot be sent as JSON"),
    ],
)
def test_what_does_not_go_together(server, options, said):
    assert said in refused(server, **options)


def test_a_method_that_the_platform_has_not(server):
    grader = {"type": "string_check", "name": "g", "input": "a", "reference": "a", "operation": "eq"}
    told = refused(server, "nebius", method="reinforcement", grader=grader)
    assert "Nebius trains by supervised, not 'reinforcement'" in told


def test_a_path_says_what_to_write(server):
    with pytest.raises(TypeError, match=r"write ft\.Dataset\.load\('train\.jsonl'\)"):
        ft.Job.create("train.jsonl", model="gpt-4.1-mini", platform=platform(server))
    with pytest.raises(TypeError, match="validation is a Dataset"):
        ft.Job.create(DATA, model="gpt-4.1-mini", validation="valid.jsonl", platform=platform(server))


def test_a_budget_that_is_too_small(server):
    with pytest.raises(ft.BudgetExceededError, match="Nothing was sent") as caught:
        ft.Job.create(DATA, model="gpt-4.1-mini", budget=0.0, platform=platform(server))
    assert caught.value.estimate > caught.value.budget == 0.0


@pytest.mark.parametrize("budget", [-1.0, float("nan")])
def test_a_budget_that_is_none(server, budget):
    assert "a budget is a number" in refused(server, budget=budget)


def test_a_budget_without_a_price(server):
    with pytest.raises(ValueError, match="a budget needs a price"):
        ft.Job.create(DATA, model="m", budget=5.0, platform=ft.connect(server.url, api_key="k"))


def test_a_dry_run_sends_no_data_and_says_all(server):
    plan = ft.Job.create(
        DATA, model="gpt-4.1-mini", suffix="mine", seed=7, budget=5.0, dry_run=True, platform=platform(server)
    )
    said = str(plan)
    for word in ("train gpt-4.1-mini by supervised on openai", server.url, "12 examples", "suffix=mine", "seed=7", "$"):
        assert word in said


def test_a_dry_run_shows_problems(server):
    plan = ft.Job.create(DATA, model="gpt-4.1-mini", seed=-1, dry_run=True, platform=platform(server))
    assert "PROBLEM: seed" in str(plan)
