"""What a run tells is true: it ends as diverged where it did, goes on where it was, and its losses are over tokens."""

import hashlib
import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from finetune_lib.local.base_models import ensure_tiny
from finetune_lib.local.job_directory import JobDirectory, Order
from finetune_lib.local.training import bases, checkpoints, run, supervised
from finetune_lib.rendering.probing import Needs, renderer_of

WORDS = "甲乙丙丁戊己庚辛壬癸"


def rows(answers="0101010101"):
    return [
        {"messages": [{"role": "user", "content": f"{word}？"}, {"role": "assistant", "content": answer}]}
        for word, answer in zip(WORDS, answers, strict=True)
    ]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return ensure_tiny(tmp_path_factory.mktemp("root"))


@pytest.fixture
def begun(tiny, tmp_path, request):
    strategy = request.getfixturevalue("strategy") if "strategy" in request.fixturenames else None

    def begin(
        name="job", *, validation=None, seed=3, strategy=strategy, early_stopping=None, **hyperparameters
    ) -> JobDirectory:
        directory = JobDirectory(tmp_path / name)
        directory.path.mkdir()
        for path, content in ((directory.train, rows()), (directory.validation, validation)):
            if content:
                path.write_text("\n".join(json.dumps(row) for row in content), encoding="utf-8")
        given = {"n_epochs": 2, **hyperparameters}
        directory.place(Order(str(tiny), seed, given, strategy=strategy, early_stopping=early_stopping))
        return directory

    return begin


@pytest.fixture(params=["full", "lora", "last_layers"])
def strategy(request):
    return request.param


def told(directory, kind):
    return [event for _, event in directory.events(0) if event["type"] == kind]


def weights(directory: JobDirectory) -> str:
    (file,) = directory.final.glob("*model.safetensors")
    return hashlib.sha256(file.read_bytes()).hexdigest()


def by_hand(model_folder: Path, data) -> tuple[float, float]:
    """Mean loss and accuracy over all learned tokens of all rows, one row at a time."""
    model, tokenizer = AutoModelForCausalLM.from_pretrained(model_folder), AutoTokenizer.from_pretrained(model_folder)
    renderer = renderer_of(tokenizer, Needs.of(data))
    losses, right = [], []
    for row in data:
        (encoded,) = renderer.encode(row, limit=4096)
        with torch.no_grad():
            chances = model(input_ids=torch.tensor([encoded["input_ids"]])).logits[0].log_softmax(-1)
        for place, label in enumerate(encoded["labels"][1:]):
            if label >= 0:
                losses.append(-chances[place, label].item())
                right.append(chances[place].argmax().item() == label)
    return sum(losses) / len(losses), sum(right) / len(right)


def test_a_run_whose_loss_is_no_number_any_more_ends_as_diverged(begun, strategy):
    directory = begun(learning_rate_multiplier=1e30, n_epochs=6)
    with pytest.raises(bases.TrainingError, match=r"not finite at step \d+.*learning_rate_multiplier") as error:
        run.train(directory)
    assert error.value.code == "training_diverged"
    assert directory.outcome() is None
    assert not directory.final.exists()
    assert len(told(directory, "metrics")) < 6 * 5


def test_a_run_that_ends_worse_than_its_base_is_diverged_though_all_its_numbers_are_finite(begun, monkeypatch):
    directory = begun(learning_rate_multiplier=1000, n_epochs=4)
    with pytest.raises(bases.TrainingError, match=r"worse than its base on its own training examples \(loss") as error:
        run.train(directory)
    assert error.value.code == "training_diverged"
    assert all(event["data"]["train_loss"] is not None for event in told(directory, "metrics"))
    assert directory.checkpoints() == {}  # none was better than the base


@pytest.mark.parametrize("seed", range(3))
def test_a_run_at_a_high_rate_that_learned_all_the_same_is_no_failure(begun, seed):
    directory = begun(learning_rate_multiplier=5, n_epochs=10, seed=seed)
    run.train(directory)
    assert directory.final.exists()


def test_a_model_that_chooses_nothing_it_learned_is_told(begun):
    directory = begun(learning_rate_multiplier=1e-9)
    run.train(directory)
    assert [event["level"] for event in told(directory, "message")][1:] == ["warn"]
    assert "chooses none of the learned tokens" in told(directory, "message")[1]["message"]


@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_validation_is_a_mean_over_tokens_whatever_the_batch(begun, batch_size):
    long = "一二三四五六七八九十"
    held_out = rows(["0", long, "1", long * 3, "0", "1", "0", "1", "0", "1"])
    directory = begun(validation=held_out, batch_size=batch_size, n_epochs=1)
    run.train(directory)
    last = told(directory, "metrics")[-1]["data"]
    loss, accuracy = by_hand(directory.final, held_out)
    assert last["full_valid_loss"] == pytest.approx(loss, abs=2e-4)
    assert last["full_valid_mean_token_accuracy"] == pytest.approx(accuracy, abs=1e-5)


class Killed(BaseException):
    """As far as the directory is concerned, the process is gone."""


@pytest.mark.parametrize("at", [3, 7, 12])
def test_a_lost_run_goes_on_within_an_epoch_to_the_same_weights(begun, strategy, monkeypatch, at):
    whole = begun("whole", n_epochs=3)
    run.train(whole)
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN", 0)
    monkeypatch.setattr(checkpoints, "SAVES_BETWEEN", 0)
    lost = begun("lost", n_epochs=3)
    append = JobDirectory.append

    def dies(directory, event):
        append(directory, event)
        if event.get("data", {}).get("step") == at:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(JobDirectory, "append", dies)
        with pytest.raises(Killed):
            run.train(lost)
    assert max(lost.checkpoints()) == at - 1
    run.train(lost)
    assert weights(lost) == weights(whole)
    steps = [event["data"]["step"] for event in told(lost, "metrics")]
    assert steps == [*range(1, at + 1), *range(at, 16)]  # the last step before the end is done once more, no other one
    assert sorted(lost.checkpoints()) == [5, 10, 15]  # the ends of epochs alone


def test_a_run_that_is_lost_just_before_it_tells_its_success_tells_it_the_next_time(begun, monkeypatch):
    directory = begun()

    def dies(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(JobDirectory, "succeed", dies)
        with pytest.raises(Killed):
            run.train(directory)
    before = weights(directory)
    run.train(directory)
    assert directory.outcome()[0] == "result"
    assert weights(directory) == before


def test_a_model_that_knew_its_rows_by_heart_may_be_trained_on_them_again(begun):
    first = begun(n_epochs=25)
    run.train(first)
    second = begun("second", n_epochs=1, learning_rate_multiplier=2)
    second.place(Order(str(first.final), 3, {"n_epochs": 1}))
    run.train(second)
    assert second.outcome()[0] == "result"


def test_after_success_nothing_lies_there_that_only_training_needs(begun):
    directory = begun()
    run.train(directory)
    assert len(directory.checkpoints()) == 2
    names = {path.name for folder in directory.checkpoints().values() for path in folder.iterdir()}
    assert "model.safetensors" in names
    assert not {name for name in names if Path(name).suffix in {".pt", ".pth", ".bin", ".pkl"}}


def test_the_checkpoint_that_validated_best_is_kept_besides_the_last_three(begun):
    held_out = rows("1010101010")  # the opposite of what is learned: the better it is known, the worse this
    directory = begun(validation=held_out, n_epochs=25)
    run.train(directory)
    losses = {e["data"]["step"]: e["data"].get("full_valid_loss") for e in told(directory, "metrics")}
    best = min((step for step in losses if losses[step] is not None), key=lambda step: losses[step])
    assert best < 115
    assert sorted(directory.checkpoints()) == [best, 115, 120, 125]


def test_where_memory_runs_out_a_step_is_cut_and_learns_the_same(begun, monkeypatch):
    whole = begun("whole", batch_size=4, n_epochs=3)
    run.train(whole)
    step = supervised.TokenMeanTrainer.training_step

    def short_of_memory(trainer, model, inputs, *rest, **options):
        if len(inputs["input_ids"]) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return step(trainer, model, inputs, *rest, **options)

    monkeypatch.setattr(supervised.TokenMeanTrainer, "training_step", short_of_memory)
    cut = begun("cut", batch_size=4, n_epochs=3)
    run.train(cut)
    assert [event["message"] for event in told(cut, "message")][1:] == [
        "Memory ran out with 4 examples at a time: going on with 2",
        "Memory ran out with 2 examples at a time: going on with 1",
    ]
    for before, after in zip(told(whole, "metrics"), told(cut, "metrics"), strict=True):
        assert after["data"]["train_loss"] == pytest.approx(before["data"]["train_loss"], abs=1e-3)


def test_where_one_example_is_too_large_the_job_fails_with_the_way_out(begun, monkeypatch):
    def no_memory(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(supervised.TokenMeanTrainer, "training_step", no_memory)
    with pytest.raises(bases.TrainingError, match=r"one example at a time: .*take a smaller base") as error:
        run.train(begun(batch_size=2))
    assert error.value.code == "out_of_memory"


def test_events_tell_pace_memory_and_the_end(begun):
    directory = begun()
    run.train(directory)
    events = told(directory, "metrics")
    assert all(event["data"]["tokens_per_second"] > 0 for event in events)
    assert all(10**8 < event["data"]["peak_memory_bytes"] < 10**11 for event in events)
    last = events[-1]
    assert abs(last["data"]["estimated_finish"] - last["created_at"]) <= 1
