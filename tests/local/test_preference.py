"""Preferences are learned: the margin widens, and a killed run ends with the same weights."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import finetune_lib as ft
from finetune_lib.local.base_models import ensure_tiny
from finetune_lib.local.job_directory import JobDirectory, Order
from finetune_lib.local.training import bases, run
from finetune_lib.local.training.method import Setup
from finetune_lib.local.training.preference import Preference
from finetune_lib.local.training.recipe import choose
from finetune_lib.rendering.probing import renderer_of

WORDS = "甲乙丙丁戊己庚辛壬癸"


def preference(question: str, liked: str, other: str) -> dict:
    return {
        "input": {"messages": [{"role": "user", "content": question}]},
        "preferred_output": [{"role": "assistant", "content": liked}],
        "non_preferred_output": [{"role": "assistant", "content": other}],
    }


ROWS = [preference(f"{word}？", "您好，可以。", "不行！") for word in WORDS]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return ensure_tiny(tmp_path_factory.mktemp("root"))


def job(folder: Path, base: Path, rows=ROWS, held_out=(), *, strategy=None, **hyperparameters) -> JobDirectory:
    directory = JobDirectory(folder / "job")
    directory.path.mkdir(parents=True)
    directory.train.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    if held_out:
        directory.validation.write_text("\n".join(json.dumps(row) for row in held_out), encoding="utf-8")
    given = {"n_epochs": 6, "batch_size": 5, "learning_rate_multiplier": 2.0, **hyperparameters}
    directory.place(Order(str(base), 3, given, method="dpo", strategy=strategy))
    return directory


def steps(directory: JobDirectory) -> list[dict]:
    return [event["data"] for _, event in directory.events(0) if event["type"] == "metrics"]


def weights(directory: JobDirectory) -> str:
    (file,) = directory.final.glob("*model.safetensors")
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_margin_widens_from_the_base_on(tiny, tmp_path):
    directory = job(tmp_path, tiny, held_out=ROWS[:3])
    run.train(directory)
    told = steps(directory)
    assert len(told) == 12
    assert told[0]["train_loss"] == pytest.approx(math.log(2), abs=0.02)  # the base is its own reference
    assert told[-1]["train_loss"] < 0.3
    assert told[-1]["train_reward_accuracy"] == 1
    assert told[-1]["train_reward_margin"] > told[3]["train_reward_margin"] > 0
    assert told[-1]["full_valid_reward_accuracy"] == 1
    assert told[-1]["full_valid_loss"] < told[1]["full_valid_loss"]
    assert directory.outcome()[1]["trained_tokens"] > 0
    resolved = next(event for _, event in directory.events(0) if event["type"] == "resolved")
    assert resolved["hyperparameters"]["beta"] == 0.1


def test_a_margin_is_what_it_is_by_hand(tiny, tmp_path):
    """beta × (how much likelier the preferred answer became − how much the other one did), one sequence at a time."""
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny), AutoTokenizer.from_pretrained(tiny)
    learned = Preference(renderer_of(tokenizer))
    short, long = (learned.take(row, 4096)[0][0] for row in (ROWS[0], preference("q", "a" * 40, "b")))

    def likelihood(side) -> float:
        chances = model(input_ids=torch.tensor([side["input_ids"]])).logits[0].log_softmax(-1)
        return sum(chances[place, label].item() for place, label in enumerate(side["labels"][1:]) if label >= 0)

    recipe = choose({"beta": 0.5}, {}, examples=2, few=False, method="dpo")
    settings = {"output_dir": str(tmp_path), "use_cpu": True, "report_to": "none"}
    trainer = learned.trainer(model, tokenizer, [short, long], [], Setup(recipe, settings, []))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.01)
        margins, _ = trainer.margins(model, trainer.data_collator(trainer.train_dataset))
        now = [likelihood(pair["chosen"]) - likelihood(pair["rejected"]) for pair in (short, long)]
    before = [one["reference"][0] - one["reference"][1] for one in trainer.train_dataset]
    by_hand = [0.5 * (one - other) for one, other in zip(now, before, strict=True)]
    assert margins.tolist() == pytest.approx(by_hand, abs=2e-3)


@pytest.mark.parametrize("strategy", ["full", "lora", "last_layers"])
def test_a_lost_run_goes_on_to_the_same_weights(tiny, tmp_path, monkeypatch, strategy):
    twin, lost = (job(tmp_path / name, tiny, strategy=strategy, n_epochs=4) for name in ("twin", "lost"))
    run.train(twin)
    made = Preference.trainer

    class KilledError(Exception):
        pass

    def killed(self, *args, **options):
        trainer = made(self, *args, **options)
        inner, done = trainer.training_step, []

        def training_step(*given, **more):
            done.append(1)
            if len(done) == 6:
                raise KilledError
            return inner(*given, **more)

        trainer.training_step = training_step
        return trainer

    with monkeypatch.context() as patched:
        patched.setattr(Preference, "trainer", killed)
        with pytest.raises(KilledError):
            run.train(lost)
    assert max(lost.checkpoints()) == 4
    run.train(lost)
    assert weights(lost) == weights(twin)


def test_too_long_pairs_are_left_out_and_told(tiny, tmp_path):
    directory = job(tmp_path, tiny, [*ROWS, preference("x" * 5000, "a", "b")], n_epochs=1)
    run.train(directory)
    (warned,) = [event for _, event in directory.events(0) if event.get("level") == "warn"]
    assert warned["data"]["left_out"] == 1


def test_what_diverges_fails(tiny, tmp_path):
    with pytest.raises(bases.TrainingError) as error:
        run.train(job(tmp_path, tiny, learning_rate_multiplier=1e30))
    assert error.value.code == "training_diverged"


def test_a_job_of_the_platform_learns_preferences_and_says_so(client):
    """Over the wire, with OpenAI's names."""
    options = {"hyperparameters": {"n_epochs": 6, "batch_size": 5, "beta": 0.2}, "seed": 5}
    job = ft.Job.create(
        ft.Dataset.from_rows(ROWS), model="tiny", method="dpo", platform=ft.connect("local"), **options
    ).wait()
    assert job.status == "succeeded"
    assert job.metrics()[-1].train_loss < job.metrics()[0].train_loss
    told = client.fine_tuning.jobs.retrieve(job.id).method
    assert (told.type, told.dpo.hyperparameters.beta, told.dpo.hyperparameters.n_epochs) == ("dpo", 0.2, 6)
    asked = [{"role": "user", "content": "甲？"}]
    assert client.chat.completions.create(model=job.fine_tuned_model, messages=asked, max_completion_tokens=4).choices


def test_rows_of_another_method_are_refused_while_validating():
    rows = [{"messages": [{"role": "user", "content": w}, {"role": "assistant", "content": "1"}]} for w in WORDS]
    with pytest.raises(ft.DataError, match="needs preference examples"):
        ft.Job.create(ft.Dataset.from_rows(rows), model="tiny", method="dpo", platform=ft.connect("local"))
