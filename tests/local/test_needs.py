"""What a training needs: by the rule, for bases of known sizes, and as the platform tells it."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import time

import httpx2
import pytest

from finetune_lib.local.base_models import TINY_DEFAULTS, ensure_tiny
from finetune_lib.local.job_directory import JobDirectory, Order
from finetune_lib.local.needs import TINY_SHAPE, Machine, Shape, Work, largest, needs, shape_of
from finetune_lib.local.training.recipe import choose

GB = 10**9
CPU = Machine(memory_bytes=16 * GB, disk_bytes=100 * GB, cores=2)
# Qwen3-0.6B by its published config: 28 layers, 1024 wide, 3072 within, 151,936 tokens; 596,049,920 weights.
REAL = Shape(596_049_920, 28, 1024, 3072, 151_936, 40_960)
# SmolLM2-135M-Instruct by its published config.
SMALL = Shape(134_515_008, 30, 576, 1536, 49_152, 8192)


def recipe(shape, examples=12, **wanted):
    defaults = TINY_DEFAULTS if shape == TINY_SHAPE else {}
    return choose(wanted, defaults, examples=examples, few=shape.adapted)


def test_the_shape_of_tiny_is_that_of_its_folder(tmp_path):
    assert shape_of(ensure_tiny(tmp_path)) == TINY_SHAPE


def test_an_adapter_has_the_shape_of_its_base(tmp_path):
    base, adapter = ensure_tiny(tmp_path), tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(base)}))
    assert shape_of(adapter) == TINY_SHAPE


@pytest.mark.parametrize("config", ["{", "[]", "{}", '{"hidden_size": null}'])
def test_a_folder_that_does_not_tell_has_no_shape(tmp_path, config):
    (tmp_path / "config.json").write_text(config)
    assert shape_of(tmp_path) is None
    assert shape_of(tmp_path / "none") is None


def test_more_of_anything_never_needs_less():
    least = needs(TINY_SHAPE, recipe(TINY_SHAPE), Work(12, 700, 60), CPU)
    for work in (Work(120, 7000, 60), Work(12, 7000, 600), Work(12, 700, 60, validation_tokens=9000)):
        found = needs(TINY_SHAPE, recipe(TINY_SHAPE, n_epochs=25), work, CPU)
        assert found.seconds >= least.seconds
        assert found.memory_bytes >= least.memory_bytes
        assert found.disk_bytes >= least.disk_bytes


def test_what_is_trained_as_a_whole_holds_sixteen_bytes_a_weight():
    """Weights, gradients and two moments in float32; SmolLM2-135M was seen to leave 5.1 GB on the disk."""
    found = needs(SMALL, recipe(SMALL, n_epochs=5), Work(16, 1000, 1), CPU)
    assert found.memory_bytes == pytest.approx(0.55e9 + 16 * 134.5e6, rel=0.05)
    assert 5.1e9 < found.disk_bytes < 7.1e9  # a fourth checkpoint is written before the first one goes


def test_adapters_need_a_fraction_of_it():
    found = needs(REAL, recipe(REAL), Work(12, 700, 1), CPU)
    assert found.memory_bytes < 0.55e9 + 6 * REAL.parameters
    assert found.disk_bytes < 0.5e9


def test_a_long_example_is_cut_at_the_context():
    longer, longest = (needs(TINY_SHAPE, recipe(TINY_SHAPE), Work(12, n, n), CPU) for n in (4096, 90_000))
    assert longer.memory_bytes == longest.memory_bytes


@pytest.mark.parametrize("gigabytes", [2, 8, 64])
def test_the_largest_base_fits_and_twice_of_it_does_not(gigabytes):
    machine = Machine(gigabytes * GB, 10_000 * GB, cores=2)
    most = largest(machine)
    fitting, beyond = (Shape(n, 24, 64, 64, 1000, 4096) for n in (most, 2 * most))
    assert needs(fitting, recipe(fitting), Work(12, 700, 60), machine).memory_bytes <= machine.memory_bytes
    assert needs(beyond, recipe(beyond), Work(12, 700, 60), machine).memory_bytes > machine.memory_bytes


def test_time_on_a_gpu_is_not_known_before_a_first_training():
    gpu = Machine(139 * GB, 64 * GB, cores=16, gpu=True)
    assert needs(REAL, recipe(REAL), Work(12, 700, 60), gpu).seconds is None
    assert needs(REAL, recipe(REAL), Work(12, 700, 60), gpu, pace=0.5).seconds > 0


def occupied(folder):
    """The bytes of its files; those that are moved meanwhile are counted the next time."""
    found = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            found += file.stat().st_size if file.is_file() else 0
    return found


@pytest.mark.skipif(not hasattr(resource, "RUSAGE_CHILDREN") or sys.platform != "linux", reason="memory is told in kB")
def test_a_training_of_tiny_needs_what_the_rule_says(tmp_path):
    """Within a quarter; time is another machine's affair."""
    directory = JobDirectory(tmp_path / "job")
    directory.path.mkdir()
    text = "x" * 490
    row = {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": text}]}
    directory.train.write_text("".join(json.dumps(row) + "\n" for _ in range(8)))
    directory.place(Order(str(ensure_tiny(tmp_path)), 7, {"n_epochs": 1, "batch_size": 4}))
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stderr=-3);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [sys.executable, "-c", code, sys.executable, "-m", "finetune_lib.local.worker", str(directory.path)]
    most = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:
        while run.poll() is None:
            most = max(most, occupied(directory.path))
            time.sleep(0.01)
        peak = int(run.stdout.read()) * 1024
    tokens = directory.outcome()[1]["trained_tokens"]
    plan = recipe(TINY_SHAPE, examples=8, n_epochs=1, batch_size=4)
    found = needs(TINY_SHAPE, plan, Work(8, tokens, tokens // 8), CPU)
    assert found.memory_bytes == pytest.approx(peak, rel=0.25)
    assert found.disk_bytes == pytest.approx(most, rel=0.35)  # the peak lasts shorter than a look takes
    assert occupied(directory.path) < found.disk_bytes * 0.6  # what only training needs is gone


def asked(server, **body):
    with httpx2.Client(headers={"Authorization": f"Bearer {server.token}"}, trust_env=False) as http:
        return http.post(f"{server.url}/fine_tuning/estimates", json={"model": "tiny", **body})


def test_the_platform_tells_it(server):
    told = asked(server, examples=12, tokens=700, longest=60).json()
    assert (told["object"], told["parameters"], told["fits"]) == ("fine_tuning.estimate", 919_936, True)
    assert told["free_disk_bytes"] == pytest.approx(shutil.disk_usage(server.root).free, rel=0.1)
    assert told["bases"]["tiny"] is True
    assert told["seconds"] > 0


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"examples": -1}, "examples"),
        ({"tokens": "x"}, "tokens"),
        ({"hyperparameters": {"n_epochs": 0}}, "hyperparameters.n_epochs"),
    ],
)
def test_what_is_no_number_is_refused(server, body, param):
    answer = asked(server, **body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_an_unknown_base_is_told(server):
    assert asked(server, model="gpt-none", examples=1).status_code == 404


def test_earlier_trainings_correct_the_time(server, trained):
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    told = asked(server, examples=12, tokens=700, longest=60).json()
    by_rule = needs(TINY_SHAPE, recipe(TINY_SHAPE), Work(12, 700, 60), Machine(GB, GB, cores=cores))
    assert trained.job.status == "succeeded"
    assert told["seconds"] != by_rule.seconds
