"""What is trained of a base: the rule, what is asked for, and that only that changes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM

from finetune_lib.local.base_models import ensure_tiny
from finetune_lib.local.job_directory import JobDirectory, Order
from finetune_lib.local.training import bases, run
from finetune_lib.local.training.strategy import strategy_for, strategy_problem

GB = 10**9
WORDS = "甲乙丙丁戊己庚辛壬癸"
ROWS = [
    {"messages": [{"role": "user", "content": f"{word}？"}, {"role": "assistant", "content": str(place % 2)}]}
    for place, word in enumerate(WORDS)
]


@pytest.mark.parametrize(
    ("parameters", "memory", "kind"),
    [
        (919_936, 16 * GB, "full"),
        (134_500_000, 16 * GB, "full"),
        (134_500_000, 2 * GB, "lora"),  # 16 bytes of each do not fit
        (299_999_999, 80 * GB, "full"),
        (300_000_000, 80 * GB, "lora"),
        (8_000_000_000, 80 * GB, "lora"),
        (8_000_000_000, 16 * GB, "qlora"),  # two bytes of each are the whole memory
        (70_000_000_000, 80 * GB, "qlora"),
    ],
)
def test_the_rule_of_size_and_memory(parameters, memory, kind):
    found = strategy_for(None, parameters=parameters, examples=50, memory=memory, continued=False)
    assert found.kind == kind
    assert found.reason


@pytest.mark.parametrize(("examples", "rank"), [(10, 8), (99, 8), (100, 16), (9_999, 16), (10_000, 32)])
def test_the_rank_grows_with_the_examples(examples, rank):
    found = strategy_for("lora", parameters=1, examples=examples, memory=GB, continued=False)
    assert (found.rank, found.alpha) == (rank, 2 * rank)


def test_what_is_asked_is_done():
    wanted = {"type": "lora", "rank": 4, "alpha": 64, "targets": ["q_proj"]}
    found = strategy_for(wanted, parameters=1, examples=10, memory=GB, continued=False)
    assert (found.kind, found.rank, found.alpha, found.targets) == ("lora", 4, 64, ("q_proj",))
    assert strategy_for({"type": "last_layers"}, parameters=1, examples=1, memory=GB, continued=False).layers == 2


@given(st.one_of(st.none(), st.text(), st.integers(), st.lists(st.text()), st.dictionaries(st.text(), st.text())))
def test_anything_else_is_refused_in_words_and_never_breaks(wanted):
    problem = strategy_problem(wanted)
    if problem is None:
        strategy_for(wanted, parameters=1, examples=1, memory=GB, continued=False)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("dora", "full, lora, qlora, last_layers"),
        ({"rank": 8}, "its type"),
        ({"type": "full", "rank": 8}, "rank"),
        ({"type": "lora", "rank": 0}, "rank from 1"),
        ({"type": "lora", "rank": True}, "rank from 1"),
        ({"type": "lora", "targets": []}, "targets"),
        ({"type": "last_layers", "layers": "two"}, "layers from 1"),
    ],
)
def test_a_job_with_a_strategy_that_is_none_is_refused(client, wanted, says):
    file = client.files.create(file=("rows.jsonl", "\n".join(map(json.dumps, ROWS)).encode()), purpose="fine-tune")
    with pytest.raises(openai.BadRequestError, match=says):
        client.fine_tuning.jobs.create(model="tiny", training_file=file.id, extra_body={"strategy": wanted})


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return ensure_tiny(tmp_path_factory.mktemp("root"))


def job(folder: Path, base: Path, strategy, held_out=(), *, early_stopping=None, **hyperparameters) -> JobDirectory:
    directory = JobDirectory(folder / "job")
    directory.path.mkdir(parents=True)
    directory.train.write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    if held_out:
        directory.validation.write_text("\n".join(map(json.dumps, held_out)), encoding="utf-8")
    given = {"n_epochs": 2, **hyperparameters}
    directory.place(Order(str(base), 3, given, strategy=strategy, early_stopping=early_stopping))
    return directory


def events(directory: JobDirectory, kind: str) -> list[dict]:
    return [event for _, event in directory.events(0) if event["type"] == kind]


def weights(folder: Path) -> dict:
    return dict(AutoModelForCausalLM.from_pretrained(folder).state_dict())


def test_the_last_layers_alone_are_trained(tiny, tmp_path):
    directory = job(tmp_path, tiny, {"type": "last_layers", "layers": 1}, n_epochs=30)
    run.train(directory)
    before, after = weights(tiny), weights(directory.final)
    changed = {name for name in before if not before[name].equal(after[name])}
    assert changed
    assert all(name.startswith(("model.layers.3.", "model.norm.")) for name in changed)
    losses = [event["data"]["train_loss"] for event in events(directory, "metrics")]
    assert losses[-1] < losses[0] / 2
    assert "Strategy last_layers (1): asked for" in events(directory, "message")[0]["message"]


def test_the_numbers_of_adapters_are_those_that_were_asked_for(tiny, tmp_path):
    directory = job(tmp_path, tiny, {"type": "lora", "rank": 4, "alpha": 8, "targets": ["q_proj", "v_proj"]})
    run.train(directory)
    told = json.loads((directory.final / "adapter_config.json").read_text())
    assert (told["r"], told["lora_alpha"], sorted(told["target_modules"])) == (4, 8, ["q_proj", "v_proj"])


def test_layers_that_there_are_not_end_the_job_in_words(tiny, tmp_path):
    with pytest.raises((bases.TrainingError, ValueError), match="no_such_layer"):
        run.train(job(tmp_path, tiny, {"type": "lora", "targets": ["no_such_layer"]}))


def test_the_reason_and_how_near_the_examples_are_stand_in_the_events(tiny, tmp_path):
    directory = job(tmp_path, tiny, None)
    run.train(directory)
    message = events(directory, "message")[0]["message"]
    assert message.startswith("Strategy full: 0.9 million weights")
    assert "the base's own loss on the examples is 6." in message


def test_weights_of_four_bits_say_what_to_install(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(bases, "find_spec", lambda _: None)
    with pytest.raises(bases.TrainingError, match=r"finetune_lib\[qlora\]"):
        run.train(job(tmp_path, tiny, "qlora"))


@pytest.mark.skipif(sys.platform == "darwin", reason="bitsandbytes has no package for macOS")
def test_weights_of_four_bits_are_trained_beside(tiny, tmp_path):
    directory = job(tmp_path, tiny, "qlora", n_epochs=30)
    run.train(directory)
    losses = [event["data"]["train_loss"] for event in events(directory, "metrics")]
    assert losses[-1] < losses[0] / 2
    assert (directory.final / "adapter_config.json").is_file()


def test_a_run_that_gets_no_better_ends_early_with_its_best_model(tiny, tmp_path):
    """The validation rows contradict what is learned: the first pass is the best, and two worse ones are waited for."""
    wrong = [{"messages": [row["messages"][0], {"role": "assistant", "content": str(1 - place % 2)}]}
             for place, row in enumerate(ROWS)]  # fmt: skip
    directory = job(tmp_path, tiny, None, wrong, early_stopping=2, n_epochs=30)
    run.train(directory)
    validated = {event["data"]["step"]: event["data"]["full_valid_loss"]
                 for event in events(directory, "metrics") if "full_valid_loss" in event["data"]}  # fmt: skip
    best = min(validated, key=validated.__getitem__)
    steps = sorted(validated)
    assert len(steps) < 30
    assert steps.index(best) == len(steps) - 3
    assert weights(directory.final).keys() == weights(tiny).keys()
    told = [event["message"] for event in events(directory, "message")]
    assert f"Training ended at step {steps[-1]}; the model is that of step {best}, which validated best" in told
    for name, weight in weights(directory.checkpoints()[best]).items():
        assert weight.equal(weights(directory.final)[name])


def test_an_early_stop_needs_something_to_validate_on(client):
    file = client.files.create(file=("rows.jsonl", "\n".join(map(json.dumps, ROWS)).encode()), purpose="fine-tune")
    with pytest.raises(openai.BadRequestError, match="validation_file"):
        client.fine_tuning.jobs.create(model="tiny", training_file=file.id, extra_body={"early_stopping": 2})
